"""Rows of `traces` and `spans` as the values that the API publishes."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from noria.storage.spans.body import Wide, wide_fields
from noria.storage.spans.days import DayReader
from noria.storage.spans.line import StoredLine, tags_of
from noria.storage.spans.schema import TRACE_COLUMNS
from noria.storage.sqlite import one
from noria.tracing.store import SpanDetail, SpanEvent, SpanLink, TraceSummary

SUMMARY_COLUMNS = ", ".join(("seq", "trace", *TRACE_COLUMNS))
Row = tuple[Any, ...]
_SCALE = Decimal(10) ** -12


def dollars(pico: int) -> str:
    """Exact, without needless zeros."""
    text = format(Decimal(pico) * _SCALE, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def milliseconds(ns: int) -> float:
    """Exact to a microsecond."""
    return ns // 1_000 / 1_000


def summaries(reader: DayReader, rows: Iterable[Row]) -> list[TraceSummary]:
    """Rows of SUMMARY_COLUMNS, each with its first words."""
    return [summary(row, *snippet(reader, row[0])) for row in rows]


def summary(row: Row, input: str, output: str) -> TraceSummary:
    (
        _, trace, root, name, start, duration, status, http_status, error_kind, operation, service, route,
        model, provider, user, session, _, team, key, cache, input_tokens, output_tokens, cost, unknown,
        first_token, attempts, spans, errors, unconfirmed, config, tags,
    ) = row  # fmt: skip
    return TraceSummary(
        id=trace.hex(),
        root=root.hex() if root else None,
        name=name or "(no span yet)",
        start_ms=milliseconds(start),
        duration_ms=milliseconds(duration),
        status=status,
        http_status=http_status,
        error_kind=error_kind,
        operation=operation,
        service=service,
        route=route,
        model=model,
        provider=provider,
        user=user,
        session=session,
        team=team,
        key=key,
        cache=cache,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost=None if cost is None else dollars(cost),
        unknown_costs=unknown,
        first_token_ms=None if first_token is None else milliseconds(first_token),
        attempts=attempts,
        spans=spans,
        errors=errors,
        unconfirmed=bool(unconfirmed),
        config=config,
        input=input,
        output=output,
        tags=tags_of(tags),
    )


def detail(line: StoredLine, wide: Wide, *, trace_start: int, critical: bool) -> SpanDetail:
    more = wide_fields(wide)
    events = [SpanEvent(event.name, milliseconds(event.at), event.attributes) for event in more.pop("events")]
    links = [SpanLink(link.trace_id.hex(), link.span_id.hex(), link.attributes) for link in more.pop("links")]
    return SpanDetail(
        id=line.span_id.hex(),
        parent=line.parent_id.hex() if line.parent_id else None,
        name=line.name,
        kind=line.kind,
        start_ms=milliseconds(line.start),
        offset_ms=milliseconds(line.start - trace_start),
        duration_ms=milliseconds(line.end - line.start),
        status=line.status,
        operation=line.operation,
        service=line.service,
        provider=line.provider,
        model=line.model,
        route=line.route,
        target=line.target,
        key=line.key,
        team=line.team,
        user=line.user,
        session=line.session,
        episode=line.episode,
        tags=line.tags,
        input_tokens=line.input_tokens,
        output_tokens=line.output_tokens,
        cost=None if line.cost_pico is None else dollars(line.cost_pico),
        first_token_ms=milliseconds(line.first_token - line.start) if line.first_token else None,
        cache=line.cache,
        attempts=line.attempts,
        http_status=line.http_status,
        error_kind=line.error_kind,
        config=line.config,
        confirmed=bool(line.confirmed),
        source=line.source,
        critical=critical,
        events=events,
        links=links,
        **more,
    )


def snippet(reader: DayReader, seq: int) -> tuple[str, str]:
    """The first words of a trace's input and output."""
    row = one(reader.connection, "SELECT input, output FROM snippets WHERE seq = ?", (seq,))
    open_text = reader.opener.open_text
    return (open_text(row[0]), open_text(row[1])) if row else ("", "")
