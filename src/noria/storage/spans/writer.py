"""All days' files, as their only writer sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import apsw

from noria.errors import StateError, Unavailable
from noria.storage.spans.day import Applied, Complete, DayFile
from noria.tracing.span import Span
from noria.tracing.store import Cipher

Cursors = dict[tuple[str, int], int]
"""Offset by writer and segment."""
_SUFFIXES = ("", "-wal", "-shm")


class SpanWriter:
    """Use from one thread."""

    def __init__(
        self, folder: Path, *, complete: Complete, cipher: Cipher | None = None, durable: bool = False
    ) -> None:
        self._folder = folder
        self._complete = complete
        self._cipher = cipher
        self._durable = durable
        self._open: dict[date, DayFile] = {}
        self.dropped = 0
        """Spans left out since their trace had too many."""

    def write(self, day: date, spans: Sequence[Span], cursors: Mapping[tuple[str, int], int]) -> Applied:
        """One transaction. Raises Unavailable, with nothing written, where the disk is full."""
        file = self._day(day)
        try:
            with file.transaction():
                applied = file.apply(spans)
                file.advance(cursors)
        except apsw.Error as error:
            # What the object remembers is ahead of what the file holds now: forget it.
            self._open.pop(day).close()
            if isinstance(error, apsw.FullError | apsw.IOError):
                raise Unavailable(
                    f"The span store cannot be written ({error}); make room on the disk.", retry_after=5
                ) from None
            raise
        self.dropped += applied.dropped
        return applied

    def counted(self, day: date, spans: Sequence[Span]) -> Applied:
        """What `write` said of spans that an earlier process wrote."""
        return self._day(day).counted(spans)

    def cursors(self, days: Sequence[date]) -> Cursors:
        """Where each segment of these days stands."""
        found: Cursors = {}
        for day in days:
            if path_of(self._folder, day).exists():
                found |= self._day(day).cursors()
        return found

    def sync(self) -> None:
        """Bring all that is committed to the disk."""
        for file in self._open.values():
            file.sync()

    def forget(self, day: date, writer: str, segment: int) -> None:
        """A segment is gone."""
        self._day(day).forget(writer, segment)

    def keep(self, *, days: int | None, size_bytes: int | None, today: date) -> list[date]:
        """Delete whole days by age, and the oldest while all together are larger; never today's."""
        gone: list[date] = []
        present = days_in(self._folder)
        sizes = {day: _size(path_of(self._folder, day)) for day in present}
        total = sum(sizes.values())
        for day in present:
            old = days is not None and day < today - timedelta(days=days)
            large = size_bytes is not None and total > size_bytes
            if day < today and (old or large):
                self.close_day(day)
                for suffix in _SUFFIXES:
                    path = path_of(self._folder, day)
                    path.with_name(path.name + suffix).unlink(missing_ok=True)
                total -= sizes[day]
                gone.append(day)
        return gone

    def erase(self, project: str, user: str, also: Sequence[bytes] = ()) -> tuple[list[bytes], int]:
        """Delete what names `user`, and `also` these traces, from every day; (trace ids, number of spans)."""
        traces: list[bytes] = []
        spans = 0
        for day in days_in(self._folder):
            found, count = self._day(day).erase(project, user, also)
            traces += found
            spans += count
        return traces, spans

    def close_day(self, day: date) -> None:
        file = self._open.pop(day, None)
        if file is not None:
            file.close()

    def close(self) -> None:
        for day in list(self._open):
            self.close_day(day)

    def _day(self, day: date) -> DayFile:
        file = self._open.get(day)
        if file is None:
            for other in sorted(self._open)[:-1]:
                self.close_day(other)
            newest = max(self._open, default=None)
            file = self._open[day] = DayFile(
                path_of(self._folder, day),
                complete=self._complete,
                cipher=self._cipher,
                durable=self._durable,
                dictionary=self._open[newest].dictionary if newest else None,
            )
        return file


def day_of(at_ns: int) -> date:
    """The UTC day of Unix nanoseconds."""
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).date()


def path_of(folder: Path, day: date) -> Path:
    return folder / f"{day.isoformat()}.db"


def days_in(folder: Path) -> list[date]:
    """Days that have a file, oldest first. Raises StateError where another database lies there."""
    found: list[date] = []
    for path in folder.glob("*.db"):
        try:
            found.append(date.fromisoformat(path.stem))
        except ValueError:
            raise StateError(f"{path} is not a day's file; move it out of {folder}.") from None
    return sorted(found)


def _size(path: Path) -> int:
    return sum(
        part.stat().st_size for suffix in _SUFFIXES if (part := path.with_name(path.name + suffix)).exists()
    )
