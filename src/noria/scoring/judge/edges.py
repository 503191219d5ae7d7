"""Intervals of agreement where resampling has none to give: a judge that never errs, or says one thing only.

Every resample then has the same value, however few labels there are. What can still differ is bounded by how
often something never seen may happen (Wilson's interval of 0 among n).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, cast

from noria.stats.interval import Interval, share

NEVER_ERRS = "never erred, by Wilson"
ONE_VERDICT = "one verdict only, by Wilson"


def edged(
    found: Interval, judged: Sequence[Hashable], labels: Sequence[Hashable], *, ranked: bool
) -> Interval:
    """`found` is κ or α; `ranked`: its disagreements count by the square of their distance in rank."""
    if found.low is not None or found.estimate is None or not judged:
        return found
    n, unseen = len(judged), share(0, len(judged), level=found.level).high
    assert unseen is not None, "there are verdicts"
    if list(judged) == list(labels):
        chance, worst = _by_chance(labels, ranked=ranked)
        if not chance:
            return found
        low = 1 - unseen * worst / chance
        return Interval(estimate=1.0, low=max(low, -1.0), high=1.0, level=found.level, n=n, method=NEVER_ERRS)
    if len(set(judged)) == 1 and not ranked and found.estimate <= 0:
        high = _best_of_one(judged[0], labels, unseen)
        return Interval(
            estimate=found.estimate,
            low=found.estimate,
            high=max(high, found.estimate),
            level=found.level,
            n=n,
            method=ONE_VERDICT,
        )
    return found


def _by_chance(labels: Sequence[Hashable], *, ranked: bool) -> tuple[float, float]:
    """(mean disagreement of two labels drawn apart, largest one)."""
    counts, n = Counter(labels), len(labels)
    different: list[Hashable] = sorted(cast(Any, counts)) if ranked else list(counts)
    total, worst = 0.0, 0.0
    for i, one in enumerate(different):
        for j, other in enumerate(different):
            cost = float((i - j) ** 2 if ranked else i != j)
            total += counts[one] * counts[other] / n**2 * cost
            worst = max(worst, cost)
    return total, worst


def _best_of_one(verdict: Hashable, labels: Sequence[Hashable], unseen: float) -> float:
    """κ if the judge were right wherever it said something else, as often as it may do so unseen."""
    usual = sum(label == verdict for label in labels) / len(labels)
    other = min(unseen, 1 - usual)
    agree, chance = usual + other, usual * (1 - other) + (1 - usual) * other
    return (agree - chance) / (1 - chance) if chance < 1 else 0.0
