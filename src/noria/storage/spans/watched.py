"""Calls in the order in which their traces changed, and whether a filter holds of a trace: for monitors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec

from noria.storage.spans.days import DayReader, Days
from noria.storage.spans.schema import SPAN_BITS
from noria.storage.spans.search import Search
from noria.storage.spans.where import TRACES
from noria.storage.sqlite import rows, value
from noria.tracing.filters import Filter
from noria.tracing.store import Cipher
from noria.tracing.totals import Role


class WatchedCall(msgspec.Struct, frozen=True):
    """The narrow part of one call."""

    trace: bytes
    span: bytes
    position: int
    """Of the trace's last change, in its day."""
    seq: int
    start: int
    """Unix nanoseconds."""
    status: str
    operation: str
    team: str
    confirmed: bool


class Changes(msgspec.Struct, frozen=True):
    """Traces of one project that changed after a position."""

    calls: list[WatchedCall]
    """In order of change; a trace's calls are side by side."""
    position: int
    """Behind all of them."""
    more: bool


class WatchedSpans:
    """Reads one project; any thread, beside the writer."""

    def __init__(self, folder: Path, *, cipher: Cipher | None = None) -> None:
        self._days = Days(folder, cipher)
        self._sealed = cipher is not None

    def days(self) -> list[date]:
        """Oldest first."""
        return [reader.day for reader in reversed(self._days.all())]

    def newest(self) -> dict[date, int]:
        """By day: the position behind all that it holds now, in any project."""
        query = "SELECT max(changed) FROM traces"
        return {reader.day: value(reader.connection, query) or 0 for reader in self._days.all()}

    def changes(self, project: str, day: date, after: int, *, limit: int) -> Changes:
        """At most `limit` traces."""
        reader = self._reader(day)
        if reader is None:
            return Changes([], after, False)
        changed = rows(
            reader.connection,
            "SELECT changed, seq, trace FROM traces WHERE project = ? AND changed > ?"
            " ORDER BY changed LIMIT ?",
            (project, after, limit),
        )
        if not changed:
            return Changes([], after, False)
        calls = [call for position, seq, trace in changed for call in _calls(reader, position, seq, trace)]
        return Changes(calls, changed[-1][0], len(changed) == limit)

    def behind(self, project: str, day: date, after: int) -> int:
        """Traces that changed after a position."""
        reader = self._reader(day)
        query = "SELECT count(*) FROM traces WHERE project = ? AND changed > ?"
        return 0 if reader is None else value(reader.connection, query, (project, after))

    def matching(self, project: str, day: date, seqs: Sequence[int], filter: Filter) -> set[int]:
        """Those of these traces, by number, of which the filter holds."""
        reader = self._reader(day)
        if reader is None or not seqs:
            return set()
        search = Search(reader, filter, TRACES, sealed=self._sealed)
        clause = "seq IN (SELECT value FROM json_each(?)) AND +project = ?"
        values: list[object] = [msgspec.json.encode(list(seqs)).decode(), project]
        for sql, more in search.conditions:
            clause += f" AND {sql}"
            values += more
        found = {seq for (seq,) in rows(reader.connection, f"SELECT seq FROM traces WHERE {clause}", values)}
        return found if search.exact else {seq for seq in found if search.verify(seq)}

    def calls_of(self, project: str, trace: bytes) -> list[tuple[date, WatchedCall]]:
        """All calls of a trace with the day that holds them, oldest first."""
        found: list[tuple[date, WatchedCall]] = []
        for reader in reversed(self._days.all()):
            own = rows(
                reader.connection,
                "SELECT changed, seq FROM traces WHERE trace = ? AND project = ?",
                (trace, project),
            )
            for position, seq in own:
                found += [(reader.day, call) for call in _calls(reader, position, seq, trace)]
        return found

    def _reader(self, day: date) -> DayReader | None:
        return next((reader for reader in self._days.all() if reader.day == day), None)


def _calls(reader: DayReader, position: int, seq: int, trace: bytes) -> list[WatchedCall]:
    """Those that are whole: one of which only events have come has no name."""
    low = seq << SPAN_BITS
    found = rows(
        reader.connection,
        "SELECT span_id, start, status, operation, team, confirmed FROM spans"
        " WHERE id BETWEEN ? AND ? AND role = ? AND name <> '' ORDER BY id",
        (low, low + (1 << SPAN_BITS) - 1, int(Role.CALL)),
    )
    return [
        WatchedCall(trace, span, position, seq, start, status, operation, team, bool(confirmed))
        for span, start, status, operation, team, confirmed in found
    ]
