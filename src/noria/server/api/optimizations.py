"""Optimizations: the search for better versions of prompts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from noria.config.units import dollars
from noria.errors import InvalidRequest
from noria.evals.optimize.optimization import Optimization, State
from noria.runtime.optimize import result_of
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project, Viewer

router = APIRouter(prefix="/api/optimizations", tags=["prompts"])
Text = Annotated[str, Field(max_length=200)]


class NewOptimization(Body):
    """What is made better, on what, by which measure."""

    prompt: Text
    """`name`, `name@label` or `name@number`."""
    dataset: Text
    """`name` or `name@number`; its splits train, validation and test are used, or it is split by hash."""
    scorer: Text
    """As installed, or the name of a [scorers.NAME] or [judges.NAME]."""
    measure: Text = ""
    """What of the scorer; left out: the first."""
    model: Text = ""
    """That answers; left out: the prompt's own."""
    reflect: Text = ""
    """That reads what went wrong and writes better words; left out: the one that answers."""
    answers: Annotated[int, Field(ge=10, le=100_000)] = 300
    """Most answers that the search asks for."""
    shots: Annotated[list[Annotated[int, Field(ge=1, le=50)]], Field(max_length=10)] = []
    """Numbers of examples to try as a part of the prompt."""
    budget: Annotated[str, Field(max_length=40)] | None = None
    """US dollars."""
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    concurrency: Annotated[int, Field(ge=1, le=64)] = 8


class OptimizationBody(BaseModel):
    """A search and what it came to, or stands at."""

    id: str
    state: State
    message: str
    prompt: str
    version: int
    """That it began with."""
    model: str
    reflect: str
    dataset: str
    scorer: str
    measure: str
    answers: int
    """Most that it asks for."""
    answered: int
    candidates: int
    cost: str
    unknown: int
    before: float | None
    """Mean on validation of the version that it began with."""
    after: float | None
    """Of the best."""
    number: int | None
    """Of the version that was made; null: none."""
    runs: list[str]
    """EvalRuns over the test examples, before and after."""
    job: str
    by_name: str
    created_ms: int
    ended_ms: int | None

    @classmethod
    def of(cls, one: Optimization) -> OptimizationBody:
        spec, result = one.spec, result_of(one)
        before, after = result.validation or (None, None)
        return cls(
            id=one.id,
            state=one.state,
            message=one.message,
            prompt=spec.prompt,
            version=spec.target.prompt_number,
            model=spec.target.model,
            reflect=spec.reflect,
            dataset=spec.datasets["train"].shown,
            scorer=spec.scorer.name or spec.scorer.type,
            measure=spec.measure,
            answers=spec.answers,
            answered=result.answers,
            candidates=result.candidates,
            cost=str(result.cost),
            unknown=result.unknown,
            before=before,
            after=after,
            number=result.number or None,
            runs=list(result.runs or ()),
            job=one.job,
            by_name=one.by_name,
            created_ms=one.created_ms,
            ended_ms=one.ended_ms or None,
        )


class OptimizationPage(BaseModel):
    items: list[OptimizationBody]
    next: str | None


@router.post("", status_code=201)
def start_optimization(
    parts: Parts, who: Editor, body: NewOptimization, project: Project = "default"
) -> OptimizationBody:
    """Begin a search, which goes on as a job."""
    try:
        budget = None if body.budget is None else dollars(body.budget)
    except ValueError as error:
        raise InvalidRequest(f"`budget` {error}.", param="budget") from None
    one = parts.optimizations.start(
        project,
        body.prompt,
        dataset=body.dataset,
        scorer=body.scorer,
        measure=body.measure,
        model=body.model,
        reflect=body.reflect,
        answers=body.answers,
        shots=body.shots,
        budget=budget,
        seed=body.seed,
        concurrency=body.concurrency,
        by=who,
    )
    return OptimizationBody.of(one)


@router.get("")
def list_optimizations(
    parts: Parts,
    who: Viewer,
    project: Project = "default",
    prompt: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> OptimizationPage:
    """Newest first."""
    page = parts.optimizations.all(project, prompt=prompt, cursor=cursor, limit=limit)
    return OptimizationPage(items=[OptimizationBody.of(one) for one in page.items], next=page.next)


@router.get("/{id}")
def get_optimization(parts: Parts, who: Viewer, id: str, project: Project = "default") -> OptimizationBody:
    return OptimizationBody.of(parts.optimizations.get(project, id))


@router.post("/{id}/stop")
def stop_optimization(parts: Parts, who: Editor, id: str, project: Project = "default") -> OptimizationBody:
    """Stop it; it can be resumed."""
    return OptimizationBody.of(parts.optimizations.stop(project, id, by=who))


@router.post("/{id}/resume")
def resume_optimization(parts: Parts, who: Editor, id: str, project: Project = "default") -> OptimizationBody:
    """Go on where it stopped."""
    return OptimizationBody.of(parts.optimizations.resume(project, id, by=who))
