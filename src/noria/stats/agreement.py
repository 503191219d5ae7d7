"""How far people, or a person and a judge, agree beyond chance; intervals by resampling what they judged."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Literal, cast

from noria.errors import InvalidRequest
from noria.stats.arrays import Floats, finite, np, same_length
from noria.stats.interval import Interval, absent
from noria.stats.quantile import two_sided
from noria.stats.resample import OfWeights, Units, bca, bca_of_sums

MOST_CELLS = 20_000_000
"""Items times different values."""

Weights = Literal["none", "linear", "quadratic"]
Measurement = Literal["nominal", "ordinal", "interval", "ratio"]


def cohen(
    a: Sequence[Hashable],
    b: Sequence[Hashable],
    *,
    weights: Weights = "none",
    groups: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """κ of two raters (Cohen 1960). `weights` makes far disagreements count more (1968): labels are then
    ordered by their value. Undefined where both give one label only."""
    n = same_length(a=a, b=b)
    two_sided(level)
    place = _places([*a, *b], ordered=weights != "none")
    v = len(place)
    _bounded(n, v)
    far = np.abs(np.subtract.outer(np.arange(v), np.arange(v))).astype(np.float64)
    cost = {"none": (far > 0).astype(np.float64), "linear": far, "quadratic": far**2}[weights]
    # What each item costs, and how often each label was given by either: all that κ is made of.
    left, right = [place[x] for x in a], [place[y] for y in b]
    table = np.zeros((n, 1 + 2 * v))
    if n:
        table[:, 0] = cost[left, right]
        table[np.arange(n), [1 + x for x in left]] = 1
        table[np.arange(n), [1 + v + y for y in right]] = 1
    units = Units.of(groups, n)

    def kappa(sums: Floats) -> Floats:
        rows, columns = sums[:, 1 : 1 + v], sums[:, 1 + v :]
        by_chance = ((rows @ cost) * columns).sum(axis=1) / np.maximum(rows.sum(axis=1), 1)
        return _less_chance(sums[:, 0], by_chance)

    return bca_of_sums(kappa, units.total(table), units, level=level, seed=seed)


def fleiss(
    ratings: Sequence[Sequence[Hashable]],
    *,
    groups: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """κ of several raters (Fleiss 1971). `ratings`: one row an item, equally many labels in each.

    Raises InvalidRequest where a label is missing: `krippendorff` allows for that.
    """
    n = len(ratings)
    two_sided(level)
    raters = len(ratings[0]) if n else 0
    for index, row in enumerate(ratings):
        if len(row) != raters or any(label is None for label in row) or raters < 2:
            raise InvalidRequest(
                f"Item {index} has not as many labels as the first, or under 2: use Krippendorff's alpha."
            )
    counts = _counts(ratings, _places([label for row in ratings for label in row], ordered=False))
    agreeing = ((counts**2).sum(axis=1) - raters) / max(1, raters * (raters - 1))
    units = Units.of(groups, n)
    sums = units.total(np.column_stack([1 - agreeing, counts]))

    def kappa(sums: Floats) -> Floats:
        labels = np.maximum(sums[:, 1:].sum(axis=1), 1)
        by_chance = 1 - np.square(sums[:, 1:] / labels[:, None]).sum(axis=1)
        return _less_chance(sums[:, 0] * raters / labels, by_chance)

    return bca_of_sums(kappa, sums, units, level=level, seed=seed)


def krippendorff(
    ratings: Sequence[Sequence[Hashable | None]],
    *,
    level: Measurement = "nominal",
    groups: Sequence[str] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """α of any number of raters (Krippendorff 2011). `ratings`: one row an item, None: not given.

    Items with fewer than two ratings say nothing of agreement and are left out. `level` is how values are
    measured; all but "nominal" need numbers, "ratio" none below 0. Undefined where all values are equal.
    """
    two_sided(confidence)
    rows = [[value for value in row if value is not None] for row in ratings]
    kept = [index for index, row in enumerate(rows) if len(row) > 1]
    if groups is not None:
        same_length(ratings=ratings, groups=groups)
        groups = [groups[index] for index in kept]
    rows = [rows[index] for index in kept]
    units = Units.of(groups, len(rows))
    if not rows:
        return absent(None, "too few", level=confidence, n=0)
    return _alpha(rows, level, units, level=confidence, seed=seed)


def _alpha(
    rows: Sequence[Sequence[Hashable]], measured: Measurement, units: Units, *, level: float, seed: int
) -> Interval:
    """1 − observed / expected disagreement. Both sum a distance over pairs: within an item (which counts by
    its number of ratings), and over all ratings."""
    sizes = np.array([len(row) for row in rows], dtype=np.float64)
    place = _places([value for row in rows for value in row], ordered=measured != "nominal")
    numbers = np.zeros(0) if measured == "nominal" else finite(_numbers(place), "the ratings")
    if measured == "interval":
        # Moments suffice, however many different values there are; scaled they keep their digits.
        centre, width = float(numbers.mean()), float(np.ptp(numbers)) or 1.0
        flat = [[(value - centre) / width for value in _numbers(row)] for row in rows]
        items = np.array([[len(row), sum(row), sum(x * x for x in row)] for row in flat])
        pairs = _squares
    else:
        items = _counts(rows, place)
        if measured == "ordinal":
            return bca(_ordinal(items, sizes, units), units, level=level, seed=seed)
        pairs = _different if measured == "nominal" else _ratios(numbers)

    def alpha(sums: Floats) -> Floats:
        return _less_chance(sums[:, 0], pairs(sums[:, 2:]) / np.maximum(sums[:, 1] - 1, 1))

    table = np.column_stack([pairs(items) / (sizes - 1), sizes, items])
    return bca_of_sums(alpha, units.total(table), units, level=level, seed=seed)


def _different(counts: Floats) -> Floats:
    """[r, values] of how often each was given, to [r]: the pairs that are not equal."""
    return counts.sum(axis=1) ** 2 - np.square(counts).sum(axis=1)


def _squares(moments: Floats) -> Floats:
    """[r, 3] of Σ1, Σx, Σx² to [r]: the squared differences of all pairs."""
    return 2 * (moments[:, 0] * moments[:, 2] - moments[:, 1] ** 2)


def _ratios(numbers: Floats) -> Callable[[Floats], Floats]:
    """The squared differences over sums of all pairs."""
    if (numbers < 0).any():
        raise InvalidRequest("A ratio scale has no values below 0: use the interval scale.")
    both = np.add.outer(numbers, numbers)
    far = np.square(np.subtract.outer(numbers, numbers) / np.where(both > 0, both, 1))
    return lambda counts: np.einsum("rv,rv->r", counts @ far, counts)


def _ordinal(counts: Floats, sizes: Floats, units: Units) -> OfWeights:
    """The distance of two values is how many ratings lie between them, so it differs from resample to
    resample: that of their mid-ranks, squared."""
    totals = units.total(counts)

    def alpha(drawn: Floats) -> Floats:
        observed, expected = np.empty(len(drawn)), np.empty(len(drawn))
        for r, weights in enumerate(drawn):
            given = weights @ totals
            rank = given.cumsum() - given / 2
            within = 2 * (sizes * (counts @ rank**2) - (counts @ rank) ** 2) / (sizes - 1)
            observed[r] = weights @ units.total(within)
            n = given.sum()
            expected[r] = 2 * (n * (given @ rank**2) - (given @ rank) ** 2) / max(1.0, n - 1)
        return _less_chance(observed, expected)

    return alpha


def _less_chance(observed: Floats, by_chance: Floats) -> Floats:
    """1 − observed / by chance; NaN where chance alone always agrees."""
    possible = by_chance > 1e-9
    return np.where(possible, 1 - observed / np.where(possible, by_chance, 1), np.nan)


def _numbers(values: Iterable[Hashable]) -> list[float]:
    """Raises InvalidRequest where ratings on a scale of numbers are none."""
    try:
        return [float(cast(Any, value)) for value in values]
    except (TypeError, ValueError):
        raise InvalidRequest("Ratings on this scale must be numbers; measure words as nominal.") from None


def _places(values: Sequence[Hashable], *, ordered: bool) -> dict[Hashable, int]:
    """Each different value's column."""
    different = dict.fromkeys(values)
    try:
        names = sorted(cast(Any, different)) if ordered else list(different)
    except TypeError:
        raise InvalidRequest(
            "These labels have no order: give numbers, or measure agreement as nominal."
        ) from None
    return {value: column for column, value in enumerate(names)}


def _counts(rows: Sequence[Sequence[Hashable]], place: dict[Hashable, int]) -> Floats:
    """[items, values]: how often each value was given."""
    _bounded(len(rows), len(place))
    counts = np.zeros((len(rows), len(place)))
    for index, row in enumerate(rows):
        for value in row:
            counts[index, place[value]] += 1
    return counts


def _bounded(items: int, values: int) -> None:
    if items * values > MOST_CELLS:
        raise InvalidRequest(
            f'There are {values} different ratings of {items} items: round them, or use "interval".'
        )
