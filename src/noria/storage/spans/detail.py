"""One trace, and conversations."""

from __future__ import annotations

from collections.abc import Iterable

from noria.storage.spans.body import Wide
from noria.storage.spans.days import DayReader, Days
from noria.storage.spans.line import StoredLine
from noria.storage.spans.lists import Cursor, parse_cursor, render_cursor
from noria.storage.spans.parts import Part, merged, parts_of
from noria.storage.spans.rows import SUMMARY_COLUMNS, Row, detail, dollars, summaries
from noria.storage.sqlite import rows
from noria.tracing.assemble import to_pico
from noria.tracing.critical_path import critical_path
from noria.tracing.store import (
    SessionDetail,
    SessionPage,
    SessionSummary,
    TraceDetail,
    TraceSummary,
    Window,
)

MAX_SHOWN = 5_000
MAX_TRACES = 500
_EMPTY = Wide(None, None, {}, (), (), "", "", "", "", "", "", "none", None, None)


def trace(days: Days, project: str, trace_id: bytes) -> TraceDetail | None:
    """All spans of a trace, whichever day they came in."""
    parts = parts_of(days.all(), project, trace_id)
    newest: dict[bytes, tuple[DayReader, StoredLine]] = {}
    truncated = False
    for part in parts:
        for line in part.lines(MAX_SHOWN + 1):
            if line.span_id in newest or len(newest) < MAX_SHOWN:
                newest[line.span_id] = (part.reader, line)
            else:
                truncated = True
    if not newest:
        return None
    lines = _ordered([line for _, line in newest.values()])
    start = min(line.start for line in lines)
    critical = critical_path(lines)
    spans = [
        detail(
            line,
            newest[line.span_id][0].body(line.id) or _EMPTY,
            trace_start=start,
            critical=line.span_id in critical,
        )
        for line in lines
    ]
    if len(parts) > 1:
        said = merged(parts, trace_id, lines)
    else:
        said = summaries(parts[0].reader, _row_of(parts[0]))[0]
    return TraceDetail(trace_id.hex(), said, spans, truncated)


def sessions(days: Days, project: str, window: Window, *, cursor: str | None, limit: int) -> SessionPage:
    """Conversations by their latest trace in the window, newest first."""
    after = parse_cursor(cursor)
    readers = days.overlapping(window)
    found: list[tuple[int, str]] = []
    for reader in readers:
        found += rows(
            reader.connection,
            "SELECT max(start), session FROM traces WHERE project = ? AND session <> ''"
            " AND start >= ? AND start < ? GROUP BY session",
            (project, window.start, window.end),
        )
    latest: dict[str, int] = {}
    for start, session in found:
        latest[session] = max(latest.get(session, 0), start)
    ordered = sorted(((start, session) for session, start in latest.items()), reverse=True)
    at = 0
    if after is not None:  # New sessions come in at the front: go on behind the start that was shown last.
        at = next((index for index, (start, _) in enumerate(ordered) if start < after.value), len(ordered))
    shown = ordered[at : at + limit]
    items = [item for _, session in shown if (item := _session(readers, project, session)) is not None]
    more = at + limit < len(ordered)
    next_cursor = render_cursor(Cursor(shown[-1][0], 0, 0)) if more and shown else None
    return SessionPage(items, next_cursor, len(ordered))


def session(days: Days, project: str, name: str) -> SessionDetail | None:
    """A conversation with its traces, oldest first."""
    traces = _traces(days.all(), project, name)
    if not traces:
        return None
    return SessionDetail(_summed(name, traces), traces[:MAX_TRACES])


def _session(readers: Iterable[DayReader], project: str, name: str) -> SessionSummary | None:
    traces = _traces(readers, project, name)
    return _summed(name, traces) if traces else None


def _traces(readers: Iterable[DayReader], project: str, name: str) -> list[TraceSummary]:
    found: list[TraceSummary] = []
    for reader in readers:
        own = rows(
            reader.connection,
            f"SELECT {SUMMARY_COLUMNS} FROM traces WHERE project = ? AND session = ? AND session <> ''"
            " ORDER BY start LIMIT 5000",
            (project, name),
        )
        found += summaries(reader, own)
    return sorted(found, key=lambda item: (item.start_ms, item.id))


def _summed(name: str, traces: list[TraceSummary]) -> SessionSummary:
    pico = sum(to_pico(item.cost) or 0 for item in traces if item.cost is not None)
    return SessionSummary(
        id=name,
        user=next((item.user for item in traces if item.user), ""),
        start_ms=traces[0].start_ms,
        end_ms=max(item.start_ms + item.duration_ms for item in traces),
        traces=len(traces),
        errors=sum(item.status == "error" for item in traces),
        input_tokens=sum(item.input_tokens or 0 for item in traces),
        output_tokens=sum(item.output_tokens or 0 for item in traces),
        cost=dollars(pico),
        unknown_costs=sum(item.unknown_costs for item in traces),
        input=traces[0].input,
    )


def _row_of(part: Part) -> list[Row]:
    query = f"SELECT {SUMMARY_COLUMNS} FROM traces WHERE seq = ?"
    return rows(part.reader.connection, query, (part.seq,))


def _ordered(lines: list[StoredLine]) -> list[StoredLine]:
    """By start, parents before their children where starts tie."""
    parents = {line.span_id: line.parent_id for line in lines}

    def depth(id: bytes | None) -> int:
        steps = 0
        while id in parents and steps < 256:
            id = parents[id]
            steps += 1
        return steps

    return sorted(lines, key=lambda line: (line.start, depth(line.span_id)))
