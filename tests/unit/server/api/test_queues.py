"""Queues over the API: who may what, and that nobody learns what others say before their own answer."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from noria.access.keyring import KeyDraft
from noria.access.role import SYSTEM
from noria.runtime.control import Control
from noria.stats.agreement import krippendorff
from noria.storage.home import Home
from noria.storage.spans import SpanWriter, day_of
from noria.testing.clock import FrozenClock
from noria.tracing.span import Span

from .conftest import Books, make_control

Client = Callable[..., TestClient]
AT = 1_795_176_000_000_000_000
TRACE = bytes(range(1, 17))
WORDS = ["zebra", "yak", "xerus"]
FORM = [
    {"name": "verdict", "kind": "label", "choices": [{"value": word} for word in WORDS]},
    {"name": "fixed", "kind": "correction", "required": False},
]
QUEUE = {"name": "answers", "form": FORM, "reviews": 2, "grace_s": 0}
ITEMS = [{"input": {"input": f"q{n}"}, "outputs": [{"name": "model", "text": f"a{n}"}]} for n in range(3)]


@pytest.fixture
def control(tmp_path: Path, books: Books) -> Iterator[Control]:
    chat = json.dumps({"messages": [{"role": "user", "content": "what is the capital of France?"}]})
    answer = json.dumps({"choices": [{"message": {"role": "assistant", "content": "Lyon."}}]})
    span = Span(
        trace_id=TRACE, span_id=b"\1" * 8, name="chat", start=AT, end=AT + 1, user="ann", input=chat,
        output=answer, model="m",
    )  # fmt: skip
    bare = Span(trace_id=bytes(range(2, 18)), span_id=b"\2" * 8, name="bare", start=AT, end=AT + 1)
    writer = SpanWriter(Home(tmp_path / "home").spans, complete=lambda span: span)
    writer.write(day_of(AT), [span, bare], {})
    writer.close()
    found = make_control(tmp_path, books=books)
    found.start()
    yield found
    found.close()


@pytest.fixture
def people(client: Client, control: Control) -> dict[str, TestClient]:
    def made(name: str, role: str) -> TestClient:
        token = control.keys.create("default", KeyDraft(name=name, role=role), by=SYSTEM)[1]
        return client(key=token)

    found = {name: made(name, "editor") for name in ("ann", "bob", "cat")}
    return {**found, "eve": made("eve", "viewer"), "admin": client(local=True)}


def _ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def _fill(people: dict[str, TestClient], **changes: Any) -> None:
    _ok(people["admin"].post("/api/queues", json={**QUEUE, **changes}), 201)
    assert _ok(people["admin"].post("/api/queues/answers/items", json={"items": ITEMS}))["added"] == 3


def _review(page: TestClient, **answers: Any) -> str:
    turn = _ok(page.post("/api/queues/answers/next", json={}))
    _ok(page.post(f"/api/queues/answers/items/{turn['item']['id']}/answer", json={"answers": answers}))
    return turn["item"]["id"]


def _everything(page: TestClient, items: list[str]) -> str:
    """All that any read of the API tells this person about the queue."""
    paths = [
        "/api/queues", "/api/queues/answers", "/api/queues/answers/agreement", "/api/queues/answers/results",
        "/api/queues/answers/items?limit=200", "/api/queues/answers/items?state=open",
        "/api/queues/answers/items?state=done", "/api/queues/answers/items?flagged=true",
        "/api/queues/answers/mine", "/api/audit", "/api/feedback",
        f"/api/traces/{TRACE.hex()}", "/api/traces?q=has:feedback&from=2026-11-20&to=2026-11-22",
        *(f"/api/queues/answers/export?format={kind}&question=verdict"
          for kind in ("answers", "examples", "judge", "preferences", "demonstrations")),
        *(f"/api/queues/answers/items/{item}" for item in items),
        *(f"/api/queues/answers/items/{item}/history" for item in items),
    ]  # fmt: skip
    return "\n".join(page.get(path).text for path in paths)


def test_nothing_that_can_be_read_tells_what_another_answered(people: dict[str, TestClient]) -> None:
    _fill(people)
    ids = [one["id"] for one in _ok(people["bob"].get("/api/queues/answers/items"))["items"]]
    before = {name: _without_questions(_everything(page, ids)) for name, page in people.items()}
    item = _review(people["ann"], verdict="zebra", fixed="SECRET-CORRECTION")
    for name, page in people.items():
        text = _everything(page, ids)
        told = "SECRET-CORRECTION" in text or '"verdict":"zebra"' in text
        assert told == (name == "ann"), name
    # Whoever is to review it next cannot tell it from one that nobody has answered.
    assert _without_questions(_everything(people["bob"], ids)) == before["bob"]
    [seen] = _ok(people["admin"].get(f"/api/queues/answers/items/{item}"))["answered"]
    assert seen["reviewer_name"] == "ann"
    _review(people["bob"], verdict="zebra", fixed="other")
    told = _ok(people["bob"].get(f"/api/queues/answers/items/{item}"))
    assert {one["answers"]["verdict"] for one in told["reviews"]} == {"zebra"} and told["state"] == "done"
    assert "SECRET-CORRECTION" in _everything(people["cat"], ids)


def _without_questions(text: str) -> str:
    """Without what moves by itself: the times in URLs, and the log of people's own acts."""
    return "\n".join(line for line in text.splitlines() if '"act":' not in line)


def test_disputes_are_decided_by_who_did_not_review(people: dict[str, TestClient]) -> None:
    _fill(people)
    item = _review(people["ann"], verdict="zebra")
    assert _review(people["bob"], verdict="yak") == item
    assert _ok(people["ann"].post("/api/queues/answers/next", json={"part": "adjudication"}))["item"] is None
    turn = _ok(people["cat"].post("/api/queues/answers/next", json={"part": "adjudication"}))
    assert turn["item"]["disputed"] == ["verdict"] and len(turn["item"]["reviews"]) == 2
    body = {"answers": {"verdict": "yak"}, "comment": "both are close"}
    done = _ok(people["cat"].post(f"/api/queues/answers/items/{item}/adjudicate", json=body))
    assert (done["settled"], done["settled_by"]) == ({"verdict": "yak"}, "adjudication")
    assert people["ann"].post(f"/api/queues/answers/items/{item}/adjudicate", json=body).status_code in (
        403,
        409,
    )


def test_every_act_is_on_record_without_what_was_answered(people: dict[str, TestClient]) -> None:
    _fill(people)
    item = _review(people["ann"], verdict="zebra")
    people["ann"].post(f"/api/queues/answers/items/{item}/withdraw")
    people["bob"].post(f"/api/queues/answers/items/{item}/skip", json={"reason": "unclear"})
    people["bob"].post(f"/api/queues/answers/items/{item}/flag", json={"reason": "offensive"})
    people["admin"].post(f"/api/queues/answers/items/{item}/drop")
    events = _ok(people["admin"].get("/api/audit"))["items"]
    acts = [one["act"] for one in events if one["act"].startswith(("review.", "queue."))]
    assert acts == [
        "review.drop", "review.flag", "review.skip", "review.withdraw", "review.answer", "review.add",
        "queue.create",
    ]  # fmt: skip
    assert "zebra" not in json.dumps(events)


def test_the_form_stays_once_there_are_reviews(people: dict[str, TestClient]) -> None:
    _fill(people)
    admin = people["admin"]
    _ok(admin.patch("/api/queues/answers", json={"form": FORM[:1], "guidelines": "# Be kind"}))
    _review(people["ann"], verdict="zebra")
    assert admin.patch("/api/queues/answers", json={"form": FORM}).status_code == 409
    assert admin.delete("/api/queues/answers").status_code == 409
    assert _ok(admin.patch("/api/queues/answers", json={"closed": True}))["closed"] is True
    assert _ok(people["bob"].post("/api/queues/answers/next", json={}))["item"] is None
    wrong = admin.post("/api/queues", json={**QUEUE, "name": "x", "order": "nonsense"})
    assert wrong.status_code == 400 and "priority" in wrong.json()["error"]["message"]


def test_traces_become_items_and_go_with_an_erasure(people: dict[str, TestClient], control: Control) -> None:
    admin = people["admin"]
    _ok(admin.post("/api/queues", json=QUEUE), 201)
    spans = {"q": "", "start": "2026-11-20", "end": "2026-11-22"}
    added = _ok(admin.post("/api/queues/answers/items", json={"spans": spans}))
    assert (added["added"], added["left_out"]) == (1, 1)
    assert _ok(admin.post("/api/queues/answers/items", json={"spans": spans}))["known"] == 1
    turn = _ok(people["ann"].post("/api/queues/answers/next", json={}))["item"]
    assert turn["input"]["messages"][0]["content"] == "what is the capital of France?"
    assert [output["text"] for output in turn["outputs"]] == ["Lyon."] and turn["hidden"] == {}
    for name, fixed in (("ann", "Paris."), ("bob", "Paris.")):
        _review(people[name], verdict="zebra", fixed=fixed)
    said = _ok(admin.get(f"/api/traces/{TRACE.hex()}"))["feedback"]
    assert [(one["kind"], one["name"], one["value"], one["by_name"]) for one in said] == [
        ("choice", "verdict", "zebra", "ann, bob"), ("correction", "fixed", "Paris.", "ann, bob"),
    ]  # fmt: skip
    found = _ok(admin.get("/api/traces?q=feedback.verdict:zebra&from=2026-11-20&to=2026-11-22"))["items"]
    assert [one["id"] for one in found] == [TRACE.hex()]
    made = _ok(people["ann"].post("/api/queues/answers/dataset", json={"name": "capitals"}))
    assert made == {"dataset": "capitals", "version": 1, "examples": 1}
    _ok(admin.post("/api/queues/answers/items", json={"dataset": {"name": "capitals"}}))
    assert _ok(admin.post("/api/erasures", json={"user": "ann"}))["places"] == {
        "dataset capitals": 1, "queue answers": 2,
    }  # fmt: skip
    assert _ok(admin.get("/api/queues/answers/items"))["items"] == []


def test_agreement_is_krippendorffs(people: dict[str, TestClient], control: Control) -> None:
    admin = people["admin"]
    form = [FORM[0], {"name": "grade", "kind": "score", "decides": False}]
    _ok(admin.post("/api/queues", json={**QUEUE, "reviews": 3, "form": form}), 201)
    items = [{"input": {"input": str(n)}, "outputs": [{"text": str(n)}]} for n in range(24)]
    _ok(admin.post("/api/queues/answers/items", json={"items": items}))
    chance = random.Random(7)
    said: dict[str, dict[str, tuple[str, int]]] = {name: {} for name in ("ann", "bob", "cat")}
    for name in said:
        for _ in range(24):
            verdict, grade = chance.choice(WORDS[:2]), chance.randint(1, 5)
            said[name][_review(people[name], verdict=verdict, grade=grade)] = (verdict, grade)
    found = _ok(admin.get("/api/queues/answers/agreement"))
    ids = sorted(said["ann"])
    verdict, grade = found["questions"]
    nominal = [[WORDS.index(said[name][id][0]) for id in ids] for name in said]
    interval = [[said[name][id][1] for id in ids] for name in said]
    alpha = krippendorff(list(zip(*nominal, strict=True)), level="nominal").estimate
    assert verdict["alpha"]["estimate"] == pytest.approx(alpha, abs=1e-9)
    alpha = krippendorff(list(zip(*interval, strict=True)), level="interval").estimate
    assert grade["alpha"]["estimate"] == pytest.approx(alpha, abs=1e-9)
    assert verdict["items"] == 24 and verdict["reviewers"] == 3 and verdict["fleiss"] is not None
    assert verdict["alpha"]["low"] <= verdict["alpha"]["estimate"] <= verdict["alpha"]["high"]
    assert _ok(people["eve"].get("/api/queues/answers/agreement"))["reviewers"] == []


def test_queues_of_the_configuration_are_there(tmp_path: Path, books: Books) -> None:
    config = (
        (Path(__file__).parent / "noria.toml").read_text()
        + """
[queues.tone]
reviews = 2
[[queues.tone.form]]
name = "tone"
kind = "label"
choices = ["kind", { value = "rude", key = "r" }]
[[queues.tone.form]]
name = "usability"
kind = "survey"
instrument = "sus"
"""
    )
    folder = tmp_path / "declared"
    folder.mkdir()
    control = make_control(folder, books=books, config=config)
    control.clock = FrozenClock()
    control.start()
    [queue] = control.reviews.queues("default")
    assert (queue.name, queue.reviews, queue.source) == ("tone", 2, "config")
    assert [question.kind for question in queue.form] == ["label", "survey"]
    control.close()
