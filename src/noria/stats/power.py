"""How many examples a comparison needs, and what it can show."""

from __future__ import annotations

import math
from collections.abc import Callable

from noria.errors import InvalidRequest
from noria.stats.arrays import np, special
from noria.stats.quantile import student, two_sided


def power_of(n: int, difference: float, sd: float, *, level: float = 0.95) -> float:
    """The probability that a paired t test of n examples shows `difference` to be other than 0.

    `sd` is of the differences. Where examples are grouped, n is what the groups are worth.
    """
    if n < 2:
        return 0.0
    if sd <= 0:
        return 1.0 if difference else 0.0
    shift, bound = abs(difference) / sd * math.sqrt(n), student(level, n - 1)
    if n > 10_000:
        # scipy's noncentral t runs out of digits; Student's is the normal distribution by then.
        return float(special.ndtr(shift - bound) + special.ndtr(-shift - bound))
    above = 1 - float(special.nctdtr(n - 1, shift, bound))
    # By symmetry P(T < -b | d) = P(T > b | -d).
    return above + 1 - float(special.nctdtr(n - 1, -shift, bound))


def examples_needed(difference: float, sd: float, *, power: float = 0.8, level: float = 0.95) -> int:
    """The fewest for which a paired comparison shows a true `difference` with probability `power`.

    `sd` is of the differences; taken from the same data as the difference it is a forecast, not a promise.
    Raises InvalidRequest for a difference of 0.
    """
    _check(power)
    if not difference or not math.isfinite(difference):
        raise InvalidRequest("No number of examples shows a difference of 0: give the one that matters.")
    first = ((two_sided(level) + special.ndtri(power)) * sd / difference) ** 2
    return _fewest(lambda n: power_of(n, difference, sd, level=level) >= power, first)


def detectable_difference(n: int, sd: float, *, power: float = 0.8, level: float = 0.95) -> float:
    """The smallest true difference that n examples show with probability `power`."""
    _check(power)
    if n < 2:
        raise InvalidRequest("A comparison needs at least 2 examples.")
    if sd <= 0:
        return 0.0
    low, high = 0.0, sd
    while power_of(n, high, sd, level=level) < power:
        high *= 2
    while high - low > 1e-10 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if power_of(n, middle, sd, level=level) >= power else (middle, high)
    return high


def power_of_yes_no(n: int, better: float, worse: float, *, level: float = 0.95) -> float:
    """Of McNemar's exact test on n examples, where a share `better` is right only with the one and a share
    `worse` only with the other. The number on which they differ is itself random (Connor 1987)."""
    differ = better + worse
    if not (0 <= better <= 1 and 0 <= worse <= 1 and differ <= 1 + 1e-12):
        raise InvalidRequest(
            "The shares on which only one is right must be 0 or more, and at most 1 together."
        )
    two_sided(level)
    if not differ:
        return 0.0
    centre, reach = n * differ, 8 * math.sqrt(n * differ * max(0.0, 1 - differ)) + 1
    k = np.arange(max(0, math.floor(centre - reach)), min(n, math.ceil(centre + reach)) + 1)
    # log n!/(k!(n-k)!) p^k q^(n-k)
    log_chance = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    log_chance += special.xlogy(k, differ) + special.xlogy(n - k, max(0.0, 1 - differ))
    few = np.maximum(0, np.floor(special.bdtrik((1 - level) / 2, k, 0.5)))
    few = np.where(special.bdtr(few, k, 0.5) <= (1 - level) / 2, few, -1)
    side = better / differ
    rejects = np.where(few >= 0, special.bdtr(few, k, side) + special.bdtr(few, k, 1 - side), 0.0)
    return float((np.exp(log_chance) * rejects).sum())


def examples_needed_yes_no(better: float, worse: float, *, power: float = 0.8, level: float = 0.95) -> int:
    """The fewest for which McNemar's exact test shows the difference with probability `power`.

    Raises InvalidRequest where the two shares are equal.
    """
    _check(power)
    gap, differ = better - worse, better + worse
    if not gap:
        raise InvalidRequest("No number of examples shows a difference of 0: give the one that matters.")
    z = two_sided(level)
    spread = math.sqrt(max(0.0, differ - gap * gap))
    first = ((z * math.sqrt(differ) + float(special.ndtri(power)) * spread) / gap) ** 2
    if first > 100_000:
        # Connor's formula: the exact one differs by less than one in a thousand, and takes seconds.
        return math.ceil(first)
    return _fewest(lambda n: power_of_yes_no(n, better, worse, level=level) >= power, first)


def _check(power: float) -> None:
    if not 0 < power < 1:
        raise InvalidRequest(f"Power must be between 0 and 1, such as 0.8, not {power:g}.")


def _fewest(enough: Callable[[int], bool], first: float) -> int:
    """By halving from a good guess. (An exact test's power dips by under 0.01 as n grows.)"""
    low, high = 1, max(2, math.ceil(first))
    while not enough(high):
        low, high = high, math.ceil(high * 1.25) + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
