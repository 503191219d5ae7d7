"""Whether confidences mean what they say, and whether they tell right from wrong."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from noria.errors import InvalidRequest
from noria.stats.arrays import Floats, Ints, finite, np, same_length
from noria.stats.interval import Interval, absent, mean, share
from noria.stats.quantile import two_sided
from noria.stats.resample import Units, bca

BINS = 15
FLOORS = 1000
"""Simulated data sets for the floor of the calibration error."""


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Examples of about equal confidence: one point of a reliability diagram."""

    confidence: float
    """Their mean."""
    share: Interval
    """Of those that were right."""


class CalibrationError(msgspec.Struct, frozen=True, kw_only=True):
    """Expected calibration error, beside what chance makes of it."""

    value: float | None
    floor: float | None
    """The 95th percentile of what perfectly calibrated confidences would show on as many examples
    (consistency resampling, Bröcker, Smith 2007): a value under it is no evidence of miscalibration."""
    bins: int
    n: int


def reliability(
    confidences: Sequence[float], right: Sequence[bool], *, bins: int = BINS, level: float = 0.95
) -> list[Bin]:
    """Bins of about equally many examples, the least confident first; equal confidences stay together."""
    p, y = _checked(confidences, right)
    return [
        Bin(
            confidence=float(p[members].mean()),
            share=share(int(y[members].sum()), len(members), level=level),
        )
        for members in _members(p, bins)
    ]


def calibration_error(
    confidences: Sequence[float], right: Sequence[bool], *, bins: int = BINS, seed: int = 0
) -> CalibrationError:
    """ECE with bins of equal mass (Naeini et al. 2015; Nixon et al. 2019): the mean distance of a bin's
    confidence from its share of right ones, weighted by size."""
    p, y = _checked(confidences, right)
    if not len(p):
        return CalibrationError(value=None, floor=None, bins=0, n=0)
    members = _members(p, bins)
    column = np.empty(len(p), dtype=np.int64)
    for index, those in enumerate(members):
        column[those] = index
    expected = np.bincount(column, weights=p, minlength=len(members))

    def error(outcomes: Floats) -> float:
        seen = np.bincount(column, weights=outcomes, minlength=len(members))
        return float(np.abs(seen - expected).sum() / len(p))

    rng = np.random.default_rng(seed)
    chance = [error((rng.random(len(p)) < p).astype(np.float64)) for _ in range(FLOORS)]
    return CalibrationError(
        value=error(y), floor=float(np.quantile(chance, 0.95)), bins=len(members), n=len(p)
    )


def brier(
    confidences: Sequence[float],
    right: Sequence[bool],
    *,
    groups: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Mean squared error of confidences (Brier 1950): 0 is perfect, 0.25 is always saying one half."""
    p, y = _checked(confidences, right)
    return mean(((p - y) ** 2).tolist(), groups=groups, level=level, seed=seed)


def auroc(
    scores: Sequence[float],
    right: Sequence[bool],
    *,
    groups: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The chance that a right one scores above a wrong one, ties half. Undefined unless there are both."""
    n = same_length(scores=scores, right=right)
    two_sided(level)
    if not n:
        return absent(None, "too few", level=level, n=0)
    score, y = finite(scores, "scores"), np.asarray(right, dtype=np.float64)
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf) > 0)
    units = Units.of(groups, n)

    def area(drawn: Floats) -> Floats:
        weights = drawn[:, units.index[order]]
        positive = np.add.reduceat(weights * y[order], starts, axis=1)
        negative = np.add.reduceat(weights * (1 - y[order]), starts, axis=1)
        below = negative.cumsum(axis=1) - negative / 2
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        return np.where(pairs > 0, (positive * below).sum(axis=1) / np.where(pairs > 0, pairs, 1), np.nan)

    return bca(area, units, level=level, seed=seed)


def _checked(confidences: Sequence[float], right: Sequence[bool]) -> tuple[Floats, Floats]:
    same_length(confidences=confidences, right=right)
    p = finite(confidences, "confidences")
    outside = np.flatnonzero((p < 0) | (p > 1))
    if outside.size:
        raise InvalidRequest(
            f"Number {outside[0]} of the confidences must be between 0 and 1, not {p[outside[0]]:g}."
        )
    return p, np.asarray(right, dtype=np.float64)


def _members(p: Floats, bins: int) -> list[Ints]:
    """The examples of each bin that has any."""
    if bins < 1:
        raise InvalidRequest(f"There must be at least 1 bin, not {bins}.")
    _, place, counts = np.unique(p, return_inverse=True, return_counts=True)
    # Where the middle of those of equal confidence lies among all, from 0 to 1.
    middle = (counts.cumsum() - counts / 2) / max(1, len(p))
    column = np.minimum((middle * bins).astype(np.int64), bins - 1)[place]
    return [found for index in range(bins) if len(found := np.flatnonzero(column == index))]
