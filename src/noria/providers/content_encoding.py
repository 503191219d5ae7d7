"""Compressed answers of upstreams, taken apart within a bound."""

from __future__ import annotations

import zlib


class Decoder:
    """Undoes a Content-Encoding, piece by piece."""

    def __init__(self, encoding: bytes) -> None:
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | 32 if encoding == b"gzip" else zlib.MAX_WBITS)

    @property
    def whole(self) -> bool:
        """Whether the compressed data has reached its end."""
        return self._inner.eof

    @property
    def behind(self) -> bool:
        """Whether the last `feed` had more to give than it might."""
        return bool(self._inner.unconsumed_tail)

    def feed(self, data: bytes, *, at_most: int) -> bytes:
        return self._inner.decompress(data, at_most)

    def flush(self) -> bytes:
        return self._inner.flush()
