"""The frames of streams: server-sent events, and Amazon's binary event stream."""

from __future__ import annotations

import struct
from zlib import crc32

import msgspec

from noria.testing.answer import Frame, Json


def data_frame(value: Json, *, tokens: int = 0) -> Frame:
    """An event without a name."""
    return Frame(b"data: " + msgspec.json.encode(value) + b"\n\n", tokens)


def event_frame(value: Json, *, tokens: int = 0) -> Frame:
    """An event that is named by its value's `type`."""
    head = b"event: " + value["type"].encode() + b"\ndata: "
    return Frame(head + msgspec.json.encode(value) + b"\n\n", tokens)


def binary_frame(headers: dict[str, str], value: Json, *, tokens: int = 0) -> Frame:
    """A message of `application/vnd.amazon.eventstream`.

    Source: smithy.io, "Amazon Event Stream Specification": total and header length, CRC-32 of these, headers
    (name, type 7, value), payload, CRC-32 of all before.
    """
    head = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(text)) + text.encode()
        for name, text in headers.items()
    )
    payload = msgspec.json.encode(value)
    prelude = struct.pack(">II", len(head) + len(payload) + 16, len(head))
    message = prelude + struct.pack(">I", crc32(prelude)) + head + payload
    return Frame(message + struct.pack(">I", crc32(message)), tokens)
