"""The exact cache: the same request by the same tenant to the same configuration gets the same answer.

Rule 8: the key holds tenant, the whole normalised request, the model and the config digest.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Protocol

import msgspec

from noria.core.clock import Clock
from noria.core.usage import Usage
from noria.gateway.ask import Fields

_canonical = msgspec.json.Encoder(order="deterministic")
_any = msgspec.json.Decoder()

IGNORED = frozenset({"user", "metadata", "noria", "store"})
"""Top-level keys that do not change what the model says."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A whole answer (of a streamed call its frames), and what it cost when it was made."""

    body: bytes
    target: str
    usage: Usage | None
    cost: str | None
    stop_reason: str
    created: int
    """Unix seconds."""


class ExactCache(Protocol):
    """Where entries live. A cache that cannot be reached misses; it never fails a call."""

    async def get(self, key: bytes) -> Entry | None: ...

    async def put(self, key: bytes, entry: Entry, *, ttl: int) -> None: ...


def cache_key(fields: Fields, *, tenant: str, dialect: str, route: str, config: str) -> bytes:
    """32 bytes; the order of keys and white space in the request make no difference."""
    kept = {name: _any.decode(raw) for name, raw in fields.items() if name not in IGNORED}
    identity = (tenant, dialect, route, config, kept)
    return hashlib.sha256(_canonical.encode(identity)).digest()


class MemoryCache:
    """Entries in this process, least recently used out first beyond `max_bytes`."""

    def __init__(self, *, max_bytes: int = 67_108_864, clock: Clock) -> None:
        self._entries: OrderedDict[bytes, tuple[Entry, float]] = OrderedDict()
        self._room = max_bytes
        self._clock = clock

    async def get(self, key: bytes) -> Entry | None:
        found = self._entries.get(key)
        if found is None:
            return None
        entry, until = found
        if self._clock.monotonic_ns() >= until:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    async def put(self, key: bytes, entry: Entry, *, ttl: int) -> None:
        self._drop(key)
        self._entries[key] = (entry, self._clock.monotonic_ns() + ttl * 1_000_000_000)
        self._room -= len(entry.body)
        while self._room < 0:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        found = self._entries.pop(key, None)
        if found is not None:
            self._room += len(found[0].body)
