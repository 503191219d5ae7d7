"""Rate limits that processes share: sums over the last `window_s` seconds, without a lock.

A window is BUCKETS equal parts of the clock. A sum covers the part that runs and the BUCKETS before it, so it
never misses anything that happened within the window, and forgets it at most window/BUCKETS too late: no
window ever holds more than the limit, and after a burst a caller waits up to an eighth longer than it must.

Since nobody locks, each of N processes may admit one call on a sum that another is just adding to: up to
N - 1 calls too many. Budgets, which must not, are in `money.py`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from noria.storage.counters import KEY_WORDS, Table
from noria.storage.counters_slots import SLOTS, Slots

BUCKETS = 8
_RING = BUCKETS + 1
_CELL = 1 + _RING  # The newest part's number, then the ring of parts.
_IDLE = KEY_WORDS  # Unix seconds after which the row may go.
_CELLS = KEY_WORDS + 1
_ROW = _CELLS + SLOTS * _CELL


class Admitted(msgspec.Struct, frozen=True):
    """A rate limit's answer (`gateway.ports.Admitted`)."""

    allowed: bool
    remaining: int
    """What is left of the limit; never negative."""
    reset_s: float
    """If allowed: seconds until the whole limit is free again. If not: until this amount may fit."""


class SharedRates:
    """`gateway.ports.Rates` over the file `rates`; one object a process, for one thread."""

    def __init__(self, folder: Path, *, slots: Slots, slot: int, capacity: int = 4096) -> None:
        self._table = Table(folder / "rates", capacity=capacity, row_words=_ROW)
        self._slots = slots
        self._mine = _CELLS + slot * _CELL
        self._names: dict[tuple[bytes, int], bytes] = {}

    def admit(self, subject: bytes, *, amount: int, limit: int, window_s: int, now: float) -> Admitted:
        """Add `amount` where the sum stays within the limit. Raises Unavailable where no row can be made."""
        at = self._row(subject, window_s, now)
        part = int(now * BUCKETS / window_s)
        if self._table.words[at + self._mine] > part + BUCKETS:
            self._reset(at + self._mine, part)  # The clock was set back: what is admitted must count again.
        total = self._sum(at, part)
        if total + amount > limit:
            wait = self._wait(at, part, excess=total + amount - limit)
            return Admitted(False, max(limit - total, 0), self._until(part + wait, window_s, now))
        if amount:
            self._add(at, part, amount)
        return Admitted(True, max(limit - total - amount, 0), self._until(part + _RING, window_s, now))

    def add(self, subject: bytes, *, amount: int, window_s: int, now: float) -> None:
        """Correct a sum after the fact, at the time `now` of the call; either sign."""
        self._add(self._row(subject, window_s, now), int(now * BUCKETS / window_s), amount)

    def close(self) -> None:
        self._table.close()

    def _row(self, subject: bytes, window_s: int, now: float) -> int:
        named = (subject, window_s)
        key = self._names.get(named)
        if key is None:
            if len(self._names) >= 65_536:
                self._names.clear()
            name = subject + window_s.to_bytes(8, "little")
            key = self._names[named] = hashlib.blake2b(name, digest_size=16).digest()
        at = self._table.find(key)
        if at is None:
            with self._table.guard:
                at = self._table.make(key, lambda row: self._table.words[row + _IDLE] < now)
                self._table.words[at + _IDLE] = int(now) + 2 * window_s + 1
        elif self._table.words[at + _IDLE] < now + window_s + 1:
            self._table.words[at + _IDLE] = int(now) + 2 * window_s + 1
        return at

    def _add(self, at: int, part: int, amount: int) -> None:
        words, cell = self._table.words, at + self._mine
        newest = words[cell]
        if part > newest:
            for passed in range(max(newest + 1, part - BUCKETS), part + 1):
                words[cell + 1 + passed % _RING] = 0
            words[cell] = part
        elif part < newest - BUCKETS:
            return  # The call began more than a window ago: its part has passed.
        words[cell + 1 + part % _RING] += amount

    def _reset(self, cell: int, part: int) -> None:
        for place in range(cell + 1, cell + _CELL):
            self._table.words[place] = 0
        self._table.words[cell] = part

    def _sum(self, at: int, part: int) -> int:
        words, total = self._table.words, 0
        for cell in range(at + _CELLS, at + _CELLS + self._slots.high * _CELL, _CELL):
            newest = words[cell]
            if newest == part:  # The whole ring counts.
                total += sum(words[cell + 1 : cell + _CELL])
            elif newest >= part - BUCKETS:
                return sum(self._parts(at, part))
        return total

    def _parts(self, at: int, part: int) -> list[int]:
        """The sums of the parts from the oldest that counts to the newest."""
        words = self._table.words
        sums = [0] * _RING
        for cell in range(at + _CELLS, at + _CELLS + self._slots.high * _CELL, _CELL):
            newest = words[cell]
            if newest < part - BUCKETS or newest > part + BUCKETS:
                continue
            ring = words[cell + 1 : cell + _CELL].tolist()
            for passed in range(part - BUCKETS, min(newest, part) + 1):
                if passed > newest - _RING:
                    sums[passed - part + BUCKETS] += ring[passed % _RING]
            for ahead in range(part + 1, newest + 1):  # Another process's clock call came first.
                sums[BUCKETS] += ring[ahead % _RING]
        return sums

    def _wait(self, at: int, part: int, *, excess: int) -> int:
        """Parts until `excess` of what counts now is forgotten."""
        for waited, amount in enumerate(self._parts(at, part), start=1):
            excess -= amount
            if excess <= 0:
                return waited
        return _RING

    @staticmethod
    def _until(part: int, window_s: int, now: float) -> float:
        return max(part * window_s / BUCKETS - now, 0.0)
