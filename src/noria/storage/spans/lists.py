"""Lists of traces, read in pages, over all days."""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator
from datetime import date
from typing import Any, cast

import apsw
import msgspec

from noria.errors import InvalidRequest
from noria.storage.spans.days import DayReader, Days
from noria.storage.spans.parts import beside, merged, parts_of
from noria.storage.spans.rows import SUMMARY_COLUMNS, Row, summaries
from noria.storage.spans.search import Search
from noria.storage.spans.where import TRACES, Condition
from noria.storage.sqlite import rows, value
from noria.tracing.filters import Filter
from noria.tracing.store import Sort, TracePage, TraceSummary, Window

BUDGET_S = 2.0
"""How long phrases are verified before a page is given out as it is."""
COUNT_S = 0.05
"""How long the matches are counted."""
MAX_LIMIT = 500
MAX_MERGED = 5_000
"""Spans of a trace that are read to sum it up over two days."""
_END = 1 << 62
_ORDERS: dict[Sort, tuple[str, str]] = {
    "newest": ("start", "DESC"),
    "oldest": ("start", "ASC"),
    "slowest": ("duration", "DESC"),
    "costliest": ("coalesce(cost_pico, -1)", "DESC"),
}
_KEYS: dict[Sort, int] = {"newest": 4, "oldest": 4, "slowest": 5, "costliest": 22}
"""Where the sort's value stands in a row of SUMMARY_COLUMNS."""


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """The last line that was looked at."""

    value: int
    day: int
    seq: int


_decode = msgspec.msgpack.Decoder(Cursor).decode


def page(
    days: Days,
    project: str,
    window: Window,
    *,
    filter: Filter,
    sort: Sort,
    cursor: str | None,
    limit: int,
    sealed: bool,
) -> TracePage:
    """The traces that start in the window and match, in order."""
    limit = max(1, min(limit, MAX_LIMIT))
    after = parse_cursor(cursor)
    until = time.monotonic() + BUDGET_S
    readers = days.overlapping(window)
    if sort == "oldest":
        readers.reverse()
    found: list[tuple[Cursor, DayReader, Row]] = []
    complete = True
    stopped: Cursor | None = None
    for reader in readers:
        if len(found) > limit and _beyond(reader, found[limit][0], sort):
            break
        search = Search(reader, filter, TRACES, sealed=sealed)
        taken = 0
        for mark, row in _walk(reader, search, project, window, sort, after):
            if not search.exact and not search.verify(row[0]):
                stopped = mark
                if time.monotonic() > until:
                    complete = False
                    break
                continue
            found.append((mark, reader, row))
            taken += 1
            if taken > limit:
                break
        found.sort(key=lambda item: _order(item[0], sort))
        if not complete:
            break
    shown = found[:limit]
    more = len(found) > limit
    items = _items(days, project, [(reader, row) for _, reader, row in shown])
    next = shown[-1][0] if more else (stopped if not complete else None)
    total = None
    if cursor is None and complete:
        total = len(found) if not more else _count(readers, project, window, filter, sealed=sealed)
    return TracePage(items, None if next is None else render_cursor(next), total, complete)


def since(days: Days, project: str, position: str | None, *, limit: int) -> tuple[list[TraceSummary], str]:
    """Traces that changed after `position`."""
    readers = list(reversed(days.all()))
    if position is None:
        if not readers:
            return [], render_cursor(Cursor(0, 0, 0))
        newest = readers[-1]
        last = value(newest.connection, "SELECT max(changed) FROM traces WHERE project = ?", (project,))
        return [], render_cursor(Cursor(last or 0, newest.day.toordinal(), 0))
    mark = parse_cursor(position) or Cursor(0, 0, 0)
    found: list[TraceSummary] = []
    for reader in readers:
        day = reader.day.toordinal()
        if day < mark.day or len(found) >= limit:
            continue
        changed = rows(
            reader.connection,
            f"SELECT {SUMMARY_COLUMNS}, changed FROM traces WHERE project = ? AND changed > ?"
            " ORDER BY changed LIMIT ?",
            (project, mark.value if day == mark.day else 0, limit - len(found)),
        )
        if changed:
            found += summaries(reader, [row[:-1] for row in changed])
            mark = Cursor(changed[-1][-1], day, 0)
    return found, render_cursor(mark)


def matching(search: Search, project: str, window: Window, *, walk: bool = True) -> Condition:
    """WHERE clause over `traces` for a project, a window and a search; `walk`: by the index on starts."""
    # A unary plus keeps SQLite from an index: from all of them where the words name few traces.
    few, unless = "+" if search.few else "", "+" if search.few or not walk else ""
    clause = f"{few}project = ? AND {unless}start >= ? AND {unless}start < ?"
    values: list[object] = [project, window.start, window.end]
    for sql, more in search.conditions:
        clause += f" AND {sql}"
        values += more
    return clause, values


def _items(days: Days, project: str, shown: list[tuple[DayReader, Row]]) -> list[TraceSummary]:
    """Each trace once, and whole where it goes on in the file of the next day."""
    everything = days.all()
    found: dict[bytes, TraceSummary] = {}
    for reader, row in shown:
        trace: bytes = row[1]
        if trace in found:
            continue
        near = beside(everything, reader)
        parts = parts_of(near, project, trace) if len(near) > 1 else []
        if len(parts) > 1:
            lines = [line for part in parts for line in part.lines(MAX_MERGED)]
            found[trace] = merged(parts, trace, lines)
        else:
            found[trace] = summaries(reader, [row])[0]
    return list(found.values())


def _walk(
    reader: DayReader, search: Search, project: str, window: Window, sort: Sort, after: Cursor | None
) -> Iterator[tuple[Cursor, Row]]:
    column, direction = _ORDERS[sort]
    # Walk the sort's own index where the window holds a good part of what there is, and no term does better.
    walk = column == "start" or search.selective or not _most(reader, window)
    clause, values = matching(search, project, window, walk=walk)
    day = reader.day.toordinal()
    if after is not None:
        sign = "<" if direction == "DESC" else ">"
        beyond = _END if (day < after.day) == (direction == "DESC") else -1
        seq = after.seq if day == after.day else beyond
        clause += f" AND ({column}, seq) {sign} (?, ?)"
        values += [after.value, seq]
    order = f"{'+' if search.few else ''}{column} {direction}, seq {direction}"
    found = reader.connection.execute(
        f"SELECT {SUMMARY_COLUMNS} FROM traces WHERE {clause} ORDER BY {order}",
        cast(list[Any], values),
    )
    at = _KEYS[sort]
    try:
        for row in cast(Iterator[Row], found):
            yield Cursor(-1 if row[at] is None else row[at], day, row[0]), row
    finally:
        found.close(True)


def _most(reader: DayReader, window: Window) -> bool:
    low, high = reader.span_of_starts()
    covered = min(high, window.end) - max(low, window.start)
    return covered * 10 > high - low


def _beyond(reader: DayReader, last: Cursor, sort: Sort) -> bool:
    """Whether nothing in this file can come before `last`."""
    low, high = reader.span_of_starts()
    if sort == "newest":
        return high < last.value
    return sort == "oldest" and low > last.value


def _order(mark: Cursor, sort: Sort) -> tuple[int, int, int]:
    sign = 1 if sort == "oldest" else -1
    return sign * mark.value, sign * mark.day, sign * mark.seq


def _count(
    readers: list[DayReader], project: str, window: Window, filter: Filter, *, sealed: bool
) -> int | None:
    """How many match, or None where that would take long, or is not known without the texts."""
    until = time.monotonic() + COUNT_S
    total = 0
    for reader in readers:
        search = Search(reader, filter, TRACES, sealed=sealed)
        if not search.exact:
            return None
        clause, values = matching(search, project, window)
        connection = reader.connection
        connection.set_progress_handler(lambda: time.monotonic() > until, 10_000)
        try:
            total += value(connection, f"SELECT count(*) FROM traces WHERE {clause}", values)
        except apsw.InterruptError:
            return None
        finally:
            connection.set_progress_handler(None)
    return total


def render_cursor(cursor: Cursor) -> str:
    return urlsafe_b64encode(msgspec.msgpack.encode(cursor)).decode().rstrip("=")


def parse_cursor(cursor: str | None) -> Cursor | None:
    if cursor is None:
        return None
    try:
        found = _decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        date.fromordinal(max(found.day, 1))
    except (Base64Error, msgspec.DecodeError, ValueError, OverflowError):
        raise InvalidRequest(
            "The cursor is not one that a list gave out; start without.", param="cursor"
        ) from None
    return found
