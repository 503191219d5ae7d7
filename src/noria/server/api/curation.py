"""Curation: steps, builds of datasets, what they dropped and changed, and taking it back."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from noria import hooks
from noria.datasets.curation.build import Build
from noria.datasets.curation.event import Event, Kind, StepCount
from noria.datasets.curation.plan import StepSpec, is_global
from noria.datasets.curation.run import Place
from noria.datasets.curation.steps.pii import SEALED
from noria.datasets.curation.undo import Selection
from noria.errors import Forbidden, InvalidRequest
from noria.runtime.control import Control
from noria.server.api.body import Body
from noria.server.api.caller import Admin, Editor, Parts, Project, Viewer
from noria.server.api.jobs import JobBody, job_body

router = APIRouter(prefix="/api/curation", tags=["curation"])
DatasetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
_OWN_CODE = frozenset(("map",))
"""Steps that load code: named in noria.toml alone."""
_FILE = "tokenizer"
"""The argument of steps that names a file of this machine."""


class StepKind(BaseModel):
    type: str
    does: str
    """One sentence."""
    scope: Literal["example", "all"]
    """Whether it judges each example alone, or compares all."""
    arguments: dict[str, Any]
    """JSON Schema."""


class StepKinds(BaseModel):
    items: list[StepKind]


class StepBody(BaseModel):
    """One step of a build; counts are null until it has ended."""

    type: str
    arguments: dict[str, Any]
    seen: int | None = None
    kept: int | None = None
    changed: int | None = None
    dropped: int | None = None
    unable: int | None = None
    reasons: dict[str, int] = {}


class BuildBody(BaseModel):
    id: str
    dataset: str
    source: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    message: str
    """What it is doing, or why it failed."""
    done: int | None
    total: int | None
    """Of `done`: examples in this pass; null: not known."""
    given: int | None
    left: int | None
    version: int | None
    """Of the dataset: what it made."""
    steps: list[StepBody]
    job: str
    by: str
    created_ms: int
    ended_ms: int | None


class BuildPage(BaseModel):
    items: list[BuildBody]
    next: str | None


class NewStep(Body):
    type: Annotated[str, Field(max_length=64)]
    arguments: dict[str, Any] = {}


class NewBuild(Body):
    """As noria.toml says for `dataset`; or of `source` by `steps`."""

    dataset: DatasetName
    source: Annotated[str, Field(max_length=100)] | None = None
    """A dataset, by name or as `name@version`."""
    steps: Annotated[list[NewStep], Field(min_length=1, max_length=100)] | None = None


class ResumeBuild(Body):
    dataset: DatasetName


class PlanBody(BaseModel):
    """What a build would do."""

    dataset: str
    source: str
    steps: list[StepKind]
    given: list[dict[str, Any]]
    """Every argument of each step, with what is left out."""
    passes: int
    """How often it goes over all examples."""


class ChangeBody(BaseModel):
    field: str
    before: Any
    after: Any


class EventBody(BaseModel):
    place: str
    step: int
    type: str
    kind: Kind
    example: str
    reasons: list[str]
    details: dict[str, Any]
    changes: list[ChangeBody]
    dropped: dict[str, Any] | None
    """The example as it was when it was dropped."""


class EventPage(BaseModel):
    items: list[EventBody]
    next: str | None
    """More may follow, also behind a page with no items."""


class Selected(Body):
    """All events that fit every condition given; at least one is needed."""

    examples: Annotated[list[Annotated[str, Field(max_length=500)]], Field(max_length=10_000)] = []
    step: Annotated[int, Field(ge=0, le=1000)] | None = None
    kind: Literal["drop", "edit"] | None = None
    reason: Annotated[str, Field(max_length=200)] = ""

    def selection(self) -> Selection:
        if not (self.examples or self.step is not None or self.kind or self.reason):
            raise InvalidRequest("Say what to take back: examples, a step, a kind or a reason.")
        return Selection(examples=tuple(self.examples), step=self.step, kind=self.kind, reason=self.reason)


class Tokens(Body):
    text: Annotated[str, Field(max_length=1_000_000)]


class Opened(BaseModel):
    text: str


@router.get("/steps")
def list_curation_steps(who: Viewer) -> StepKinds:
    """Every step that is installed."""
    return StepKinds(items=[_kind(type) for type in hooks.names("step")])


@router.get("/plans/{dataset}")
def plan_build(parts: Parts, who: Viewer, dataset: str, project: Project = "default") -> PlanBody:
    """What noria.toml, as it runs, says of building a dataset."""
    section = parts.curation.section(dataset)
    plan = section.plan()
    return PlanBody(
        dataset=dataset,
        source=section.source or ", ".join(section.files),
        steps=[_kind(spec.type) for spec in plan.specs],
        given=[one["arguments"] for one in plan.lineage()],
        passes=len(plan.passes()),
    )


@router.post("/builds", status_code=201)
def start_build(parts: Parts, who: Editor, body: NewBuild, project: Project = "default") -> BuildBody:
    """Begin; one of this dataset that is under way is returned instead."""
    if (body.source is None) != (body.steps is None):
        raise InvalidRequest("Give both `source` and `steps`, or neither.")
    steps = None
    if body.steps is not None:
        for step in body.steps:
            if step.type in _OWN_CODE:
                raise Forbidden(f"A step of type {step.type!r} runs code; name it in noria.toml.")
            named = step.arguments.get(_FILE)
            if isinstance(named, str) and (named.startswith(("/", "~")) or ".." in Path(named).parts):
                raise Forbidden(
                    f"`{_FILE}` must be a file of noria.toml's folder; name another in noria.toml itself."
                )
        steps = [StepSpec(type=step.type, arguments=step.arguments) for step in body.steps]
    return _body(parts, parts.curation.start(project, body.dataset, source=body.source, steps=steps, by=who))


@router.post("/builds/resume")
def resume_build(parts: Parts, who: Editor, body: ResumeBuild, project: Project = "default") -> BuildBody:
    """Go on with a dataset's last build, which failed or was stopped."""
    return _body(parts, parts.curation.resume(project, body.dataset, by=who))


@router.get("/builds")
def list_builds(
    parts: Parts,
    who: Viewer,
    project: Project = "default",
    dataset: Annotated[str, Query(max_length=64)] = "",
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> BuildPage:
    """Newest first."""
    page = parts.curation.page(project, dataset=dataset, cursor=cursor, limit=limit)
    return BuildPage(items=[_body(parts, build) for build in page.items], next=page.next)


@router.get("/builds/{id}")
def read_build(parts: Parts, who: Viewer, id: str, project: Project = "default") -> BuildBody:
    return _body(parts, parts.curation.get(project, id))


@router.delete("/builds/{id}", status_code=204)
def forget_build(parts: Parts, who: Editor, id: str, project: Project = "default") -> Response:
    """Delete a build's log, with the texts before and after, for good; the version that it made stays."""
    parts.curation.forget(parts.curation.get(project, id), by=who)
    return Response(status_code=204)


@router.get("/builds/{id}/events")
def list_build_events(
    parts: Parts,
    who: Viewer,
    id: str,
    project: Project = "default",
    example: Annotated[str, Query(max_length=500)] = "",
    step: Annotated[int | None, Query(ge=0, le=1000)] = None,
    kind: Kind | None = None,
    reason: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> EventPage:
    """What was dropped, changed or could not be done, in the order of the log; added metadata (`note`) only
    when it is asked for."""
    build = parts.curation.get(project, id)
    selection = Selection(examples=(example,) if example else (), step=step, kind=kind, reason=reason)
    page = parts.curation.events(build, selection, notes=kind == "note", cursor=cursor, limit=limit)
    return EventPage(items=[_event(build, *one) for one in page.items], next=page.next)


@router.post("/builds/{id}/undo/count")
def count_undo(
    parts: Parts, who: Viewer, id: str, body: Selected, project: Project = "default"
) -> dict[str, int]:
    """How many drops and edits a selection has, by kind."""
    return parts.curation.would_undo(parts.curation.get(project, id), body.selection())


@router.post("/builds/{id}/undo")
def undo_build(parts: Parts, who: Editor, id: str, body: Selected, project: Project = "default") -> JobBody:
    """Make a version in which the selected drops are restored and edits reverted. An example goes on through
    the steps behind those taken back, but not through comparisons with all others."""
    return job_body(parts.curation.undo(parts.curation.get(project, id), body.selection(), by=who))


@router.post("/tokens/open")
def open_tokens(parts: Parts, who: Admin, body: Tokens, project: Project = "default") -> Opened:
    """Turn the tokens that stand for personal data in a text back into it. It is recorded who did."""
    return Opened(text=parts.curation.open_tokens(project, body.text, by=who))


def _body(parts: Control, build: Build) -> BuildBody:
    job = parts.curation.job(build)
    state = "done" if build.ended_ms else job.state if job is not None else "failed"
    return BuildBody(
        id=build.id,
        dataset=build.dataset,
        source=build.source.shown,
        state="failed" if state == "done" and not build.ended_ms else state,
        message=job.message if job is not None else "",
        done=job.done if job is not None else None,
        total=job.total if job is not None else None,
        given=build.given,
        left=build.left,
        version=build.version or None,
        steps=[_step(spec, build.counts.get(str(place))) for place, spec in enumerate(build.steps)],
        job=build.job,
        by=build.by_name,
        created_ms=build.created_ms,
        ended_ms=build.ended_ms or None,
    )


def _step(spec: StepSpec, count: StepCount | None) -> StepBody:
    if count is None:
        return StepBody(type=spec.type, arguments=spec.arguments)
    return StepBody(
        type=spec.type,
        arguments=spec.arguments,
        seen=count.seen,
        kept=count.kept,
        changed=count.changed,
        dropped=count.dropped,
        unable=count.unable,
        reasons=count.reasons,
    )


def _event(build: Build, place: Place, event: Event) -> EventBody:
    return EventBody(
        place="-".join(map(str, place)),
        step=event.step,
        type=build.steps[event.step].type,
        kind=event.kind,
        example=event.example,
        reasons=list(event.reasons),
        details={name: value for name, value in event.details.items() if name != SEALED},
        changes=[ChangeBody(field=one.field, before=one.before, after=one.after) for one in event.changes],
        dropped=None if event.dropped is None else msgspec.to_builtins(event.dropped),
    )


def _kind(type: str) -> StepKind:
    kind = hooks.load("step", type)
    does = " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())
    return StepKind(
        type=type,
        does=does,
        scope="all" if is_global(kind) else "example",
        arguments=msgspec.json.schema(kind),
    )
