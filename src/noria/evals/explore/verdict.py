"""What an arm's evidence says to the brief's bar and to its measured constraints: yes, no, or not told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from noria.evals.explore.constraints import Constraints
from noria.evals.explore.evidence import Evidence
from noria.evals.sheet import groups_of
from noria.stats import interval
from noria.stats.interval import Interval
from noria.stats.power import examples_needed

Answer = Literal["yes", "no", "not told"]
SHARE = 0.05
"""Of answers that may be over the limit of the 95th percentile."""
MOST_NEEDED = 100_000
"""More samples than that is no advice."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question about one arm."""

    question: Literal["quality", "latency", "cost"]
    answer: Answer
    sentence: str
    needed: int | None = None
    """More samples that would probably settle it, if things are as they look; None: not known."""


def verdicts(
    found: Evidence, *, bar: float | None, constraints: Constraints, measure: str, level: float
) -> list[Verdict]:
    """Of a whole run; `level` is already corrected for how many arms are looked at."""
    said: list[Verdict] = []
    if bar is not None and measure:
        said.append(_quality(found, bar, measure, level=level))
    if constraints.latency_p95_ms is not None:
        said.append(_latency(found, constraints.latency_p95_ms, level=level))
    if constraints.cost_per_1000 is not None:
        said.append(_cost(found, float(constraints.cost_per_1000), level=level))
    return said


def corrected(level: float, arms: int) -> float:
    """The level of each of so many intervals at which all of them together hold at `level` (Bonferroni)."""
    return 1 - (1 - level) / max(arms, 1)


def at_level(found: Evidence, measure: str, *, level: float) -> Interval | None:
    """The quality's interval at another level."""
    lines = [line for line in found.sheet.lines if line.value(measure) is not None]
    described = found.sheet.measure(measure)
    if described is None or not lines:
        return None
    if described.kind == "corpus":
        from noria.evals.metrics import measure as measured

        return measured(lines, described, level=level).interval
    values = [value for line in lines if (value := line.value(measure)) is not None]
    return interval.mean(values, groups=groups_of(lines), level=level)


def shown(one: Interval, *, unit: str = "", digits: int = 3) -> str:
    """The estimate with its ends."""
    estimate = "not known" if one.estimate is None else f"{unit}{one.estimate:.{digits}g}"
    if one.low is None or one.high is None:
        return f"{estimate} ({one.method})"
    return f"{estimate} [{unit}{one.low:.{digits}g}, {unit}{one.high:.{digits}g}]"


def _quality(found: Evidence, bar: float, measure: str, *, level: float) -> Verdict:
    quality = at_level(found, measure, level=level)
    if quality is None or quality.estimate is None:
        return Verdict(question="quality", answer="not told", sentence="No answer could be scored.")
    lower = found.better == "lower"
    ends = (quality.low, quality.high)
    answer: Answer = "not told"
    if ends[0] is not None and ends[1] is not None:
        reached = ends[1] <= bar if lower else ends[0] >= bar
        missed = ends[0] > bar if lower else ends[1] < bar
        answer = "yes" if reached else "no" if missed else "not told"
    words = {"yes": "reaches", "no": "does not reach", "not told": "is not shown to reach or to miss"}
    values = list(found.values(measure).values())
    needed = _needed(values, bar, level=level) if answer == "not told" else None
    return Verdict(
        question="quality",
        answer=answer,
        sentence=f"{measure} {shown(quality)} over {quality.n} samples {words[answer]} the bar of {bar:g}"
        + (f"; about {needed:,} more samples would tell." if needed else "."),
        needed=needed,
    )


def _needed(values: Sequence[float], bar: float, *, level: float) -> int | None:
    """By a t test of the values against the bar, at 80 % power; where all are right, or none is, the number
    at which Wilson's interval clears the bar if that goes on."""
    n = len(values)
    if n < 2:
        return None
    if set(values) in ({0.0}, {1.0}):
        return _clears(values[0], n, bar, level=level)
    middle = math.fsum(values) / n
    spread = math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (n - 1))
    if not spread or middle == bar or abs(middle - bar) < spread / math.sqrt(MOST_NEEDED):
        return None
    more = examples_needed(middle - bar, spread, level=level) - n
    return more if 0 < more <= MOST_NEEDED else None


def _clears(share: float, n: int, bar: float, *, level: float) -> int | None:
    for total in range(n + 1, n + MOST_NEEDED):
        found = interval.share(round(share * total), total, level=level)
        assert found.low is not None and found.high is not None, "a share of something has an interval"
        if found.low >= bar or found.high < bar:
            return total - n
    return None


def _latency(found: Evidence, limit: float, *, level: float) -> Verdict:
    times = [value * 1000 for line in found.sheet.lines for value in line.latency]
    if not times or found.p95 is None:
        return Verdict(question="latency", answer="not told", sentence="No latency was measured.")
    over = sum(value > limit for value in times)
    share = interval.share(over, len(times), level=level)
    assert share.low is not None and share.high is not None, "a share of something has an interval"
    answer: Answer = "no" if share.low > SHARE else "yes" if share.high < SHARE else "not told"
    needed = None
    if answer == "not told" and over / len(times) < SHARE:
        needed = _more(over / len(times), len(times), level=level)
    sentence = (
        f"{over} of {len(times)} answers took longer than {limit:,.0f} ms"
        f" (95th percentile {found.p95 * 1000:,.0f} ms)"
    )
    tail = {
        "yes": f"; that fewer than {SHARE:.0%} do is shown.",
        "no": f"; more than {SHARE:.0%} do.",
        "not told": f"; whether fewer than {SHARE:.0%} do is not told"
        + (f": about {needed:,} more answers as quick would tell." if needed else "."),
    }
    return Verdict(question="latency", answer=answer, sentence=sentence + tail[answer], needed=needed)


def _more(share: float, n: int, *, level: float) -> int | None:
    """Further answers, of the same share over the limit, at which Wilson's interval is below SHARE."""
    total = n
    while total < n + MOST_NEEDED:
        total = math.ceil(total * 1.05) + 1
        high = interval.share(math.ceil(share * total), total, level=level).high
        if high is not None and high < SHARE:
            return total - n
    return None


def _cost(found: Evidence, limit: float, *, level: float) -> Verdict:
    if found.cost is None or found.cost.estimate is None:
        sentence = "What a call costs is not known, since a price is not."
        return Verdict(question="cost", answer="not told", sentence=sentence)
    lines = [line for line in found.sheet.lines if line.cost]
    each = [1000 * sum(line.cost) / len(line.cost) for line in lines]
    cost = interval.mean(each, groups=groups_of(lines), level=level)
    assert cost.estimate is not None, "there are costs"
    if cost.method == "no variation":
        answer: Answer = "yes" if cost.estimate <= limit else "no"
    elif cost.low is None or cost.high is None:
        answer = "not told"
    else:
        answer = "yes" if cost.high <= limit else "no" if cost.low > limit else "not told"
    words = {"yes": "within", "no": "over", "not told": "not shown to be within or over"}
    sentence = f"A thousand calls cost {shown(cost, unit='$')}, {words[answer]} the limit of ${limit:g}."
    return Verdict(question="cost", answer=answer, sentence=sentence)
