"""What happened: pulse, traces, sessions, costs, and erasure of a person's records."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from noria.core.ids import parse_hex
from noria.errors import NotFound
from noria.runtime.changes import changes
from noria.runtime.erasure import Erased
from noria.server.api.body import Body
from noria.server.api.caller import Admin, Parts, Project, Viewer
from noria.server.api.feedback import FeedbackBody, feedback_body
from noria.server.api.span_of_time import Within, step_for
from noria.server.api.table import costs_csv
from noria.tracing.filters import Filter, parse
from noria.tracing.store import (
    Costs,
    Facets,
    HeatMap,
    Pulse,
    SessionDetail,
    SessionPage,
    Sort,
    TraceDetail,
    TracePage,
    TraceSummary,
)  # fmt: skip

router = APIRouter(prefix="/api", tags=["traces"])

Text = Annotated[
    str, Query(description='Filter, such as `model:gpt-* latency>2s status:error "refund"`.', max_length=2000)
]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=2000)]


class NewTraces(BaseModel):
    """Traces that became visible after the position asked about."""

    items: list[TraceSummary]
    position: str
    """To be sent next time."""


class TraceView(BaseModel):
    """A trace and what people and programs have said of it."""

    trace: TraceDetail
    feedback: list[FeedbackBody]


class ErasureRequest(Body):
    user: str = Field(min_length=1, max_length=200)
    """The `user` that calls were tagged with."""


def filter_of(parts: Parts, project: Project = "default", q: Text = "") -> Filter:
    """What `q` says; its terms on feedback know the traces that they stand for."""
    return parts.feedback.resolve(project, parse(q))


Wanted = Annotated[Filter, Depends(filter_of)]


@router.get("/pulse")
def pulse(
    parts: Parts,
    who: Viewer,
    within: Within,
    wanted: Wanted,
    project: Project = "default",
    step: Annotated[int | None, Query(ge=1, le=604_800, description="Seconds.")] = None,
) -> Pulse:
    """Rates, latency, errors, tokens, cost and what changed, in steps."""
    return parts.spans.pulse(
        project,
        within,
        step_s=step or step_for(within),
        filter=wanted,
        marks=changes(parts.versions, parts.audit, project, within),
    )


@router.get("/traces")
def list_traces(
    parts: Parts,
    who: Viewer,
    within: Within,
    wanted: Wanted,
    project: Project = "default",
    sort: Sort = "newest",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> TracePage:
    return parts.spans.traces(project, within, filter=wanted, sort=sort, cursor=cursor, limit=limit)


@router.get("/traces/heatmap")
def heat_map(
    parts: Parts, who: Viewer, within: Within, wanted: Wanted, project: Project = "default"
) -> HeatMap:
    return parts.spans.heatmap(project, within, filter=wanted)


@router.get("/traces/facets")
def facets(parts: Parts, who: Viewer, within: Within, wanted: Wanted, project: Project = "default") -> Facets:
    return parts.spans.facets(project, within, filter=wanted)


@router.get("/traces/since")
def since(
    parts: Parts,
    who: Viewer,
    project: Project = "default",
    position: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 100,
) -> NewTraces:
    """New traces since a position; without one only the position of now."""
    items, at = parts.spans.since(project, position, limit=limit)
    return NewTraces(items=items, position=at)


@router.get("/traces/{id}")
def read_trace(parts: Parts, who: Viewer, id: str, project: Project = "default") -> TraceView:
    found = parts.spans.trace(project, parse_hex(id, size=16, what="trace id"))
    if found is None:
        raise NotFound(f"There is no trace {id} in project {project!r}.")
    return TraceView(
        trace=found, feedback=[feedback_body(item) for item in parts.feedback.table.of_trace(project, id)]
    )


@router.get("/sessions")
def list_sessions(
    parts: Parts,
    who: Viewer,
    within: Within,
    project: Project = "default",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> SessionPage:
    return parts.spans.sessions(project, within, cursor=cursor, limit=limit)


@router.get("/sessions/{id:path}")
def read_session(parts: Parts, who: Viewer, id: str, project: Project = "default") -> SessionDetail:
    found = parts.spans.session(project, id)
    if found is None:
        raise NotFound(f"There is no session {id!r} in project {project!r}.")
    return found


@router.get("/costs", response_model=Costs, responses={200: {"content": {"text/csv": {}}}})
def read_costs(
    parts: Parts,
    who: Viewer,
    within: Within,
    by: Annotated[
        str, Query(description="team, user, route, model, key, day, project or tag:NAME", max_length=80)
    ] = "model",
    project: Project = "default",
    format: Literal["json", "csv"] = "json",
) -> Costs | Response:
    """What calls have cost. The project `*` sums over all, for those who may see all."""
    found = parts.ledger.costs(None if project == "*" else project, within, by=by)
    if format == "csv":
        name = f'attachment; filename="noria-costs-by-{by.replace(":", "-")}.csv"'
        return Response(costs_csv(found), media_type="text/csv", headers={"content-disposition": name})
    return found


@router.post("/erasures")
async def erase(parts: Parts, who: Admin, body: ErasureRequest, project: Project = "default") -> Erased:
    """Delete everything that is recorded of a user in this project, and every copy that was made of it: in
    feedback, reviews, datasets, evaluations and builds. Cannot be undone."""
    return await parts.erase(project, body.user, by=who)
