"""How far a judge can be trusted: its agreement with people, its errors, its biases and its noise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from noria.errors import InvalidRequest
from noria.scoring.judge.edges import edged
from noria.scoring.judge.label import Verdict
from noria.scoring.scorer import Value
from noria.stats.interval import Interval

LEVEL = 0.95


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured. None: it does not apply to this judge, or nothing was there to measure it from."""

    n: int
    """Examples that the judge gave a verdict on, and people a label."""
    failed: int
    """Examples that it gave none on."""
    reasons: dict[str, int] = {}
    """Why not, the most frequent first."""
    threshold: float | None = None
    """From which value on a judge's number was taken for a yes."""
    kappa: Interval | None = None
    """Cohen's, of judge and label; quadratically weighted where both are numbers."""
    alpha: Interval | None = None
    """Krippendorff's: nominal, or ordinal where both are numbers."""
    true_positive: Interval | None = None
    false_positive: Interval | None = None
    table: dict[str, dict[str, int]] = {}
    """Examples by label, then by verdict."""
    consistent: Interval | None = None
    """Share of pairs on which both orders agree."""
    first_place: Interval | None = None
    """Of the verdicts that name a place, the share that names the first; 0.5 is without bias."""
    length_bias: Interval | None = None
    """Correlation of what the judge gives beyond the label with the logarithm of the length: above 0 it
    favours long answers more than people do."""
    noise: Interval | None = None
    """Share of examples on which repeated asking does not give the same verdict."""


def measure(verdicts: Sequence[Verdict], *, threshold: float | None = None) -> Calibration:
    """The first verdict on each example counts; repeats say how much noise there is.

    `threshold` makes a judge's numbers a yes or no where labels are. Raises InvalidRequest where judge and
    labels cannot be compared.
    """
    firsts = [one for one in verdicts if one.repeat == 0]
    said = [_compared(one, threshold) for one in firsts if one.judged is not None]
    failed = [one for one in firsts if one.judged is None]
    numbers = all(_is_number(one.label) and _is_number(one.judged) for one in said)
    binary = all(isinstance(one.label, bool) and isinstance(one.judged, bool) for one in said)
    if not numbers and not binary and any(type(one.label) is not type(one.judged) for one in said):
        raise InvalidRequest("The labels are not of the judge's kind; give labels on its own scale.")
    pairs = any(one.places for one in said)
    kappa, alpha = _agreement(said, numbers=numbers and not binary, pairs=pairs) if said else (None, None)
    table: dict[str, dict[str, int]] = {}
    for one in said:
        row = table.setdefault(word(one.label), {})
        row[word(one.judged)] = row.get(word(one.judged), 0) + 1
    true_positive, false_positive = _rates(said) if binary and said else (None, None)
    consistent, first_place = _places(said) if pairs else (None, None)
    return Calibration(
        n=len(said),
        failed=len(failed),
        reasons=dict(Counter(one.failed for one in failed).most_common(5)),
        threshold=threshold,
        kappa=kappa,
        alpha=alpha,
        true_positive=true_positive,
        false_positive=false_positive,
        table=table,
        consistent=consistent,
        first_place=first_place,
        length_bias=_length_bias(said) if numbers or binary else None,
        noise=_noise(verdicts),
    )


def word(value: Value | None) -> str:
    """A verdict as a table shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _compared(one: Verdict, threshold: float | None) -> Verdict:
    if not isinstance(one.label, bool) or isinstance(one.judged, bool) or not isinstance(one.judged, float):
        return one
    if threshold is None:
        raise InvalidRequest(
            "The labels are yes or no and the judge gives numbers; say with `threshold` from where on is yes."
        )
    return msgspec.structs.replace(one, judged=one.judged >= threshold)


def _is_number(value: Value | None) -> bool:
    return isinstance(value, float) and not isinstance(value, bool)


def _groups(said: Sequence[Verdict]) -> list[str] | None:
    return [one.group for one in said] if any(one.group for one in said) else None


def _agreement(said: Sequence[Verdict], *, numbers: bool, pairs: bool) -> tuple[Interval, Interval]:
    from noria.stats.agreement import cohen, krippendorff

    judged, labels = [one.judged for one in said], [one.label for one in said]
    weights = "quadratic" if numbers and not pairs else "none"
    kappa = cohen(judged, labels, weights=weights, groups=_groups(said), level=LEVEL)
    alpha = krippendorff(
        list(zip(judged, labels, strict=True)),
        level="ordinal" if numbers else "nominal",
        groups=_groups(said),
        confidence=LEVEL,
    )
    ranked = weights == "quadratic"
    return (
        edged(kappa, judged, labels, ranked=ranked),
        edged(alpha, judged, labels, ranked=numbers),
    )


def _rates(said: Sequence[Verdict]) -> tuple[Interval, Interval]:
    from noria.stats.rates import false_positive_rate, true_positive_rate

    judged, truth = [bool(one.judged) for one in said], [bool(one.label) for one in said]
    groups = _groups(said)
    return (
        true_positive_rate(judged, truth, groups=groups, level=LEVEL),
        false_positive_rate(judged, truth, groups=groups, level=LEVEL),
    )


def _places(said: Sequence[Verdict]) -> tuple[Interval, Interval]:
    from noria.stats.interval import share_of

    swapped = {"A": "B", "B": "A", "tie": "tie"}
    both = [one for one in said if len(one.places) == 2]
    agree = [one.places[0] == swapped.get(one.places[1]) for one in both]
    named = [(place == "A", one.example) for one in both for place in one.places if place in ("A", "B")]
    # Both orders of a pair depend on one another.
    return (
        share_of(agree, groups=_groups(both), level=LEVEL),
        share_of([first for first, _ in named], groups=[example for _, example in named], level=LEVEL),
    )


def _length_bias(said: Sequence[Verdict]) -> Interval:
    from noria.stats.interval import statistic

    def parts(one: Verdict) -> tuple[float, ...]:
        beyond = float(one.judged or 0) - float(one.label)
        return (1.0, one.size, beyond, one.size**2, beyond**2, one.size * beyond)

    return statistic([parts(one) for one in said], _correlation, groups=_groups(said), level=LEVEL)


def _correlation(sums: Sequence[float]) -> float:
    """Pearson's, from (n, Σx, Σy, Σx², Σy², Σxy); NaN where either does not vary."""
    n, x, y, xx, yy, xy = sums
    width, height = xx - x * x / n, yy - y * y / n
    return (xy - x * y / n) / math.sqrt(width * height) if width > 1e-9 and height > 1e-9 else math.nan


def _noise(verdicts: Sequence[Verdict]) -> Interval | None:
    from noria.stats.interval import share_of

    by_example: dict[str, list[Verdict]] = {}
    for one in verdicts:
        if one.judged is not None:
            by_example.setdefault(one.example, []).append(one)
    repeated = [ones for ones in by_example.values() if len(ones) > 1]
    if not repeated:
        return None
    unequal = [len({one.judged for one in ones}) > 1 for ones in repeated]
    return share_of(unequal, groups=_groups([ones[0] for ones in repeated]), level=LEVEL)
