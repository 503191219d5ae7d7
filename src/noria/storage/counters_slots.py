"""Which process owns which slot of the counters, and which owners have died."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from noria.errors import StateError
from noria.storage.counters import shared
from noria.storage.incarnation import incarnation
from noria.storage.locks import Guard, locked_elsewhere, try_lock

SLOTS = 64
_NAME_BYTES = 48
_ROW = 64  # State and process (`incarnation`), 8 bytes each, then the name.
_FREE, _OWNED = 0, 1
_FIRST = (
    1  # Byte 0 is the guard; byte 1 + n of the file is locked by the owner of slot n for as long as it lives.
)


class DeadSlot(msgspec.Struct, frozen=True):
    """A slot whose owner died, or left, and whose money is not settled yet."""

    slot: int
    owner: str
    """The name under which it claimed the slot: its spool's writer."""
    process: int
    """Its `incarnation`; its records are in the segments of that writer and process."""


class Slots:
    """The file `slots`; one object a process. A slot is not given away again until `free`."""

    def __init__(self, folder: Path) -> None:
        self._file, self._map = shared(folder / "slots", (SLOTS + 1) * _ROW)
        self._words = memoryview(self._map).cast("q")
        self._guard = Guard(self._file, 0)
        self.own: int | None = None

    def claim(self, owner: str) -> int:
        """Take a slot until this process ends. Raises StateError where all are taken or unsettled."""
        name = owner.encode()
        if len(name) > _NAME_BYTES:
            raise StateError(f"A counter slot's owner has at most {_NAME_BYTES} bytes; shorten {owner!r}.")
        with self._guard:
            for slot in range(SLOTS):
                at = self._at(slot)
                if self._words[at] == _FREE and try_lock(self._file, _FIRST + slot):
                    self._map[at * 8 + 16 : at * 8 + _ROW] = name.ljust(_NAME_BYTES, b"\0")
                    self._words[at + 1] = incarnation()
                    self._words[at] = _OWNED
                    self._words[0] = max(self._words[0], slot + 1)
                    self.own = slot
                    return slot
        raise StateError(
            f"All {SLOTS} counter slots belong to processes, or to dead ones that are not settled; "
            "start the collector."
        )

    @property
    def high(self) -> int:
        """Slots from here on were never claimed."""
        return self._words[0]

    def alive(self, slot: int) -> bool:
        """Whether the slot's owner lives."""
        return slot == self.own or locked_elsewhere(self._file, _FIRST + slot)

    def dead(self) -> list[DeadSlot]:
        """The slots to settle."""
        found: list[DeadSlot] = []
        for slot in range(self.high):
            at = self._at(slot)
            if self._words[at] == _OWNED and not self.alive(slot):
                name = self._map[at * 8 + 16 : at * 8 + _ROW].rstrip(b"\0").decode("utf-8", "replace")
                found.append(DeadSlot(slot, name, self._words[at + 1]))
        return found

    def owned(self, owner: str, process: int) -> bool:
        """Whether a slot still belongs to this process, alive or dead: what it held is not settled."""
        name = owner.encode().ljust(_NAME_BYTES, b"\0")
        for slot in range(self.high):
            at = self._at(slot)
            same = self._map[at * 8 + 16 : at * 8 + _ROW] == name and self._words[at + 1] == process
            if same and self._words[at] == _OWNED:
                return True
        return False

    def free(self, slot: int) -> None:
        """Let another process claim the slot of a dead one."""
        self._words[self._at(slot)] = _FREE

    def close(self) -> None:
        """Give up one's own slot, as dying would."""
        self._words.release()
        self._map.close()
        os.close(self._file)

    @staticmethod
    def _at(slot: int) -> int:
        return (slot + 1) * _ROW // 8
