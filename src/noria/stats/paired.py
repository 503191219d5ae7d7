"""Two scored over the same examples: which is better, by how much, with what certainty."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from noria.stats.interval import Interval, Rows, mean_of_numbers
from noria.stats.quantile import two_sided

if TYPE_CHECKING:
    from noria.stats.arrays import Floats

EXACT = 14
"""Up to so many differences (or groups) that are not 0, all 2^k sign flips are made."""
FLIPS = 10_000
SWAPS = 2000
"""Of corpus metrics, which are dearer."""

Better = Literal["higher", "lower"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Of a to b, over examples that both have."""

    interval: Interval
    """Of mean(a) − mean(b): above 0, a has the higher values (not: the better ones)."""
    p: float | None
    """Two-sided: how often equal ones would differ at least so much. None: nothing to compare."""
    method: str
    """"McNemar", "sign flips", "exact sign flips"; with " by group" where it is clustered."""
    n: int
    wins: int
    """Examples on which a is better than b."""
    ties: int
    losses: int
    effect: float | None = None
    """Mean difference over the standard deviation of differences (Cohen's d_z); None: no variation."""


def compare(
    a: Sequence[float],
    b: Sequence[float],
    *,
    groups: Sequence[str] | None = None,
    better: Better = "higher",
    level: float = 0.95,
    seed: int = 0,
) -> Difference:
    """a (the candidate) to b (the baseline), whose i-th values are of one example.

    p: by flipping the signs of the differences, all ways when few, else 10,000 (Fisher 1935; Phipson, Smyth
    2010); of yes and no McNemar's exact test. The interval: `mean` of the differences; of yes and no Bonett
    and Price's (2012). With groups, whole groups flip and are resampled. Raises InvalidRequest for a value
    that is no finite number.
    """
    from noria.stats.arrays import finite, np, same_length
    from noria.stats.resample import Units

    n = same_length(a=a, b=b)
    left, right = finite(a, "a"), finite(b, "b")
    two_sided(level)
    differences = left - right
    higher, lower = int((differences > 0).sum()), int((differences < 0).sum())
    wins, losses = (higher, lower) if better == "higher" else (lower, higher)
    units = Units.of(groups, n)
    deviation = float(differences.std(ddof=1)) if n > 1 else 0.0
    yes_no = n > 0 and bool(np.isin(left, (0.0, 1.0)).all() and np.isin(right, (0.0, 1.0)).all())
    if yes_no and not units.grouped:
        interval = _bonett_price(higher, lower, n, level=level)
        p, method = mcnemar(higher, lower), "McNemar"
    else:
        interval = mean_of_numbers(differences, groups=groups, level=level, seed=seed)
        p, method = _sign_flips(units.total(differences), seed=seed)
        method = units.method(method)
    return Difference(
        interval=interval,
        p=p if n else None,
        method=method,
        n=n,
        wins=wins,
        ties=n - wins - losses,
        losses=losses,
        effect=float(differences.mean()) / deviation if deviation else None,
    )


def swapped(
    a: Sequence[Sequence[float]],
    b: Sequence[Sequence[float]],
    of: Rows,
    *,
    groups: Sequence[str] | None = None,
    seed: int = 0,
) -> float | None:
    """Two-sided p of a metric of sums: a's and b's parts [n, k] of an example change places at random
    (approximate randomisation: Riezler, Maxwell 2005). With groups, whole groups change places. None: there
    is nothing to compare, or the metric of one of the two is undefined.
    """
    from noria.stats.arrays import finite, np, same_length
    from noria.stats.resample import Units, at_once

    n = same_length(a=a, b=b)
    if not n:
        return None
    units = Units.of(groups, n)
    left, right = units.total(finite(a, "a")), units.total(finite(b, "b"))
    left_sum, right_sum, moved = left.sum(axis=0), right.sum(axis=0), left - right
    seen = abs(float(of.of(left_sum[None])[0] - of.of(right_sum[None])[0]))
    if math.isnan(seen):
        return None
    reached = 0
    for coins in _coins(units.count, SWAPS, at_once=at_once(*moved.shape), seed=seed):
        change = coins @ moved
        gaps = np.abs(of.of(left_sum - change) - of.of(right_sum + change))
        # Where it is undefined it counts against a difference; equal ones may differ in the last digits.
        reached += int((~(gaps < seen - 1e-12 * max(seen, 1.0))).sum())
    return (reached + 1) / (SWAPS + 1)


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p from the examples on which just one of the two is right (McNemar 1947)."""
    from noria.stats.arrays import special

    few, n = min(only_a, only_b), only_a + only_b
    return min(1.0, 2 * float(special.bdtr(few, n, 0.5))) if n else 1.0


def _bonett_price(only_a: int, only_b: int, n: int, *, level: float) -> Interval:
    """Bonett, Price 2012: Wald's with one more example of each kind of disagreement."""
    z = two_sided(level)
    p, q = (only_a + 1) / (n + 2), (only_b + 1) / (n + 2)
    reach = z * math.sqrt((p + q - (p - q) ** 2) / (n + 2))
    return Interval(
        estimate=(only_a - only_b) / n,
        low=max(-1.0, p - q - reach),
        high=min(1.0, p - q + reach),
        level=level,
        n=n,
        method="Bonett-Price",
    )


def _sign_flips(differences: Floats, *, seed: int) -> tuple[float, str]:
    """p of the sum being so far from 0 if each difference could as well have the other sign."""
    from noria.stats.arrays import np
    from noria.stats.resample import at_once

    moved = np.abs(differences[differences != 0])
    k = len(moved)
    # Sums in another order differ in the last digits; equal ones must count as equal.
    seen = abs(float(differences.sum())) - 1e-9 * float(moved.sum())
    if k <= EXACT:
        signs = 1.0 - 2.0 * ((np.arange(2**k)[:, None] >> np.arange(k)) & 1)
        return float((np.abs(signs @ moved) >= seen).mean()), "exact sign flips"
    reached = 0
    for coins in _coins(k, FLIPS, at_once=at_once(k), seed=seed):
        reached += int((np.abs(2.0 * (coins @ moved) - moved.sum()) >= seen).sum())
    return (reached + 1) / (FLIPS + 1), "sign flips"


def _coins(units: int, throws: int, *, at_once: int, seed: int) -> Iterator[Floats]:
    """Chunks [r, units] of 0 and 1, as likely."""
    from noria.stats.arrays import np

    rng = np.random.default_rng(seed)
    for start in range(0, throws, at_once):
        rows = min(at_once, throws - start)
        drawn = rng.integers(256, size=(rows, -(-units // 8)), dtype=np.uint8)
        yield np.unpackbits(drawn, axis=1, count=units).astype(np.float64)
