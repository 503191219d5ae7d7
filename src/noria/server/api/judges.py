"""Judges: how far each can be believed, and whether it may decide."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from noria.core.gate import GateResult
from noria.runtime.judges import Stand
from noria.scoring.judge.bar import Bar
from noria.scoring.judge.calibration import Calibration
from noria.scoring.judge.label import Reading
from noria.scoring.judge.store import CalibrationRun
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.server.api.jobs import JobBody, job_body
from noria.stats.interval import Interval

router = APIRouter(prefix="/api/judges", tags=["judges"])

Cursor = Annotated[str | None, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=200)]


class IntervalBody(BaseModel):
    """An estimate, and where the true value lies with probability `level`."""

    estimate: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    method: str
    """How it was made, or why there is none."""


class CalibrationBody(BaseModel):
    """What was measured; null: it does not apply to this judge."""

    n: int
    """Answers with a label and a verdict."""
    failed: int
    reasons: dict[str, int]
    threshold: float | None
    kappa: IntervalBody | None
    alpha: IntervalBody | None
    true_positive: IntervalBody | None
    false_positive: IntervalBody | None
    table: dict[str, dict[str, int]]
    """Answers by label, then by verdict."""
    consistent: IntervalBody | None
    first_place: IntervalBody | None
    length_bias: IntervalBody | None
    noise: IntervalBody | None


class CalibrationRunBody(BaseModel):
    id: str
    judge: str
    identity: str
    """Of prompt, model, what it leads to, rubric and scale."""
    type: str
    arguments: dict[str, Any]
    dataset: str
    version: int
    split: str
    repeats: int
    state: Literal["running", "done", "failed"]
    message: str
    """Why it failed."""
    measured: CalibrationBody | None
    by: str
    by_name: str
    created_ms: int
    ended_ms: int


class CalibrationPage(BaseModel):
    items: list[CalibrationRunBody]
    next: str | None


class BarBody(BaseModel):
    kappa: float | None
    alpha: float | None
    true_positive: float | None
    false_positive: float | None
    consistent: float | None
    failed: float


class GateBody(BaseModel):
    """Only "pass" lets its scores decide."""

    verdict: Literal["pass", "fail", "undecided"]
    reason: str


class JudgeBody(BaseModel):
    name: str
    type: str
    """As a scorer, such as "judge.rubric"."""
    arguments: dict[str, Any]
    identity: str
    """Empty where its model or prompt is not to be found."""
    bar: BarBody | None
    threshold: float | None
    gate: GateBody
    calibration: CalibrationRunBody | None
    """The newest of this very judge, else of what bore its name before."""
    current: bool
    """Whether that calibration is of this very judge."""


class JudgeList(BaseModel):
    items: list[JudgeBody]


class CalibrationRequest(Body):
    dataset: str = Field(min_length=1, max_length=200)
    """`name`, `name@3`, `name@golden` or `name@3:split`."""
    repeats: int = Field(1, ge=1, le=10)
    """How often the first 50 answers are judged, for the noise."""
    answer: str = Field("answer", min_length=1, max_length=200)
    """Where the examples have the answer: in their metadata, else in their input."""
    label: str = Field("label", min_length=1, max_length=200)
    """And people's verdict on it."""
    yes: list[str] = Field(default=[], max_length=100)
    """Labels that mean yes, where they are words; all others mean no."""


class NewCalibration(BaseModel):
    calibration: CalibrationRunBody
    job: JobBody


@router.get("")
def list_judges(parts: Parts, who: Viewer, project: Project = "default") -> JudgeList:
    """Those that noria.toml names."""
    return JudgeList(items=[_judge(stand) for stand in parts.judges.all(project)])


@router.get("/calibrations/{id}")
def read_calibration(parts: Parts, who: Viewer, id: str, project: Project = "default") -> CalibrationRunBody:
    return _run(parts.judges.calibration(project, id))


@router.get("/{name}")
def read_judge(parts: Parts, who: Viewer, name: str, project: Project = "default") -> JudgeBody:
    return _judge(parts.judges.one(project, name))


@router.get("/{name}/calibrations")
def list_calibrations(
    parts: Parts,
    who: Viewer,
    name: str,
    project: Project = "default",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CalibrationPage:
    """Newest first."""
    page = parts.judges.calibrations(project, name, cursor=cursor, limit=limit)
    return CalibrationPage(items=[_run(run) for run in page.items], next=page.next)


@router.post("/{name}/calibrations", status_code=201)
def calibrate_judge(
    parts: Parts, who: Editor, name: str, body: CalibrationRequest, project: Project = "default"
) -> NewCalibration:
    """Ask the judge about labelled answers, as a job; it goes on where it stopped."""
    reading = Reading(answer=body.answer, label=body.label, yes=tuple(body.yes))
    run, job = parts.judges.calibrate(
        project, name, body.dataset, repeats=body.repeats, reading=reading, by=who
    )
    return NewCalibration(calibration=_run(run), job=job_body(job))


def _judge(stand: Stand) -> JudgeBody:
    return JudgeBody(
        name=stand.name,
        type=stand.spec.type,
        arguments=stand.spec.arguments,
        identity=stand.identity,
        bar=None if stand.bar is None else _bar(stand.bar),
        threshold=stand.threshold,
        gate=_gate(stand.gate),
        calibration=None if stand.run is None else _run(stand.run),
        current=stand.run is not None and stand.run.identity == stand.identity,
    )


def _bar(bar: Bar) -> BarBody:
    return BarBody(
        kappa=bar.kappa,
        alpha=bar.alpha,
        true_positive=bar.true_positive,
        false_positive=bar.false_positive,
        consistent=bar.consistent,
        failed=bar.failed,
    )


def _gate(gate: GateResult) -> GateBody:
    return GateBody(verdict=gate.verdict, reason=gate.reason)


def _run(run: CalibrationRun) -> CalibrationRunBody:
    return CalibrationRunBody(
        id=run.id,
        judge=run.judge,
        identity=run.identity,
        type=run.spec.type,
        arguments=run.spec.arguments,
        dataset=run.dataset,
        version=run.version,
        split=run.split,
        repeats=run.repeats,
        state=run.state,
        message=run.message,
        measured=None if run.measured is None else _measured(run.measured),
        by=run.by,
        by_name=run.by_name,
        created_ms=run.created_ms,
        ended_ms=run.ended_ms,
    )


def _measured(found: Calibration) -> CalibrationBody:
    return CalibrationBody(
        n=found.n,
        failed=found.failed,
        reasons=found.reasons,
        threshold=found.threshold,
        kappa=_interval(found.kappa),
        alpha=_interval(found.alpha),
        true_positive=_interval(found.true_positive),
        false_positive=_interval(found.false_positive),
        table=found.table,
        consistent=_interval(found.consistent),
        first_place=_interval(found.first_place),
        length_bias=_interval(found.length_bias),
        noise=_interval(found.noise),
    )


def _interval(found: Interval | None) -> IntervalBody | None:
    if found is None:
        return None
    return IntervalBody(
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        level=found.level,
        n=found.n,
        method=found.method,
    )
