"""What may happen to an item, as pure transitions: from its Standing to the Change that is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from noria.access.audit import Act
from noria.access.role import Principal
from noria.errors import Conflict, Forbidden, InvalidRequest
from noria.reviews import answer as answers
from noria.reviews.item import Change, Flag, Item, Part, Review, Standing, Turn
from noria.reviews.order import order_for
from noria.reviews.queue import Queue
from noria.reviews.settle import decide, settle

LONGEST_S = 86_400.0
"""Of a turn, where somebody left it open over night."""


class Reviewer(msgspec.Struct, frozen=True):
    """Who reviews, now."""

    who: Principal
    now_ms: int

    @property
    def id(self) -> str:
        return self.who.id

    @property
    def names(self) -> tuple[str, ...]:
        """Under which queues and assignments may name them."""
        return tuple(name for name in (self.who.id, self.who.email) if name)

    def among(self, named: tuple[str, ...]) -> bool:
        """Nobody named: everybody."""
        return not named or any(name in named for name in self.names)


def answer(
    standing: Standing,
    queue: Queue,
    by: Reviewer,
    given: Mapping[str, Any],
    *,
    id: str,
    comment: str = "",
) -> Change:
    """Give a review, or change one's own. `id` is for a first one."""
    item, before = standing.item, standing.review_by(by.id)
    again = before is not None and not before.withdrawn
    _check_open(standing, queue, by, again=again)
    turn = standing.turn_of(by.names)
    if not again:
        _check_turn(standing, queue, by, turn)
    review = _review(standing, queue, by, given, id=id, part="review", comment=comment)
    count = item.answered + (0 if again else 1)
    full = count >= item.wanted
    item = msgspec.structs.replace(
        item,
        answered=count,
        state="full" if full else "open",
        full_ms=(item.full_ms or by.now_ms) if full else 0,
    )
    return Change(
        item=item,
        turn=_turn(standing, by, "review", state="answered"),
        names=by.names,
        review=review,
        act=_act("answer" if review.revision == 1 else "revise", standing, queue, by, review.revision),
    )


def withdraw(standing: Standing, queue: Queue, by: Reviewer) -> Change:
    """Take one's own review back; the turn is one's own again."""
    before = standing.review_by(by.id)
    if before is None or before.withdrawn:
        raise Conflict("You have not answered this item.")
    _check_open(standing, queue, by, again=True)
    review = msgspec.structs.replace(before, revision=before.revision + 1, withdrawn=True, at_ms=by.now_ms)
    item = msgspec.structs.replace(
        standing.item, answered=standing.item.answered - 1, state="open", full_ms=0
    )
    until = by.now_ms + queue.lock_s * 1000
    turn = _turn(standing, by, "review", state="held", until_ms=until)
    act = _act("withdraw", standing, queue, by, review.revision)
    return Change(item=item, turn=turn, names=by.names, review=review, act=act)


def skip(standing: Standing, queue: Queue, by: Reviewer, reason: str) -> Change:
    """Leave the item to others; it does not come back by itself."""
    if standing.item.closed or queue.closed:
        raise Conflict("This item is closed.")
    before = standing.review_by(by.id)
    if before is not None and not before.withdrawn:
        raise Conflict("You have answered this item; take the answer back first.")
    _check_may(queue, by, standing.turn_of(by.names))
    turn = _turn(standing, by, "review", state="skipped", reason=reason)
    return Change(turn=turn, names=by.names, act=_act("skip", standing, queue, by))


def release(standing: Standing, by: Reviewer, part: Part) -> Change:
    """Give a turn back, so that others need not wait for it to end."""
    turn = standing.turn_of(by.names, part)
    if turn is None or turn.state != "held":
        return Change()
    state = "assigned" if turn.assigned else "held"
    return Change(turn=msgspec.structs.replace(turn, state=state, until_ms=0))


def flag(standing: Standing, queue: Queue, by: Reviewer, reason: str) -> Change:
    """Ask an administrator to look."""
    found = Flag(
        item=standing.item.id, reviewer=by.id, reviewer_name=by.who.name, reason=reason, at_ms=by.now_ms
    )
    return Change(flag=found, act=_act("flag", standing, queue, by))


def drop(standing: Standing, queue: Queue, by: Reviewer) -> Change:
    """Take the item out; what was answered is kept and counts nowhere."""
    if standing.item.state == "dropped":
        return Change()
    item = msgspec.structs.replace(standing.item, state="dropped")
    return Change(item=item, act=_act("drop", standing, queue, by))


def assign(standing: Standing, queue: Queue, by: Reviewer, reviewer: str) -> Change:
    """Give the item to somebody."""
    if standing.item.closed:
        raise Conflict("This item is closed.")
    if queue.reviewers and reviewer not in queue.reviewers:
        raise InvalidRequest(f"{reviewer!r} is none of the queue's reviewers.", param="reviewer")
    if standing.turn_of((reviewer,)) is not None:
        raise Conflict(f"{reviewer!r} has this item already.")
    turn = Turn(
        item=standing.item.id, queue=queue.id, reviewer=reviewer, state="assigned", assigned=True,
        since_ms=by.now_ms,
    )  # fmt: skip
    return Change(turn=turn, act=_act("assign", standing, queue, by))


def close(standing: Standing, queue: Queue, now_ms: int) -> Change:
    """Settle an item whose reviews are all given and can no longer be changed; else nothing."""
    item = standing.item
    if item.state != "full" or now_ms < item.full_ms + queue.grace_s * 1000:
        return Change()
    settled = settle(queue.form, standing.of("review"), rule=queue.settle)
    state = "disputed" if settled.disputed and queue.adjudicate else "done"
    return Change(item=msgspec.structs.replace(item, state=state, settled=settled))


def adjudicate(
    standing: Standing,
    queue: Queue,
    by: Reviewer,
    given: Mapping[str, Any],
    *,
    id: str,
    comment: str = "",
) -> Change:
    """Decide what the reviewers dispute; questions that they agree on may be left out."""
    item = standing.item
    own = standing.review_by(by.id, "adjudication")
    if queue.closed:
        raise Conflict("This queue is closed.")
    if item.state != "disputed" and not (item.state == "done" and own is not None):
        raise Conflict("This item is not disputed.")
    check_adjudicator(standing, queue, by)
    held = next(
        (turn for turn in standing.turns if turn.part == "adjudication" and turn.live(by.now_ms)), None
    )
    if held is not None and held.reviewer != by.id:
        raise Conflict("Somebody else is deciding this item; take the next one.")
    assert item.settled is not None, "a disputed item was settled"
    form = tuple(
        msgspec.structs.replace(question, required=question.name in item.settled.disputed)
        for question in queue.form
    )
    review = _review(
        standing,
        msgspec.structs.replace(queue, form=form),
        by,
        given,
        id=id,
        part="adjudication",
        comment=comment,
    )
    before = settle(queue.form, standing.of("review"), rule=queue.settle)
    item = msgspec.structs.replace(item, state="done", settled=decide(queue.form, before, review))
    return Change(
        item=item,
        turn=_turn(standing, by, "adjudication", state="answered"),
        names=by.names,
        review=review,
        act=_act("adjudicate", standing, queue, by, review.revision),
    )


def check_adjudicator(standing: Standing, queue: Queue, by: Reviewer) -> None:
    """Raises Forbidden where they have reviewed it themselves, or are not among those who decide."""
    if not by.among(queue.adjudicators):
        raise Forbidden(f"Disputes of {queue.name!r} are decided by its adjudicators.")
    if standing.review_by(by.id) is not None:
        raise Forbidden("You have reviewed this item yourself; somebody else has to decide it.")


def _review(
    standing: Standing,
    queue: Queue,
    by: Reviewer,
    given: Mapping[str, Any],
    *,
    id: str,
    part: Part,
    comment: str,
) -> Review:
    item = standing.item
    order = order_for(item.id, by.id, len(item.content.outputs))
    before = standing.review_by(by.id, part)
    turn = standing.turn_of(by.names, part)
    since = by.now_ms if turn is None or turn.state != "held" else turn.since_ms
    return Review(
        id=id if before is None else before.id,
        revision=1 if before is None else before.revision + 1,
        item=item.id,
        queue=queue.id,
        part=part,
        reviewer=by.id,
        reviewer_name=by.who.name,
        answers=answers.checked(queue.form, given, order=order),
        order=order,
        comment=comment,
        seconds=min(max(by.now_ms - since, 0) / 1000, LONGEST_S),
        at_ms=by.now_ms,
    )


def _check_open(standing: Standing, queue: Queue, by: Reviewer, *, again: bool) -> None:
    item = standing.item
    if queue.closed:
        raise Conflict("This queue is closed.")
    over = item.state == "full" and by.now_ms >= item.full_ms + queue.grace_s * 1000
    if item.closed or over or (item.state == "full" and not again):
        raise Conflict("This item is closed: all of its reviews are given.")


def _check_may(queue: Queue, by: Reviewer, turn: Turn | None) -> None:
    if not by.among(queue.reviewers):
        raise Forbidden(f"The queue {queue.name!r} is reviewed by others.")
    if queue.assignment != "open" and (turn is None or not turn.assigned):
        raise Forbidden("This item is assigned to others.")


def _check_turn(standing: Standing, queue: Queue, by: Reviewer, turn: Turn | None) -> None:
    """Whether a review of theirs would not be one too many, with those that others are at."""
    _check_may(queue, by, turn)
    others = sum(
        one.part == "review" and one.live(by.now_ms) and one.reviewer not in by.names
        for one in standing.turns
    )
    if standing.item.answered + others >= standing.item.wanted:
        raise Conflict("Your turn has ended and others have taken the item; go on with the next one.")


def _turn(
    standing: Standing, by: Reviewer, part: Part, *, state: Any, until_ms: int = 0, reason: str = ""
) -> Turn:
    before = standing.turn_of(by.names, part)
    return Turn(
        item=standing.item.id,
        queue=standing.item.queue,
        reviewer=by.id,
        part=part,
        name=by.who.name,
        state=state,
        assigned=before is not None and before.assigned,
        since_ms=by.now_ms,
        until_ms=until_ms,
        reason=reason,
    )


def _act(verb: str, standing: Standing, queue: Queue, by: Reviewer, revision: int = 0) -> Act:
    """Never with what was answered: the log is read by people who have yet to review."""
    details: dict[str, Any] = {"queue": queue.name}
    if revision:
        details["revision"] = revision
    subject = standing.item.id
    return Act(by=by.who, act=f"review.{verb}", subject=subject, project=queue.project, details=details)


def added(queue: Queue, items: list[Item], by: Principal) -> Act:
    details = {"queue": queue.name, "items": len(items)}
    return Act(by=by, act="review.add", subject=queue.id, project=queue.project, details=details)
