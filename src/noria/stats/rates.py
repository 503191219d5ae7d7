"""Rates that a judge reports, and what they are once its errors are known."""

from __future__ import annotations

import math
from collections.abc import Sequence

from noria.errors import InvalidRequest
from noria.stats.arrays import Floats, finite, np, same_length
from noria.stats.interval import Interval, absent, share_of
from noria.stats.quantile import student, two_sided
from noria.stats.resample import Units


def true_positive_rate(
    judged: Sequence[bool], truth: Sequence[bool], *, groups: Sequence[str] | None = None, level: float = 0.95
) -> Interval:
    """Sensitivity: of what is truly yes, the share that is judged yes."""
    return _rate_where(True, judged, truth, groups=groups, level=level)


def false_positive_rate(
    judged: Sequence[bool], truth: Sequence[bool], *, groups: Sequence[str] | None = None, level: float = 0.95
) -> Interval:
    """1 − specificity: of what is truly no, the share that is judged yes."""
    return _rate_where(False, judged, truth, groups=groups, level=level)


def corrected_rate(
    yes: float,
    n: float,
    *,
    sensitivity: tuple[int, int],
    specificity: tuple[int, int],
    level: float = 0.95,
) -> Interval:
    """The true share of yes, of n judged ones that no person saw, from the judge's errors on labelled ones.

    `sensitivity`: judged yes, of those that truly are; `specificity`: judged no, of those that truly are.
    Rogan, Gladen 1978, with the interval of Lang, Reiczigel 2014 (equations 13 to 17), which counts the
    uncertainty of all three. It assumes that the judge errs here as it does on the labelled ones. Where the
    judge is not shown to be better than chance there is no interval. `yes` and `n` may be effective numbers
    (`effective_number`), where judged ones depend on one another.
    """
    for name, (found, of) in {
        "judged": (yes, n),
        "sensitivity": sensitivity,
        "specificity": specificity,
    }.items():
        if not 0 <= found <= of:
            raise InvalidRequest(f"For {name}, {found:g} of {of:g} is no share.")
    z = two_sided(level)
    if not n or not sensitivity[1] or not specificity[1]:
        return absent(None, "too few", level=level, n=round(n))
    youden = sensitivity[0] / sensitivity[1] + specificity[0] / specificity[1] - 1
    m, m1, m0 = n + z * z, sensitivity[1] + 2, specificity[1] + 2
    p, se, sp = (yes + z * z / 2) / m, (sensitivity[0] + 1) / m1, (specificity[0] + 1) / m0
    spread1, spread0 = se * (1 - se) / m1, sp * (1 - sp) / m0
    if youden <= 0 or se + sp - 1 <= z * math.sqrt(spread1 + spread0):
        return absent(None, "judge not better than chance", level=level, n=round(n))
    estimate = (yes / n + specificity[0] / specificity[1] - 1) / youden
    rate = (p + sp - 1) / (se + sp - 1)
    shift = 2 * z * z * (rate * spread1 - (1 - rate) * spread0)
    variance = p * (1 - p) / m + rate**2 * spread1 + (1 - rate) ** 2 * spread0
    reach = z * math.sqrt(variance) / (se + sp - 1)
    return Interval(
        estimate=_within(estimate),
        low=_within(rate + shift - reach),
        high=_within(rate + shift + reach),
        level=level,
        n=round(n),
        method="Rogan-Gladen",
    )


def prediction_powered_mean(
    labels: Sequence[float],
    judged: Sequence[float],
    unlabelled: Sequence[float],
    *,
    label_groups: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    level: float = 0.95,
) -> Interval:
    """The mean that people would give, from a few labels and many judgements.

    `labels` and `judged` are of the same examples, `unlabelled` are judgements of others of the same
    kind. PPI++ (Angelopoulos, Duchi, Zrnic 2023): the judge is used as far as it tells of the labels, and not
    at all where it does not. With Student's quantile, since labels are few. `label_groups` are of the
    labelled, `groups` of the unlabelled: those that depend on one another count as one.
    """
    n = same_length(labels=labels, judged=judged)
    y, f, g = finite(labels, "labels"), finite(judged, "judged"), finite(unlabelled, "unlabelled")
    two_sided(level)
    if n < 2 or len(g) < 2:
        return absent(float(y.mean()) if n else None, "too few", level=level, n=n)
    spread = float(np.concatenate([f, g]).var(ddof=1))
    together = float(np.cov(y, f)[0, 1])
    trust = min(1.0, max(0.0, together / ((1 + n / len(g)) * spread))) if spread else 0.0
    estimate = float(y.mean() - trust * (f.mean() - g.mean()))
    known, own = Units.of(label_groups, n), Units.of(groups, len(g))
    if known.count < 2 or own.count < 2:
        return absent(estimate, "too few", level=level, n=n)
    variance = _of_mean(y - trust * f, known) + trust**2 * _of_mean(g, own)
    if not variance:
        return absent(estimate, "no variation", level=level, n=n)
    reach = student(level, known.count - 1) * math.sqrt(variance)
    method = "PPI++ by group" if known.grouped or own.grouped else "PPI++"
    return Interval(
        estimate=estimate, low=estimate - reach, high=estimate + reach, level=level, n=n, method=method
    )


def _of_mean(values: Floats, units: Units) -> float:
    """Variance of the mean; whole units are drawn."""
    sums = units.total(values - values.mean())
    return units.count / (units.count - 1) * float(np.square(sums).sum()) / len(values) ** 2


def _rate_where(
    value: bool,
    judged: Sequence[bool],
    truth: Sequence[bool],
    *,
    groups: Sequence[str] | None,
    level: float,
) -> Interval:
    same_length(judged=judged, truth=truth, **({} if groups is None else {"groups": groups}))
    those = [index for index, true in enumerate(truth) if bool(true) is value]
    return share_of(
        [judged[index] for index in those],
        groups=None if groups is None else [groups[index] for index in those],
        level=level,
    )


def _within(rate: float) -> float:
    return min(1.0, max(0.0, rate))
