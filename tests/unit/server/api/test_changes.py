"""What time charts mark: configuration versions and moves of labels, each in its own project."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.testclient import TestClient

Client = Callable[..., TestClient]


def marks(page: TestClient, **more: str) -> list[str]:
    found = page.get("/api/pulse", params={"from": "-15m", **more}).json()
    return [f"{mark['kind']} {mark['label']}" for mark in found["marks"]]


def test_moves_of_labels_are_marks_of_their_project(client: Client) -> None:
    admin = client(local=True)
    for text in ("Hello {{ name }}.", "Hi {{ name }}!"):
        content = {"messages": [{"role": "user", "template": text}]}
        assert admin.post("/api/prompts/hello/versions", json={"content": content}).status_code == 201
    for to in ("1", "2"):
        moved = admin.put("/api/prompts/hello/labels/live", json={"to": to, "reason": "better"})
        assert moved.status_code == 200, moved.text
    assert marks(admin) == [
        "config version 1: first start",
        "label hello: live to version 1",
        "label hello: live to version 2",
    ]
    assert marks(admin, **{"from": "-30m", "to": "-15m"}) == []
    assert marks(admin, project="other") == ["config version 1: first start"]
