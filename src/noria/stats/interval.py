"""An estimate with its interval: of a mean, of a share, of any function of sums.

Examples of one group (same document, same conversation) depend on one another: with `groups`, one name an
example, whole groups are resampled. The name "" means: a group of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from noria.errors import InvalidRequest
from noria.stats.quantile import student, two_sided

if TYPE_CHECKING:
    from noria.stats.arrays import Floats

FEW = 10
"""Under so many values (or groups) a bootstrap has too few different samples: Student's interval instead."""


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate, and where the true value lies with probability `level` over repeated samples."""

    estimate: float | None
    """None: there was nothing to estimate it from."""
    low: float | None
    high: float | None
    """Both None where no interval can be given; then `method` says why: "too few", "no variation" (all values
    are equal, so they tell nothing of how far others may lie), "often undefined" (in the resamples)."""
    level: float
    n: int
    """Values, not groups."""
    method: str
    """"BCa bootstrap", "Student", "Wilson", …; with " by group" where it is clustered."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A metric that is computed for many sums at once, such as those of `stats.corpus`."""

    of: Callable[[Floats], Floats]
    """[r, k] to [r]."""


def absent(estimate: float | None, why: str, *, level: float, n: int) -> Interval:
    """An estimate without an interval."""
    return Interval(estimate=estimate, low=None, high=None, level=level, n=n, method=why)


def mean(
    values: Sequence[float],
    *,
    groups: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Of numbers: the BCa bootstrap, widened for small samples (Efron 1987; Hesterberg 2015, section 5.3).

    Values that are all 0 or 1 are a share, and treated as `share_of`. Under 10 values, or groups: Student's
    interval. Raises InvalidRequest for a value that is no finite number.
    """
    from noria.stats.arrays import finite, np

    array = finite(values)
    if len(array) and bool(np.isin(array, (0.0, 1.0)).all()):
        return share_of([value == 1.0 for value in array], groups=groups, level=level)
    return mean_of_numbers(array, groups=groups, level=level, seed=seed)


def mean_of_numbers(values: Floats, *, groups: Sequence[str] | None, level: float, seed: int) -> Interval:
    """`mean` of an array that may be anything but a share (differences of yes and no)."""
    from noria.stats.arrays import np
    from noria.stats.resample import Units, bca_of_sums

    two_sided(level)
    n = len(values)
    if n < 2:
        return absent(float(values[0]) if n else None, "too few", level=level, n=n)
    estimate = math.fsum(values.tolist()) / n
    if float(np.ptp(values)) <= 1e-12 * float(np.abs(values).max()):
        return absent(estimate, "no variation", level=level, n=n)
    units = Units.of(groups, n)
    # Far from 0 the bootstrap's sums would lose digits.
    sums, sizes = units.total(values - estimate), units.total(np.ones(n))
    if units.count < FEW:
        if units.count < 2:
            return absent(estimate, "too few", level=level, n=n)
        error = math.sqrt(units.count / (units.count - 1) * float(np.square(sums).sum())) / n
        reach = student(level, units.count - 1) * error
        method = units.method("Student")
        return Interval(
            estimate=estimate, low=estimate - reach, high=estimate + reach, level=level, n=n, method=method
        )
    return bca_of_sums(
        lambda drawn: estimate + drawn[:, 0] / drawn[:, 1],
        np.column_stack([sums, sizes]),
        units,
        level=level,
        seed=seed,
    )


def share(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Of successes among n independent trials: Wilson's score interval (1927; Brown, Cai, DasGupta 2001)."""
    if not 0 <= successes <= n or successes != int(successes) or n != int(n):
        raise InvalidRequest(f"There cannot be {successes:g} successes among {n:g}: give whole counts.")
    z = two_sided(level)
    if n == 0:
        return absent(None, "too few", level=level, n=0)
    low, high = wilson(successes / n, n, z)
    return Interval(estimate=successes / n, low=low, high=high, level=level, n=n, method="Wilson")


def share_of(
    answers: Sequence[bool], *, groups: Sequence[str] | None = None, level: float = 0.95
) -> Interval:
    """Of yes among answers; by group: Wilson's with the effective number of answers (Korn, Graubard 1998).

    Where all answers are equal the groups' effect cannot be seen and is taken to be the worst: each group
    counts about once.
    """
    n, yes = len(answers), sum(map(bool, answers))
    if groups is None or not n:
        return share(yes, n, level=level)
    from noria.stats.resample import Units

    units = Units.of(groups, n)
    if not units.grouped:
        return share(yes, n, level=level)
    p = yes / n
    if units.count < 2:
        return absent(p, "too few", level=level, n=n)
    effective = effective_number([float(bool(one)) for one in answers], groups)
    low, high = wilson(p, effective, student(level, units.count - 1))
    return Interval(estimate=p, low=low, high=high, level=level, n=n, method="Wilson by group")


def effective_number(values: Sequence[float], groups: Sequence[str] | None) -> float:
    """How many independent answers a share of these (0 to 1) is worth; at most as many as there are.

    Where all are equal the groups' effect cannot be seen and is taken to be the worst (Korn, Graubard 1998).
    """
    from noria.stats.arrays import finite, np
    from noria.stats.resample import Units

    array, n = finite(values), len(values)
    units = Units.of(groups, n)
    if not units.grouped or units.count < 2:
        return float(n if not units.grouped else 1)
    sizes, p = units.total(np.ones(n)), float(array.mean())
    if not 0 < p < 1:
        return n**2 / float(np.square(sizes).sum())
    residuals = units.total(array) - p * sizes
    variance = units.count / (units.count - 1) * float(np.square(residuals).sum()) / n**2
    return min(float(n), p * (1 - p) / variance) if variance else float(n)


def statistic(
    parts: Sequence[Sequence[float]],
    of: Callable[[Sequence[float]], float] | Rows,
    *,
    groups: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 1000,
) -> Interval:
    """Of a metric that is a function of sums (corpus BLEU, chrF, WER): BCa bootstrap of the examples.

    `parts` [n, k]: each example's sufficient statistics; `of` makes the metric of their k sums, which is the
    same as computing it on the resampled corpus; many at once where it is `Rows`. NaN means undefined.
    """
    from noria.stats.arrays import finite, np
    from noria.stats.resample import Units, bca_of_sums

    two_sided(level)
    if not parts:
        return absent(None, "too few", level=level, n=0)
    width, *others = {len(row) for row in parts}
    if others:
        raise InvalidRequest("Every example must have the same number of parts.")
    # From one run of numbers an array is made three times as fast as from rows.
    table = np.fromiter(chain.from_iterable(parts), np.float64, len(parts) * width)
    table = finite(table.reshape(len(parts), width), "parts")
    units = Units.of(groups, len(table))
    sums = units.total(table)

    def each(drawn: Floats) -> Floats:
        return of.of(drawn) if isinstance(of, Rows) else np.array([of(row) for row in drawn.tolist()])

    return bca_of_sums(each, sums, units, level=level, seed=seed, resamples=resamples)


def wilson(p: float, n: float, z: float) -> tuple[float, float]:
    """Lower and upper bound; n may be an effective number."""
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (0.0 if p == 0 else max(0.0, centre - reach), 1.0 if p == 1 else min(1.0, centre + reach))
