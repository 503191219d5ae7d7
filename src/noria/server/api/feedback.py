"""What people and programs say about a trace or span."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from noria.feedback.feedback import Feedback
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project

router = APIRouter(prefix="/api/feedback", tags=["traces"])

Value = float | bool | str


class FeedbackRequest(Body):
    trace: str = Field(pattern="^[0-9a-f]{32}$")
    span: str | None = Field(None, pattern="^[0-9a-f]{16}$")
    kind: Literal["thumb", "score", "choice", "comment", "correction"]
    """thumb: true or false; score: a number; choice: a word; correction: what it should have been."""
    name: str = Field("", max_length=80)
    """What was judged, such as "helpful"."""
    value: Value | None = None
    comment: str = Field("", max_length=20_000)


class FeedbackBody(BaseModel):
    id: str
    trace: str
    span: str | None
    kind: str
    name: str
    value: Value | None
    comment: str
    by: str
    by_name: str
    created_ms: int


@router.post("", status_code=201)
def give_feedback(
    parts: Parts, who: Editor, body: FeedbackRequest, project: Project = "default"
) -> FeedbackBody:
    return feedback_body(
        parts.give_feedback(
            project,
            trace=body.trace,
            span=body.span or "",
            kind=body.kind,
            name=body.name,
            value=body.value,
            comment=body.comment,
            by=who,
        )
    )


def feedback_body(feedback: Feedback) -> FeedbackBody:
    return FeedbackBody(
        id=feedback.id,
        trace=feedback.trace,
        span=feedback.span or None,
        kind=feedback.kind,
        name=feedback.name,
        value=feedback.value,
        comment=feedback.comment,
        by=feedback.by,
        by_name=feedback.by_name,
        created_ms=feedback.created_ms,
    )
