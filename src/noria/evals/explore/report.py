"""What an exploration comes to: every conclusion with its numbers, whatever form it is shown in."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from noria.core.example import Example
from noria.evals.explore.advice import Advice, contrasts, fine_tuning, prompting, retrieval
from noria.evals.explore.evidence import Evidence
from noria.evals.explore.exploration import Exploration, ExploreSpec
from noria.evals.explore.front import Place, front
from noria.evals.explore.risks import Said, complexity, risks
from noria.evals.explore.verdict import Verdict, corrected, shown, verdicts

Feasible = Literal["feasible", "not feasible", "not told"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """An arm with all that is concluded of it."""

    evidence: Evidence
    verdicts: tuple[Verdict, ...]
    place: Place


class ExploreReport(msgspec.Struct, frozen=True, kw_only=True):
    exploration: Exploration
    feasible: Feasible
    sentence: str
    """Why, in a few words with the numbers."""
    corrected: float
    """The level of each interval that is held against a bar: all of them together hold at the spec's."""
    findings: tuple[Finding, ...]
    best: int | None
    """The arm of the best quality among those that no constraint rules out, by its estimate."""
    complexity: tuple[Said, ...]
    risks: tuple[Said, ...]
    advice: tuple[Advice, ...]
    spent: Decimal
    unknown: int
    """Calls whose cost is not known; then `spent` is a lower bound."""
    made_ms: int = 0
    version: str = ""


def report(
    exploration: Exploration,
    samples: Sequence[Example],
    found: Sequence[Evidence],
    *,
    made_ms: int = 0,
    version: str = "",
) -> ExploreReport:
    """`found` are of the spec's arms, in order."""
    spec = exploration.spec
    whole = [one for one in found if one.whole]
    level = corrected(spec.level, len(whole))
    said = [
        verdicts(
            one,
            bar=None if spec.barred else spec.brief.bar,
            constraints=spec.brief.constraints,
            measure=spec.measure,
            level=level,
        )
        if one.whole
        else []
        for one in found
    ]
    places = front(found, spec.measure, level=spec.level)
    best = _best(found, said)
    between = contrasts(found, spec.measure, level=spec.level) if spec.measure else []
    feasible, sentence = _feasible(spec, found, said, best)
    advice: list[Advice] = []
    if spec.kind == "exploration":
        advice = [
            prompting(found, between),
            retrieval(spec, samples, None if best is None else found[best], level=spec.level),
            fine_tuning(spec, found, said, between, level=level),
        ]
    return ExploreReport(
        exploration=exploration,
        feasible=feasible,
        sentence=sentence,
        corrected=level,
        findings=tuple(
            Finding(evidence=one, verdicts=tuple(of), place=place)
            for one, of, place in zip(found, said, places, strict=True)
        ),
        best=best,
        complexity=tuple(complexity(spec, samples)),
        risks=tuple(risks(spec, samples, found)),
        advice=tuple(advice),
        spent=sum((one.spent for one in found), Decimal(0)),
        unknown=sum(one.unknown for one in found),
        made_ms=made_ms,
        version=version,
    )


def _best(found: Sequence[Evidence], said: Sequence[Sequence[Verdict]]) -> int | None:
    """Of equal ones the first."""
    among: list[tuple[float, int]] = []
    for index, one in enumerate(found):
        ruled_out = any(each.question != "quality" and each.answer == "no" for each in said[index])
        if one.whole and not ruled_out and one.quality is not None and one.quality.estimate is not None:
            sign = -1 if one.better == "lower" else 1
            among.append((-sign * one.quality.estimate, index))
    return min(among)[1] if among else None


def _feasible(
    spec: ExploreSpec, found: Sequence[Evidence], said: Sequence[Sequence[Verdict]], best: int | None
) -> tuple[Feasible, str]:
    """An arm is feasible where every question is answered yes, and ruled out where one is answered no."""
    tried = [index for index, one in enumerate(found) if one.whole]
    if not found:
        return "not told", "Every candidate is excluded by a constraint; none was called."
    if not tried:
        return "not told", "No candidate's run has come to an end that can be relied on."
    if not spec.measure:
        return "not told", _unmeasured(found, tried)
    if spec.barred:
        return "not told", f"Quality is not told: {spec.barred}"
    if spec.brief.bar is None:
        return "not told", "The brief names no bar, so that good enough is for you to say" + _shown_best(
            spec, found, best
        )
    good = [index for index in tried if all(one.answer == "yes" for one in said[index])]
    if good:
        first = best if best in good else good[0]
        words = " ".join(one.sentence for one in said[first])
        name = found[first].arm.name
        return "feasible", f"{len(good)} of {len(tried)} ways meet all that the brief asks. {name}: {words}"
    out = [index for index in tried if any(one.answer == "no" for one in said[index])]
    if len(out) == len(found):
        index = best if best is not None else out[0]
        words = " ".join(one.sentence for one in said[index] if one.answer == "no") or said[index][0].sentence
        return (
            "not feasible",
            f"None of the {len(tried)} ways tried does it. {found[index].arm.name}: {words}",
        )
    open_ = next((index for index in (best, *tried) if index is not None and index not in out), tried[0])
    words = " ".join(one.sentence for one in said[open_] if one.answer != "yes")
    return (
        "not told",
        f"{len(tried) - len(out)} of {len(tried)} ways are still open. {found[open_].arm.name}: {words}",
    )


def _unmeasured(found: Sequence[Evidence], tried: Sequence[int]) -> str:
    most = max(tried, key=lambda index: _agreement(found[index]))
    agreement = found[most].agreement
    base = "Quality was not measured: no answers are expected, and no judge is named"
    if agreement is None:
        return base + "."
    overlap = found[most].alike
    alike = "" if overlap is None else f", and their words overlap by {shown(overlap)} (F1)"
    return (
        f"{base}. Repeated answers agree most with {found[most].arm.name}: {shown(agreement)} of pairs say "
        f"the same{alike}, which is steadiness and not quality."
    )


def _agreement(one: Evidence) -> float:
    found = one.agreement
    return -1.0 if found is None or found.estimate is None else found.estimate


def _shown_best(spec: ExploreSpec, found: Sequence[Evidence], best: int | None) -> str:
    if best is None or (quality := found[best].quality) is None:
        return "."
    return (
        f"; the best is {found[best].arm.name} with {spec.measure} {shown(quality)} over {quality.n} samples."
    )
