"""How it goes: rates, latencies, errors, tokens and money by time."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from noria.errors import InvalidRequest
from noria.storage.spans.days import DayReader, Days
from noria.storage.spans.rollup import COUNTERS
from noria.storage.spans.rows import dollars, milliseconds
from noria.storage.spans.schema import HOUR_S, SLOT_S
from noria.storage.spans.search import Search
from noria.storage.spans.where import CALLS, ROLLUP_NAMES, ROLLUPS
from noria.storage.sqlite import rows
from noria.tracing.filters import Filter
from noria.tracing.histogram import Bins, bin_of, merge, quantiles, unpack_into
from noria.tracing.store import Mark, Pulse, PulseSeries, PulseTotals, Share, TraceSummary, Window

MAX_STEPS = 2_000
_S = 1_000_000_000
_kinds = msgspec.json.Decoder(dict[str, int]).decode
_ROLLUP_COLUMNS = f"at, {', '.join(COUNTERS)}, kinds, latency, first"
_CALL_COLUMNS = (
    "start, route, status, input_tokens, output_tokens, cost_pico, cache, attempts, error_kind,"
    " http_status, first_token, confirmed, bin, id, span_id"
)


class _Cell:
    """The sums of one step, or of the whole window."""

    __slots__ = ("costs", "counters", "first", "kinds", "latency")

    def __init__(self) -> None:
        self.counters = [0] * len(COUNTERS)
        self.kinds: dict[str, int] = {}
        self.costs: dict[str, int] = {}
        self.latency: Bins = {}
        self.first: Bins = {}

    def add(self, other: _Cell) -> None:
        self.counters = [mine + theirs for mine, theirs in zip(self.counters, other.counters, strict=True)]
        merge(self.latency, other.latency)
        merge(self.first, other.first)
        merge(self.kinds, other.kinds)
        merge(self.costs, other.costs)


def pulse(
    days: Days,
    project: str,
    window: Window,
    *,
    step_s: int,
    filter: Filter,
    marks: Sequence[Mark],
    slowest: list[TraceSummary],
    sealed: bool,
) -> Pulse:
    """Calls by the time at which they began. The window is widened to whole steps."""
    if step_s < 1 or window.end <= window.start:
        raise InvalidRequest(
            "A window ends after it starts, and its step is at least a second.", param="step"
        )
    step = step_s * _S
    first = window.start // step
    count = -(-window.end // step) - first
    if count > MAX_STEPS:
        raise InvalidRequest(f"A window has at most {MAX_STEPS} steps; make the step longer.", param="step")
    cells = _cells(days, project, first, count, step_s, filter, sealed=sealed)
    before = _before(days, project, first, count, step_s, filter, sealed=sealed)
    end = min(window.end, (first + count) * step)
    shown = [mark for mark in marks if first * step <= mark.at_ms * 1e6 < window.end]
    return Pulse(
        start_ms=first * step // 1_000_000,
        end_ms=end // 1_000_000,
        step_ms=step_s * 1_000,
        times_ms=[(first + index) * step // 1_000_000 for index in range(count)],
        series=_series(cells, first, step, end),
        totals=_totals(cells, (end - first * step) / _S),
        previous=_totals(before, count * step_s),
        marks=shown,
        slowest=slowest,
    )


def _cells(
    days: Days, project: str, first: int, count: int, step_s: int, filter: Filter, *, sealed: bool
) -> list[_Cell]:
    cells = [_Cell() for _ in range(count)]
    window = Window(first * step_s * _S, (first + count) * step_s * _S)
    rolled = step_s % SLOT_S == 0 and filter.fields <= ROLLUP_NAMES.keys()
    for reader in days.overlapping(window):
        if rolled:
            _from_rollups(cells, reader, project, first, step_s, filter)
        else:
            _from_calls(cells, reader, project, first, step_s, filter, sealed=sealed)
    return cells


def _before(
    days: Days, project: str, first: int, count: int, step_s: int, filter: Filter, *, sealed: bool
) -> list[_Cell]:
    """The same length of time just before, in the coarsest steps that fit it."""
    start, length = (first - count) * step_s, count * step_s
    for coarse in (HOUR_S, SLOT_S):
        if start % coarse == 0 and length % coarse == 0 and step_s % SLOT_S == 0:
            return _cells(days, project, start // coarse, length // coarse, coarse, filter, sealed=sealed)
    return _cells(days, project, first - count, count, step_s, filter, sealed=sealed)


def _from_rollups(
    cells: list[_Cell], reader: DayReader, project: str, first: int, step_s: int, filter: Filter
) -> None:
    fine = HOUR_S if step_s % HOUR_S == 0 else SLOT_S
    clause = "project = ? AND step = ? AND at >= ? AND at < ?"
    values: list[object] = [project, fine, first * step_s, (first + len(cells)) * step_s]
    for sql, more in Search(reader, filter, ROLLUPS, sealed=False).conditions:
        clause += f" AND {sql}"
        values += more
    named = filter.fields if len(filter.fields) < 2 else ROLLUP_NAMES.keys()
    found = rows(
        reader.connection, f"SELECT {_ROLLUP_COLUMNS} FROM rollups WHERE {clause}{_level(named)}", values
    )
    for at, *counters, kinds, latency, first_token in found:
        cell = cells[at // step_s - first]
        cell.counters = [old + new for old, new in zip(cell.counters, counters, strict=True)]
        if kinds != "{}":
            merge(cell.kinds, _kinds(kinds))
        unpack_into(cell.latency, latency)
        unpack_into(cell.first, first_token)
    named = {"route"} if filter.fields <= {"route"} else ROLLUP_NAMES.keys()
    query = f"SELECT at, route, sum(cost_pico) FROM rollups WHERE {clause}{_level(named)} GROUP BY at, route"
    for at, route, cost in rows(reader.connection, query, values):
        costs = cells[at // step_s - first].costs
        costs[route] = costs.get(route, 0) + cost


def _level(named: Collection[str]) -> str:
    """The rows in which each of these stands apart, and ALL for the others."""
    return "".join(f" AND {name} {'<>' if name in named else '='} char(1)" for name in ROLLUP_NAMES)


def _from_calls(
    cells: list[_Cell],
    reader: DayReader,
    project: str,
    first: int,
    step_s: int,
    filter: Filter,
    *,
    sealed: bool,
) -> None:
    step = step_s * _S
    search = Search(reader, filter, CALLS, sealed=sealed)
    clause = "role = 1 AND project = ? AND start >= ? AND start < ?"
    values: list[object] = [project, first * step, (first + len(cells)) * step]
    for sql, more in search.conditions:
        clause += f" AND {sql}"
        values += more
    found = rows(reader.connection, f"SELECT {_CALL_COLUMNS} FROM spans WHERE {clause}", values)
    retried: list[tuple[_Cell, int, bytes]] = []
    for (
        start, route, status, tokens_in, tokens_out, cost, cache, attempts, kind, http, token, confirmed,
        bin, id, span,
    ) in found:  # fmt: skip
        cell = cells[start // step - first]
        counters = cell.counters
        counters[0] += 1
        counters[2] += tokens_in or 0
        counters[3] += tokens_out or 0
        if cost is None:
            counters[5] += 1
        else:
            counters[4] += cost
            cell.costs[route] = cell.costs.get(route, 0) + cost
        if status == "error":
            counters[1] += 1
            name = kind or str(http or "error")
            cell.kinds[name] = cell.kinds.get(name, 0) + 1
        if cache == "hit" or cache == "miss":
            counters[6] += 1
            counters[7] += cache == "hit"
        if attempts is not None and attempts > 1:
            retried.append((cell, id, span))
        if confirmed:
            cell.latency[bin] = cell.latency.get(bin, 0) + 1
            if token:
                bin = bin_of(token - start)
                cell.first[bin] = cell.first.get(bin, 0) + 1
    for cell, id, span in retried:
        low = id >> 16 << 16
        tried = rows(
            reader.connection,
            "SELECT count(*) FROM spans WHERE id BETWEEN ? AND ? AND parent_id = ? AND source = 'gateway'"
            " GROUP BY target",
            (low, low + 65_535, span),
        )
        cell.counters[8] += len(tried) > 1
        cell.counters[9] += any(count > 1 for (count,) in tried)


def _series(cells: list[_Cell], first: int, step: int, end: int) -> PulseSeries:
    kinds = sorted({kind for cell in cells for kind in cell.kinds})
    routes = sorted({route for cell in cells for route in cell.costs})
    latency = [_quantiles_ms(cell.latency, 0.5, 0.95, 0.99) for cell in cells]
    tokens = [_quantiles_ms(cell.first, 0.5, 0.95, 0.99) for cell in cells]
    lengths = [max(min(step, end - (first + index) * step) / _S, 1e-3) for index in range(len(cells))]
    return PulseSeries(
        requests_per_s=[
            round(cell.counters[0] / seconds, 6) for cell, seconds in zip(cells, lengths, strict=True)
        ],
        errors={kind: [cell.kinds.get(kind, 0) for cell in cells] for kind in kinds},
        p50_ms=[item[0] for item in latency],
        p95_ms=[item[1] for item in latency],
        p99_ms=[item[2] for item in latency],
        first_token_p50_ms=[item[0] for item in tokens],
        first_token_p95_ms=[item[1] for item in tokens],
        first_token_p99_ms=[item[2] for item in tokens],
        input_tokens=[cell.counters[2] for cell in cells],
        output_tokens=[cell.counters[3] for cell in cells],
        cost={route: [dollars(cell.costs.get(route, 0)) for cell in cells] for route in routes},
        unknown_cost=[cell.counters[5] for cell in cells],
        cache_hit_share=[_share(cell.counters[7], cell.counters[6]) for cell in cells],
        fallback_share=[_share(cell.counters[8], cell.counters[0]) for cell in cells],
        retry_share=[_share(cell.counters[9], cell.counters[0]) for cell in cells],
    )


def _totals(cells: list[_Cell], seconds: float) -> PulseTotals:
    total = _Cell()
    for cell in cells:
        total.add(cell)
    requests, errors, tokens_in, tokens_out, cost, unknown, cacheable, hits, fallbacks, retries = (
        total.counters
    )
    p50, p95, p99 = _quantiles_ms(total.latency, 0.5, 0.95, 0.99)
    first_p50, first_p95 = _quantiles_ms(total.first, 0.5, 0.95)
    return PulseTotals(
        requests=requests,
        requests_per_s=round(requests / max(seconds, 1e-3), 6),
        errors=errors,
        error_share=_share(errors, requests),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        first_token_p50_ms=first_p50,
        first_token_p95_ms=first_p95,
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        cost=dollars(cost),
        unknown_cost=unknown,
        cache_hit_share=_share(hits, cacheable),
        fallback_share=_share(fallbacks, requests),
        retry_share=_share(retries, requests),
    )


def _quantiles_ms(bins: Bins, *ranks: float) -> list[float | None]:
    return [None if value is None else milliseconds(round(value)) for value in quantiles(bins, *ranks)]


def _share(part: int, whole: int) -> Share:
    return part / whole if whole else None
