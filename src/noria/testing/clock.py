"""A clock that stands still."""

from __future__ import annotations


class FrozenClock:
    """`core.clock.Clock` that moves when it is told to; both its clocks move together."""

    def __init__(self, now_ns: int = 1_800_000_000_000_000_000) -> None:
        self._now = now_ns
        self._monotonic = 1_000_000_000

    def now_ns(self) -> int:
        return self._now

    def monotonic_ns(self) -> int:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        passed = round(seconds * 1_000_000_000)
        self._now += passed
        self._monotonic += passed
