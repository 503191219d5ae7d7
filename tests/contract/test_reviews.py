"""Queues and feedback on each engine of noria.db, with the data of older schemas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from noria.access.role import Principal
from noria.core.example import Example
from noria.errors import Conflict
from noria.feedback.feedback import Feedback, Sought
from noria.feedback.giving import Draft, Feedbacks, Revision
from noria.reviews.item import Candidate, Content
from noria.reviews.queue import Choice, Question, Queue
from noria.reviews.reviews import Reviews
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.feedback import FeedbackTable
from noria.storage.reviews import ReviewTable
from noria.testing.clock import FrozenClock

ADMIN = Principal(id="admin", name="Admin", kind="local", roles={"*": "admin"})
ANN, BOB, CAT = (
    Principal(id=f"acc_{name}", name=name, kind="account", roles={"p": "editor"}, email=f"{name}@x.org")
    for name in ("ann", "bob", "cat")
)
TRACE = "0" * 31 + "1"


@pytest.fixture
def database(place: Path | str) -> Iterator[Database]:
    found = Database.open(place)
    yield found
    found.close()


def test_a_queue_is_worked_to_its_end(database: Database) -> None:
    clock = FrozenClock()
    log = AuditLog(database, clock)
    table = ReviewTable(database, log)
    reviews = Reviews(table, clock)
    form = (Question(name="ok", kind="label", choices=(Choice(value="yes"), Choice(value="no"))),)
    reviews.create(
        Queue(
            id="", project="p", name="q", form=form, reviews=2, assignment="round_robin", grace_s=5,
            reviewers=(ANN.email, BOB.id), order="random",
        ),
        by=ADMIN,
    )  # fmt: skip
    queue = reviews.queue("p", "q")
    contents = [
        Content(example=Example(id=str(n), input={"n": n}), outputs=(Candidate(text="ä"),), trace=TRACE)
        for n in range(3)
    ]
    assert reviews.add(queue, [*contents, contents[0]], by=ADMIN).items == 3
    assert reviews.add(queue, contents, by=ADMIN).known == 3
    for who in (ANN, BOB):
        assert reviews.left(queue, who) == 3
        while (found := reviews.next(queue, who)) is not None:
            answer = "no" if who is BOB and found.item.number == 2 else "yes"
            reviews.answer(queue, found.item.id, {"ok": answer}, by=who)
    assert reviews.progress(queue).open == 3
    clock.advance(6)
    queue = reviews.queue("p", "q")
    progress = reviews.progress(queue)
    assert (progress.open, progress.disputed, progress.done) == (0, 1, 2)
    taken = reviews.next(queue, CAT, part="adjudication")
    assert taken is not None and taken.item.number == 2
    reviews.flag(queue, taken.item.id, "odd", by=CAT)
    reviews.flag(queue, taken.item.id, "very odd", by=CAT)
    reviews.adjudicate(queue, taken.item.id, {"ok": "no"}, by=CAT)
    assert [one.item.state for one in reviews.closed(queue)] == ["done"] * 3
    assert [one.item.number for one in table.items(queue, states=("done",), after=1, limit=5)] == [2, 3]
    assert reviews.progress(queue).flagged == 1 and len(reviews.mine(queue, by=ANN, limit=9)) == 3
    with pytest.raises(Conflict):
        reviews.create(queue, by=ADMIN)
    assert len(table.erase("p", lambda item: item.content.trace == TRACE)["q"]) == 3
    assert reviews.progress(queue).items == 0 and not table.has_reviews(queue)
    reviews.delete("p", "q", by=ADMIN)
    assert reviews.queues("p") == [] and log.verify().broken_at is None


def test_feedback_is_given_once_revised_counted_and_erased(database: Database) -> None:
    clock = FrozenClock()
    table = FeedbackTable(database)
    feedbacks = Feedbacks(table, clock)
    draft = Draft(kind="thumb", trace=TRACE, value=True, id="a", user="u", metadata={"k": [1, "ä"]})
    first = feedbacks.give("p", draft, by=ANN)
    assert feedbacks.give("p", draft, by=ANN) == first
    assert feedbacks.give("other", draft, by=ANN).id != first.id
    with pytest.raises(Conflict):
        feedbacks.give("p", draft, by=BOB)
    feedbacks.revise("p", "a", Revision(value=False), by=ANN)
    feedbacks.give("p", Draft(kind="score", trace=TRACE, value=0.5, name="n"), by=BOB)
    feedbacks.give("p", Draft(kind="choice", session="s", value="refund", name="n"), by=BOB)
    said = {(one.kind, one.name): one for one in feedbacks.said("p", Sought())}
    assert said["thumb", ""].words == {"down": 1} and said["score", "n"].mean == 0.5
    assert said["choice", "n"].words == {"refund": 1} and said["choice", "n"].mean is None
    page = feedbacks.page("p", Sought(), cursor=None, limit=2)
    assert [one.kind for one in page.items] == ["choice", "score"] and page.next is not None
    assert [one.value for one in feedbacks.history("p", first.id)] == [True, False]
    assert table.traces("p", [], limit=9) == [TRACE]
    assert table.erase("p", [TRACE]) == 2
    assert [one.kind for one in feedbacks.page("p", Sought(), cursor=None, limit=9).items] == ["choice"]


def test_what_was_said_before_is_kept_and_can_be_compared(place: Path | str) -> None:
    old = Database.unchecked(place)
    old.migrate(target="0001")
    rows = [
        ("thumb", "true"),
        ("thumb", "false"),
        ("score", "4.5"),
        ("choice", '"refund"'),
        ("comment", "null"),
    ]
    cast = "CAST(:value AS JSONB)" if old.postgres else ":value"
    with old.write() as connection:
        for number, (kind, value) in enumerate(rows):
            connection.execute(
                text(
                    'INSERT INTO feedback (id, project, trace, span, kind, name, value, comment, "by", '
                    f"by_name, created_ms) VALUES (:id, 'p', 't', '', :kind, '', {cast}, 'c', 'me', 'Me', 1)"
                ),
                {"id": f"fb_{number}", "kind": kind, "value": value},
            )
    old.close()
    database = Database.open(place)
    table = FeedbackTable(database)
    found = table.of_trace("p", "t")
    assert [one.value for one in found] == [True, False, 4.5, "refund", None]
    assert found[0] == Feedback(
        id="fb_0", project="p", trace="t", kind="thumb", value=True, comment="c", by="me", by_name="Me",
        created_ms=1,
    )  # fmt: skip
    said = {one.kind: one for one in table.said("p", Sought())}
    assert said["thumb"].words == {"up": 1, "down": 1} and said["thumb"].mean == 0.5
    assert said["score"].mean == 4.5 and said["choice"].words == {"refund": 1}
    database.close()
