"""What somebody may see of an item: the one place that decides it, for every list, page and export.

Until an item is closed, nobody sees an answer but their own. Administrators see who has answered.
"""

from __future__ import annotations

from typing import Any

import msgspec

from noria.reviews.answer import as_shown
from noria.reviews.item import Candidate, Flag, Item, Review, Standing
from noria.reviews.order import order_for
from noria.reviews.queue import Queue
from noria.reviews.work import Reviewer


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody has answered, and not what."""

    reviewer: str
    reviewer_name: str
    at_ms: int


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """An item as one person may see it."""

    item: Item
    """Without names, hidden facts and what is settled, as long as it is not done."""
    order: tuple[int, ...]
    """Which outputs they see as A and B; `outputs` stand in this order."""
    outputs: tuple[Candidate, ...]
    expected: Any
    """None where it is not shown, or there is none."""
    own: Review | None
    """Preferences in the words of this person's order; None: not answered, or withdrawn."""
    reviews: tuple[Review, ...] = ()
    """All, once the item is closed; preferences in this person's order."""
    answered: tuple[Answered, ...] = ()
    """For administrators."""
    skipped: tuple[str, ...] = ()
    """Names of who has skipped it; for administrators."""
    flags: tuple[Flag, ...] = ()
    """For administrators, and one's own."""
    held: int = 0
    """By how many others it is looked at now; for administrators."""


def seen(standing: Standing, queue: Queue, by: Reviewer, *, admin: bool) -> Seen:
    item = standing.item
    order = order_for(item.id, by.id, len(item.content.outputs))
    done = item.state in ("done", "dropped")
    outputs = tuple(item.content.outputs[index] for index in order)
    own = standing.review_by(by.id) or standing.review_by(by.id, "adjudication")
    if own is not None and own.withdrawn:
        own = None
    return Seen(
        item=item if done else _hidden(item),
        order=order,
        outputs=outputs if done else tuple(Candidate(text=output.text) for output in outputs),
        expected=item.content.example.expected if done or queue.show_expected else None,
        own=None if own is None else _as_shown(own, queue, order),
        reviews=tuple(
            _as_shown(one, queue, order) for one in standing.reviews if item.closed and not one.withdrawn
        ),
        answered=tuple(
            Answered(reviewer=one.reviewer, reviewer_name=one.reviewer_name, at_ms=one.at_ms)
            for one in standing.of("review")
            if admin
        ),
        skipped=tuple(
            turn.name or turn.reviewer for turn in standing.turns if admin and turn.state == "skipped"
        ),
        flags=tuple(one for one in standing.flags if admin or one.reviewer == by.id),
        held=sum(turn.live(by.now_ms) and turn.reviewer != by.id for turn in standing.turns) if admin else 0,
    )


def _hidden(item: Item) -> Item:
    """The count of answers is hidden, too: between two looks it tells who has answered what."""
    outputs = tuple(Candidate(text=output.text) for output in item.content.outputs)
    example = msgspec.structs.replace(item.content.example, expected=None, metadata={}, tags=(), source="")
    # The trace would show which model answered, and what was said of it before.
    content = msgspec.structs.replace(
        item.content, example=example, outputs=outputs, hidden={}, source="", trace="", span=""
    )
    settled = item.settled
    if settled is not None:  # Disputed: what they disagree on is what the adjudicator is asked.
        settled = msgspec.structs.replace(settled, values={})
    return msgspec.structs.replace(
        item, content=content, settled=settled, rank=0.0, answered=0, full_ms=0,
        state="open" if item.state == "full" else item.state,
    )  # fmt: skip


def _as_shown(review: Review, queue: Queue, order: tuple[int, ...]) -> Review:
    shown = {
        name: as_shown(question, value, order=order)
        for name, value in review.answers.items()
        if (question := queue.question(name)) is not None
    }
    return msgspec.structs.replace(review, answers=shown)
