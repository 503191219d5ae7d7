"""The exact cache in Valkey (or Redis), shared by workers and hosts."""

from __future__ import annotations

import msgspec

from noria.core.clock import Clock, SystemClock
from noria.errors import ConfigError, MissingExtra
from noria.gateway.exact_cache import Entry

PREFIX = b"noria:exact:1:"
"""Before the key; the number changes with Entry's form."""
CONNECT_S = 0.25
ANSWER_S = 0.1
PAUSE_S = 1.0
"""After a failure nobody asks the server for so long, so that one that is down does not slow every call."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode


class ValkeyCache:
    """`gateway.exact_cache.ExactCache`; expiry and eviction are the server's.

    A value repeats its key, so that no mix-up of connections or keys can hand one tenant another's answer.
    """

    def __init__(self, url: str, *, clock: Clock | None = None) -> None:
        """`url` as in `valkey://user:password@host:6379/0`; `valkeys://` is TLS. Connects at the first call.

        Raises MissingExtra, and ConfigError where it is no such URL.
        """
        try:
            from valkey.asyncio import Valkey
            from valkey.exceptions import ValkeyError
        except ImportError:
            raise MissingExtra("The cache in Valkey", "valkey") from None
        try:
            self._client = Valkey.from_url(url, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S)
        except ValueError as error:
            raise ConfigError(f"The cache's URL is not understood: {error}.") from None
        self._failures = (ValkeyError, OSError)
        self._monotonic = (clock or SystemClock()).monotonic_ns
        self._asleep_until = 0
        self.failures = 0
        """Calls that the server did not answer."""

    async def get(self, key: bytes) -> Entry | None:
        """The entry, or None where there is none or the server cannot be asked."""
        if self._monotonic() < self._asleep_until:
            return None
        try:
            value = await self._client.get(PREFIX + key)
        except self._failures:
            self._failed()
            return None
        if not isinstance(value, bytes) or not value.startswith(key):
            return None
        try:
            return _decode(memoryview(value)[len(key) :])
        except msgspec.DecodeError:
            return None  # Another version wrote it.

    async def put(self, key: bytes, entry: Entry, *, ttl: int) -> None:
        """Keep the entry for `ttl` seconds, where the server can be asked."""
        if self._monotonic() < self._asleep_until:
            return
        try:
            await self._client.set(PREFIX + key, key + _encode(entry), ex=ttl)
        except self._failures:
            self._failed()

    async def close(self) -> None:
        await self._client.aclose()

    def _failed(self) -> None:
        self.failures += 1
        self._asleep_until = self._monotonic() + int(PAUSE_S * 1_000_000_000)
