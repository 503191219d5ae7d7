"""Feedback over the API: found by traces' filters, counted, exported, erased."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from noria.access.keyring import KeyDraft
from noria.access.role import SYSTEM
from noria.runtime.control import Control
from noria.storage.home import Home
from noria.storage.spans import SpanWriter, day_of
from noria.tracing.span import Span

from .conftest import Books, make_control

Client = Callable[..., TestClient]
AT = 1_795_176_000_000_000_000
TRACES = [bytes([number]) * 16 for number in (1, 2, 3)]
WHEN = {"from": "2026-11-20", "to": "2026-11-22"}


@pytest.fixture
def control(tmp_path: Path, books: Books) -> Iterator[Control]:
    writer = SpanWriter(Home(tmp_path / "home").spans, complete=lambda span: span)
    spans = [
        Span(trace_id=trace, span_id=b"\1" * 8, name="a", start=AT, end=AT + 1, user=f"u{number}")
        for number, trace in enumerate(TRACES)
    ]
    writer.write(day_of(AT), spans, {})
    writer.close()
    found = make_control(tmp_path, books=books)
    found.start()
    yield found
    found.close()


def _give(page: TestClient, number: int, **fields: Any) -> Any:
    answer = page.post("/api/feedback", json={"trace": TRACES[number].hex(), **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def _found(page: TestClient, q: str) -> set[int]:
    answer = page.get("/api/traces", params={"q": q, **WHEN})
    assert answer.status_code == 200, answer.text
    heat = page.get("/api/traces/heatmap", params={"q": q, **WHEN})
    facets = page.get("/api/traces/facets", params={"q": q, **WHEN})
    pulse = page.get("/api/pulse", params={"q": q, **WHEN})
    assert {heat.status_code, facets.status_code, pulse.status_code} == {200}
    return {TRACES.index(bytes.fromhex(one["id"])) for one in answer.json()["items"]}


def test_traces_are_found_by_what_was_said_of_them(client: Client) -> None:
    page = client(local=True)
    _give(page, 0, kind="thumb", value=True)
    _give(page, 1, kind="score", name="helpful", value=0.25)
    gone = _give(page, 2, kind="thumb", value=False)
    assert _found(page, "has:feedback") == {0, 1, 2}
    assert _found(page, "-has:feedback") == set()
    assert _found(page, "feedback:up") == {0}
    assert _found(page, "feedback:down") == {2}
    assert _found(page, "feedback:up,down") == {0, 2}
    assert _found(page, "-feedback:down") == {0, 1}
    assert _found(page, "feedback.helpful<0.5") == {1}
    assert _found(page, "feedback.helpful:0.25 user:u1") == {1}
    assert _found(page, "feedback.helpful>0.5") == set()
    assert _found(page, "feedback:score") == {1}
    page.post(f"/api/feedback/{gone['id']}/retract")
    assert _found(page, "has:feedback") == {0, 1}
    for wrong in ("feedback.:x", "feedback>x", "feedback.helpful>"):
        assert page.get("/api/traces", params={"q": wrong, **WHEN}).status_code == 400, wrong


def test_it_is_counted_listed_and_exported(client: Client) -> None:
    page = client(local=True)
    for value in (True, True, False):
        _give(page, 0, kind="thumb", name="answer", value=value)
    _give(page, 0, kind="comment", comment="=cmd()")
    said = {(one["kind"], one["name"]): one for one in page.get("/api/feedback/said").json()["items"]}
    assert said["thumb", "answer"]["words"] == {"up": 2, "down": 1}
    assert said["thumb", "answer"]["mean"] == pytest.approx(2 / 3)
    assert said["thumb", "answer"]["interval"]["low"] == pytest.approx(0.2077, abs=1e-4)
    assert said["comment", ""]["interval"] is None
    first = page.get("/api/feedback", params={"limit": 3}).json()
    rest = page.get("/api/feedback", params={"limit": 3, "cursor": first["next"]}).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (3, 1, None)
    lines = page.get("/api/feedback/export").text.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["comment", "thumb", "thumb", "thumb"]
    rows = list(csv.DictReader(io.StringIO(page.get("/api/feedback/export?format=csv").text)))
    assert rows[0]["comment"] == "'=cmd()" and rows[1]["value"] == "false"


def test_a_key_speaks_for_its_own_project(client: Client, control: Control) -> None:
    _, token, _ = control.keys.create("other", KeyDraft(name="app"), by=SYSTEM)
    app = client(key=token)
    body = {"trace": TRACES[0].hex(), "kind": "thumb", "value": True}
    given = app.post("/v1/feedback", json=body).json()
    assert given["seen"] is False
    assert [one.project for one in control.feedback.history("other", given["id"])] == ["other"]
    assert app.post("/v1/feedback", params={"project": "default"}, json=body).status_code == 403
    assert client(local=True).get(f"/api/feedback/{given['id']}").status_code == 404


def test_a_cookie_does_not_count_on_v1(client: Client) -> None:
    answer = client().post("/v1/feedback", json={}, cookies={"noria_session": "x"})
    assert answer.status_code == 401


def test_erasure_takes_what_the_user_said_and_its_history(client: Client, control: Control) -> None:
    page = client(local=True)
    given = page.post(
        "/v1/feedback", json={"session": "s", "kind": "comment", "comment": "a", "user": "ann"}
    ).json()
    page.post(f"/v1/feedback/{given['id']}/revise", json={"comment": "b"})
    page.post("/api/erasures", json={"user": "ann"})
    assert page.get(f"/api/feedback/{given['id']}").status_code == 404
    with control.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM feedback_history").scalar() == 0
