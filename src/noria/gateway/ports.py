"""What the gateway needs of the machine below it: spool, counters. Runtime wires the storage behind these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from noria.tracing.record import SpoolRecord


class Spool(Protocol):
    """Where records survive this process."""

    @property
    def short(self) -> bool:
        """Whether payload bodies are to be left out, since room is short."""
        ...

    def append(self, record: SpoolRecord) -> None:
        """On return the record survives kill -9. Raises Unavailable when there is no room."""
        ...


class Admitted(Protocol):
    """A rate limit's answer."""

    @property
    def allowed(self) -> bool: ...
    @property
    def remaining(self) -> int: ...
    @property
    def reset_s(self) -> float: ...


class Rates(Protocol):
    """Sliding-window sums shared by all workers."""

    def admit(self, subject: bytes, *, amount: int, limit: int, window_s: int, now: float) -> Admitted: ...

    def add(self, subject: bytes, *, amount: int, window_s: int, now: float) -> None: ...


class HoldLike(Protocol):
    """One row to reserve in: at most `cap_nano` may be settled and reserved in it together; -1: no cap."""

    @property
    def row(self) -> bytes: ...
    @property
    def cap_nano(self) -> int: ...
    @property
    def nano(self) -> int: ...
    @property
    def window_end(self) -> int: ...


class Money(Protocol):
    """Reservations and spend shared by all workers, never overspent."""

    def reserve(self, items: Sequence[HoldLike]) -> int | None: ...

    def settle(self, row: bytes, *, reserved: int, spent: int) -> None: ...

    def totals(self, row: bytes) -> tuple[int, int]: ...

    def acquire(self, subject: bytes, limit: int) -> bool: ...

    def release(self, subject: bytes) -> None: ...
