"""A trace that came in on two days lies in two files; here it is put together again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import msgspec

from noria.storage.spans.days import DayReader
from noria.storage.spans.line import COLUMNS, StoredLine, tags_text
from noria.storage.spans.rows import Row, snippet, summary
from noria.storage.spans.schema import SPAN_BITS, TRACE_COLUMNS
from noria.storage.sqlite import rows, value
from noria.tracing.store import TraceSummary
from noria.tracing.totals import Totals, roles, totals


class Part(msgspec.Struct, frozen=True):
    """What one day's file holds of a trace."""

    reader: DayReader
    seq: int

    def lines(self, limit: int) -> list[StoredLine]:
        low = self.seq << SPAN_BITS
        found = rows(
            self.reader.connection,
            f"SELECT id, role, {COLUMNS} FROM spans WHERE id BETWEEN ? AND ? LIMIT ?",
            (low, low + (1 << SPAN_BITS) - 1, limit),
        )
        return [StoredLine(*row) for row in found]


def parts_of(readers: Iterable[DayReader], project: str, trace: bytes) -> list[Part]:
    """By day, oldest first."""
    found: list[Part] = []
    for reader in sorted(readers, key=lambda reader: reader.day):
        query = "SELECT seq FROM traces WHERE trace = ? AND project = ?"
        seq = value(reader.connection, query, (trace, project))
        if seq is not None:
            found.append(Part(reader, seq))
    return found


def beside(readers: Iterable[DayReader], one: DayReader) -> list[DayReader]:
    """The file itself and those of the days before and after."""
    day = timedelta(days=1)
    return [reader for reader in readers if abs(reader.day - one.day) <= day]


def merged(parts: Sequence[Part], trace: bytes, lines: Sequence[StoredLine]) -> TraceSummary:
    """The one line of a trace from all its spans."""
    sums: Totals = totals(lines, roles(lines))
    said = [snippet(part.reader, part.seq) for part in parts]
    values = [getattr(sums, name) for name in TRACE_COLUMNS[:-1]]
    row: Row = (0, trace, *values, tags_text(sums.tags))
    return summary(row, next((i for i, _ in said if i), ""), next((o for _, o in said if o), ""))
