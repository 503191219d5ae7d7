"""Ids as senders write them, as 16 and 8 bytes."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error

BAD_TRACE_ID = "A trace id must be 16 bytes (32 hexadecimal digits in JSON) and not all zero."
BAD_SPAN_ID = "A span id must be 8 bytes (16 hexadecimal digits in JSON) and not all zero."


def trace_id_of(raw: bytes) -> bytes | None:
    """None where it cannot be one. The 8 bytes of older tracers are padded, as W3C Trace Context says."""
    return _sized(raw, 16, shorter=8)


def span_id_of(raw: bytes) -> bytes | None:
    """None where it cannot be one."""
    return _sized(raw, 8, shorter=4)


def from_text(text: object) -> bytes:
    """The bytes of an id in JSON: hexadecimal as OTLP asks, or base64 as protobuf's own JSON writes it.

    b"" where it is neither.
    """
    if not isinstance(text, str) or not text:
        return b""
    if len(text) in (24, 12) and text.endswith("="):  # 16 and 8 bytes in base64; hexadecimal has no "=".
        try:
            return b64decode(text, validate=True)
        except (Base64Error, ValueError):
            return b""
    try:
        return bytes.fromhex(text.zfill(len(text) + len(text) % 2))
    except ValueError:
        return b""


def _sized(raw: bytes, size: int, *, shorter: int) -> bytes | None:
    if shorter <= len(raw) < size:
        raw = raw.rjust(size, b"\0")
    return raw if len(raw) == size and any(raw) else None
