"""Studies: what is configured, searches with their trials, what decided."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from noria.config.study import StudySection
from noria.config.units import dollars
from noria.errors import InvalidRequest
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.studies.study import Study
from noria.studies.trial import TrialRecord

router = APIRouter(prefix="/api/studies", tags=["studies"])
State = Literal["queued", "running", "done", "failed", "stopped"]
Value = str | int | float | bool | None
MOST_SECONDS = 3.2e9
"""A century."""


class StudyProgress(BaseModel):
    total: int
    """Trials that there are to be."""
    done: int
    pruned: int
    """Given up early."""
    failed: int
    running: int
    """Under way, or cut off and begun again by a resume."""
    cost: str
    """US dollars, as far as they are known."""
    unknown: int
    """Trials whose cost is not known; then `cost` is a lower bound."""
    best: int | None
    """Number of the best trial."""
    value: float | None
    seconds: float


class StudyBody(BaseModel):
    id: str
    name: str
    state: State
    message: str
    objective: str
    """The type, such as "eval"."""
    parameters: dict[str, dict[str, Any]]
    better: Literal["higher", "lower"]
    trials: int
    time: float | None
    """Seconds."""
    budget: str | None
    """US dollars."""
    concurrency: int
    pruning: bool
    seed: int
    progress: StudyProgress
    job: str
    by: str
    created_ms: int
    started_ms: int
    ended_ms: int

    @classmethod
    def of(cls, study: Study) -> Self:
        spec, now = study.spec, study.progress
        return cls(
            id=study.id,
            name=spec.name,
            state=study.state,
            message=study.message,
            objective=spec.objective.type,
            parameters={name: msgspec.to_builtins(one) for name, one in spec.parameters.items()},
            better=spec.better,
            trials=spec.trials,
            time=spec.time,
            budget=None if spec.budget is None else f"{spec.budget:f}",
            concurrency=spec.concurrency,
            pruning=spec.pruning,
            seed=spec.seed,
            progress=StudyProgress.model_validate({**msgspec.structs.asdict(now), "cost": f"{now.cost:f}"}),
            job=study.job,
            by=study.by_name,
            created_ms=study.created_ms,
            started_ms=study.started_ms,
            ended_ms=study.ended_ms,
        )


class StepBody(BaseModel):
    step: int
    value: float


class TrialBody(BaseModel):
    number: int
    values: dict[str, Value]
    state: Literal["running", "done", "pruned", "failed"]
    value: float | None
    low: float | None
    high: float | None
    """Null with `low`: the objective gave no interval."""
    reason: str
    """Why it failed or was given up."""
    cost: str | None
    """US dollars; null: unknown."""
    steps: list[StepBody]
    evidence: dict[str, str]
    """What it was measured on, by kind, such as {"run": "run_…"}."""
    started_ms: int
    ended_ms: int

    @classmethod
    def of(cls, trial: TrialRecord) -> Self:
        return cls(
            number=trial.number,
            values=trial.values,
            state=trial.state,
            value=trial.value,
            low=trial.low,
            high=trial.high,
            reason=trial.reason,
            cost=None if trial.cost is None else f"{trial.cost:f}",
            steps=[StepBody(step=step.step, value=step.value) for step in trial.steps],
            evidence=trial.evidence,
            started_ms=trial.started_ms,
            ended_ms=trial.ended_ms,
        )


class StudyDetail(BaseModel):
    study: StudyBody
    trials: list[TrialBody]
    """By number."""


class StudyPage(BaseModel):
    items: list[StudyBody]
    next: str | None


class StudyDefinition(BaseModel):
    """What noria.toml says under a name."""

    name: str
    objective: str
    parameters: list[str]
    trials: int
    newest: StudyBody | None

    @classmethod
    def of(cls, name: str, section: StudySection, newest: Study | None) -> Self:
        return cls(
            name=name,
            objective=section.objective.type,
            parameters=sorted(section.parameters),
            trials=section.trials,
            newest=None if newest is None else StudyBody.of(newest),
        )


class StudyDefinitions(BaseModel):
    items: list[StudyDefinition]


class Importance(BaseModel):
    shares: dict[str, float]
    """By parameter, the most important first, 1 together; empty where under 10 trials are done."""


class NewStudy(Body):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
    """A [studies.NAME] of noria.toml."""


class Bounds(Body):
    """Other bounds to go on with; null: as before."""

    trials: Annotated[int, Field(ge=1, le=100_000)] | None = None
    time: Annotated[float, Field(gt=0, le=MOST_SECONDS)] | None = None
    """Seconds, of all sittings."""
    budget: Annotated[str, Field(max_length=40)] | None = None
    """US dollars, of all sittings."""


@router.get("/definitions")
def list_study_definitions(parts: Parts, who: Viewer, project: Project = "default") -> StudyDefinitions:
    """What noria.toml names, with the newest study of each."""
    found: list[StudyDefinition] = []
    for name, section in sorted(parts.studies.sections().items()):
        newest = parts.studies.studies(project, name=name, limit=1).items
        found.append(StudyDefinition.of(name, section, newest[0] if newest else None))
    return StudyDefinitions(items=found)


@router.post("", status_code=201)
def start_study(parts: Parts, who: Editor, body: NewStudy, project: Project = "default") -> StudyBody:
    """Begin a study, which goes on as a job."""
    spec = parts.studies.spec(project, body.name)
    return StudyBody.of(parts.studies.start(project, spec, by=who))


@router.get("")
def list_studies(
    parts: Parts,
    who: Viewer,
    project: Project = "default",
    name: Annotated[str, Query(max_length=64)] = "",
    state: State | None = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> StudyPage:
    """Newest first."""
    page = parts.studies.studies(project, name=name, state=state, cursor=cursor, limit=limit)
    return StudyPage(items=[StudyBody.of(study) for study in page.items], next=page.next)


@router.get("/{id}")
def read_study(parts: Parts, who: Viewer, id: str, project: Project = "default") -> StudyDetail:
    """One study with its trials."""
    study = parts.studies.study(project, id)
    trials = [TrialBody.of(trial) for trial in parts.studies.trials(study)]
    return StudyDetail(study=StudyBody.of(study), trials=trials)


@router.get("/{id}/importance")
def read_importance(parts: Parts, who: Viewer, id: str, project: Project = "default") -> Importance:
    """Which parameters decided."""
    from noria.studies.search import importance

    study = parts.studies.study(project, id)
    found = importance(study.spec, parts.studies.trials(study))
    return Importance(shares=dict(sorted(found.items(), key=lambda item: -item[1])))


@router.post("/{id}/stop")
def stop_study(parts: Parts, who: Editor, id: str, project: Project = "default") -> StudyBody:
    """Stop it; trials under way are begun again when it is resumed."""
    return StudyBody.of(parts.studies.stop(project, id, by=who))


@router.post("/{id}/resume")
def resume_study(parts: Parts, who: Editor, id: str, body: Bounds, project: Project = "default") -> StudyBody:
    """Go on with a study that has ended or whose process was killed."""
    try:
        budget = None if body.budget is None else dollars(body.budget)
    except ValueError as error:
        raise InvalidRequest(f"The budget {error}.", param="budget") from None
    found = parts.studies.resume(project, id, trials=body.trials, time=body.time, budget=budget, by=who)
    return StudyBody.of(found)


@router.delete("/{id}", status_code=204)
def delete_study(parts: Parts, who: Editor, id: str, project: Project = "default") -> None:
    """Delete a study with its trials; the runs that they were measured on stay."""
    parts.studies.remove(project, id, by=who)
