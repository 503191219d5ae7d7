"""Money that processes share: reserved before an upstream call, settled after it, never overspent.

A row is one budget, subject and window. Each slot holds two sums in it: `settled` and `reserved`, int64
nano-dollars. Reserving is sum, compare, add under one lock. Settling takes none: it stores `settled` before
it lowers `reserved`, and a sum reads `reserved` before `settled`, so that a process killed between the two,
or a reader between them, counts too much for a moment and never too little.

The order that makes a death exact or too much, never too little: reserve, put the Begin on record, call,
settle, put the End on record. What a dead process held stays held until `settle_dead`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from noria.core.clock import Clock, SystemClock
from noria.errors import StateError
from noria.gateway.ports import HoldLike
from noria.storage.counters import KEY_WORDS, Table
from noria.storage.counters_places import SharedPlaces
from noria.storage.counters_slots import SLOTS, DeadSlot, Slots

KEPT_S = 3600
"""A window's row stays at least so long after its end, for calls that end after it."""
_END = KEY_WORDS
_SETTLED = KEY_WORDS + 1
_RESERVED = _SETTLED + SLOTS
_ROW = _RESERVED + SLOTS


class Spent(msgspec.Struct, frozen=True):
    """What the ledger says of one row."""

    row: bytes
    nano: int
    window_end: int


class SharedMoney:
    """`gateway.ports.Money` over the files `money` and `places`; one object a process, for one thread."""

    def __init__(
        self,
        folder: Path,
        *,
        slots: Slots,
        slot: int,
        capacity: int = 8192,
        clock: Clock | None = None,
    ) -> None:
        """`slot` is this process's own, from `slots.claim`; one that only reads totals may name any."""
        self._table = Table(folder / "money", capacity=capacity, row_words=_ROW)
        self._slots = slots
        self._slot = slot
        self._now = (clock or SystemClock()).now_ns
        self._places = SharedPlaces(folder, slots=slots, slot=slot)

    def reserve(self, items: Sequence[HoldLike]) -> int | None:
        """Reserve in all of the rows or in none: None, or the index of the item that does not fit its cap.

        Raises Unavailable where a row cannot be made, or the lock is not to be had.
        """
        table, words, mine = self._table, self._table.words, _RESERVED + self._slot
        held: list[tuple[int, int]] = []
        with table.guard:
            rows = [self._row(item.row, item.window_end) for item in items]  # Before any holds: it may raise.
            for index, item in enumerate(items):
                at, nano = rows[index], item.nano
                if item.cap_nano >= 0 and self._held(at) + nano > item.cap_nano:
                    for at, nano in held:
                        words[at + mine] -= nano
                    return index
                words[at + mine] += nano
                held.append((at, nano))
        return None

    def settle(self, row: bytes, *, reserved: int, spent: int) -> None:
        """Replace what this process reserved by what was spent; nothing where the window is long over."""
        at = self._table.find(row)
        if at is not None:
            words = self._table.words
            words[at + _SETTLED + self._slot] += spent
            words[at + _RESERVED + self._slot] -= reserved

    def totals(self, row: bytes) -> tuple[int, int]:
        """(settled, reserved) over all processes."""
        at = self._table.find(row)
        if at is None:
            return 0, 0
        words, high = self._table.words, self._slots.high
        reserved = sum(words[at + _RESERVED : at + _RESERVED + high])
        return sum(words[at + _SETTLED : at + _SETTLED + high]), reserved

    def acquire(self, subject: bytes, limit: int) -> bool:
        """Take one of `limit` places of a 16-byte subject; a dead process's places are free."""
        return self._places.acquire(subject, limit)

    def release(self, subject: bytes) -> None:
        """Give one back."""
        self._places.release(subject)

    def dead(self) -> list[DeadSlot]:
        """The slots to settle, each once its owner's spool is drained."""
        return self._slots.dead()

    def owned(self, owner: str, process: int) -> bool:
        """Whether what this process held is still to be settled."""
        return self._slots.owned(owner, process)

    def settle_dead(self, slot: int, spent: Mapping[bytes, int]) -> None:
        """Count, by row, what a dead process's calls that have a Begin and no End may have cost.

        Frees the rest of what it held, and the slot.

        To be called before the cursor that passed its last record is committed; a slot that `dead` does not
        list has been settled before.
        """
        if self._slots.alive(slot):
            raise StateError(f"Counter slot {slot} belongs to a live process; stop it first.")
        words = self._table.words
        with self._table.guard:
            for row, nano in spent.items():
                at = self._table.find(row)
                if at is not None:
                    words[at + _SETTLED + slot] += nano
            for at, _ in self._table.column(_RESERVED + slot):
                words[at + _RESERVED + slot] = 0
            self._slots.free(slot)

    def load(self, rows: Iterable[Spent]) -> None:
        """Make the counters say what the ledger says; a row that it does not know holds nothing.

        Raises StateError while another process owns a slot: its reservations would be lost.
        """
        others = [slot for slot in range(self._slots.high) if slot != self._slot and self._slots.alive(slot)]
        if others:
            raise StateError("Budgets are only rebuilt while no gateway worker runs; stop them first.")
        words = self._table.words
        with self._table.guard:
            known: set[int] = set()
            for spent in rows:
                at = self._row(spent.row, spent.window_end)
                known.add(at)
                words[at + _SETTLED + self._slot] += (
                    spent.nano
                )  # A kill here counts too much, not too little.
                for column in range(_SETTLED, _ROW):
                    if column != _SETTLED + self._slot:
                        words[at + column] = 0
                words[at + _SETTLED + self._slot] = spent.nano
            for at in self._table.rows():
                if at not in known:
                    self._table.bytes[(at + _SETTLED) * 8 : (at + _ROW) * 8] = bytes((_ROW - _SETTLED) * 8)

    def close(self) -> None:
        self._places.close()
        self._table.close()

    def _row(self, row: bytes, window_end: int) -> int:
        at = self._table.find(row)
        if at is None:
            at = self._table.make(row, self._idle)
        if not self._table.words[at + _END]:  # New, or its maker died here: without an end it would be idle.
            self._table.words[at + _END] = window_end
        return at

    def _held(self, at: int) -> int:
        words, high = self._table.words, self._slots.high
        reserved = sum(words[at + _RESERVED : at + _RESERVED + high])
        return reserved + sum(words[at + _SETTLED : at + _SETTLED + high])

    def _idle(self, at: int) -> bool:
        return self._table.words[at + _END] + KEPT_S < self._now() // 1_000_000_000
