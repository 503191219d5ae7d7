"""Spans in the order in which their traces changed, for who sends them on."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec

from noria.storage.spans.body import wide_fields
from noria.storage.spans.days import DayReader, Days
from noria.storage.spans.line import COLUMNS, StoredLine, span_fields
from noria.storage.spans.schema import SPAN_BITS
from noria.storage.sqlite import rows, value
from noria.tracing.span import Span
from noria.tracing.store import Cipher
from noria.tracing.totals import is_placeholder

_PROJECTS = """
WITH RECURSIVE known(project) AS (
  SELECT min(project) FROM traces
  UNION ALL SELECT (SELECT min(project) FROM traces WHERE project > known.project) FROM known
  WHERE known.project IS NOT NULL
) SELECT project FROM known WHERE project IS NOT NULL"""
"""By the index alone, however many traces there are."""
_CHANGED = "SELECT changed, seq, trace FROM traces WHERE project = ? AND changed > ? ORDER BY changed LIMIT ?"


class Mark(msgspec.Struct, frozen=True):
    """A trace that changed, and where in the day's order."""

    position: int
    seq: int
    trace: bytes
    project: str


class Changed(msgspec.Struct, frozen=True):
    """What there is of a trace."""

    spans: list[Span]
    """Those that are whole, in the order in which they came."""
    count: int
    """How many of the trace's spans there are up to the first that still waits for its rest."""


class News:
    """Reads all projects. For one thread; beside the writer."""

    def __init__(self, folder: Path, *, cipher: Cipher | None = None) -> None:
        self._days = Days(folder, cipher)

    def days(self) -> list[DayNews]:
        """Oldest first."""
        return [DayNews(reader) for reader in reversed(self._days.all())]


class DayNews:
    """What one day holds; good until the next look at the days."""

    def __init__(self, reader: DayReader) -> None:
        self._reader = reader
        self.day: date = reader.day

    def newest(self) -> int:
        """The position behind all that the day holds now."""
        return max((self._last(project) for project in self._projects()), default=0)

    def changed(self, after: int, *, limit: int) -> list[Mark]:
        """Traces that changed after a position, in order."""
        found: list[Mark] = []
        for project in self._projects():
            changed = rows(self._reader.connection, _CHANGED, (project, after, limit))
            found += [Mark(position, seq, trace, project) for position, seq, trace in changed]
        return sorted(found, key=lambda mark: mark.position)[:limit]

    def spans(self, mark: Mark, *, skip: int) -> Changed:
        """A trace's spans without its first `skip`. Raises StateError where a body cannot be opened."""
        low = mark.seq << SPAN_BITS
        lines = rows(
            self._reader.connection,
            f"SELECT id, role, {COLUMNS} FROM spans WHERE id BETWEEN ? AND ? ORDER BY id",
            (low + skip, low + (1 << SPAN_BITS) - 1),
        )
        spans: list[Span] = []
        count, waiting = skip, False
        for line in (StoredLine(*row) for row in lines):
            if is_placeholder(line):
                waiting = True
                continue
            wide = self._reader.body(line.id)
            fields = wide_fields(wide) if wide is not None else {}
            spans.append(Span(trace_id=mark.trace, project=mark.project, **span_fields(line), **fields))
            if not waiting:
                count = line.id - low + 1
        return Changed(spans, count)

    def _projects(self) -> list[str]:
        return [project for (project,) in rows(self._reader.connection, _PROJECTS)]

    def _last(self, project: str) -> int:
        sql = "SELECT max(changed) FROM traces WHERE project = ?"
        return value(self._reader.connection, sql, (project,)) or 0
