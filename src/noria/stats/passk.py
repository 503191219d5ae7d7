"""Several tries an example: whether one of k succeeds, and whether all k do."""

from __future__ import annotations

from collections.abc import Sequence

from noria.errors import InvalidRequest
from noria.stats.arrays import Floats, Ints, np, same_length, whole
from noria.stats.interval import Interval, mean


def pass_at_k(
    successes: Sequence[int],
    tries: Sequence[int],
    k: int,
    *,
    groups: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The chance that at least one of k tries succeeds: 1 − C(n−c, k)/C(n, k) an example, unbiased
    (Chen et al. 2021, equation 1). Raises InvalidRequest where an example has under k tries."""
    c, n = _counts(successes, tries, k)
    return mean((1 - _all_of_k(n - c, n, k)).tolist(), groups=groups, level=level, seed=seed)


def pass_hat_k(
    successes: Sequence[int],
    tries: Sequence[int],
    k: int,
    *,
    groups: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """pass^k, the chance that all of k tries succeed: C(c, k)/C(n, k) an example
    (Yao et al. 2024, τ-bench)."""
    c, n = _counts(successes, tries, k)
    return mean(_all_of_k(c, n, k).tolist(), groups=groups, level=level, seed=seed)


def _counts(successes: Sequence[int], tries: Sequence[int], k: int) -> tuple[Ints, Ints]:
    same_length(successes=successes, tries=tries)
    c, n = whole(successes, "successes"), whole(tries, "tries")
    if k < 1:
        raise InvalidRequest(f"k must be 1 or more, not {k}.")
    if (c > n).any():
        index = int(np.argmax(c > n))
        raise InvalidRequest(f"Number {index} has {c[index]} successes of only {n[index]} tries.")
    if (n < k).any():
        index = int(np.argmax(n < k))
        raise InvalidRequest(f"Number {index} has {n[index]} tries: k = {k} needs at least {k} of each.")
    return c, n


def _all_of_k(c: Ints, n: Ints, k: int) -> Floats:
    """C(c, k)/C(n, k), as a product that cannot overflow."""
    chance = np.ones(len(c))
    for i in range(k):
        chance *= np.maximum(c - i, 0) / (n - i)
    return chance
