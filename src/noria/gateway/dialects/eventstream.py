"""AWS's binary event-stream framing, both ways.

A message is: total length, length of headers, CRC-32 of these eight bytes; headers; payload; CRC-32 of all
before it. Integers are big-endian. Source: Smithy specification, "Event stream" over HTTP,
application/vnd.amazon.eventstream.
"""

from __future__ import annotations

import struct
from zlib import crc32

import msgspec

from noria.errors import UpstreamError

Value = bool | int | str | bytes

MAX_MESSAGE = 24 * 1024 * 1024
"""Bytes of one message; AWS's own limit is 16 MiB of payload and 128 KiB of headers."""

_PRELUDE = struct.Struct(">III")
_FIXED = {2: (">b", 1), 3: (">h", 2), 4: (">i", 4), 5: (">q", 8), 8: (">q", 8)}
"""Header types that are one integer: byte, short, integer, long, timestamp (milliseconds)."""
_BYTES, _STRING, _UUID = 6, 7, 9


class Message(msgspec.Struct, frozen=True):
    """One frame. Header values are bool, int, bytes or text."""

    headers: dict[str, Value]
    payload: bytes = b""


def encode(message: Message) -> bytes:
    """One frame's bytes; integers become longs."""
    headers = b"".join(_encode_header(name, value) for name, value in message.headers.items())
    total = 16 + len(headers) + len(message.payload)
    lengths = struct.pack(">II", total, len(headers))
    frame = lengths + struct.pack(">I", crc32(lengths)) + headers + message.payload
    return frame + struct.pack(">I", crc32(frame))


class Splitter:
    """Bytes in, whole messages out, however the bytes are split."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Raises UpstreamError(kind="server") for a wrong checksum, length or header."""
        self._buffer += data
        found: list[Message] = []
        at = 0
        while len(self._buffer) - at >= 12:
            total, headers, checksum = _PRELUDE.unpack_from(self._buffer, at)
            if crc32(self._buffer[at : at + 8]) != checksum:
                raise _broken("the checksum of a prelude is wrong")
            if not 16 + headers <= total <= MAX_MESSAGE:
                raise _broken(f"a message says that it is {total} bytes long")
            if len(self._buffer) - at < total:
                break
            frame = bytes(self._buffer[at : at + total])
            if crc32(frame[:-4]) != int.from_bytes(frame[-4:], "big"):
                raise _broken("the checksum of a message is wrong")
            end = 12 + headers
            found.append(Message(_decode_headers(frame[12:end]), frame[end:-4]))
            at += total
        del self._buffer[:at]
        return found

    @property
    def empty(self) -> bool:
        """Whether nothing of an unfinished message is waiting."""
        return not self._buffer


def _broken(what: str) -> UpstreamError:
    return UpstreamError(f"The upstream's event stream is broken: {what}.", kind="server")


def _encode_header(name: str, value: Value) -> bytes:
    raw = name.encode()
    head = struct.pack(">B", len(raw)) + raw
    if isinstance(value, bool):
        return head + (b"\x00" if value else b"\x01")
    if isinstance(value, int):
        return head + struct.pack(">Bq", 5, value)
    kind = _STRING if isinstance(value, str) else _BYTES
    data = value.encode() if isinstance(value, str) else value
    return head + struct.pack(">BH", kind, len(data)) + data


def _decode_headers(raw: bytes) -> dict[str, Value]:
    found: dict[str, Value] = {}
    at = 0
    try:
        while at < len(raw):
            size = raw[at]
            name = raw[at + 1 : at + 1 + size].decode()
            kind = raw[at + 1 + size]
            found[name], at = _decode_value(raw, at + 2 + size, kind)
    except (IndexError, UnicodeDecodeError, struct.error):
        raise _broken("a header cannot be read") from None
    if at != len(raw):
        raise _broken("its headers are cut short")
    return found


def _decode_value(raw: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind in (0, 1):
        return kind == 0, at
    if kind in _FIXED:
        form, size = _FIXED[kind]
        return struct.unpack_from(form, raw, at)[0], at + size
    if kind == _UUID:
        return raw[at : at + 16], at + 16
    if kind not in (_BYTES, _STRING):
        raise _broken(f"a header has the unknown type {kind}")
    size = struct.unpack_from(">H", raw, at)[0]
    data = raw[at + 2 : at + 2 + size]
    return (data.decode() if kind == _STRING else data), at + 2 + size
