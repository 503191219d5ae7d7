"""The Pareto front of quality, cost and latency, with doubt kept: who is dominated, and who only looks it.

An arm is dominated where another is shown to be better in quality, and in cost and latency is shown to be
better or is exactly equal. Where another looks at least as good in everything but that is not shown, the two
are not told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from noria.evals.comparison import compare
from noria.evals.explore.evidence import Evidence
from noria.evals.sheet import Line, groups_of
from noria.stats import paired
from noria.stats.multiplicity import holm

Axis = Literal["quality", "cost", "latency"]
Standing = Literal["front", "dominated", "not told apart", "not placed"]


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an arm stands, by its index among the arms."""

    arm: int
    standing: Standing
    by: int | None = None
    """The arm that dominates it, or looks as if it did."""
    axes: dict[Axis, float] = {}
    """Holm's p of each axis on which that arm looks better."""
    why: str = ""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """On one axis: whether one arm is told apart from another that it looks as good as."""

    axis: Axis
    p: float | None
    """Two-sided; None: exactly equal, which on the axis of quality is chance and not equality."""


def front(found: Sequence[Evidence], measure: str, *, level: float) -> list[Place]:
    """Of every arm. Those without quality, or whose run is not whole, are not placed."""
    placed = [index for index, one in enumerate(found) if one.whole and _value(one, "quality") is not None]
    pairs: list[tuple[int, int, list[Gap]]] = []
    for low in placed:
        for high in placed:
            if low != high and _looks_as_good(found[high], found[low]):
                gaps = _gaps(found[high], found[low], measure, level=level)
                if gaps:
                    pairs.append((low, high, gaps))
    adjusted = iter(holm([gap.p for _, _, gaps in pairs for gap in gaps if gap.p is not None]))
    best: dict[int, Place] = {}
    for low, high, gaps in pairs:
        ps: dict[Axis, float] = {gap.axis: next(adjusted) for gap in gaps if gap.p is not None}
        shown: set[Axis] = {axis for axis, p in ps.items() if p <= 1 - level}
        dominated = shown == set(ps) and len(gaps) == len(_ALL)
        place = Place(
            arm=low,
            standing="dominated" if dominated else "not told apart",
            by=high,
            axes=ps,
            why=_why(found[high].arm.name, gaps, shown, dominated=dominated),
        )
        known = best.get(low)
        if known is None or (known.standing != "dominated" and dominated):
            best[low] = place
    return [
        best.get(index, Place(arm=index, standing="front")) if index in placed else _unplaced(index, one)
        for index, one in enumerate(found)
    ]


def _unplaced(index: int, one: Evidence) -> Place:
    why = "its quality was not measured" if one.whole else f"its run is {one.state}, not to be relied on"
    return Place(arm=index, standing="not placed", why=why)


_ALL: tuple[Axis, ...] = ("quality", "cost", "latency")


def _value(one: Evidence, axis: Axis) -> float | None:
    """The higher the better."""
    if axis == "quality":
        value = None if one.quality is None else one.quality.estimate
        return value if value is None or one.better != "lower" else -value
    of = one.cost if axis == "cost" else one.latency
    return None if of is None or of.estimate is None else -of.estimate


def _looks_as_good(high: Evidence, low: Evidence) -> bool:
    """On every axis that both have, and better on one; an axis that one lacks tells nothing."""
    gaps = [
        a - b
        for axis in _ALL
        if (a := _value(high, axis)) is not None and (b := _value(low, axis)) is not None
    ]
    return bool(gaps) and min(gaps) >= 0 and max(gaps) > 0


def _gaps(high: Evidence, low: Evidence, measure: str, *, level: float) -> list[Gap]:
    found: list[Gap] = []
    for axis in _ALL:
        a, b = _value(high, axis), _value(low, axis)
        if a is None or b is None:
            continue
        if axis == "quality":
            found.append(Gap(axis=axis, p=_quality_p(high, low, measure, level=level)))
        elif a == b:
            found.append(Gap(axis=axis, p=None))
        else:
            of = _costs if axis == "cost" else _latencies
            found.append(Gap(axis=axis, p=_paired_p(high, low, of)))
    return found


def _quality_p(high: Evidence, low: Evidence, measure: str, *, level: float) -> float:
    described = high.sheet.measure(measure)
    if described is None or described.kind == "corpus":
        compared = compare(high.sheet, low.sheet, level=level)
        return next((one.p for one in compared.scorers if one.name == measure and one.p is not None), 1.0)
    return _paired_p(high, low, lambda line: [] if (value := line.value(measure)) is None else [value])


def _costs(line: Line) -> Sequence[float]:
    return line.cost


def _latencies(line: Line) -> Sequence[float]:
    return line.latency


def _paired_p(high: Evidence, low: Evidence, of: Callable[[Line], Sequence[float]]) -> float:
    """Whether the means over the samples that both answered differ."""
    other = {line.id: line for line in low.sheet.lines}
    pairs = [(line, other[line.id]) for line in high.sheet.lines if line.id in other]
    both = [(a, b) for a, b in pairs if of(a) and of(b)]
    if not both:
        return 1.0
    found = paired.compare(
        [sum(of(a)) / len(of(a)) for a, _ in both],
        [sum(of(b)) / len(of(b)) for _, b in both],
        groups=groups_of([a for a, _ in both]),
    )
    return 1.0 if found.p is None else found.p


def _why(name: str, gaps: Sequence[Gap], shown: set[Axis], *, dominated: bool) -> str:
    if dominated:
        return f"{name} is shown to be better in {_listed(shown)}"
    words = f"{name} looks at least as good in everything known, which is"
    open_: set[Axis] = {gap.axis for gap in gaps if gap.p is not None and gap.axis not in shown}
    unknown: set[Axis] = {axis for axis in _ALL if axis not in {gap.axis for gap in gaps}}
    parts = [f"shown in {_listed(shown)}"] if shown else ["shown in nothing"]
    parts += [f"not shown in {_listed(open_)}"] if open_ else []
    parts += [f"not known in {_listed(unknown)}"] if unknown else []
    return f"{words} {', '.join(parts)}"


def _listed(axes: set[Axis]) -> str:
    return " and ".join(axis for axis in _ALL if axis in axes) or "nothing else"
