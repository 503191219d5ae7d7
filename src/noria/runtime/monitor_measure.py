"""What a rule measures: of all calls from the span store's sums, of scores from noria.db."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from noria.errors import MissingExtra
from noria.monitoring.monitor import Monitor
from noria.monitoring.rule import DAY_S, HOUR_S, Reading, Rule
from noria.scoring.resolve import described
from noria.stats.interval import share
from noria.stats.quantile import student
from noria.storage.monitors import Moments, MonitorTable
from noria.tracing.store import Pulse, SpanReader, Window

LEVEL = 0.95
_MS = 1_000_000
Asked = tuple[str, str, int, int, int]
"""Project, filter, start and end (milliseconds) and step (seconds) of a pulse."""


class Sums(msgspec.Struct, frozen=True):
    """Of the calls of one stretch of time."""

    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    cost: Decimal
    """Of those whose cost is known."""
    unknown: int


class Readings:
    """Of one round: rules over the same calls share one look at the span store."""

    def __init__(self, spans: Callable[[], SpanReader], scores: MonitorTable) -> None:
        self._spans = spans
        self._scores = scores
        self._pulses: dict[Asked, Pulse] = {}

    def read(self, monitor: Monitor, rule: Rule, *, now_ms: int) -> Reading:
        """Over the rule's window that ends now."""
        start, end = rule.span(now_ms)
        if rule.scored:
            found = self._moments(monitor, rule, start, end, end - start)
            return _of_moments(monitor, rule, found[0] if found else None, start_ms=start, end_ms=end)
        totals = self._pulse(monitor, start, end, rule.step_s).totals
        sums = Sums(
            requests=totals.requests, errors=totals.errors, p50_ms=totals.p50_ms, p95_ms=totals.p95_ms,
            p99_ms=totals.p99_ms, cost=Decimal(totals.cost), unknown=totals.unknown_cost,
        )  # fmt: skip
        return _of_sums(rule, sums, start_ms=start, end_ms=end)

    def series(
        self, monitor: Monitor, rule: Rule, *, start_ms: int, end_ms: int, step_s: int
    ) -> list[Reading]:
        """One for each step; the first begins with a whole step."""
        step = step_s * 1000
        start = start_ms - start_ms % step
        edges = [(at, min(at + step, end_ms)) for at in range(start, end_ms, step)]
        if rule.scored:
            found = {one.step: one for one in self._moments(monitor, rule, start, end_ms, step)}
            return [
                _of_moments(monitor, rule, found.get(index), start_ms=low, end_ms=high)
                for index, (low, high) in enumerate(edges)
            ]
        sums = _steps(self._pulse(monitor, start, end_ms, step_s), edges)
        return [
            _of_sums(rule, one, start_ms=low, end_ms=high)
            for one, (low, high) in zip(sums, edges, strict=True)
        ]

    def _moments(self, monitor: Monitor, rule: Rule, start: int, end: int, step: int) -> list[Moments]:
        return self._scores.moments(
            monitor.project, monitor.name, rule.scorer, start_ms=start, end_ms=end, step_ms=max(step, 1)
        )

    def _pulse(self, monitor: Monitor, start: int, end: int, step_s: int) -> Pulse:
        asked = (monitor.project, monitor.filter, start, end, step_s)
        if asked not in self._pulses:
            window = Window(start * _MS, end * _MS)
            self._pulses[asked] = self._spans().pulse(
                monitor.project, window, step_s=step_s, filter=monitor.terms
            )
        return self._pulses[asked]


def _steps(pulse: Pulse, edges: Sequence[tuple[int, int]]) -> list[Sums]:
    series = pulse.series
    found: list[Sums] = []
    for index, (low, high) in enumerate(edges):
        found.append(
            Sums(
                requests=round(series.requests_per_s[index] * max(high - low, 1) / 1000),
                errors=sum(counts[index] for counts in series.errors.values()),
                p50_ms=series.p50_ms[index],
                p95_ms=series.p95_ms[index],
                p99_ms=series.p99_ms[index],
                cost=sum((Decimal(costs[index]) for costs in series.cost.values()), Decimal(0)),
                unknown=series.unknown_cost[index],
            )
        )
    return found


def _of_sums(rule: Rule, sums: Sums, *, start_ms: int, end_ms: int) -> Reading:
    reading = Reading(n=sums.requests, start_ms=start_ms, end_ms=end_ms)
    if rule.measure == "error_rate":
        found = share(sums.errors, sums.requests, level=LEVEL)
        return msgspec.structs.replace(reading, value=found.estimate, low=found.low, high=found.high)
    if rule.measure.startswith("latency"):
        ms = {"latency_p50": sums.p50_ms, "latency_p95": sums.p95_ms, "latency_p99": sums.p99_ms}[
            rule.measure
        ]
        return msgspec.structs.replace(reading, value=None if ms is None else ms / 1000)
    return msgspec.structs.replace(
        reading, value=_cost(rule, sums, (end_ms - start_ms) / 1000), unknown=sums.unknown
    )


def _cost(rule: Rule, sums: Sums, seconds: float) -> float | None:
    known = sums.requests - sums.unknown
    if sums.requests and not known:
        return None
    if rule.measure == "cost_per_call":
        return float(sums.cost / known) if known else None
    unit = HOUR_S if rule.measure == "cost_per_hour" else DAY_S
    return float(sums.cost) * unit / seconds if seconds else None


def _of_moments(
    monitor: Monitor, rule: Rule, found: Moments | None, *, start_ms: int, end_ms: int
) -> Reading:
    if found is None or found.mean is None:
        failed = 0 if found is None else found.failed
        return Reading(failed=failed, start_ms=start_ms, end_ms=end_ms)
    low, high = _around(found, is_share=is_share(monitor, rule.scorer))
    return Reading(
        value=found.mean, low=low, high=high, n=found.n, failed=found.failed, start_ms=start_ms, end_ms=end_ms
    )


def _around(found: Moments, *, is_share: bool) -> tuple[float | None, float | None]:
    """The interval: Wilson's of a share, Student's of a mean."""
    assert found.mean is not None, "the caller looked"
    if is_share:
        interval = share(round(found.mean * found.n), found.n, level=LEVEL)
        return interval.low, interval.high
    if found.n < 2 or not found.squares:
        return None, None
    try:
        reach = student(LEVEL, found.n - 1) * math.sqrt(found.squares / (found.n - 1) / found.n)
    except MissingExtra:
        # A mean can be watched without the extra that intervals of means need.
        return None, None
    return found.mean - reach, found.mean + reach


def is_share(monitor: Monitor, scorer: str) -> bool:
    """Whether a scorer's values are yes and no."""
    kinds = {one.name: one.kind for spec in monitor.scorers for one in described(spec)}
    return kinds.get(scorer) == "share"
