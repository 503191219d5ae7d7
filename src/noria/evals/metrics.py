"""What a run measured: each number with its interval, and how many scores it was made without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from noria.evals.sheet import Line, Sheet, groups_of
from noria.scoring.scorer import Described, Score
from noria.stats import interval
from noria.stats.interval import Interval, Rows

if TYPE_CHECKING:
    from noria.stats.arrays import Floats

Better = Literal["higher", "lower", "neither"]


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What people would say, by a judge's calibration."""

    interval: Interval | None = None
    why: str = ""
    """Why there is none."""
    calibration: str = ""
    """Its id."""


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """Of k tries of a yes-or-no scorer."""

    k: int
    any: Interval
    """pass@k: at least one succeeds."""
    all: Interval
    """pass^k: every one does."""


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One scorer's number over some examples."""

    name: str
    kind: Literal["mean", "share", "category", "corpus"]
    better: Better
    interval: Interval | None = None
    """None: of categories, or where every score failed."""
    counts: dict[str, int] = {}
    """Of categories."""
    scores: int = 0
    """Those that did not fail."""
    failed: int = 0
    why_failed: tuple[tuple[str, int], ...] = ()
    """The commonest reasons, with their number."""
    passes: tuple[Pass, ...] = ()
    """Where examples were answered several times."""
    corrected: Correction | None = None
    """Of a judge; None: it is none, or what it gives cannot be corrected."""


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Quantiles of a quantity of the answers."""

    mean: Interval
    p50: float
    p95: float
    most: float
    total: float


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run measured."""

    examples: int
    answers: int
    failed: int
    """Answers that there are none of."""
    measures: tuple[Measure, ...]
    latency: Spent | None = None
    """Seconds."""
    cost: Spent | None = None
    """Dollars an answer, where every answer's cost is known."""
    tokens: Spent | None = None


def metrics(sheet: Sheet, *, level: float = 0.95, seed: int = 0) -> Metrics:
    """Of all of a run."""
    lines = sheet.lines
    failed = sum(line.failed for line in lines)
    answers = sum(line.answers for line in lines)
    return Metrics(
        examples=len(lines),
        answers=answers,
        failed=failed,
        measures=tuple(measure(lines, one, level=level, seed=seed) for one in sheet.measures),
        latency=_spent(lines, lambda line: line.latency, level=level, seed=seed),
        cost=_spent(lines, lambda line: line.cost, level=level, seed=seed, whole=True),
        tokens=_spent(lines, lambda line: line.tokens, level=level, seed=seed),
    )


def measure(lines: Sequence[Line], described: Described, *, level: float = 0.95, seed: int = 0) -> Measure:
    """One scorer over these lines."""
    name = described.name
    scores = [score for line in lines for score in line.scores.get(name, ())]
    reasons = Counter(score.failed for score in scores if score.failed)
    failed = reasons.total()
    found = Measure(
        name=name,
        kind=described.kind,
        better=described.better,
        scores=len(scores) - failed,
        failed=failed,
        why_failed=tuple(reasons.most_common(3)),
    )
    if described.kind == "category":
        counts = Counter(str(score.value) for score in scores if not score.failed)
        return msgspec.structs.replace(found, counts=dict(counts.most_common()))
    if described.kind == "corpus":
        return msgspec.structs.replace(found, interval=_corpus(lines, described, level=level, seed=seed))
    scored = [(line, value) for line in lines if (value := line.value(name)) is not None]
    if not scored:
        return found
    return msgspec.structs.replace(
        found,
        interval=interval.mean(
            [value for _, value in scored],
            groups=groups_of([line for line, _ in scored]),
            level=level,
            seed=seed,
        ),
        passes=_passes([line for line, _ in scored], name, level=level) if described.kind == "share" else (),
    )


def rows_of(described: Described) -> Rows:
    """A corpus metric as a function of the sums of its parts, for many sums at once."""
    if described.rows is not None:
        return described.rows
    metric = described.metric
    assert metric is not None, "a corpus metric says how it is made"

    def each(sums: Floats) -> Floats:
        import numpy as np

        return np.array([metric((Score(name=described.name, parts=tuple(row)),)) for row in sums.tolist()])

    return Rows(each)


def _corpus(lines: Sequence[Line], described: Described, *, level: float, seed: int) -> Interval | None:
    parted = [(line, parts) for line in lines if (parts := line.parts(described.name)) is not None]
    if not parted:
        return None
    return interval.statistic(
        [parts for _, parts in parted],
        rows_of(described),
        groups=groups_of([line for line, _ in parted]),
        level=level,
        seed=seed,
    )


def _passes(lines: Sequence[Line], name: str, *, level: float) -> tuple[Pass, ...]:
    from noria.stats.passk import pass_at_k, pass_hat_k

    tries = [len(line.values(name)) for line in lines]
    most = min(tries)
    if most < 2:
        return ()
    wins = [int(sum(line.values(name))) for line in lines]
    groups = groups_of(lines)
    return tuple(
        Pass(
            k=k,
            any=pass_at_k(wins, tries, k, groups=groups, level=level),
            all=pass_hat_k(wins, tries, k, groups=groups, level=level),
        )
        for k in sorted({1, 2, most} | {2**power for power in range(2, 7) if 2**power < most})
    )


def _spent(
    lines: Sequence[Line],
    of: Callable[[Line], Sequence[float]],
    *,
    level: float,
    seed: int,
    whole: bool = False,
) -> Spent | None:
    """None: nothing is known; with `whole`, also where something is not."""
    values = sorted(value for line in lines for value in of(line))
    unknown = whole and any(len(of(line)) < len(line.latency) for line in lines)
    if not values or unknown:
        return None
    some = [line for line in lines if of(line)]
    means = [sum(of(line)) / len(of(line)) for line in some]
    return Spent(
        mean=interval.mean(means, groups=groups_of(some), level=level, seed=seed),
        p50=quantile(values, 0.5),
        p95=quantile(values, 0.95),
        most=values[-1],
        total=sum(values),
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Type 7 of Hyndman and Fan (1996), numpy's default."""
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)
