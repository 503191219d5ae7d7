"""Control's side of the snapshots: what noria.db holds becomes what workers serve."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from noria.access.key import Budget, Key, RateLimit
from noria.core.clock import Clock
from noria.gateway.snapshot import FORMAT, Live, ServedPrompt, Snapshot
from noria.storage.snapshots import Snapshots

WAIT_S = 2.0
"""For how long a change waits for the workers before it names those that lag."""


class Publisher:
    """Publishes, and keeps the Live in force at hand for control's own authentication."""

    def __init__(
        self,
        snapshots: Snapshots,
        clock: Clock,
        *,
        keys: Callable[[], dict[str, Key]],
        budgets: Callable[[], dict[str, Budget]],
        prompts: Callable[[], dict[str, dict[str, ServedPrompt]]] = dict,
        reserve: Callable[[str], object] = lambda _: None,
    ) -> None:
        """`reserve` gives an engine its address before workers look for it, whether it runs yet or not."""
        self._reserve = reserve
        self._snapshots = snapshots
        self._clock = clock
        self._keys = keys
        self._budgets = budgets
        self._prompts = prompts
        self._lock = threading.Lock()
        self.limits: tuple[RateLimit, ...] = ()
        """Limits of keys that have none of their own; set before `publish`."""
        self.live = Live(format=FORMAT, epoch=0)

    def publish(self, config: Snapshot | None = None) -> list[int]:
        """Make workers serve keys, budgets and labelled prompts of the database, and `config` where given.

        Returns the numbers of the live workers that had not confirmed after WAIT_S.
        """
        for provider in config.providers.values() if config is not None else ():
            if provider.base_url.startswith("engine:"):
                self._reserve(provider.base_url.removeprefix("engine:"))
        # Reading and publishing are one act: else an older reading could be published last.
        with self._lock:
            epoch = max(self.live.epoch + 1, self._clock.now_ns() // 1_000_000)
            keys = {lookup: self._limited(key) for lookup, key in self._keys().items()}
            self.live = Live(
                format=FORMAT, epoch=epoch, keys=keys, budgets=self._budgets(), prompts=self._prompts()
            )
            generation = self._snapshots.publish(config=config, live=self.live)
        return self._snapshots.wait_served(generation, timeout=WAIT_S)

    def _limited(self, key: Key) -> Key:
        return key if key.limits or not self.limits else msgspec.structs.replace(key, limits=self.limits)
