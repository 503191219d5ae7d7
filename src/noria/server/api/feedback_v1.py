"""`/v1/feedback`: an application gives feedback with the key that it calls models with."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, ValidationError

from noria.access.role import Principal
from noria.errors import Forbidden, InvalidRequest, RequestError
from noria.feedback.giving import Draft
from noria.server.api.body import Body
from noria.server.api.caller import Parts, SignedIn
from noria.server.api.feedback import FeedbackBody, FeedbackHistory, FeedbackRequest, RevisionRequest
from noria.server.api.feedback import feedback_body as body_of
from noria.server.api.problem import ErrorBody

router = APIRouter(prefix="/v1/feedback", tags=["feedback"])

MOST = 1_000
"""Feedback in one batch."""


class KeptFeedback(FeedbackBody):
    """Feedback as stored."""

    seen: bool
    """Whether its trace is recorded already: one that has just ended may not be yet, a mistyped id never
    is. True where it is about no trace."""


class FeedbackBatch(Body):
    items: list[dict[str, Any]] = Field(min_length=1, max_length=MOST)
    """Each as for one; what is wrong with one does not keep the others back."""


class FeedbackOutcome(BaseModel):
    """Exactly one of the two is there."""

    feedback: FeedbackBody | None
    error: ErrorBody | None


class FeedbackOutcomes(BaseModel):
    """In the order sent."""

    items: list[FeedbackOutcome]
    kept: int
    refused: int


def project_of(
    parts: Parts,
    who: SignedIn,
    project: Annotated[
        str | None, Query(min_length=1, max_length=64, description="Left out: the key's own.")
    ] = None,
) -> str:
    """A key speaks for its own project; whoever may edit everywhere, for any."""
    own = next((key.project for key in parts.publisher.live.keys.values() if key.id == who.id), None)
    asked = project or own or "default"
    if asked not in (own, "*") and not who.may("editor", asked):
        raise Forbidden(f"This key is of project {own!r} and cannot give feedback in {asked!r}.")
    if asked == "*":
        raise InvalidRequest("Feedback belongs to one project; name it in `project`.", param="project")
    return asked


Own = Annotated[str, Depends(project_of)]


@router.post("", status_code=201)
def submit_feedback(parts: Parts, who: SignedIn, project: Own, body: FeedbackRequest) -> KeptFeedback:
    """Say something about a trace or span, a session or an episode. Sent again under the same `id` it is
    kept once; another content under that id is refused (409)."""
    given = parts.feedback.give(project, body.draft(), by=who)
    seen = not given.trace or parts.feedback.seen(project, given.trace)
    return KeptFeedback(**body_of(given).model_dump(), seen=seen)


@router.post("/batch")
def submit_feedback_batch(parts: Parts, who: SignedIn, project: Own, body: FeedbackBatch) -> FeedbackOutcomes:
    """As many at once, each kept or refused by itself."""
    items = [_one(parts, who, project, raw) for raw in body.items]
    refused = sum(item.error is not None for item in items)
    return FeedbackOutcomes(items=items, kept=len(items) - refused, refused=refused)


@router.get("/{id}")
def own_feedback(parts: Parts, who: SignedIn, project: Own, id: str) -> FeedbackHistory:
    """All revisions of what this key has given; the last is what stands."""
    found = parts.feedback.history(project, id)
    if found[-1].by != who.id and not who.may("viewer", project):
        raise Forbidden("Another key gave this feedback; read it with a key of role viewer.")
    return FeedbackHistory(items=[body_of(one) for one in found])


@router.post("/{id}/revise")
def revise_own_feedback(
    parts: Parts, who: SignedIn, project: Own, id: str, body: RevisionRequest
) -> FeedbackBody:
    """Say something else instead; what was said before is kept in the history."""
    return body_of(parts.feedback.revise(project, id, body.revision(), by=who))


@router.post("/{id}/retract")
def retract_own_feedback(parts: Parts, who: SignedIn, project: Own, id: str) -> FeedbackBody:
    """Take it back."""
    return body_of(parts.feedback.retract(project, id, by=who))


def _one(parts: Parts, who: Principal, project: str, raw: dict[str, Any]) -> FeedbackOutcome:
    try:
        draft: Draft = FeedbackRequest.model_validate(raw).draft()
        return FeedbackOutcome(feedback=body_of(parts.feedback.give(project, draft, by=who)), error=None)
    except ValidationError as error:
        first = error.errors()[0]
        param = ".".join(str(part) for part in first["loc"]) or None
        message = f"`{param}`: {first['msg']}." if param else f"{first['msg']}."
        return FeedbackOutcome(
            feedback=None, error=ErrorBody(code="invalid_request", message=message, param=param)
        )
    except RequestError as error:
        return FeedbackOutcome(
            feedback=None, error=ErrorBody(code=error.code, message=error.message, param=error.param)
        )
