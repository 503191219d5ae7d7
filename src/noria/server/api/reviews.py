"""Turns at a queue: take one, answer, skip, flag, take back, decide."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from noria.access.role import Principal
from noria.reviews.item import Part, Standing
from noria.reviews.queue import Queue
from noria.server.api.body import Body
from noria.server.api.caller import Editor, Parts, Project
from noria.server.api.queue_bodies import ItemBody, ReviewBody, item_body, review_body

router = APIRouter(prefix="/api/queues/{name}", tags=["reviews"])


class TurnOf(Body):
    part: Literal["review", "adjudication"] = "review"
    """adjudication: decide what others dispute."""


class QueueTurn(BaseModel):
    """What is to be done next."""

    item: ItemBody | None
    """None: nothing is left for the caller."""
    until_ms: int | None
    """Until when nobody else gets this turn."""
    left: int
    """Items that the caller could still be given, this one included."""


class AnswerRequest(Body):
    answers: dict[str, Any] = Field(max_length=30)
    """By question. label: a choice; labels: choices; score: a number; preference: A, B, tie or neither;
    correction, comment: a text; survey: a number a statement."""
    comment: str = Field("", max_length=20_000)


class SkipRequest(Body):
    reason: str = Field("", max_length=2_000)


class FlagRequest(Body):
    reason: str = Field(min_length=1, max_length=2_000)


class OwnReviews(BaseModel):
    items: list[ReviewBody]


@router.post("/next")
def take_turn(parts: Parts, who: Editor, name: str, body: TurnOf, project: Project = "default") -> QueueTurn:
    """Hold the next item: the one that the caller holds already, else the first that is left for them."""
    queue = parts.reviews.queue(project, name)
    standing = parts.reviews.next(queue, who, part=body.part)
    return _turn(parts, queue, standing, who, body.part)


@router.post("/items/{item}/answer")
def answer_item(
    parts: Parts, who: Editor, name: str, item: str, body: AnswerRequest, project: Project = "default"
) -> ItemBody:
    """Give a review, or change one's own while the item is open."""
    queue = parts.reviews.queue(project, name)
    done = parts.reviews.answer(queue, item, body.answers, comment=body.comment, by=who)
    return _item(parts, queue, done, who)


@router.post("/items/{item}/withdraw")
def withdraw_answer(
    parts: Parts, who: Editor, name: str, item: str, project: Project = "default"
) -> ItemBody:
    """Take one's own review back; the turn is the caller's again."""
    queue = parts.reviews.queue(project, name)
    return _item(parts, queue, parts.reviews.withdraw(queue, item, by=who), who)


@router.post("/items/{item}/skip")
def skip_item(
    parts: Parts, who: Editor, name: str, item: str, body: SkipRequest, project: Project = "default"
) -> ItemBody:
    """Leave it to others."""
    queue = parts.reviews.queue(project, name)
    return _item(parts, queue, parts.reviews.skip(queue, item, body.reason, by=who), who)


@router.post("/items/{item}/release")
def release_item(
    parts: Parts, who: Editor, name: str, item: str, body: TurnOf, project: Project = "default"
) -> ItemBody:
    """Give the turn back, so that others need not wait for it to end."""
    queue = parts.reviews.queue(project, name)
    return _item(parts, queue, parts.reviews.release(queue, item, part=body.part, by=who), who)


@router.post("/items/{item}/flag")
def flag_item(
    parts: Parts, who: Editor, name: str, item: str, body: FlagRequest, project: Project = "default"
) -> ItemBody:
    """Ask an administrator to look."""
    queue = parts.reviews.queue(project, name)
    return _item(parts, queue, parts.reviews.flag(queue, item, body.reason, by=who), who)


@router.post("/items/{item}/adjudicate")
def adjudicate_item(
    parts: Parts, who: Editor, name: str, item: str, body: AnswerRequest, project: Project = "default"
) -> ItemBody:
    """Decide what the reviewers dispute; only somebody who has not reviewed the item can."""
    queue = parts.reviews.queue(project, name)
    done = parts.reviews.adjudicate(queue, item, body.answers, comment=body.comment, by=who)
    return _item(parts, queue, done, who)


@router.get("/mine")
def own_reviews(
    parts: Parts,
    who: Editor,
    name: str,
    project: Project = "default",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> OwnReviews:
    """What the caller has answered, newest first; preferences by output ("0", "1") and not as shown."""
    queue = parts.reviews.queue(project, name)
    return OwnReviews(items=[review_body(one) for one in parts.reviews.mine(queue, by=who, limit=limit)])


@router.get("/items/{item}/history")
def own_history(parts: Parts, who: Editor, name: str, item: str, project: Project = "default") -> OwnReviews:
    """All revisions of the caller's own reviews of an item, oldest first."""
    queue = parts.reviews.queue(project, name)
    return OwnReviews(items=[review_body(one) for one in parts.reviews.history(queue, item, by=who)])


def _item(parts: Parts, queue: Queue, standing: Standing, who: Principal) -> ItemBody:
    return item_body(parts.reviews.seen(queue, standing, by=who))


def _turn(parts: Parts, queue: Queue, standing: Standing | None, who: Principal, part: Part) -> QueueTurn:
    left = parts.reviews.left(queue, who, part=part)
    if standing is None:
        return QueueTurn(item=None, until_ms=None, left=left)
    held = standing.turn_of((who.id,), part)
    return QueueTurn(
        item=_item(parts, queue, standing, who),
        until_ms=held.until_ms if held is not None else None,
        left=left,
    )
