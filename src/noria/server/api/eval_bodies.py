"""How the API shows evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, Self

import msgspec
from pydantic import BaseModel

from noria.config.eval import EvalSection
from noria.evals.gate import Checked, Gate
from noria.evals.metrics import Correction
from noria.evals.run import EvalRun, Progress

Better = Literal["higher", "lower", "neither"]
NONE: Mapping[str, Correction] = MappingProxyType({})


class IntervalBody(BaseModel):
    estimate: float | None
    low: float | None
    high: float | None
    """Null with `high`: no interval can be given, and `method` says why."""
    level: float
    n: int
    method: str


class ProgressBody(BaseModel):
    total: int | None
    answered: int
    failed: int
    reused: int
    scored: int
    scores: int
    failed_scores: int
    cost: str
    """US dollars that the run has spent, as far as they are known."""
    unknown: int
    """Calls whose cost is not known; then `cost` is a lower bound."""

    @classmethod
    def of(cls, now: Progress) -> Self:
        return cls.model_validate({**msgspec.structs.asdict(now), "cost": f"{now.cost:f}"})


class CorrectionBody(BaseModel):
    """What people would say, by the judge's calibration."""

    interval: IntervalBody | None
    """Null: `why` says why not."""
    why: str
    calibration: str
    """Its id."""


class HeadlineBody(BaseModel):
    """One scorer's number at 95 %."""

    name: str
    kind: Literal["mean", "share", "category", "corpus"]
    better: Better
    interval: IntervalBody | None
    """Null: of categories, or where every score failed."""
    failed: int
    corrected: CorrectionBody | None
    """Of a judge's share of yes; a run's metrics have it of a judge's mean, too."""


class ScorerBody(BaseModel):
    name: str
    type: str
    arguments: dict[str, Any]


class RunBody(BaseModel):
    id: str
    name: str
    """Of the evaluation."""
    state: Literal["queued", "running", "done", "failed", "stopped"]
    message: str
    """Why it ended as it did, or why its numbers are not to be trusted."""
    sound: bool
    """False: too many answers or scores failed."""
    target: str
    kind: Literal["model", "http", "function"]
    model: str
    prompt: str
    prompt_number: int
    prompt_digest: str
    parameters: dict[str, Any]
    dataset: str
    dataset_name: str
    dataset_number: int
    dataset_digest: str
    split: str
    scorers: list[ScorerBody]
    repeats: int
    seed: int
    concurrency: int
    budget: str | None
    fresh: bool
    tags: dict[str, str]
    progress: ProgressBody
    headlines: list[HeadlineBody]
    """Empty: the run has not come to its end."""
    job: str
    by: str
    created_ms: int
    started_ms: int
    ended_ms: int

    @classmethod
    def of(cls, run: EvalRun, corrections: Mapping[str, Correction] = NONE) -> Self:
        """`corrections` are by measure."""
        spec, target = run.spec, run.spec.target
        return cls(
            id=run.id,
            name=spec.name,
            state=run.state,
            message=run.message,
            sound=run.sound,
            target=target.shown,
            kind=target.kind,
            model=target.model,
            prompt=target.prompt,
            prompt_number=target.prompt_number,
            prompt_digest="" if target.content is None else target.content.digest,
            parameters=target.parameters,
            dataset=spec.dataset.shown,
            dataset_name=spec.dataset.name,
            dataset_number=spec.dataset.number,
            dataset_digest=spec.dataset.digest,
            split=spec.dataset.split,
            scorers=[
                ScorerBody(name=one.name or one.type, type=one.type, arguments=one.arguments)
                for one in spec.scorers
            ],
            repeats=spec.repeats,
            seed=spec.seed,
            concurrency=spec.concurrency,
            budget=None if spec.budget is None else str(spec.budget),
            fresh=spec.fresh,
            tags=spec.tags,
            progress=ProgressBody.of(run.progress),
            headlines=[
                HeadlineBody.model_validate(
                    {**msgspec.structs.asdict(one), "corrected": corrections.get(one.name)},
                    from_attributes=True,
                )
                for one in run.headlines
            ],
            job=run.job,
            by=run.by_name,
            created_ms=run.created_ms,
            started_ms=run.started_ms,
            ended_ms=run.ended_ms,
        )


class RunPage(BaseModel):
    items: list[RunBody]
    next: str | None


class PassBody(BaseModel):
    k: int
    any: IntervalBody
    """pass@k."""
    all: IntervalBody
    """pass^k."""


class MeasureBody(BaseModel):
    name: str
    kind: Literal["mean", "share", "category", "corpus"]
    better: Better
    interval: IntervalBody | None
    counts: dict[str, int]
    scores: int
    failed: int
    why_failed: list[tuple[str, int]]
    passes: list[PassBody]
    corrected: CorrectionBody | None
    """Of a judge."""


class SpentBody(BaseModel):
    mean: IntervalBody
    p50: float
    p95: float
    most: float
    total: float


class MetricsBody(BaseModel):
    examples: int
    answers: int
    failed: int
    measures: list[MeasureBody]
    latency: SpentBody | None
    """Seconds."""
    cost: SpentBody | None
    """US dollars an answer; null: the cost of an answer is not known."""
    tokens: SpentBody | None


class RunDetail(BaseModel):
    run: RunBody
    metrics: MetricsBody


class SliceBody(BaseModel):
    by: str
    value: str
    examples: int
    measure: MeasureBody


class Slices(BaseModel):
    items: list[SliceBody]


class ComparedBody(BaseModel):
    name: str
    kind: Literal["mean", "share", "corpus"]
    better: Better
    candidate: float | None
    baseline: float | None
    difference: IntervalBody
    """Of the candidate less the baseline."""
    p: float | None
    p_adjusted: float | None
    """Holm's, over all scorers."""
    method: str
    n: int
    missing: int
    wins: int
    ties: int
    losses: int
    effect: float | None
    verdict: Literal["better", "worse", "not shown", "no examples"]
    needed: int | None
    """More examples that would probably settle it."""


class RegressionBody(BaseModel):
    example: str
    candidate: float
    baseline: float


class ComparisonBody(BaseModel):
    candidate: str
    baseline: str
    examples: int
    only_candidate: int
    only_baseline: int
    revised: int
    """Examples that were revised between the two, and are left out."""
    level: float
    scorers: list[ComparedBody]
    regressions: dict[str, list[RegressionBody]]


class Comparisons(BaseModel):
    items: list[ComparisonBody]


class ScoreBody(BaseModel):
    name: str
    value: float | bool | str | None
    failed: str
    reason: str
    trace: str


class AnswerBody(BaseModel):
    repeat: int
    text: str
    failed: str
    latency: float | None
    cost: str | None
    tokens: int | None
    trace: str
    reused: bool
    scores: list[ScoreBody]


class ExampleBody(BaseModel):
    id: str
    input: dict[str, Any]
    expected: Any
    metadata: dict[str, Any]
    tags: list[str]
    group: str
    answers: list[AnswerBody]
    baseline: list[AnswerBody] | None
    """The other run's answers; null: it has none, or none was asked for."""


class ExamplePage(BaseModel):
    items: list[ExampleBody]
    next: str | None
    total: int
    """Examples that `show` finds."""


class EstimateBody(BaseModel):
    answers: int
    input_tokens: int | None
    output_tokens: int | None
    one: str | None
    cost: str | None
    """US dollars at most; null: `unknown` says why."""
    unknown: str
    judged: bool
    """Scorers will ask models too, which is not in `cost`."""

    model_config = {"coerce_numbers_to_str": True}


class Changed(BaseModel):
    changed: bool
    what: list[str]
    newest: str | None
    """The run that it was compared with."""


class Definition(BaseModel):
    name: str
    target: str
    dataset: str
    scorers: list[str]
    repeats: int
    newest: RunBody | None

    @classmethod
    def of(cls, name: str, section: EvalSection, newest: EvalRun | None) -> Self:
        target = section.target
        shown = target if isinstance(target, str) else target.url or target.function or target.model or ""
        if not isinstance(target, str) and target.prompt is not None:
            shown = f"{target.prompt} on {shown}" if shown else target.prompt
        return cls(
            name=name,
            target=shown,
            dataset=section.dataset or section.file or "",
            scorers=[one if isinstance(one, str) else one.name or one.type for one in section.scorers],
            repeats=section.repeats,
            newest=None if newest is None else RunBody.of(newest),
        )


class Definitions(BaseModel):
    items: list[Definition]


class GateBody(BaseModel):
    name: str
    eval: str
    conditions: list[str]

    @classmethod
    def of(cls, gate: Gate) -> Self:
        return cls(name=gate.name, eval=gate.eval, conditions=[one.shown for one in gate.conditions])


class Gates(BaseModel):
    items: list[GateBody]


class ConditionBody(BaseModel):
    condition: str
    verdict: Literal["pass", "fail", "undecided"]
    reason: str


class CheckedBody(BaseModel):
    gate: str
    verdict: Literal["pass", "fail", "undecided"]
    reason: str
    evidence: dict[str, str]
    conditions: list[ConditionBody]

    @classmethod
    def of(cls, found: Checked) -> Self:
        result = found.result
        return cls(
            gate=result.gate,
            verdict=result.verdict,
            reason=result.reason,
            evidence=result.evidence,
            conditions=[
                ConditionBody(condition=condition.shown, verdict=one.verdict, reason=one.reason)
                for condition, one in found.conditions
            ],
        )
