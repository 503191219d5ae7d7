"""How the API shows explorations and comparisons of models."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, Self

import msgspec
from pydantic import BaseModel, ConfigDict

from noria.evals.explore.candidates import Candidate, Facts
from noria.evals.explore.exploration import Exploration
from noria.evals.explore.report import ExploreReport, Finding
from noria.server.api.eval_bodies import IntervalBody

State = Literal["queued", "running", "done", "failed", "stopped"]


class _Shown(BaseModel):
    """Read from the attributes of a value."""

    model_config = ConfigDict(from_attributes=True)


class FactsBody(_Shown):
    """What is known of a model before it is called; null: not known."""

    model: str
    licence: str | None
    licence_kind: str | None
    context: int | None
    max_output: int | None
    parameters: int | None
    capabilities: list[str]
    local: bool
    region: str
    training: str | None
    fine_tuning: str | None
    knowledge_cutoff: str | None
    price_input: str | None
    """US dollars for a million tokens."""
    price_output: str | None
    price_date: str | None
    price_source: str | None
    status: str

    @classmethod
    def of(cls, one: Facts) -> Self:
        prices = {"price_input": _dollars(one.price_input), "price_output": _dollars(one.price_output)}
        return cls.model_validate({**msgspec.structs.asdict(one), **prices})


class CandidateBody(BaseModel):
    model: str
    facts: list[FactsBody]
    """Of every model that may answer behind it."""
    excluded: list[str]
    """Why it is not tried; empty: it is."""
    unknown: list[str]
    """Constrained facts that are not known."""

    @classmethod
    def of(cls, one: Candidate) -> Self:
        return cls(
            model=one.model,
            facts=[FactsBody.of(each) for each in one.facts],
            excluded=list(one.excluded),
            unknown=list(one.unknown),
        )


class ExplorationBody(BaseModel):
    id: str
    kind: Literal["exploration", "comparison"]
    state: State
    message: str
    title: str
    dataset: str
    dataset_name: str
    dataset_number: int
    samples: int
    models: list[str]
    """Those that are tried."""
    ways: int
    """Runs that it is made of."""
    measure: str
    """What quality is; "": it is not measured."""
    job: str
    by_name: str
    created_ms: int
    updated_ms: int

    @classmethod
    def of(cls, one: Exploration) -> Self:
        spec = one.spec
        return cls(
            id=one.id,
            kind=spec.kind,
            state=one.state,
            message=one.message,
            title=spec.brief.title or spec.brief.task[:80] or spec.dataset.name,
            dataset=spec.dataset.shown,
            dataset_name=spec.dataset.name,
            dataset_number=spec.dataset.number,
            samples=spec.samples,
            models=list(dict.fromkeys(arm.model for arm in spec.arms)),
            ways=len(spec.arms),
            measure=spec.measure,
            job=one.job,
            by_name=one.by_name,
            created_ms=one.created_ms,
            updated_ms=one.updated_ms,
        )


class ExplorationPage(BaseModel):
    items: list[ExplorationBody]
    next: str | None


class VerdictBody(_Shown):
    question: Literal["quality", "latency", "cost"]
    answer: Literal["yes", "no", "not told"]
    sentence: str
    needed: int | None


class PlaceBody(_Shown):
    standing: Literal["front", "dominated", "not told apart", "not placed"]
    by: int | None
    """Which of the findings dominates it, or looks as if it did."""
    axes: dict[str, float]
    """Holm's p of each axis."""
    why: str


class WayBody(BaseModel):
    """One model asked in one way."""

    model: str
    way: str
    technique: Literal["zero-shot", "few-shot", "chain of thought"]
    shots: int
    run: str
    """Id of the evaluation run; "": it was not begun, and `message` says why."""
    state: str
    whole: bool
    """Whether anything is concluded from it."""
    message: str
    answers: int
    failed: int
    unscored: int
    cut: int
    quality: IntervalBody | None
    better: Literal["higher", "lower", "neither"]
    cost: IntervalBody | None
    """US dollars of a thousand calls; null: a price is not known."""
    latency: IntervalBody | None
    """Mean seconds of an answer."""
    p50: float | None
    """Seconds."""
    p95: float | None
    most_tokens: int
    agreement: IntervalBody | None
    """Share of pairs of answers to one sample that say the same."""
    verdicts: list[VerdictBody]
    place: PlaceBody

    @classmethod
    def of(cls, one: Finding) -> Self:
        found = one.evidence
        arm = found.arm
        return cls(
            model=arm.model,
            way=arm.way,
            technique=arm.technique,
            shots=arm.shots,
            run=found.run,
            state=found.state,
            whole=found.whole,
            message=found.message,
            answers=found.answers,
            failed=found.failed,
            unscored=found.unscored,
            cut=found.cut,
            better=found.better,
            p50=found.p50,
            p95=found.p95,
            most_tokens=found.most_tokens,
            quality=_interval(found.quality),
            cost=_interval(found.cost),
            latency=_interval(found.latency),
            agreement=_interval(found.agreement),
            verdicts=[VerdictBody.model_validate(each) for each in one.verdicts],
            place=PlaceBody.model_validate(one.place),
        )


class RiskBody(_Shown):
    about: str
    sentence: str
    samples: list[str]


class AdviceBody(_Shown):
    adaptation: Literal["prompt", "retrieval", "fine-tune"]
    stance: Literal["for", "against", "not told"]
    sentence: str
    evidence: list[str]
    needed: int | None
    """More samples that would probably settle it."""
    samples: list[str]


class ExploreReportBody(BaseModel):
    """What an exploration comes to, or stands at."""

    exploration: ExplorationBody
    task: str
    feasible: Literal["feasible", "not feasible", "not told"]
    sentence: str
    bar: float | None
    why_measure: str
    level: float
    corrected: float
    """Level of what is held against a bar or a limit."""
    candidates: list[CandidateBody]
    findings: list[WayBody]
    best: int | None
    """Which of the findings looks best in quality and is not ruled out."""
    complexity: list[RiskBody]
    risks: list[RiskBody]
    advice: list[AdviceBody]
    spent: str
    """US dollars."""
    unknown: int
    """Calls whose cost is not known; then `spent` is a lower bound."""

    @classmethod
    def of(cls, made: ExploreReport) -> Self:
        one = made.exploration
        spec = one.spec
        return cls(
            exploration=ExplorationBody.of(one),
            task=spec.brief.task,
            feasible=made.feasible,
            sentence=made.sentence,
            bar=spec.brief.bar,
            why_measure=spec.why_measure,
            level=spec.level,
            corrected=made.corrected,
            candidates=[CandidateBody.of(each) for each in spec.candidates],
            findings=[WayBody.of(each) for each in made.findings],
            best=made.best,
            complexity=[RiskBody.model_validate(each) for each in made.complexity],
            risks=[RiskBody.model_validate(each) for each in made.risks],
            advice=[AdviceBody.model_validate(each) for each in made.advice],
            spent=f"{made.spent:f}",
            unknown=made.unknown,
        )


class ExplorePlanBody(BaseModel):
    """What would be run, without beginning it."""

    candidates: list[CandidateBody]
    ways: int
    answers: int
    measure: str
    why_measure: str
    barred: str
    """Why the scorer, a judge, may decide nothing; "": it may, or there is none."""
    cost: str | None
    """US dollars at most; null: `unknown` says why."""
    unknown: str
    judged: bool
    """Scorers will ask models too, which is not in `cost`."""


def _interval(one: object) -> IntervalBody | None:
    return None if one is None else IntervalBody.model_validate(one, from_attributes=True)


def _dollars(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
