"""What people and programs say about a span, trace, session or episode."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from noria.feedback.doubt import doubt
from noria.feedback.feedback import Feedback, Kind, Said, Sought, Source
from noria.feedback.giving import Draft, Revision
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.server.api.feedback_lines import lines
from noria.server.api.span_of_time import Within

router = APIRouter(prefix="/api/feedback", tags=["feedback"])

Value = float | bool | str | list[Any] | dict[str, Any]


class FeedbackRequest(Body):
    """About a trace, or one span of it, a session, or an episode."""

    trace: str | None = Field(None, pattern="^[0-9a-f]{32}$")
    span: str | None = Field(None, pattern="^[0-9a-f]{16}$")
    session: str | None = Field(None, max_length=200)
    episode: str | None = Field(None, max_length=200)
    kind: Kind
    """thumb: true or false; score: a number; choice: a word; comment; correction: what it should have been;
    demonstration: how it is done."""
    name: str = Field("", max_length=80)
    """What was judged, such as "helpful"."""
    value: Value | None = None
    comment: str = Field("", max_length=20_000)
    id: str | None = Field(None, min_length=1, max_length=200)
    """Your own: the same feedback sent again under it is kept once."""
    source: Source = "person"
    user: str = Field("", max_length=200)
    """The user of your application who says it."""
    metadata: dict[str, Any] = Field({}, max_length=50)

    def draft(self) -> Draft:
        values = self.model_dump()
        for name in ("trace", "span", "session", "episode", "id"):
            values[name] = values[name] or ""
        return Draft(**values)


class RevisionRequest(Body):
    """What is absent stays as it is."""

    value: Value | None = None
    comment: str | None = Field(None, max_length=20_000)
    metadata: dict[str, Any] | None = Field(None, max_length=50)

    def revision(self) -> Revision:
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return Revision(**{name: value for name, value in given.items() if value is not None})


class FeedbackBody(BaseModel):
    id: str
    given: str | None
    """The id under which the client gave it."""
    trace: str | None
    span: str | None
    session: str | None
    episode: str | None
    kind: str
    name: str
    value: Value | None
    comment: str
    source: Source
    user: str
    metadata: dict[str, Any]
    by: str
    by_name: str
    created_ms: int
    revision: int
    """From 1; how often it was changed, and one."""
    revised_ms: int | None
    retracted: bool


class FeedbackPage(BaseModel):
    items: list[FeedbackBody]
    next: str | None


class FeedbackHistory(BaseModel):
    """All revisions, oldest first; the last is what stands."""

    items: list[FeedbackBody]


class SaidInterval(BaseModel):
    """Where the true mean lies with probability `level`."""

    estimate: float | None
    low: float | None
    high: float | None
    """Null with `low`: there is none, and `method` says why."""
    level: float
    n: int
    method: str


class SaidBody(BaseModel):
    kind: str
    name: str
    count: int
    mean: float | None
    """Of scores, and of thumbs as 0 and 1."""
    words: dict[str, int]
    """Of thumbs ("up", "down") and choices."""
    interval: SaidInterval | None
    """Of the mean; null: it has no numbers."""

    @classmethod
    def of(cls, said: Said) -> SaidBody:
        found = doubt(said)
        interval = None if found is None else SaidInterval(**msgspec.structs.asdict(found))
        return cls(
            kind=said.kind,
            name=said.name,
            count=said.count,
            mean=said.mean,
            words=said.words,
            interval=interval,
        )


class SaidList(BaseModel):
    items: list[SaidBody]


Word = Annotated[str, Query(max_length=200)]


@router.post("", status_code=201)
def give_feedback(
    parts: Parts, who: Editor, body: FeedbackRequest, project: Project = "default"
) -> FeedbackBody:
    """Say something about a trace that is recorded, a session or an episode."""
    return feedback_body(parts.feedback.give_known(project, body.draft(), by=who))


@router.get("")
def list_feedback(
    parts: Parts,
    who: Viewer,
    within: Within,
    project: Project = "default",
    trace: Word = "",
    session: Word = "",
    episode: Word = "",
    kind: Word = "",
    name: Word = "",
    user: Word = "",
    retracted: bool = False,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> FeedbackPage:
    """Newest first; `retracted` lists what was taken back instead."""
    sought = Sought(
        trace=trace, session=session, episode=episode, kind=kind, name=name, user=user, retracted=retracted,
        start_ms=within.start // 1_000_000, end_ms=within.end // 1_000_000 + 1,
    )  # fmt: skip
    page = parts.feedback.page(project, sought, cursor=cursor, limit=limit)
    return FeedbackPage(items=[feedback_body(one) for one in page.items], next=page.next)


@router.get("/said")
def count_feedback(
    parts: Parts, who: Viewer, within: Within, project: Project = "default", name: Word = ""
) -> SaidList:
    """How often what was said, by kind and name."""
    sought = Sought(
        name=name, start_ms=within.start // 1_000_000, end_ms=within.end // 1_000_000 + 1
    )  # fmt: skip
    found = parts.feedback.said(project, sought)
    return SaidList(items=[SaidBody.of(one) for one in found])


@router.get("/export", response_class=StreamingResponse)
def export_feedback(
    parts: Parts,
    who: Viewer,
    within: Within,
    project: Project = "default",
    format: Literal["jsonl", "csv"] = "jsonl",
) -> StreamingResponse:
    """Everything that stands, newest first, with what it was about."""
    sought = Sought(start_ms=within.start // 1_000_000, end_ms=within.end // 1_000_000 + 1)
    media = "text/csv" if format == "csv" else "application/x-ndjson"
    return StreamingResponse(
        lines(lambda cursor: parts.feedback.page(project, sought, cursor=cursor, limit=500), format),
        media_type=media,
        headers={"content-disposition": f'attachment; filename="noria-feedback.{format}"'},
    )


@router.get("/{id}")
def read_feedback(parts: Parts, who: Viewer, id: str, project: Project = "default") -> FeedbackHistory:
    found = parts.feedback.history(project, id)
    return FeedbackHistory(items=[feedback_body(one) for one in found])


@router.post("/{id}/revise")
def revise_feedback(
    parts: Parts, who: Editor, id: str, body: RevisionRequest, project: Project = "default"
) -> FeedbackBody:
    """Say something else instead; only who gave it can."""
    return feedback_body(parts.feedback.revise(project, id, body.revision(), by=who))


@router.post("/{id}/retract")
def retract_feedback(parts: Parts, who: Editor, id: str, project: Project = "default") -> FeedbackBody:
    """Take it back; only who gave it can."""
    return feedback_body(parts.feedback.retract(project, id, by=who))


def feedback_body(feedback: Feedback) -> FeedbackBody:
    values = msgspec.structs.asdict(feedback)
    del values["project"]
    for name in ("trace", "span", "session", "episode", "revised_ms"):
        values[name] = values[name] or None
    return FeedbackBody(**values)
