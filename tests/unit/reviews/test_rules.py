"""Whatever people do, in whatever order: no turn is given twice, no review too many counts, nobody sees."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from noria.access.role import Principal
from noria.core.example import Example
from noria.errors import RequestError
from noria.reviews.item import Candidate, Content, Standing
from noria.reviews.queue import Choice, Question, Queue
from noria.reviews.reviews import Reviews
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.reviews import ReviewTable
from noria.testing.clock import FrozenClock

ADMIN = Principal(id="admin", name="Admin", kind="local", roles={"*": "admin"})
PEOPLE = [
    Principal(id=f"acc_{n}", name=f"P{n}", kind="account", roles={"p": "editor"}, email=f"p{n}@x.org")
    for n in range(4)
]
SECRETS = ["alpha-secret", "beta-secret", "gamma-secret"]
FORM = (
    Question(name="verdict", kind="label", choices=tuple(Choice(value=one) for one in SECRETS)),
    Question(name="note", kind="comment", required=False),
)


def make_queue(**changes: Any) -> Queue:
    return Queue(**{"id": "", "project": "p", "name": "q", "form": FORM, "reviews": 2, **changes})


def content(number: int, outputs: int = 1) -> Content:
    example = Example(id=f"e{number}", input={"input": f"question {number}"})
    texts = tuple(Candidate(name=f"model-{at}", text=f"answer {number} {at}") for at in range(outputs))
    return Content(example=example, outputs=texts)


class Desk:
    """Reviews on a real database."""

    def __init__(self, database: Database) -> None:
        self.clock = FrozenClock()
        self.log = AuditLog(database, self.clock)
        self.table = ReviewTable(database, self.log)
        self.reviews = Reviews(self.table, self.clock)

    @property
    def now(self) -> int:
        return self.clock.now_ns() // 1_000_000

    def standings(self, queue: Queue) -> list[Standing]:
        return list(self.table.all(queue, states=("open", "full", "disputed", "done", "dropped")))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = Database.open(tmp_path / "noria.db")
    yield Desk(database)
    database.close()


class People(RuleBasedStateMachine):
    """Three people at a queue of two items with two blind reviews each."""

    folder: Path
    """With an empty database, of which each run has a copy: migrations take longer than a run."""
    runs = 0

    def __init__(self) -> None:
        super().__init__()
        People.runs += 1
        self._file = self.folder / f"{People.runs}.db"
        copyfile(self.folder / "noria.db", self._file)
        self._database = Database.open(self._file)
        self.desk = Desk(self._database)
        self.desk.reviews.create(make_queue(lock_s=60, grace_s=30), by=ADMIN)
        self.desk.reviews.add(self.queue, [content(number) for number in range(2)], by=ADMIN)

    def teardown(self) -> None:
        self._database.close()
        for file in self.folder.glob(f"{self._file.name}*"):
            file.unlink()

    @property
    def queue(self) -> Queue:
        return self.desk.reviews.queue("p", "q")

    @rule(who=st.sampled_from(PEOPLE[:3]), part=st.sampled_from(["review", "adjudication"]))
    def take(self, who: Principal, part: Any) -> None:
        self.desk.reviews.next(self.queue, who, part=part)

    @rule(
        who=st.sampled_from(PEOPLE[:3]), item=st.integers(0, 1), verdict=st.sampled_from(SECRETS),
        verb=st.sampled_from(["answer", "adjudicate"]),
    )  # fmt: skip
    def answer(self, who: Principal, item: int, verdict: str, verb: str) -> None:
        self._try(item, lambda id: getattr(self.desk.reviews, verb)(
            self.queue, id, {"verdict": verdict, "note": f"{who.id} says {verdict}"}, by=who
        ))  # fmt: skip

    @rule(who=st.sampled_from(PEOPLE[:3]), item=st.integers(0, 1))
    def answer_held(self, who: Principal, item: int) -> None:
        """As the page does: take a turn, then answer it."""
        found = self.desk.reviews.next(self.queue, who)
        if found is not None:
            self.desk.reviews.answer(self.queue, found.item.id, {"verdict": SECRETS[item]}, by=who)

    @rule(who=st.sampled_from(PEOPLE[:3]), item=st.integers(0, 1))
    def withdraw(self, who: Principal, item: int) -> None:
        self._try(item, lambda id: self.desk.reviews.withdraw(self.queue, id, by=who))

    @rule(who=st.sampled_from(PEOPLE[:3]), item=st.integers(0, 1))
    def skip(self, who: Principal, item: int) -> None:
        self._try(item, lambda id: self.desk.reviews.skip(self.queue, id, "unsure", by=who))

    @rule(who=st.sampled_from(PEOPLE[:3]), item=st.integers(0, 1))
    def release(self, who: Principal, item: int) -> None:
        self._try(item, lambda id: self.desk.reviews.release(self.queue, id, by=who))

    @rule(seconds=st.sampled_from([1, 31, 50, 61]))
    def wait(self, seconds: int) -> None:
        self.desk.clock.advance(seconds)

    def _try(self, item: int, act: Any) -> None:
        id = self.desk.standings(self.queue)[item].item.id
        try:
            act(id)
        except RequestError:
            pass  # Refused, which the invariants look at.

    @invariant()
    def no_turn_is_held_twice_and_no_review_is_too_many(self) -> None:
        for one in self.desk.standings(self.queue):
            counted = one.of("review")
            assert one.item.answered == len(counted) <= one.item.wanted
            assert len({review.reviewer for review in counted}) == len(counted)
            holding = [turn for turn in one.turns if turn.part == "review" and turn.live(self.desk.now)]
            if one.item.state == "open":
                assert len(holding) + len(counted) <= one.item.wanted
            deciding = [
                turn for turn in one.turns if turn.part == "adjudication" and turn.live(self.desk.now)
            ]
            assert len(deciding) <= 1
            decided = one.of("adjudication")
            assert len(decided) <= 1
            assert not {review.reviewer for review in decided} & {review.reviewer for review in one.reviews
                                                                  if review.part == "review"}  # fmt: skip
            if one.item.closed:
                assert len(counted) == one.item.wanted and one.item.settled is not None

    @invariant()
    def as_much_is_left_as_would_be_given(self) -> None:
        standings = self.desk.standings(self.queue)
        for who in PEOPLE[:3]:
            for part, state in (("review", "open"), ("adjudication", "disputed")):
                given = 0
                for one in standings:
                    turn = one.turn_of((who.id, who.email), part)  # pyright: ignore[reportArgumentType]
                    over = turn is not None and turn.state in ("answered", "skipped")
                    others = sum(
                        other.part == part and other.live(self.desk.now) and other.reviewer != who.id
                        for other in one.turns
                    )
                    room = one.item.answered + others < one.item.wanted if part == "review" else not others
                    mine = part == "adjudication" and one.review_by(who.id) is not None
                    given += one.item.state == state and room and not over and not mine
                assert self.desk.reviews.left(self.queue, who, part=part) == given  # pyright: ignore[reportArgumentType]

    @invariant()
    def nobody_sees_what_others_say_before_the_item_is_closed(self) -> None:
        queue = self.queue
        standings = {one.item.id: one for one in self.desk.standings(queue)}
        log = msgspec.json.encode(self.desk.log.page(limit=500).items).decode()
        assert not any(secret in log for secret in SECRETS)
        exported = {one.item.id for one in self.desk.reviews.closed(queue)}
        for who in (*PEOPLE, ADMIN):
            page = self.desk.reviews.items(queue, limit=50, by=who)
            mine = {review.item for review in self.desk.reviews.mine(queue, by=who, limit=50)}
            for seen in page.items:
                one = standings[seen.item.id]
                if one.item.closed:
                    continue
                assert one.item.id not in exported
                own = one.review_by(who.id)
                text = msgspec.json.encode(seen).decode()
                said = {review.answers["verdict"] for review in one.reviews if review.reviewer != who.id}
                if own is None or own.withdrawn:
                    assert not any(secret in text for secret in said), who.id
                    assert one.item.id not in mine
                else:
                    allowed = own.answers["verdict"]
                    assert not any(secret in text for secret in said - {allowed})
                assert not seen.reviews and seen.item.settled is None and seen.item.answered == 0
                if who is not ADMIN:
                    assert not seen.answered and not seen.skipped and not seen.held


def test_the_rules_hold_whatever_people_do(tmp_path: Path) -> None:
    _work(tmp_path, runs=12, steps=15)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_rules_hold_whatever_people_do_for_long(tmp_path: Path) -> None:
    _work(tmp_path, runs=120, steps=30)


def _work(folder: Path, *, runs: int, steps: int) -> None:
    People.folder = folder
    Database.open(folder / "noria.db").close()
    wanted = settings(
        max_examples=runs, stateful_step_count=steps, deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(People, settings=wanted)


def test_many_at_once_never_get_the_same_turn(desk: Desk) -> None:
    desk.reviews.create(make_queue(reviews=1, grace_s=0), by=ADMIN)
    queue = desk.reviews.queue("p", "q")
    desk.reviews.add(queue, [content(number) for number in range(40)], by=ADMIN)
    got: dict[str, list[str]] = {who.id: [] for who in PEOPLE}

    def work(who: Principal) -> None:
        while (found := desk.reviews.next(queue, who)) is not None:
            got[who.id].append(found.item.id)
            desk.reviews.answer(queue, found.item.id, {"verdict": SECRETS[0]}, by=who)

    threads = [threading.Thread(target=work, args=(who,)) for who in PEOPLE]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [item for items in got.values() for item in items]
    assert len(every) == len(set(every)) == 40
