"""A queue from its making to its settled answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.access.role import Principal
from noria.core.example import Example
from noria.errors import Conflict, Forbidden, InvalidRequest
from noria.reviews import export, instrument
from noria.reviews.answer import checked
from noria.reviews.item import Candidate, Content
from noria.reviews.order import disagreement, order_for
from noria.reviews.queue import Choice, Question, Queue
from noria.reviews.spoken import asked, said
from noria.storage.database import Database

from .test_rules import ADMIN, PEOPLE, Desk, content, make_queue

ANN, BOB, CAT, DAN = PEOPLE


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = Database.open(tmp_path / "noria.db")
    yield Desk(database)
    database.close()


def _made(desk: Desk, items: int = 1, outputs: int = 1, **changes: Any) -> Queue:
    desk.reviews.create(make_queue(**{"grace_s": 0, **changes}), by=ADMIN)
    queue = desk.reviews.queue("p", "q")
    desk.reviews.add(queue, [content(number, outputs) for number in range(items)], by=ADMIN)
    return queue


def _answer(desk: Desk, queue: Queue, who: Principal, **answers: Any) -> str:
    found = desk.reviews.next(queue, who)
    assert found is not None
    desk.reviews.answer(queue, found.item.id, answers, by=who)
    return found.item.id


def test_agreement_settles_and_dispute_is_decided_by_somebody_else(desk: Desk) -> None:
    queue = _made(desk, items=2)
    first = _answer(desk, queue, ANN, verdict="alpha-secret")
    assert _answer(desk, queue, BOB, verdict="alpha-secret") == first
    second = _answer(desk, queue, ANN, verdict="alpha-secret")
    _answer(desk, queue, BOB, verdict="beta-secret")
    done, disputed = desk.standings(queue)
    assert done.item.state == "done" and done.item.settled is not None
    assert done.item.settled.values == {"verdict": "alpha-secret"} and done.item.settled.by == "agreement"
    assert disputed.item.state == "disputed" and disputed.item.id == second
    assert desk.reviews.next(queue, ANN, part="adjudication") is None
    with pytest.raises(Forbidden, match="reviewed this item yourself"):
        desk.reviews.adjudicate(queue, second, {"verdict": "beta-secret"}, by=BOB)
    taken = desk.reviews.next(queue, CAT, part="adjudication")
    assert taken is not None and len(desk.reviews.seen(queue, taken, by=CAT).reviews) == 2
    assert desk.reviews.next(queue, DAN, part="adjudication") is None
    decided = desk.reviews.adjudicate(queue, second, {"verdict": "beta-secret"}, by=CAT).item
    assert decided.state == "done" and decided.settled is not None
    assert (decided.settled.values["verdict"], decided.settled.by) == ("beta-secret", "adjudication")


def test_an_answer_can_be_changed_until_the_item_closes_and_its_history_is_kept(desk: Desk) -> None:
    queue = _made(desk, reviews=1, grace_s=30)
    item = _answer(desk, queue, ANN, verdict="alpha-secret")
    desk.clock.advance(29)
    desk.reviews.withdraw(queue, item, by=ANN)
    assert desk.reviews.next(queue, BOB) is None, "the turn is hers again"
    assert _answer(desk, queue, ANN, verdict="beta-secret") == item
    desk.clock.advance(31)
    queue = desk.reviews.queue("p", "q")
    with pytest.raises(Conflict, match="closed"):
        desk.reviews.answer(queue, item, {"verdict": "gamma-secret"}, by=ANN)
    history = desk.reviews.history(queue, item, by=ANN)
    assert [(one.revision, one.withdrawn, one.answers["verdict"]) for one in history] == [
        (1, False, "alpha-secret"), (2, True, "alpha-secret"), (3, False, "beta-secret"),
    ]  # fmt: skip


def test_a_turn_that_ends_goes_to_others(desk: Desk) -> None:
    queue = _made(desk, reviews=1, lock_s=60)
    mine = desk.reviews.next(queue, ANN)
    assert mine is not None and desk.reviews.next(queue, BOB) is None
    desk.clock.advance(61)
    assert desk.reviews.next(queue, BOB) is not None
    with pytest.raises(Conflict, match="Your turn has ended"):
        desk.reviews.answer(queue, mine.item.id, {"verdict": "alpha-secret"}, by=ANN)
    desk.reviews.release(queue, mine.item.id, by=BOB)
    assert desk.reviews.next(queue, CAT) is not None


def test_round_robin_shares_the_work(desk: Desk) -> None:
    everyone = tuple(who.email for who in PEOPLE)
    queue = _made(desk, items=8, assignment="round_robin", reviewers=everyone)
    assert [desk.reviews.left(queue, who) for who in PEOPLE] == [4, 4, 4, 4]
    seen: dict[str, int] = {}
    for who in PEOPLE:
        while (found := desk.reviews.next(queue, who)) is not None:
            desk.reviews.answer(queue, found.item.id, {"verdict": "alpha-secret"}, by=who)
            seen[found.item.id] = seen.get(found.item.id, 0) + 1
    assert set(seen.values()) == {2} and len(seen) == 8


def test_items_are_for_those_named(desk: Desk) -> None:
    desk.reviews.create(make_queue(assignment="assigned", reviews=1), by=ADMIN)
    queue = desk.reviews.queue("p", "q")
    with pytest.raises(InvalidRequest, match="whom"):
        desk.reviews.add(queue, [content(1)], by=ADMIN)
    desk.reviews.add(queue, [content(1)], assign=[BOB.email], by=ADMIN)
    assert desk.reviews.next(queue, ANN) is None
    with pytest.raises(Forbidden, match="assigned to others"):
        desk.reviews.answer(queue, desk.standings(queue)[0].item.id, {"verdict": SECRET}, by=ANN)
    assert _answer(desk, queue, BOB, verdict=SECRET)


SECRET = "alpha-secret"


def test_the_same_content_is_added_once(desk: Desk) -> None:
    queue = _made(desk, items=3)
    again = desk.reviews.add(queue, [content(number) for number in range(5)], by=ADMIN)
    assert (again.items, again.known) == (2, 3)
    assert [one.item.number for one in desk.standings(queue)] == [1, 2, 3, 4, 5]


def test_order_follows_what_a_label_is_worth(desk: Desk) -> None:
    desk.reviews.create(make_queue(order="disagreement", reviews=1), by=ADMIN)
    queue = desk.reviews.queue("p", "q")
    scores = {"agree": [1.0, 1.0], "apart": [0.0, 1.0], "near": [0.4, 0.6], "words": ["a", "b"]}
    for name, values in scores.items():
        example = Example(id=name, input={"input": name})
        outputs = (Candidate(text=name),)
        made = Content(example=example, outputs=outputs, hidden={"scores": {"s": values}})
        desk.reviews.add(queue, [made], by=ADMIN)
    order = []
    while (found := desk.reviews.next(queue, ANN)) is not None:
        order.append(found.item.content.example.id)
        desk.reviews.answer(queue, found.item.id, {"verdict": SECRET}, by=ANN)
    assert order == ["apart", "words", "near", "agree"]


def test_preferences_are_kept_by_output_whatever_was_shown_first(desk: Desk) -> None:
    queue = _made(desk, items=6, outputs=2, reviews=2, form=(Question(name="better", kind="preference"),))
    for who in (ANN, BOB):
        while (found := desk.reviews.next(queue, who)) is not None:
            view = desk.reviews.seen(queue, found, by=who)
            assert all(output.name == "" for output in view.outputs), "who made an output is hidden"
            letter = "A" if view.outputs[0].text.endswith(" 1") else "B"
            desk.reviews.answer(queue, found.item.id, {"better": letter}, by=who)
    orders = {(one.item.id, review.order) for one in desk.standings(queue) for review in one.reviews}
    assert {order for _, order in orders} == {(0, 1), (1, 0)}
    for one in desk.standings(queue):
        assert one.item.settled is not None and one.item.settled.values == {"better": "1"}
    pairs = list(export.preferences(queue, desk.standings(queue)))
    assert all(pair["chosen"].endswith(" 1") and pair["rejected"].endswith(" 0") for pair in pairs)
    for one in export.judged(queue, desk.standings(queue), question="better"):
        assert one.metadata["label"] == "loss" and one.metadata["rival"].endswith(" 1")


def test_exports_carry_corrections_labels_and_training_data(desk: Desk) -> None:
    form = (
        Question(name="verdict", kind="label", choices=(Choice(value="good"), Choice(value="bad"))),
        Question(name="fixed", kind="correction", required=False),
    )
    queue = _made(desk, items=2, reviews=1, form=form)
    _answer(desk, queue, ANN, verdict="bad", fixed="Paris.")
    _answer(desk, queue, ANN, verdict="good")
    done = desk.standings(queue)
    corrected, kept = export.examples(queue, done)
    assert corrected.expected == "Paris." and kept.expected is None
    assert corrected.tags == ("verdict:bad",) and corrected.source == f"review:{done[0].item.id}"
    assert corrected.metadata["review"]["verdict"] == "bad" and corrected.metadata["output"] == "answer 0 0"
    [pair] = export.preferences(queue, done)
    assert (pair["chosen"], pair["rejected"]) == ("Paris.", "answer 0 0")
    [shown] = export.demonstrations(queue, done)
    assert shown["messages"][-1] == {"role": "assistant", "content": "Paris."}
    judged = [one.metadata for one in export.judged(queue, done, question="verdict")]
    assert [(one["answer"], one["label"]) for one in judged] == [
        ("answer 0 0", "bad"),
        ("answer 1 0", "good"),
    ]


@pytest.mark.parametrize(
    ("question", "value", "sentence"),
    [
        (
            Question(name="q", kind="label", choices=(Choice(value="a"), Choice(value="b"))),
            "c",
            "one of a, b",
        ),
        (Question(name="q", kind="labels", choices=(Choice(value="a"), Choice(value="b"))), ["c"], "some of"),
        (Question(name="q", kind="score"), 6, "from 1 to 5"),
        (Question(name="q", kind="score"), 1.5, "steps of 1"),
        (Question(name="q", kind="score"), float("nan"), "from 1 to 5"),
        (Question(name="q", kind="score"), True, "from 1 to 5"),
        (Question(name="q", kind="preference"), "A", "two outputs"),
        (Question(name="q", kind="comment"), 3, "text"),
        (Question(name="q", kind="survey", instrument="sus"), [1] * 9, "10 whole numbers"),
        (Question(name="q", kind="survey", instrument="sus"), [0] * 10, "10 whole numbers"),
        (Question(name="q", kind="comment"), None, "must be answered"),
    ],
)
def test_answers_that_do_not_fit_are_refused(question: Question, value: Any, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        checked((question,), {"q": value}, order=(0,))


def test_questionnaires_score_as_published() -> None:
    sus = instrument.named("sus")
    assert sus.score([5, 1] * 5) == 100 and sus.score([1, 5] * 5) == 0 and sus.score([3] * 10) == 50
    answers = [5, 4, 2, 1, 2, 3, 2, 4, 5, 2]
    by_hand = 2.5 * (sum(one - 1 for one in answers[::2]) + sum(5 - one for one in answers[1::2]))
    assert sus.score(answers) == by_hand
    assert instrument.named("umux-lite").score([7, 7]) == 100
    assert [instrument.named("nps").score([one]) for one in (10, 8, 6)] == [100, 0, -100]
    assert instrument.named("seq").score([6]) == 6


@given(st.text(max_size=20), st.text(max_size=20))
def test_everybody_sees_both_outputs_once(item: str, reviewer: str) -> None:
    assert sorted(order_for(item, reviewer, 2)) == [0, 1]
    assert order_for(item, reviewer, 2) == order_for(item, reviewer, 2)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_disagreement_lies_between_none_and_half_and_half(values: list[float]) -> None:
    hidden = {"scores": {"s": values}}
    found = disagreement(Content(example=Example(id="x", input={}), hidden=hidden))
    assert -1e-9 <= found <= 1 + 1e-9
    assert (found < 1e-9) == (max(values) - min(values) < 1e-4) or max(values) - min(values) < 1e-3


def test_what_was_asked_and_said_is_read_from_any_dialect() -> None:
    chat = '{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
    assert asked(chat) == {"messages": [{"role": "user", "content": "hi"}]}
    assert said('{"choices": [{"message": {"role": "assistant", "content": "hello"}}]}') == "hello"
    assert said('data: {"choices": [{"delta": {"content": "he"}}]}\n\ndata: {"choices": [{"delta": '
                '{"content": "llo"}}]}\n\ndata: [DONE]\n\n') == "hello"  # fmt: skip
    assert asked('{"system": "be kind", "messages": [{"role": "user", "content": "hi"}]}') == {
        "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]
    }
    assert said('{"content": [{"type": "text", "text": "hello"}]}') == "hello"
    assert (
        said('{"output": [{"type": "reasoning"}, {"content": [{"type": "output_text", "text": "x"}]}]}')
        == "x"
    )
    assert asked('{"input": "hi"}') == {"input": "hi"} and asked("plain") == {"input": "plain"}
    assert asked('[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]') == {
        "messages": [{"role": "user", "content": "hi"}]
    }
    assert said('{"choices": [{"message": {"content": null, "tool_calls": [{}]}}]}') is None
    assert said(None) is None and asked("") is None and said("[1, {") == "[1, {"


def test_the_trace_is_hidden_until_the_item_is_done(desk: Desk) -> None:
    queue = _made(desk, items=0, reviews=1)
    example = Example(id="e", input={"input": "q"}, source="span:7/1")
    asked = Content(example=example, outputs=(Candidate(text="a"),), trace="7", span="1", source="span:7/1")
    desk.reviews.add(queue, [asked], by=ADMIN)
    found = desk.reviews.next(queue, ANN)
    assert found is not None
    before = desk.reviews.seen(queue, found, by=ANN).item.content
    assert (before.trace, before.span, before.source, before.example.source) == ("", "", "", "")
    _answer(desk, queue, ANN, verdict="alpha-secret")
    after = desk.reviews.item(queue, found.item.id, by=ANN).item.content
    assert (after.trace, after.span, after.source) == ("7", "1", "span:7/1")


def test_an_answer_to_questions_that_were_just_changed_is_refused(desk: Desk) -> None:
    queue = _made(desk)
    found = desk.reviews.next(queue, ANN)
    assert found is not None
    desk.reviews.patch("p", "q", {"form": (Question(name="other", kind="comment"),)}, by=ADMIN)
    with pytest.raises(Conflict, match="changed just now"):
        desk.reviews.answer(queue, found.item.id, {"verdict": "alpha-secret"}, by=ANN)
    queue = desk.reviews.queue("p", "q")
    desk.reviews.answer(queue, found.item.id, {"other": "fine"}, by=ANN)
    with pytest.raises(Conflict, match="reviews by this form"):
        desk.reviews.patch("p", "q", {"form": (Question(name="third", kind="comment"),)}, by=ADMIN)
    with pytest.raises(Conflict, match="has reviews"):
        desk.reviews.delete("p", "q", by=ADMIN)
