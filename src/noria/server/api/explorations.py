"""Explorations: is a task feasible, with which model; and comparisons of models over a dataset."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from noria.config.mistake import nearest
from noria.config.units import dollars
from noria.core.example import Example
from noria.errors import InvalidRequest
from noria.evals.explore.brief import LONGEST, Brief, read
from noria.evals.explore.constraints import parse_rules
from noria.evals.explore.exploration import MOST, ExploreSpec
from noria.evals.explore.html import html
from noria.evals.explore.markdown import markdown
from noria.evals.run import DatasetRef
from noria.runtime.control import Control
from noria.runtime.explore import Explorations
from noria.scoring.scorer import ScorerSpec
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.server.api.exploration_bodies import (
    CandidateBody,
    ExplorationBody,
    ExplorationPage,
    ExplorePlanBody,
    ExploreReportBody,
)

router = APIRouter(prefix="/api/explorations", tags=["evals"])
Text = Annotated[str, Field(max_length=200)]
Models = Annotated[list[Text], Field(max_length=50)]
Limit = Annotated[int, Field(ge=0, le=10**9)]
_NAME = r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$"


class NewSample(Body):
    """As an example of a dataset."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    input: Annotated[dict[str, Any], Field(min_length=1, max_length=100)]
    expected: Any = None
    metadata: dict[str, Any] = {}
    tags: Annotated[list[Text], Field(max_length=50)] = []
    group: Text = ""
    source: Text = ""


class NewExploration(Body):
    """A brief, and samples: either given here, or examples of a dataset."""

    brief: Annotated[str, Field(max_length=LONGEST)]
    """TOML between `+++` lines, then what the models are told."""
    samples: Annotated[list[NewSample], Field(max_length=MOST)] = []
    name: Annotated[str, Field(pattern=_NAME)] = ""
    """Of the dataset that the samples become; left out: by the brief's title."""
    dataset: Text = ""
    """Instead of samples: `name`, `name@3`, `name@golden` or `name@3:split`."""
    limit: Annotated[int, Field(ge=0, le=MOST)] = 0
    """At most so many examples of the dataset."""
    models: Models = []
    """Instead of the brief's."""
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    fresh: bool = False
    """Do not use answers of earlier runs."""


class NewComparison(Body):
    """The same question to several models over a dataset."""

    models: Annotated[list[Text], Field(min_length=1, max_length=50)]
    dataset: Text
    prompt: Text = ""
    """`name`, `name@label` or `name@number`; left out: an example's input is the message."""
    scorers: Annotated[list[Text], Field(max_length=20)] = []
    """Left out: chosen by the form of the expected answers."""
    measure: Text = ""
    """Which of their numbers is the quality; left out: the first."""
    require: Annotated[list[Text], Field(max_length=20)] = []
    """Such as `licence=permissive`, `context>=32k`, `cost<=0.50`, `p95<=1500`."""
    unknown: Literal["keep", "exclude"] = "keep"
    bar: float | None = None
    limit: Limit = 0
    repeats: Annotated[int, Field(ge=1, le=20)] = 1
    parameters: dict[str, Any] = {}
    budget: Annotated[str, Field(max_length=40)] | None = None
    """US dollars."""
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    fresh: bool = False


class Looked(Body):
    """Models and what they must be."""

    models: Annotated[list[Text], Field(max_length=50)] = []
    require: Annotated[list[Text], Field(max_length=20)] = []
    unknown: Literal["keep", "exclude"] = "keep"


class CandidateList(BaseModel):
    items: list[CandidateBody]


@router.post("", status_code=201)
def start_exploration(
    parts: Parts, who: Editor, body: NewExploration, project: Project = "default"
) -> ExplorationBody:
    """Begin an exploration, which goes on as a job. The samples become a version of a dataset."""
    brief = read(body.brief)
    desk = parts.explorations
    spec, samples = _explored(desk, project, brief, body)
    if samples:
        # Only now, when nothing is refused any more.
        reference = desk.taken(project, brief, samples, dataset=body.name, by=who)
        spec = msgspec.structs.replace(spec, dataset=reference)
    return ExplorationBody.of(desk.start(project, spec, by=who))


@router.post("/plan")
def plan_exploration(
    parts: Parts, who: Editor, body: NewExploration, project: Project = "default"
) -> ExplorePlanBody:
    """What an exploration would run, and what it may cost, without beginning it."""
    spec, samples = _explored(parts.explorations, project, read(body.brief), body)
    return _plan(parts, project, spec, samples)


@router.post("/comparisons", status_code=201)
def start_comparison(
    parts: Parts, who: Editor, body: NewComparison, project: Project = "default"
) -> ExplorationBody:
    """Begin a comparison of models over a dataset, which goes on as a job."""
    return ExplorationBody.of(parts.explorations.start(project, _compared(parts, project, body), by=who))


@router.post("/comparisons/plan")
def plan_comparison(
    parts: Parts, who: Editor, body: NewComparison, project: Project = "default"
) -> ExplorePlanBody:
    """What a comparison would run, and what it may cost, without beginning it."""
    return _plan(parts, project, _compared(parts, project, body), [])


@router.post("/candidates")
def look_at_candidates(
    parts: Parts, who: Viewer, body: Looked, project: Project = "default"
) -> CandidateList:
    """What cards say of models, and which of them a requirement excludes."""
    constraints = parse_rules(body.require, nearest=nearest)
    brief = Brief(task="", constraints=constraints, unknown=body.unknown)
    found = parts.explorations.planner().candidates(body.models, brief)
    return CandidateList(items=[CandidateBody.of(one) for one in found])


@router.get("")
def list_explorations(
    parts: Parts,
    who: Viewer,
    project: Project = "default",
    kind: Annotated[Literal["exploration", "comparison"] | None, Query()] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ExplorationPage:
    """Newest first."""
    page = parts.explorations.all(project, kind=kind or "", cursor=cursor, limit=limit)
    return ExplorationPage(items=[ExplorationBody.of(one) for one in page.items], next=page.next)


@router.get("/{id}")
def get_exploration(parts: Parts, who: Viewer, id: str, project: Project = "default") -> ExplorationBody:
    return ExplorationBody.of(parts.explorations.get(project, id))


@router.get("/{id}/findings")
def read_findings(parts: Parts, who: Viewer, id: str, project: Project = "default") -> ExploreReportBody:
    """What it comes to, of what there is so far."""
    desk = parts.explorations
    return ExploreReportBody.of(desk.report(desk.get(project, id)))


@router.get("/{id}/report", response_class=Response)
def report_exploration(
    parts: Parts,
    who: Viewer,
    id: str,
    project: Project = "default",
    form: Literal["html", "markdown"] = "html",
) -> Response:
    """The same as a page that stands alone."""
    desk = parts.explorations
    made = desk.report(desk.get(project, id))
    if form == "markdown":
        return Response(markdown(made), media_type="text/markdown; charset=utf-8")
    headers = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(html(made), media_type="text/html; charset=utf-8", headers=headers)


@router.post("/{id}/stop")
def stop_exploration(parts: Parts, who: Editor, id: str, project: Project = "default") -> ExplorationBody:
    """Stop it; what was answered stays, and it can be resumed."""
    return ExplorationBody.of(parts.explorations.stop(project, id, by=who))


@router.post("/{id}/resume")
def resume_exploration(parts: Parts, who: Editor, id: str, project: Project = "default") -> ExplorationBody:
    """Go on where it stopped, with runs that failed as well."""
    return ExplorationBody.of(parts.explorations.resume(project, id, by=who))


def _example(one: NewSample) -> Example:
    return msgspec.convert(one.model_dump(), Example)


def _explored(
    desk: Explorations, project: str, brief: Brief, body: NewExploration
) -> tuple[ExploreSpec, list[Example]]:
    """Also the samples that are no dataset yet."""
    if bool(body.dataset) == bool(body.samples):
        raise InvalidRequest("Give either samples or the dataset that has them.", param="samples")
    given = [_example(one) for one in body.samples]
    if body.dataset:
        reference = desk.referred(project, body.dataset, limit=body.limit)
        found = desk.samples(project, reference, seed=body.seed)
    else:
        reference, found = DatasetRef(), desk.checked(given)
    spec = desk.planner().explored(
        project,
        brief,
        reference,
        found,
        models=body.models,
        seed=body.seed,
        concurrency=body.concurrency,
        fresh=body.fresh,
    )
    return spec, given


def _compared(parts: Control, project: str, body: NewComparison) -> ExploreSpec:
    desk = parts.explorations
    brief = Brief(
        task="",
        constraints=parse_rules(body.require, nearest=nearest),
        unknown=body.unknown,
        bar=body.bar,
        scorers=tuple(ScorerSpec(type=one) for one in body.scorers),
        measure=body.measure,
        repeats=body.repeats,
        parameters=body.parameters,
        budget=None if body.budget is None else _money(body.budget),
    )
    reference = desk.referred(project, body.dataset, limit=body.limit)
    return desk.planner().compared(
        project,
        brief,
        reference,
        models=body.models,
        prompt=body.prompt,
        seed=body.seed,
        concurrency=body.concurrency,
        fresh=body.fresh,
    )


def _plan(parts: Control, project: str, spec: ExploreSpec, samples: list[Example]) -> ExplorePlanBody:
    found = parts.explorations.estimate(project, spec, samples)
    return ExplorePlanBody(
        candidates=[CandidateBody.of(one) for one in spec.candidates],
        ways=len(spec.arms),
        answers=found.answers,
        measure=spec.measure,
        why_measure=spec.why_measure,
        barred=spec.barred,
        cost=None if found.cost is None else f"{found.cost:f}",
        unknown=found.unknown,
        judged=found.judged,
    )


def _money(text: str) -> Decimal:
    try:
        return dollars(text)
    except ValueError as error:
        raise InvalidRequest(f"`budget` {error}.", param="budget") from None
