"""What a run's scorers measure, what of it a judge said, and the numbers that are kept with the run."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from noria.evals.formats import imported
from noria.evals.judging import KnownJudges
from noria.evals.metrics import Correction, Metrics, metrics
from noria.evals.run import EvalRun, Headline, RunSpec
from noria.evals.sheet import Sheet, groups_of
from noria.scoring.resolve import described
from noria.scoring.scorer import Described, ScorerSpec

JUDGE = "judge."
"""Begins the type of every judge."""


class Judged(msgspec.Struct, frozen=True):
    """What a judge said of each example."""

    spec: ScorerSpec
    values: tuple[float, ...]
    groups: tuple[str, ...] | None


class Measured(msgspec.Struct, frozen=True):
    """A run's metrics, and what of them can be corrected."""

    metrics: Metrics
    judged: dict[str, Judged]
    """By measure."""


def measures_of(spec: RunSpec) -> list[Described]:
    """What a run's scorers measure."""
    return [measure for one in spec.scorers for measure in _measures(one)]


def owners_of(spec: RunSpec) -> dict[str, ScorerSpec]:
    """The scorer of each measure."""
    return {measure.name: one for one in spec.scorers for measure in _measures(one)}


def measured(spec: RunSpec, sheet: Sheet, *, level: float = 0.95) -> Measured:
    """All that a run measured."""
    judged: dict[str, Judged] = {}
    for one in spec.scorers:
        if one.type.startswith(JUDGE):
            # Labels are about the first of what it measures.
            name = _measures(one)[0].name
            lines = [(line, value) for line in sheet.lines if (value := line.value(name)) is not None]
            groups = groups_of([line for line, _ in lines])
            values = tuple(value for _, value in lines)
            judged[name] = Judged(one, values, None if groups is None else tuple(groups))
    return Measured(metrics(sheet, level=level), judged)


def headlines(found: Measured) -> tuple[Headline, ...]:
    """What a list of runs shows."""
    from noria.stats.interval import effective_number

    made: list[Headline] = []
    for one in found.metrics.measures:
        judged = found.judged.get(one.name)
        worth = effective_number(judged.values, judged.groups) if judged and one.kind == "share" else None
        made.append(
            Headline(
                name=one.name,
                kind=one.kind,
                better=one.better,
                interval=one.interval,
                failed=one.failed,
                worth=worth,
            )
        )
    return tuple(made)


def corrected(found: Measured, judges: KnownJudges, project: str) -> Metrics:
    """With what people would say where judges were asked, as their calibrations stand now."""
    from noria.stats.interval import effective_number

    made: dict[str, Correction] = {}
    for one in found.metrics.measures:
        judged = found.judged.get(one.name)
        if judged is None or not judged.values:
            continue
        if one.kind == "share":
            worth, n = effective_number(judged.values, judged.groups), len(judged.values)
            rate = sum(judged.values) / n
            made[one.name] = judges.corrected_share(project, judged.spec, rate, worth=worth, n=n)
        elif one.kind == "mean":
            made[one.name] = judges.corrected_mean(project, judged.spec, judged.values, groups=judged.groups)
    measures = tuple(
        msgspec.structs.replace(one, corrected=made.get(one.name)) for one in found.metrics.measures
    )
    return msgspec.structs.replace(found.metrics, measures=measures)


def headline_corrections(run: EvalRun, judges: KnownJudges) -> dict[str, Correction]:
    """Of a run's kept shares, by measure."""
    owners = owners_of(run.spec) if any(one.worth is not None for one in run.headlines) else {}
    return {
        one.name: judges.corrected_share(
            run.project, owners[one.name], one.interval.estimate, worth=one.worth, n=one.interval.n
        )
        for one in run.headlines
        if one.worth is not None and one.interval is not None and one.interval.estimate is not None
    }


def _measures(spec: ScorerSpec) -> Sequence[Described]:
    return [imported.described(spec)] if spec.type == imported.TYPE else described(spec)
