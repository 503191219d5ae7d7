"""Where the collector stands in every segment of the spool, by consumer.

Each consumer keeps its own cursor in the file of what it derives. They differ only after a death between two
commits: then a segment is read again from the cursor that is behind, and given to that consumer alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from noria.storage.segment import ABANDONED, HEADER, Head, read_head
from noria.storage.spool_reader import Batch, Position, SegmentInfo, SpoolReader

READ_BYTES = 1 << 18
HEAD = 8
"""Bytes of a frame's head: asked for no more, a segment gives one record."""
CONSUMERS = ("spans", "stored", "ledger")


class Run(msgspec.Struct, frozen=True):
    """Records that follow one another in a segment."""

    batch: Batch
    day: date
    process: int
    consumers: tuple[str, ...]
    """Who has not seen them."""

    @property
    def key(self) -> tuple[str, int]:
        return self.batch.position.writer, self.batch.position.segment


class Tail:
    """Reads what is new; `passed` says that it was committed."""

    def __init__(self, folder: Path, reader: SpoolReader) -> None:
        self._folder = folder
        self._reader = reader
        self._at: dict[tuple[str, int], dict[str, int]] = {}
        self._processes: dict[tuple[str, int], int] = {}
        self.torn = 0
        self.undecodable = 0

    def restore(self, cursors: dict[str, dict[tuple[str, int], int]]) -> None:
        """Start from what each consumer has committed."""
        self._at = {}
        for consumer, offsets in cursors.items():
            for key, offset in offsets.items():
                self._at.setdefault(key, {})[consumer] = offset

    def process(self, info: SegmentInfo) -> int:
        """`storage.incarnation` of the segment's writer; 0 where it never began."""
        key = (info.writer, info.number)
        found = self._processes.get(key, 0)
        if not found:
            head = self._head(info)
            found = self._processes[key] = head.process if head is not None else 0
        return found

    def abandoned(self, info: SegmentInfo) -> bool:
        """Whether its writer died over it."""
        head = self._head(info)
        return head is None or head.sealed in (0, ABANDONED)

    def segments(self) -> list[SegmentInfo]:
        """All that there are, each writer's in order."""
        return [info for writer in self._reader.writers() for info in self._reader.segments(writer)]

    def read(self, info: SegmentInfo, *, max_bytes: int = READ_BYTES) -> Run | None:
        """The next records that some consumer has not seen; None of a segment that never held any."""
        if info.day is None:
            return None
        key = (info.writer, info.number)
        offsets = self._at.setdefault(key, {})
        at = {consumer: offsets.get(consumer, HEADER) for consumer in CONSUMERS}
        low = min(at.values())
        behind = tuple(consumer for consumer in CONSUMERS if at[consumer] == low)
        ahead = min((offset for offset in at.values() if offset > low), default=0)
        batch = self._reader.read(
            Position(info.writer, info.number, low),
            max_bytes=min(max_bytes, ahead - low) if ahead else max_bytes,
        )
        return Run(batch, info.day, self.process(info), behind)

    def more(self, run: Run) -> bool:
        """Whether more than was read lies there already."""
        return bool(run.batch.records) and bool(self._reader.read(run.batch.position, max_bytes=HEAD).records)

    def passed(self, run: Run) -> None:
        """Its consumers have committed it."""
        offsets = self._at.setdefault(run.key, {})
        for consumer in run.consumers:
            offsets[consumer] = run.batch.position.offset
        self.torn += run.batch.torn
        self.undecodable += run.batch.undecodable

    def remove(self, info: SegmentInfo) -> None:
        """Every consumer has drained it."""
        self._reader.remove(info.start)
        self._at.pop((info.writer, info.number), None)
        self._processes.pop((info.writer, info.number), None)

    def alive(self, writer: str) -> bool:
        return self._reader.alive(writer)

    def gone(self, present: list[SegmentInfo]) -> Iterator[tuple[str, int]]:
        """Segments that cursors are kept of and that are no more."""
        keys = {(info.writer, info.number) for info in present}
        yield from [key for key in self._at if key not in keys]

    def _head(self, info: SegmentInfo) -> Head | None:
        try:
            with open(self._folder / info.writer / f"{info.number:012d}.seg", "rb") as file:
                return read_head(file.read(HEADER))
        except FileNotFoundError:
            return None
