"""Counters that processes share: rows of 64-bit words in a mapped file, found by 16 bytes.

A row holds one word, or a few, for each slot (process); only the slot's owner stores there, all read, and a
value is the sum over the slots. Rows are made under the file's guard, within PROBE places of where their
name hashes to; a row that its kind calls idle makes room for another. There is never a row too many: a
table that is full refuses.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from noria.errors import StateError, Unavailable
from noria.storage.locks import Guard

KEY_WORDS = 2
_MAGIC = b"NORIACNT"
_HEADER = 4096
_PROBE = 64
_REMEMBERED = 65_536
_head = struct.Struct("<8sQQQ")
_FORMAT = 1
_EMPTY = bytes(16)


def shared(path: Path, size: int) -> tuple[int, mmap.mmap]:
    """An open file of `size` zeros, or as another process left it, and its map; byte 0 guards its making.

    Raises StateError where the disk has no room for all of its blocks: a sparse one would be a SIGBUS later.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with Guard(file, 0):
            if os.fstat(file).st_size < size:
                os.posix_fallocate(file, 0, size)
        return file, mmap.mmap(file, size)
    except OSError as error:
        os.close(file)
        raise StateError(f"{path} cannot be made ({error.strerror}); free disk space.") from None


class Table:
    """The rows of one file. `words` and `bytes` are its map, twice."""

    __slots__ = ("_at", "_capacity", "_file", "_row", "bytes", "guard", "words")

    def __init__(self, path: Path, *, capacity: int, row_words: int) -> None:
        """Raises StateError where the file has another shape."""
        self._capacity = capacity
        self._row = row_words
        self._at: dict[bytes, int] = {}
        self._file, self.bytes = shared(path, _HEADER + capacity * row_words * 8)
        self.words = memoryview(self.bytes).cast("q")
        self.guard = Guard(self._file, 0)
        head = _head.pack(_MAGIC, _FORMAT, capacity, row_words)
        with self.guard:
            if not any(self.bytes[: _head.size]):
                self.bytes[: _head.size] = head
        if self.bytes[: _head.size] != head:
            raise StateError(f"{path} was made by another version; stop every `noria up` and remove it.")

    def find(self, key: bytes) -> int | None:
        """Index of the row's first word in `words`; None where there is no such row."""
        at = self._at.get(key)
        if at is not None and self.bytes[at * 8 : at * 8 + 16] == key:
            return at
        for at in self._places(key):
            if self.bytes[at * 8 : at * 8 + 16] == key:
                if len(self._at) >= _REMEMBERED:
                    self._at.clear()
                self._at[key] = at
                return at
        return None

    def make(self, key: bytes, idle: Callable[[int], bool]) -> int:
        """The row of that name, made of zeros where there is none; the caller holds the guard.

        Raises Unavailable where no place is empty or idle.
        """
        found = self.find(key)
        if found is not None:
            return found
        for at in self._places(key):
            start = at * 8
            if self.bytes[start : start + 16] == _EMPTY or idle(at):
                self.bytes[start : start + self._row * 8] = bytes(self._row * 8)
                self.bytes[start : start + 16] = key
                self._at[key] = at
                return at
        raise Unavailable("Too many subjects have limits or budgets at once; try later.", retry_after=60)

    def rows(self) -> list[int]:
        """Index of every row that has a name."""
        first = _HEADER // 8
        starts = range(first, first + self._capacity * self._row, self._row)
        high = self.words[first :: self._row].tolist()
        low = self.words[first + 1 :: self._row].tolist()
        return [at for at, one, two in zip(starts, high, low, strict=True) if one or two]

    def column(self, offset: int) -> list[tuple[int, int]]:
        """Row and value of each row whose word `offset` is not 0."""
        first = _HEADER // 8
        starts = range(first, first + self._capacity * self._row, self._row)
        values = self.words[first + offset :: self._row].tolist()
        return [(at, value) for at, value in zip(starts, values, strict=True) if value]

    def close(self) -> None:
        self.words.release()
        self.bytes.close()
        os.close(self._file)

    def _places(self, key: bytes) -> Iterator[int]:
        start = int.from_bytes(key[:8], "little")
        for step in range(min(_PROBE, self._capacity)):
            yield _HEADER // 8 + (start + step) % self._capacity * self._row
