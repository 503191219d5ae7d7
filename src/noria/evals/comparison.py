"""A Comparison: two runs over the same examples, scorer by scorer, with what the difference is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from noria.evals.metrics import Better, rows_of
from noria.evals.sheet import Line, Sheet, groups_of
from noria.scoring.scorer import Described
from noria.stats import interval, paired
from noria.stats.interval import Interval, Rows
from noria.stats.multiplicity import holm

Verdict = Literal["better", "worse", "not shown", "no examples"]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One scorer. The difference is the candidate's value less the baseline's."""

    name: str
    kind: Literal["mean", "share", "corpus"]
    better: Better
    candidate: float | None
    baseline: float | None
    difference: Interval
    p: float | None
    """Two-sided, of this scorer alone."""
    p_adjusted: float | None
    """Holm's, over all scorers of the comparison."""
    method: str
    n: int
    """Examples that both have a score of."""
    missing: int
    """Examples of which one run has a score and the other none."""
    wins: int
    """Examples on which the candidate is better; of a scorer of which neither is better: higher."""
    ties: int
    losses: int
    effect: float | None = None
    verdict: Verdict = "not shown"
    needed: int | None = None
    """More examples that would probably settle it, if the difference is as it looks; None: not known."""


class Regression(msgspec.Struct, frozen=True, kw_only=True):
    """One example on which the candidate is worse."""

    example: str
    candidate: float
    baseline: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Of a candidate to a baseline."""

    candidate: str
    """Id of the run."""
    baseline: str
    examples: int
    """That both runs have."""
    only_candidate: int
    only_baseline: int
    revised: int
    """Examples of one id that were revised between the two: they are left out."""
    level: float
    scorers: tuple[Compared, ...]
    regressions: dict[str, tuple[Regression, ...]]
    """By scorer, the worst first."""


def compare(
    candidate: Sheet,
    baseline: Sheet,
    *,
    ids: tuple[str, str] = ("", ""),
    level: float = 0.95,
    seed: int = 0,
    worst: int = 20,
) -> Comparison:
    """`ids` are the runs'. Categories have no better and are left out."""
    left = {line.id: line for line in candidate.lines}
    right = {line.id: line for line in baseline.lines}
    common = [(left[id], right[id]) for id in left if id in right]
    both = [(a, b) for a, b in common if not (a.revision and b.revision) or a.revision == b.revision]
    measures = [
        one for one in candidate.measures if one.kind != "category" and baseline.measure(one.name) is not None
    ]
    found = [_compared(one, both, level=level, seed=seed) for one in measures]
    tested = [one for one in found if one.p is not None]
    adjusted = dict(zip((one.name for one in tested), holm([one.p or 0 for one in tested]), strict=True))
    scorers = tuple(_judged(one, adjusted.get(one.name), both, level=level) for one in found)
    return Comparison(
        candidate=ids[0],
        baseline=ids[1],
        examples=len(both),
        only_candidate=len(left) - len(common),
        only_baseline=len(right) - len(common),
        revised=len(common) - len(both),
        level=level,
        scorers=scorers,
        regressions={one.name: _regressions(one, both, worst) for one in measures},
    )


def together(found: Sequence[Comparison]) -> list[Comparison]:
    """Several candidates with one baseline: p values adjusted over all scorers of all of them, since whoever
    looks at ten candidates finds a better one by chance."""
    tested = [one for each in found for one in each.scorers if one.p is not None]
    adjusted = iter(holm([one.p or 0 for one in tested]))
    return [
        msgspec.structs.replace(
            each,
            scorers=tuple(
                one if one.p is None else _again(one, next(adjusted), level=each.level)
                for one in each.scorers
            ),
        )
        for each in found
    ]


def _again(one: Compared, adjusted: float, *, level: float) -> Compared:
    shown = adjusted <= 1 - level
    verdict = one.verdict if shown or one.verdict == "no examples" else "not shown"
    return msgspec.structs.replace(one, p_adjusted=adjusted, verdict=verdict)


Pairs = Sequence[tuple[Line, Line]]


def _compared(described: Described, both: Pairs, *, level: float, seed: int) -> Compared:
    name = described.name
    if described.kind == "corpus":
        return _corpus(described, both, level=level, seed=seed)
    pairs = [(a, b, a.value(name), b.value(name)) for a, b in both]
    scored = [(a, x, y) for a, _, x, y in pairs if x is not None and y is not None]
    missing = sum((x is None) != (y is None) for _, _, x, y in pairs)
    found = paired.compare(
        [x for _, x, _ in scored],
        [y for _, _, y in scored],
        groups=groups_of([line for line, _, _ in scored]),
        better="lower" if described.better == "lower" else "higher",
        level=level,
        seed=seed,
    )
    return Compared(
        name=name,
        kind="share" if described.kind == "share" else "mean",
        better=described.better,
        candidate=_mean([x for _, x, _ in scored]),
        baseline=_mean([y for _, _, y in scored]),
        difference=found.interval,
        p=found.p,
        p_adjusted=None,
        method=found.method,
        n=found.n,
        missing=missing,
        wins=found.wins,
        ties=found.ties,
        losses=found.losses,
        effect=found.effect,
    )


def _corpus(described: Described, both: Pairs, *, level: float, seed: int) -> Compared:
    """The interval is bootstrapped over examples, both runs resampled alike."""
    name, rows = described.name, rows_of(described)
    pairs = [(a, a.parts(name), b.parts(name)) for a, b in both]
    parted = [(a, x, y) for a, x, y in pairs if x is not None and y is not None]
    left, right = [x for _, x, _ in parted], [y for _, _, y in parted]
    groups = groups_of([line for line, _, _ in parted])
    width = len(left[0]) if left else 0
    difference = interval.statistic(
        [(*x, *y) for x, y in zip(left, right, strict=True)],
        Rows(lambda sums: rows.of(sums[:, :width]) - rows.of(sums[:, width:])),
        groups=groups,
        level=level,
        seed=seed,
    )
    scored = [
        (x, y) for a, b in both if (x := a.value(name)) is not None and (y := b.value(name)) is not None
    ]
    higher, lower = sum(x > y for x, y in scored), sum(x < y for x, y in scored)
    wins, losses = (lower, higher) if described.better == "lower" else (higher, lower)
    return Compared(
        name=name,
        kind="corpus",
        better=described.better,
        candidate=_whole(rows, left),
        baseline=_whole(rows, right),
        difference=difference,
        p=paired.swapped(left, right, rows, groups=groups, seed=seed),
        p_adjusted=None,
        method="approximate randomisation",
        n=len(parted),
        missing=sum((x is None) != (y is None) for _, x, y in pairs),
        wins=wins,
        ties=len(scored) - wins - losses,
        losses=losses,
    )


def _judged(one: Compared, adjusted: float | None, both: Pairs, *, level: float) -> Compared:
    if not one.n or one.difference.estimate is None:
        return msgspec.structs.replace(one, verdict="no examples")
    shown = adjusted is not None and adjusted <= 1 - level
    up = one.difference.estimate > 0
    verdict: Verdict = "not shown"
    if shown and one.better != "neither" and one.difference.estimate:
        verdict = "better" if up == (one.better == "higher") else "worse"
    needed = None if shown else _needed(one, both, level=level)
    return msgspec.structs.replace(one, p_adjusted=adjusted, verdict=verdict, needed=needed)


def _needed(one: Compared, both: Pairs, *, level: float) -> int | None:
    """By the spread of the differences; of a corpus metric there is none to go by."""
    from noria.stats.power import examples_needed, examples_needed_yes_no

    gap = one.difference.estimate
    if not gap or one.kind == "corpus":
        return None
    if one.method == "McNemar":
        better, worse = one.wins / one.n, one.losses / one.n
        return max(0, examples_needed_yes_no(better, worse, level=level) - one.n) or None
    values = [(a.value(one.name), b.value(one.name)) for a, b in both]
    differences = [x - y for x, y in values if x is not None and y is not None]
    middle = sum(differences) / len(differences)
    spread = math.sqrt(sum((value - middle) ** 2 for value in differences) / max(len(differences) - 1, 1))
    return max(0, examples_needed(gap, spread, level=level) - one.n) or None if spread else None


def _regressions(described: Described, both: Pairs, worst: int) -> tuple[Regression, ...]:
    if described.better == "neither":
        return ()
    sign = 1 if described.better == "higher" else -1
    found = [
        (sign * (x - y), Regression(example=a.id, candidate=x, baseline=y))
        for a, b in both
        if (x := a.value(described.name)) is not None and (y := b.value(described.name)) is not None
    ]
    found.sort(key=lambda pair: (pair[0], pair[1].example))
    return tuple(one for gap, one in found[:worst] if gap < 0)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _whole(rows: Rows, parts: Sequence[tuple[float, ...]]) -> float | None:
    """The metric of all; None where it is undefined, or there is nothing."""
    if not parts:
        return None
    from noria.stats.arrays import np

    found = float(rows.of(np.array(parts, dtype=np.float64).sum(axis=0)[None])[0])
    return None if math.isnan(found) else found
