"""What people wrote is sealed in noria.db where that is wanted, and read whatever the switch was then."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from noria.access.audit import Act
from noria.access.role import SYSTEM
from noria.core.clock import SystemClock
from noria.core.example import Example
from noria.datasets.store import Dataset
from noria.errors import ConfigError
from noria.evals.answer import Answer, Judgement
from noria.evals.optimize.optimization import Tried
from noria.evals.run import DatasetRef, EvalRun, RunSpec, TargetSpec
from noria.evals.store import Written
from noria.feedback.feedback import Feedback, Kind
from noria.providers.secrets import Vault
from noria.reviews.item import Candidate, Change, Content, Flag, Item, Review, Settled, Turn
from noria.reviews.queue import Question, Queue
from noria.scoring.scorer import Score
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.datasets import DatasetTable
from noria.storage.evals import EvalTable
from noria.storage.feedback import FeedbackTable
from noria.storage.optimizations import OptimizationTable
from noria.storage.reviews import ReviewTable
from noria.storage.seal import PLAIN, Seal

WORDS = "the heron stands in the reeds at dawn"
VAULT = Vault([b"k" * 32])
SEALED = Seal(VAULT, wanted=True)
BODY = {"said": WORDS}
ACT = Act(by=SYSTEM, act="test", subject="s")

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_seals = st.sampled_from([PLAIN, SEALED])


@given(_seals, _json | st.text().map("noria:sealed:".__add__) | st.text().map("noria:plain:".__add__))
def test_a_value_comes_back_whatever_it_looks_like(seal: Seal, value: Any) -> None:
    reader = Seal(VAULT)
    assert reader.opened_json(seal.json(value)) == value
    if isinstance(value, str):
        assert reader.opened_text(seal.text(value)) == value


@given(_seals, st.binary())
def test_bytes_come_back(seal: Seal, body: bytes) -> None:
    body = b"{" + body
    assert Seal(VAULT).opened(seal.bytes(body)) == body
    assert (seal.bytes(body) == body) is not seal.wanted


def test_without_the_key_it_says_so() -> None:
    for value in (SEALED.json(BODY), SEALED.text(WORDS)):
        with pytest.raises(ConfigError, match="NORIA_ENCRYPTION_KEY"):
            PLAIN.opened_json(value)
    with pytest.raises(ConfigError, match="no key"):
        Seal(wanted=True)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "noria.db"


def test_nothing_of_all_that_people_wrote_is_on_the_disk_in_the_clear(file: Path) -> None:
    _write(file, SEALED)
    for path in file.parent.iterdir():
        assert WORDS.encode() not in path.read_bytes(), path
    _read(file, Seal(VAULT))
    _read(file, SEALED)
    with pytest.raises(ConfigError, match="NORIA_ENCRYPTION_KEY"):
        _read(file, PLAIN)


def test_what_was_written_before_the_switch_was_turned_on_is_read_as_it_is(file: Path) -> None:
    _write(file, PLAIN)
    assert any(WORDS.encode() in path.read_bytes() for path in file.parent.iterdir())
    _read(file, SEALED)
    _read(file, PLAIN)


def test_an_example_that_is_written_again_under_the_switch_is_sealed(file: Path) -> None:
    # Bodies that do not compress, so that their words can be found.
    words = os.urandom(60).hex()
    for seal in (PLAIN, SEALED):
        database = Database.open(file, seal=seal)
        store = DatasetTable(database, AuditLog(database, SystemClock()), SystemClock())
        name = "sealed" if seal.wanted else "plain"
        store.create(Dataset(id="", project="p", name=name), by=SYSTEM)
        store.commit("p", name, [Example(id="a", input={"text": words})], by=SYSTEM)
        with database.read() as connection:
            body = connection.exec_driver_sql("SELECT body FROM example_bodies").scalars().one()
        assert body.startswith(b"\xc1noria:sealed:") is seal.wanted
        assert next(store.examples(_version(store, name))).input["text"] == words
        database.close()


def _version(store: DatasetTable, name: str) -> Any:
    found = store.version("p", name)
    assert found is not None
    return found


def _write(file: Path, seal: Seal) -> None:
    database = Database.open(file, seal=seal)
    log = AuditLog(database, SystemClock())
    example = Example(id="a", input=BODY, expected=WORDS)
    datasets = DatasetTable(database, log, SystemClock())
    datasets.create(Dataset(id="", project="p", name="d"), by=SYSTEM)
    datasets.commit("p", "d", [example], by=SYSTEM)
    datasets.add_import("p", "d", "imp_1", {"problems": [WORDS]})
    feedback = FeedbackTable(database)
    said: dict[Kind, Any] = {"comment": None, "demonstration": WORDS, "correction": BODY, "thumb": True}
    for kind, value in said.items():
        one = Feedback(
            id=f"fb_{kind}", project="p", trace="t", kind=kind, value=value, comment=WORDS,
            metadata=BODY, by="b", by_name="B", created_ms=1,
        )  # fmt: skip
        feedback.add(one)
        assert feedback.revise(replace(one, revision=2, revised_ms=2))
    form = (Question(name="v", kind="comment"),)
    queue = Queue(id="q", project="p", name="q", form=form)
    reviews = ReviewTable(database, log)
    reviews.add_queue(queue, ACT)
    item = Item(
        id="i", queue="q", project="p", number=1,
        content=Content(example=example, outputs=(Candidate(text=WORDS),), shown=BODY, hidden=BODY),
    )  # fmt: skip
    reviews.add_items(queue, [item], [], lambda fresh: ACT)
    change = Change(
        item=replace(item, number=1, settled=Settled(values={"v": WORDS})),
        turn=Turn(item="i", queue="q", reviewer="r", state="skipped", reason=WORDS),
        review=Review(
            id="r", item="i", queue="q", reviewer="r", reviewer_name="R", answers={"v": WORDS}, comment=WORDS
        ),
        flag=Flag(item="i", reviewer="r", reviewer_name="R", reason=WORDS, at_ms=1),
    )
    reviews.change(queue, "i", lambda standing: change)
    evals = EvalTable(database, log)
    spec = RunSpec(
        name="e", target=TargetSpec(model="m"), dataset=DatasetRef(name="d", number=1, digest="x"), scorers=()
    )
    evals.add(EvalRun(id="run", project="p", spec=spec, by="b", by_name="B", created_ms=1), ACT)
    answer = Answer(example="a", revision="r", key="k", text=WORDS, cost=Decimal(0))
    judged = Judgement(example="a", scorer="s", key="k", scores=(Score(name="s", value=1.0, reason=WORDS),))
    evals.write("run", Written(examples=[example], answers=[answer], judgements=[judged]))
    OptimizationTable(database, log).keep("o", "c", "a", Tried(text=WORDS))
    database.close()


def _read(file: Path, seal: Seal) -> None:
    database = Database.open(file, seal=seal)
    try:
        log = AuditLog(database, SystemClock())
        datasets = DatasetTable(database, log, SystemClock())
        assert [one.input for one in datasets.examples(_version(datasets, "d"))] == [BODY]
        assert datasets.imports("p", "d")[0][2] == {"problems": [WORDS]}
        feedback = FeedbackTable(database)
        found = {one.kind: one for one in feedback.of_trace("p", "t")}
        assert {one.comment for one in found.values()} == {WORDS} and found["comment"].metadata == BODY
        assert [found[kind].value for kind in ("comment", "demonstration", "correction", "thumb")] == [
            None, WORDS, BODY, True,
        ]  # fmt: skip
        assert feedback.history(found["correction"])[0].value == BODY
        reviews = ReviewTable(database, log)
        queue = reviews.queue("p", "q")
        assert queue is not None
        standing = reviews.standing(queue, "i")
        assert standing is not None and standing.item.settled is not None
        assert (standing.item.content.shown, standing.item.settled.values) == (BODY, {"v": WORDS})
        assert (standing.reviews[0].answers, standing.reviews[0].comment) == ({"v": WORDS}, WORDS)
        assert standing.flags[0].reason == standing.turns[0].reason == WORDS
        evals = EvalTable(database, log)
        kept = evals.kept_of("run", ["a"])["a"]
        assert kept.answers[0].text == kept.judgements[0].scores[0].reason == WORDS
        assert evals.answers("p", ["k"])["k"].text == WORDS
        tried = OptimizationTable(database, log).tried("o", "c", ["a"])
        assert tried["a"].text == WORDS
    finally:
        database.close()
