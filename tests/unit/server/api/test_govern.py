"""Approvals and the audit log through the API."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.testclient import TestClient

from noria.access.keyring import KeyDraft
from noria.access.role import SYSTEM
from noria.runtime.control import Control

Client = Callable[..., TestClient]


def _people(client: Client, control: Control) -> tuple[TestClient, TestClient, TestClient]:
    """(editor, admin, another admin)."""
    tokens = [
        control.keys.create("default", KeyDraft(name=name, role=role), by=SYSTEM)[1]
        for name, role in (("ed", "editor"), ("ad", "admin"), ("bo", "admin"))
    ]
    ed, ad, bo = (client(key=token) for token in tokens)
    return ed, ad, bo


ASK = {"act": "config.apply", "subject": "sha256:1", "reason": "a new route"}


def test_somebody_else_decides(client: Client, control: Control) -> None:
    ed, ad, bo = _people(client, control)
    asked = ad.post("/api/approvals", json=ASK).json()
    path = f"/api/approvals/{asked['id']}/decide"
    assert ad.post(path, json={"decision": "approve"}).status_code == 403
    assert ed.post(path, json={"decision": "approve"}).status_code == 403
    assert bo.post(path, json={"decision": "withdraw"}).status_code == 403
    decided = bo.post(path, json={"decision": "approve", "comment": "fine"}).json()
    assert (decided["state"], decided["decided_by_name"]) == ("approved", "bo")
    assert bo.post(path, json={"decision": "reject"}).status_code == 409
    assert control.approvals.given("default", act="config.apply", subject="sha256:1") is not None
    assert control.approvals.given("default", act="config.apply", subject="sha256:2") is None


def test_whoever_asked_may_withdraw(client: Client, control: Control) -> None:
    ed, _, _ = _people(client, control)
    asked = ed.post("/api/approvals", json=ASK).json()
    withdrawn = ed.post(f"/api/approvals/{asked['id']}/decide", json={"decision": "withdraw"}).json()
    assert withdrawn["state"] == "withdrawn"
    assert ed.get("/api/approvals", params={"state": "open"}).json()["items"] == []


def test_nothing_of_another_project_is_seen(client: Client, control: Control) -> None:
    ed, _, _ = _people(client, control)
    id = ed.post("/api/approvals", json=ASK).json()["id"]
    local = client(local=True)
    answer = local.post(
        f"/api/approvals/{id}/decide", json={"decision": "reject"}, params={"project": "other"}
    )
    assert answer.status_code == 404


def test_every_act_is_in_a_whole_chain(client: Client, control: Control) -> None:
    ed, _, bo = _people(client, control)
    id = ed.post("/api/approvals", json=ASK).json()["id"]
    bo.post(f"/api/approvals/{id}/decide", json={"decision": "reject"})
    local = client(local=True)
    page = local.get("/api/audit", params={"limit": 2}).json()
    assert [event["act"] for event in page["items"]] == ["approval.reject", "approval.ask"]
    older = local.get("/api/audit", params={"cursor": page["next"]}).json()["items"]
    assert [event["number"] for event in older] == list(range(len(older), 0, -1))
    chain = local.get("/api/audit/verify").json()
    assert chain["whole"] and chain["events"] == len(older) + 2 and chain["head"] == page["items"][0]["hash"]


def test_bad_cursors_are_refused(client: Client) -> None:
    local = client(local=True)
    assert local.get("/api/audit", params={"cursor": "x"}).status_code == 400
    assert local.get("/api/config/versions", params={"cursor": "'"}).status_code == 400
