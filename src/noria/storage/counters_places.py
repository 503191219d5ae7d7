"""Hard concurrency: how many calls of a subject are under way in all processes, exact under one lock."""

from __future__ import annotations

from pathlib import Path

from noria.storage.counters import KEY_WORDS, Table
from noria.storage.counters_slots import SLOTS, Slots

_COUNTS = KEY_WORDS
_ROW = KEY_WORDS + SLOTS


class SharedPlaces:
    """Places that a dead process held are free again as soon as somebody is refused for want of them."""

    def __init__(self, folder: Path, *, slots: Slots, slot: int, capacity: int = 4096) -> None:
        self._table = Table(folder / "places", capacity=capacity, row_words=_ROW)
        self._slots = slots
        self._mine = _COUNTS + slot
        if slots.own == slot:  # Else it only reads, and the places are those of the slot's live owner.
            with self._table.guard:
                self._clear(self._mine)

    def acquire(self, subject: bytes, limit: int) -> bool:
        """Take one of `limit` places of the 16-byte subject. Raises Unavailable."""
        table = self._table
        with table.guard:
            at = table.make(subject, self._idle)
            if self._taken(at) >= limit and not self._reclaimed(at, limit):
                return False
            table.words[at + self._mine] += 1
        return True

    def release(self, subject: bytes) -> None:
        """Give one back."""
        at = self._table.find(subject)
        if at is not None and self._table.words[at + self._mine] > 0:
            self._table.words[at + self._mine] -= 1

    def taken(self, subject: bytes) -> int:
        """How many are taken now."""
        at = self._table.find(subject)
        return 0 if at is None else self._taken(at)

    def close(self) -> None:
        self._table.close()

    def _taken(self, at: int) -> int:
        return sum(self._table.words[at + _COUNTS : at + _COUNTS + self._slots.high])

    def _reclaimed(self, at: int, limit: int) -> bool:
        for slot in range(self._slots.high):
            if self._table.words[at + _COUNTS + slot] and not self._slots.alive(slot):
                self._clear(_COUNTS + slot)
        return self._taken(at) < limit

    def _clear(self, column: int) -> None:
        for at, _ in self._table.column(column):
            self._table.words[at + column] = 0

    def _idle(self, at: int) -> bool:
        return not self._taken(at)
