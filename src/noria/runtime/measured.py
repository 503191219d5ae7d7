"""What the spans say of a model: latency, speed, errors, cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import median

import msgspec

from noria.gateway.snapshot import Model
from noria.tracing.filters import Filter, parse
from noria.tracing.store import CostRow, LedgerReader, PulseTotals, SpanReader, TraceSummary, Window

_SAMPLE = 200
"""Newest calls over which the speed of generation is taken."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """None where nothing was measured."""

    calls: int = 0
    errors: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    first_token_p50_ms: float | None = None
    tokens_per_s: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost: str = "0"
    unknown_cost: int = 0


NOTHING = Measured()


def measure(
    spans: SpanReader, ledger: LedgerReader, project: str, window: Window, models: Iterable[Model]
) -> dict[str, Measured]:
    """By model id. Only models that the ledger has calls of are looked up in the spans."""
    rows = {row.group: row for row in ledger.costs(project, window, by="model").rows}
    listed = list(models)
    names = Counter(_name(model) for model in listed)
    found: dict[str, Measured] = {}
    for model in listed:
        row = rows.get(model.id)
        alone = names[_name(model)] == 1
        found[model.id] = (
            NOTHING if row is None else _one(spans, project, window, _filter(model, alone=alone), row)
        )
    return found


def _name(model: Model) -> str:
    return model.id.partition("/")[2]


def _filter(model: Model, *, alone: bool) -> Filter:
    """Its spans. A name that no other provider has says enough, and is answered from the rollups."""
    provider = "" if alone else f'provider:"{model.id.partition("/")[0]}" '
    return parse(f'{provider}model:"{_name(model)}"')


def _one(spans: SpanReader, project: str, window: Window, chosen: Filter, row: CostRow) -> Measured:
    length = (window.end - window.start) // 1_000_000_000
    totals: PulseTotals = spans.pulse(project, window, step_s=max(300, length), filter=chosen).totals
    newest = spans.traces(project, window, filter=chosen, limit=_SAMPLE).items
    speeds = [speed for trace in newest if (speed := _speed(trace)) is not None]
    return Measured(
        calls=row.calls,
        errors=totals.errors,
        p50_ms=totals.p50_ms,
        p95_ms=totals.p95_ms,
        first_token_p50_ms=totals.first_token_p50_ms,
        tokens_per_s=round(median(speeds), 1) if speeds else None,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cost=row.cost,
        unknown_cost=row.unknown,
    )


def _speed(trace: TraceSummary) -> float | None:
    """Output tokens a second after the first; None where the call was not streamed or too short to say."""
    if trace.first_token_ms is None or not trace.output_tokens or trace.output_tokens < 8:
        return None
    generating = trace.duration_ms - trace.first_token_ms
    return trace.output_tokens / generating * 1000 if generating > 1 else None
