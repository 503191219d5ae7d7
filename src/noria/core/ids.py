"""W3C trace and span ids, and time-ordered ids for everything else.

A trace id is 16 bytes and a span id 8 bytes, neither all zero; on the wire both are lower-case hex.
"""

from __future__ import annotations

import os
import time

from noria.errors import InvalidRequest

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, so that ids can be read aloud


class _Randomness:
    """The kernel's random bytes, fetched many at a time, since a call of it costs more than an id."""

    def __init__(self) -> None:
        self._pool = b""
        self._at = 0

    def take(self, size: int) -> bytes:
        at = self._at
        if at + size > len(self._pool):
            self._pool, at = os.urandom(4096), 0
        self._at = at + size
        return self._pool[at : at + size]

    def forget(self) -> None:
        self._pool, self._at = b"", 0


_randomness = _Randomness()
os.register_at_fork(after_in_child=_randomness.forget)


def trace_id() -> bytes:
    """16 bytes: Unix milliseconds in the first six, so that ids sort by time, the rest random."""
    return int(time.time() * 1000).to_bytes(6, "big") + _randomness.take(10)


def span_id() -> bytes:
    """8 random bytes."""
    return _randomness.take(8)


_last = 0
"""The value of the newest id."""


def new_id(prefix: str) -> str:
    """`<prefix>_` and 26 characters that sort by creation time (the layout of a ULID), those of one thread in
    the order in which they are made."""
    global _last
    value = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10), "big")
    if 0 <= _last - value < 1000 << 80:  # Of the same millisecond, or the clock went back a little.
        value = _last + 1 + int.from_bytes(os.urandom(4), "big")
    _last = value
    return prefix + "_" + "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))


def parse_traceparent(value: bytes) -> tuple[bytes, bytes, bool] | None:
    """(trace id, parent span id, sampled) of a W3C `traceparent` header; None where it is malformed.

    Source: W3C Trace Context, section 3.2: a malformed header is ignored, not refused.
    """
    if len(value) < 55 or value[2:3] != b"-" or value[35:36] != b"-" or value[52:53] != b"-":
        return None
    version = value[:2]
    if version == b"ff" or (version == b"00" and len(value) != 55):
        return None
    try:
        trace, span = bytes.fromhex(value[3:35].decode()), bytes.fromhex(value[36:52].decode())
        flags = int(value[53:55], 16)
    except ValueError:
        return None
    if len(trace) != 16 or len(span) != 8 or not any(trace) or not any(span):
        return None
    return trace, span, bool(flags & 1)


def traceparent(trace: bytes, span: bytes) -> str:
    """The header that makes `span` the parent of what the callee does; always sampled."""
    return f"00-{trace.hex()}-{span.hex()}-01"


def parse_hex(value: str, *, size: int, what: str) -> bytes:
    """`value` as `size` bytes, or InvalidRequest that says what was expected."""
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        raw = b""
    if len(raw) != size or not any(raw):
        raise InvalidRequest(f"The {what} must be {size * 2} hexadecimal digits and not all zero.")
    return raw
