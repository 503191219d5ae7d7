"""The bootstrap: weights of resampled examples, and the BCa interval of any function of them.

A resample is a row of counts, how often each unit was drawn; a function of sums over the resample is then one
matrix product, which gives the same numbers as gathering the examples and is far cheaper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

from noria.stats.arrays import Bytes, Floats, Ints, np, same_length
from noria.stats.interval import FEW, Interval, absent
from noria.stats.quantile import student

RESAMPLES = 2000
"""The bounds of a 95 % interval then lie where 95 ± 0.5 % ones would with endless resamples."""
MOST_UNITS = 5000
"""More units are merged at random into so many blocks: the interval stays valid, the work bounded."""
UNDEFINED = 0.05
"""The share of resamples in which a statistic may be undefined before no interval is given."""
_PART = 1000
"""Resamples that are drawn and kept together, so that who needs fewer uses the first of the same."""
_MANY = 500
"""From so many units on, one resample drawn makes seven more: its units renamed at random, which is as good a
resample and hardly correlated (by about 1/√units), and cheaper to make."""
_CHUNK = 250_000
"""Weights at once: 2 MB, which stay in a core's cache."""
_PRODUCT = 500_000
"""Multiplications at once: OpenBLAS sets all cores to one of a million, and makes it 20 times dearer."""

OfWeights = Callable[[Floats], Floats]
"""[r, units] of weights to [r] values; NaN: undefined."""
OfSums = Callable[[Floats], Floats]
"""[r, k] of sums to [r] values; NaN: undefined."""


@dataclass(frozen=True, slots=True)
class Units:
    """What is drawn together: an example, or all examples of a group."""

    index: Ints
    """[n]: the unit of each example."""
    count: int
    grouped: bool

    @classmethod
    def of(cls, groups: Sequence[str] | None, n: int) -> Units:
        """`groups`: a name an example; "" is a group of its own. None: each example by itself."""
        alone = Units(index=np.arange(n), count=n, grouped=False)
        if groups is None:
            return alone._merged()
        same_length(values=range(n), groups=groups)
        seen: dict[str, int] = {}
        index = [seen.setdefault(group or f"\0{i}", len(seen)) for i, group in enumerate(groups)]
        if len(seen) == n:
            return alone._merged()
        return Units(index=np.asarray(index, dtype=np.int64), count=len(seen), grouped=True)._merged()

    def _merged(self) -> Units:
        if self.count <= MOST_UNITS:
            return self
        blocks = np.random.default_rng(self.count).permutation(self.count) % MOST_UNITS
        return Units(index=blocks[self.index], count=MOST_UNITS, grouped=self.grouped)

    @property
    def n(self) -> int:
        return len(self.index)

    def total(self, values: Floats) -> Floats:
        """[n] or [n, k] to sums by unit, [units] or [units, k]."""
        if self.count == self.n:
            return values
        sums = np.zeros((self.count, *values.shape[1:]))
        np.add.at(sums, self.index, values)
        return sums

    def method(self, name: str) -> str:
        return f"{name} by group" if self.grouped else name


def at_once(units: int, columns: int = 1) -> int:
    """Rows of weights of so many units that are made at once, to be multiplied with so many columns."""
    return max(1, min(_CHUNK // units, _PRODUCT // (units * columns)))


@lru_cache(maxsize=4)
def _counts(units: int, part: int, seed: int) -> Bytes:
    """[_PART, units]; kept, because the scorers of a run are resampled alike. At most 5 MB."""
    rng = np.random.default_rng((seed, part))
    counts = np.empty((_PART, units), dtype=np.uint8)
    rows = at_once(units)
    fresh = _PART if units < _MANY else _PART // 8
    for start in range(0, fresh, rows):
        drawn = rng.integers(units, size=(min(rows, fresh - start), units), dtype=np.uint16)
        for row, those in enumerate(drawn, start):
            counts[row] = np.bincount(those, minlength=units)
    for start in range(fresh, _PART, fresh):
        counts[:fresh].take(rng.permutation(units), axis=1, out=counts[start : start + fresh])
    return counts


def draws(units: int, resamples: int, seed: int, *, rows: int | None = None) -> Iterator[Floats]:
    """Chunks [r, units] of how often each unit was drawn; each row sums to `units`."""
    rows = rows or at_once(units)
    for part in range(-(-resamples // _PART)):
        counts = _counts(units, part, seed)[: resamples - part * _PART]
        for start in range(0, len(counts), rows):
            yield counts[start : start + rows].astype(np.float64)


def without_each(units: int) -> Iterator[Floats]:
    """Chunks of weights with one unit left out: the jackknife."""
    chunk = at_once(units)
    for start in range(0, units, chunk):
        out = np.arange(start, min(start + chunk, units))
        weights = np.ones((len(out), units))
        weights[np.arange(len(out)), out] = 0
        yield weights


@dataclass(frozen=True, slots=True)
class Resampled:
    """What a statistic became over resamples."""

    units: Units
    estimate: float
    found: Floats
    """[resamples]; NaN: undefined."""
    left_out: Floats
    """[units]: without each unit."""

    def bca(self, *, level: float, method: str = "BCa bootstrap") -> Interval:
        """Bias-corrected and accelerated (Efron 1987), its normal quantiles widened to Student's with
        √(u/(u−1)) for u units (Hesterberg 2015, "expanded"), because a bootstrap of few is too narrow."""
        n = self.units.n
        if math.isnan(self.estimate):
            return absent(None, "undefined", level=level, n=n)
        undefined = np.isnan(self.found)
        if undefined.mean() > UNDEFINED or np.isnan(self.left_out).any():
            return absent(self.estimate, "often undefined", level=level, n=n)
        found = np.sort(self.found[~undefined])
        if found[-1] - found[0] <= 1e-12 * max(abs(found[0]), abs(found[-1])):
            return absent(self.estimate, "no variation", level=level, n=n)
        low, high = np.quantile(found, _levels(found, self.left_out, self.estimate, level))
        return Interval(
            estimate=self.estimate,
            low=float(low),
            high=float(high),
            level=level,
            n=n,
            method=self.units.method(method),
        )


def resampled(
    of: Callable[[Floats], Floats], units: Units, *, seed: int, resamples: int = RESAMPLES
) -> list[Resampled]:
    """`of` makes [r, k] of [r, units]; one result for each of the k."""
    estimate = of(np.ones((1, units.count)))[0]
    found = np.concatenate([of(weights) for weights in draws(units.count, resamples, seed)])
    left_out = np.concatenate([of(weights) for weights in without_each(units.count)])
    return [
        Resampled(units=units, estimate=float(estimate[k]), found=found[:, k], left_out=left_out[:, k])
        for k in range(len(estimate))
    ]


def bca(of: OfWeights, units: Units, *, level: float, seed: int) -> Interval:
    """The interval of one statistic of weights; under FEW units there is none."""
    if units.count < FEW:
        return _too_few(float(of(np.ones((1, units.count)))[0]), units, level=level)
    found = resampled(lambda weights: of(weights)[:, None], units, seed=seed)
    return found[0].bca(level=level)


def bca_of_sums(
    of: OfSums, sums: Floats, units: Units, *, level: float, seed: int, resamples: int = RESAMPLES
) -> Interval:
    """The interval of one statistic that depends on sums over examples only; `sums` [units, k]."""
    total = sums.sum(axis=0)
    estimate = float(of(total[None])[0])
    if units.count < FEW:
        return _too_few(estimate, units, level=level)
    chunks = draws(units.count, resamples, seed, rows=at_once(*sums.shape))
    drawn = np.concatenate([weights @ sums for weights in chunks])
    run = Resampled(units=units, estimate=estimate, found=of(drawn), left_out=of(total - sums))
    return run.bca(level=level)


def _too_few(estimate: float, units: Units, *, level: float) -> Interval:
    if math.isnan(estimate):
        return absent(None, "undefined", level=level, n=units.n)
    return absent(estimate, "too few", level=level, n=units.n)


def _levels(found: Floats, left_out: Floats, estimate: float, level: float) -> tuple[float, float]:
    """Which quantiles of the resamples are the bounds."""
    normal, units = NormalDist(), len(left_out)
    # Ties differ in their last digits; how far apart is a tie goes by the spread, whatever the unit.
    slack = 1e-9 * float(found[-1] - found[0])
    below = float((found < estimate - slack).mean() + (abs(found - estimate) <= slack).mean() / 2)
    bias = normal.inv_cdf(min(max(below, 1 / len(found)), 1 - 1 / len(found)))
    deviations = left_out.mean() - left_out
    squares = float(np.square(deviations).sum())
    acceleration = float((deviations**3).sum()) / (6 * squares**1.5) if squares else 0.0
    reach = math.sqrt(units / (units - 1)) * student(level, units - 1)

    def at(z: float) -> float:
        moved = bias + z
        divisor = 1 - acceleration * moved
        # Beyond the pole the correction has no meaning: the outermost resample then.
        return normal.cdf(bias + moved / divisor) if divisor > 0 else float(z > 0)

    return at(-reach), at(reach)
