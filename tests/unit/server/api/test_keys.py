"""Keys and budgets: what is made here is what workers serve, and every act is on record."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fastapi.testclient import TestClient

from noria.access.key import authenticate
from noria.gateway.budget import row, window
from noria.runtime.control import Control
from noria.storage.counters_slots import Slots
from noria.storage.money import SharedMoney
from noria.storage.snapshots import Snapshots
from noria.tracing.store import CostRow

Client = Callable[..., TestClient]


def _accepts(control: Control, token: str) -> bool:
    _, live = control.snapshots.current()
    return authenticate(token.encode(), live.keys, pepper=control.pepper, now=time.time()) is not None


def test_a_key_is_served_from_its_making_to_its_revocation(client: Client, control: Control) -> None:
    admin = client(local=True)
    draft = {
        "name": "search backend",
        "team": "search",
        "routes": ["fast"],
        "limits": [
            {"unit": "money", "amount": "2.50", "window_s": 3600},
            {"unit": "requests", "amount": "9"},
        ],
    }
    made = admin.post("/api/keys", json=draft)
    assert made.status_code == 201, made.text
    token, key = made.json()["token"], made.json()["key"]
    assert token.startswith("nk-") and _accepts(control, token)
    assert token not in admin.get("/api/keys").text
    assert [limit["amount"] for limit in key["limits"]] == ["2.5", "9"]
    revoked = admin.post(f"/api/keys/{key['id']}/revoke").json()
    assert revoked["served"] == {"everywhere": True, "waiting_for": []}
    assert not _accepts(control, token)
    assert admin.get("/api/keys").json()["items"] == []
    assert admin.get("/api/keys", params={"revoked": True}).json()["items"][0]["state"] == "revoked"
    acts = [event["act"] for event in admin.get("/api/audit", params={"act": "key."}).json()["items"]]
    assert acts == ["key.revoke", "key.create"]
    assert admin.get("/api/audit/verify").json()["whole"]


def test_a_rotated_key_keeps_its_old_token_for_the_overlap(client: Client, control: Control) -> None:
    admin = client(local=True)
    made = admin.post("/api/keys", json={"name": "k"}).json()
    new = admin.post(f"/api/keys/{made['key']['id']}/rotate", json={"overlap_s": 60}).json()
    assert _accepts(control, made["token"]) and _accepts(control, new["token"])
    newer = admin.post(f"/api/keys/{made['key']['id']}/rotate", json={"overlap_s": 0}).json()
    assert not _accepts(control, new["token"]) and _accepts(control, newer["token"])


def test_revocation_names_the_worker_that_has_not_confirmed(client: Client, control: Control) -> None:
    admin = client(local=True)
    id = admin.post("/api/keys", json={"name": "k"}).json()["key"]["id"]
    worker = Snapshots(control.home.snapshots)
    worker.confirm(3, control.snapshots.generation)
    try:
        served = admin.post(f"/api/keys/{id}/revoke").json()["served"]
        assert served == {"everywhere": False, "waiting_for": [3]}
    finally:
        worker.confirm(3, 0)


def test_revocation_waits_for_the_worker_that_confirms(client: Client, control: Control) -> None:
    admin = client(local=True)
    id = admin.post("/api/keys", json={"name": "k"}).json()["key"]["id"]
    worker = Snapshots(control.home.snapshots)
    before = worker.generation
    worker.confirm(3, before)

    def follow() -> None:
        while worker.generation == before:
            time.sleep(0.01)
        time.sleep(0.1)
        worker.confirm(3, worker.generation)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        assert admin.post(f"/api/keys/{id}/revoke").json()["served"]["everywhere"]
    finally:
        thread.join()
        worker.confirm(3, 0)


def test_nobody_hands_out_more_than_they_have(client: Client) -> None:
    local = client(local=True)
    token = local.post("/api/keys", json={"name": "a", "role": "admin"}).json()["token"]
    admin = client(key=token)
    assert admin.post("/api/keys", json={"name": "b", "role": "admin"}).status_code == 201
    assert admin.post("/api/budgets", json={"name": "b", "amount": "1", "window": "day"}).status_code == 403


def test_a_wrong_key_is_refused_with_a_sentence(client: Client) -> None:
    admin = client(local=True)
    for draft, param in (
        ({"name": "k", "expires_ms": 1000}, "expires_ms"),
        ({"name": "k", "budgets": ["none"]}, "budgets"),
        ({"name": "k", "limits": [{"unit": "tokens", "amount": "1.5"}]}, "limits"),
        ({"name": "k", "limits": [{"unit": "money", "amount": "NaN"}]}, "limits"),
        ({"name": "k", "role": "root"}, "role"),
    ):
        answer = admin.post("/api/keys", json=draft)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_a_budget_shows_what_was_spent_and_is_reserved(client: Client, control: Control, books: Any) -> None:
    admin = client(local=True)
    made = admin.post(
        "/api/budgets", json={"name": "b", "subject": "team:*", "amount": "10", "window": "total"}
    )
    assert made.status_code == 201, made.text
    _, live = control.snapshots.current()
    assert live.budgets["b"].amount_nano == 10_000_000_000
    books.rows["team"] = [
        CostRow("search", "8.5", 3, 0, 0, 0, 0, 0, 0),
        CostRow("", "1", 1, 0, 0, 0, 0, 0, 0),
    ]
    slots = Slots(control.home.counters)
    money = SharedMoney(control.home.counters, slots=slots, slot=slots.claim("test"))
    start, end = window("total", int(time.time()))

    class Hold:
        row = row("b", "team:search", start)
        cap_nano, nano, window_end = 10_000_000_000, 250_000_000, end

    assert money.reserve([Hold()]) is None
    (budget,) = admin.get("/api/budgets").json()["items"]
    (spend,) = budget["subjects"]
    assert (spend["subject"], Decimal(spend["spent"]), Decimal(spend["reserved"])) == (
        "team:search", Decimal("8.5"), Decimal("0.25")
    )  # fmt: skip
    assert budget["state"] == "warning" and spend["share"] == 0.875
    assert admin.patch("/api/budgets/b", json={"amount": "5"}).json()["budget"]["state"] == "exceeded"
    assert admin.delete("/api/budgets/b").json()["everywhere"]
    assert admin.get("/api/budgets").json()["items"] == []


def test_a_budget_that_a_key_names_cannot_vanish(client: Client) -> None:
    admin = client(local=True)
    admin.post("/api/budgets", json={"name": "b", "amount": "10", "window": "month"})
    admin.post("/api/keys", json={"name": "k", "budgets": ["b"]})
    assert admin.delete("/api/budgets/b").status_code == 409
    assert admin.post("/api/budgets", json={"name": "b", "amount": "1", "window": "day"}).status_code == 409
