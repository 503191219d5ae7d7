"""One gateway worker put together: what it serves, where it records, how it follows changes."""

from __future__ import annotations

import asyncio
import logging
import os
from random import Random
from time import monotonic

from noria.core.clock import Clock, SystemClock
from noria.errors import ConfigError, StateError, Unavailable
from noria.gateway.compiled import World, compile_world
from noria.gateway.dialects.dialect import Back
from noria.gateway.exact_cache import ExactCache, MemoryCache
from noria.gateway.service import Gateway
from noria.gateway.snapshot import Provider
from noria.gateway.transport import Signer
from noria.hooks import load
from noria.prompts.pool import Shelf
from noria.providers.engine import resolve_engine
from noria.providers.proxies import proxy_for
from noria.providers.secrets import read_secret
from noria.providers.signing import signer
from noria.providers.transport import PooledTransport
from noria.runtime.kept_answers import KeptAnswers
from noria.runtime.previous import PreviousTurns
from noria.storage.counters_slots import Slots
from noria.storage.home import Home
from noria.storage.money import SharedMoney
from noria.storage.rates import SharedRates
from noria.storage.snapshots import Snapshots
from noria.storage.spool import Durability, SpoolWriter
from noria.tracing.store import Cipher

_log = logging.getLogger("noria.worker")
AGAIN = 20
"""Looks after which secrets that could not be read are read again."""
LOOK = 0.25
"""Seconds between two looks at the generation while no request comes."""


class Worker:
    """Worker number `number` of the Noria in `home`; needs a running event loop."""

    def __init__(
        self,
        home: Home,
        *,
        number: int,
        spool_limit: int,
        sync_s: float,
        durability: Durability,
        cache: int,
        valkey: str | None = None,
        cipher: Cipher | None = None,
    ) -> None:
        """`spool_limit` and `cache` are bytes; `sync_s` is seconds. With `valkey` (a URL, or a reference to
        one) the exact cache is there; with `cipher` the spool is encrypted."""
        self.number = number
        self._home = home
        self._snapshots = Snapshots(home.snapshots)
        self._transport = PooledTransport()
        self._generation = -1
        self._failed = -1
        self._retry_at = 0.0
        self._world: World | None = None
        self._backs: dict[str, Back] = {}
        clock = SystemClock()
        pepper = home.pepper()
        name = f"worker-{number}"
        slots = Slots(home.counters)
        slot = slots.claim(name)
        self.spool = SpoolWriter(
            home.spool,
            writer=name,
            limit_bytes=spool_limit,
            sync_s=sync_s,
            durability=durability,
            cipher=cipher,
            clock=clock,
        )
        self.gateway = Gateway(
            world=self.world,
            spool=self.spool,
            rates=SharedRates(home.counters, slots=slots, slot=slot),
            money=SharedMoney(home.counters, slots=slots, slot=slot, clock=clock),
            cache=_cache(valkey, cache, clock),
            transport=self._transport,
            find=KeptAnswers(home.run / "collector.sock", self._transport),
            expand=PreviousTurns(home.run / "collector.sock", self._transport, pepper=pepper),
            pools=Shelf(home.pools),
            pepper=pepper,
            random=Random(),
        )

    @property
    def transport(self) -> PooledTransport:
        return self._transport

    @property
    def max_body(self) -> int:
        """Bytes of the longest body that is accepted."""
        return self._world.snapshot.max_body if self._world is not None else 1_048_576

    def world(self) -> World:
        """What is to be served at this moment. Raises Unavailable before anything was applied."""
        if self._snapshots.generation != self._generation:
            self.refresh()
        if self._world is None:
            if self._failed > 0:
                raise Unavailable("No configuration can be served; `noria doctor` says why.", retry_after=5.0)
            raise Unavailable("Noria is starting: no configuration is in force yet.", retry_after=1.0)
        return self._world

    def refresh(self) -> None:
        """Take over what was published last. What cannot be compiled leaves the old in force."""
        generation = self._snapshots.generation
        if generation == 0 or (generation == self._failed and monotonic() < self._retry_at):
            return
        try:
            snapshot, live = self._snapshots.current()
            world = self._world
            if world is not None and world.snapshot == snapshot and not world.unready:
                self._world = world.with_live(live)
            else:
                self._world = compile_world(
                    snapshot, live, resolve=self._resolve, back=self._back, signer=self._signer, proxy=proxy
                )
        except (ConfigError, StateError) as error:
            if generation != self._failed:
                _log.error("Generation %d is not served: %s", generation, error)
            self._failed, self._retry_at = generation, monotonic() + 1.0
            return
        self._generation = generation
        self._snapshots.confirm(self.number, generation)

    async def follow(self) -> None:
        """Look for changes while no request brings them to light."""
        looked = 0
        while True:
            await asyncio.sleep(LOOK)
            looked += 1
            again = looked % AGAIN == 0 and self._world is not None and self._world.unready
            if again or self._snapshots.generation != self._generation:
                self.refresh()

    def close(self) -> None:
        """Stop serving; everything is on record already."""
        self._snapshots.confirm(self.number, 0)
        self._transport.close()
        self.spool.close()

    def _resolve(self, provider: Provider) -> tuple[str, dict[str, str]]:
        if provider.base_url.startswith("engine:"):
            url, key = resolve_engine(provider.base_url.removeprefix("engine:"), self._home)
            return url, {"api_key": key}
        secrets = {name: read_secret(reference, base=None) for name, reference in provider.secrets.items()}
        return provider.base_url, secrets

    def _back(self, dialect: str) -> Back:
        found = self._backs.get(dialect)
        if found is None:
            found = self._backs[dialect] = load("back", dialect)()
        return found

    def _signer(self, provider: Provider, secrets: dict[str, str]) -> Signer | None:
        return signer(provider, secrets, transport=self._transport)


def _cache(valkey: str | None, max_bytes: int, clock: Clock) -> ExactCache:
    if valkey is None:
        return MemoryCache(max_bytes=max_bytes, clock=clock)
    from noria.storage.valkey_cache import ValkeyCache

    url = valkey if "://" in valkey else read_secret(valkey, base=None)
    return ValkeyCache(url, clock=clock)


def proxy(provider: Provider, base_url: str) -> str:
    """The provider's own proxy, else the environment's; "" for none."""
    return provider.proxy if provider.proxy is not None else proxy_for(base_url, os.environ)
