"""Prompts over the API: versions, labels that move as they may, what is served, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from noria.core.gate import GateResult
from noria.prompts.version import PromptVersion
from noria.runtime.control import Control
from noria.server.api.app import build

from .conftest import CONFIG, make_control

Client = Callable[..., TestClient]
PROTECTED = """
[prompts.labels.production]
gates = ["quality"]

[prompts.labels.eu]
approval = true

[prompts.policy.polite]
require = "(?i)please"
severity = "warning"
"""


def content(text: str = "Say hello to {{ name }}.", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "template": text}], **more}


def commit(admin: TestClient, name: str, text: str, **more: Any) -> dict[str, Any]:
    answer = admin.post(f"/api/prompts/{name}/versions", json={"content": content(text), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_versions_are_immutable_and_the_same_content_makes_none(client: Client) -> None:
    admin = client(local=True)
    first = commit(admin, "hello", "Hello {{ name }}.", comment="first")
    again = commit(admin, "hello", "\n\nHello {{ name }}.\r\n")
    assert first["created"] and not again["created"] and again["version"] == first["version"]
    second = commit(admin, "hello", "Hi {{ name }}!")
    assert second["version"]["number"] == 2
    assert second["version"]["parent"] == first["version"]["digest"]
    other = commit(admin, "hello", "Hey {{ name }}!", branch="bold")
    view = admin.get("/api/prompts/hello").json()
    assert view["branches"] == {"main": 2, "bold": 3} and view["version"]["number"] == 2
    assert admin.get("/api/prompts/hello/versions/bold").json() == other["version"]
    found = admin.get("/api/prompts/hello/diff", params={"before": "1", "after": "latest"}).json()
    assert found["messages"][0]["lines"][-2:] == ["-Hello {{ name }}.", "+Hi {{ name }}!"]
    assert admin.get("/api/prompts/hello/versions/9").status_code == 404
    assert admin.get("/api/prompts/hello/versions/1/file").text == "@user\nHello {{ name }}.\n"


def test_a_label_moves_back_and_its_history_says_where_it_stood(client: Client, control: Control) -> None:
    admin = client(local=True)
    for text in ("one", "two", "three"):
        commit(admin, "p", text)
    moved = []
    for number in (1, 2, 3):
        body = {"to": str(number), "reason": f"because {number}"}
        answer = admin.put("/api/prompts/p/labels/live", json=body)
        assert answer.status_code == 200, answer.text
        moved.append(answer.json()["move"])
    assert _served(control, "p") == {"live": 3}
    back = [admin.post("/api/prompts/p/labels/live/rollback", json={}).json() for _ in range(2)]
    assert [one["move"]["number"] for one in back] == [2, 1] and _served(control, "p") == {"live": 1}
    end = admin.post("/api/prompts/p/labels/live/rollback", json={})
    assert end.status_code == 404 and "no version before" in end.json()["error"]["message"]
    history = admin.get("/api/prompts/p/labels/live/history").json()["items"]
    assert [(one["kind"], one["number"]) for one in history] == [
        ("move", 1), ("move", 2), ("move", 3), ("rollback", 2), ("rollback", 1),
    ]  # fmt: skip
    for one in history:
        where = {"time_ms": one["moved_ms"]}
        stood = admin.get("/api/prompts/p/labels/live/at", params=where).json()["move"]
        assert stood["moved_ms"] == one["moved_ms"]
    before = {"time_ms": history[0]["moved_ms"] - 1}
    assert admin.get("/api/prompts/p/labels/live/at", params=before).json() == {"move": None}
    acts = [one["act"] for one in admin.get("/api/audit", params={"act": "prompt."}).json()["items"]]
    assert acts.count("prompt.label.move") == 3 and acts.count("prompt.label.rollback") == 2
    assert admin.delete("/api/prompts/p/labels/live").status_code == 200 and _served(control, "p") == {}


def test_a_protected_label_waits_for_gates_and_approval(tmp_path: Path) -> None:
    control = make_control(tmp_path, config=CONFIG + PROTECTED)
    control.start()
    app = build(control)
    admin = TestClient(
        app, base_url="http://127.0.0.1", headers={"authorization": f"Bearer {control.local_token}"}
    )
    commit(admin, "p", "one")
    refused = admin.put("/api/prompts/p/labels/production", json={"to": "1"})
    assert refused.status_code == 409 and "quality: undecided" in refused.json()["error"]["message"]

    class Gates:
        verdict: Any = "fail"

        def results(self, project: str, gates: Any, version: PromptVersion) -> list[GateResult]:
            return [GateResult(gate="quality", verdict=self.verdict, reason="0.71 is under 0.80.")]

    gates = Gates()
    control.prompts.gates = gates
    refused = admin.put("/api/prompts/p/labels/production", json={"to": "1"})
    assert "quality: fail. 0.71 is under 0.80." in refused.json()["error"]["message"]
    gates.verdict = "pass"
    moved = admin.put("/api/prompts/p/labels/production", json={"to": "1"}).json()
    assert moved["move"]["gates"][0]["verdict"] == "pass"
    assert admin.delete("/api/prompts/p/labels/production").status_code == 409

    refused = admin.put("/api/prompts/p/labels/eu", json={"to": "1"})
    assert refused.json()["error"]["code"] == "approval_needed"
    (asked,) = admin.get("/api/approvals").json()["items"]
    assert asked["id"] in refused.json()["error"]["message"]
    again = admin.put("/api/prompts/p/labels/eu", json={"to": "1"})
    assert again.status_code == 409 and len(admin.get("/api/approvals").json()["items"]) == 1
    token = admin.post("/api/keys", json={"name": "boss", "role": "admin"}).json()["token"]
    boss = TestClient(app, base_url="http://127.0.0.1", headers={"authorization": f"Bearer {token}"})
    decided = boss.post(f"/api/approvals/{asked['id']}/decide", json={"decision": "approve"})
    assert decided.status_code == 200, decided.text
    moved = admin.put("/api/prompts/p/labels/eu", json={"to": "1"}).json()
    assert moved["move"]["approval"] == asked["id"]
    assert admin.put("/api/prompts/p/labels/eu", json={"to": "1"}).status_code == 200, "it stands there"
    # One approval, one move: what was taken back is looked at again.
    commit(admin, "p", "two")
    admin.put("/api/prompts/p/labels/eu", json={"to": "2"})
    (asked,) = admin.get("/api/approvals", params={"state": "open"}).json()["items"]
    boss.post(f"/api/approvals/{asked['id']}/decide", json={"decision": "approve"})
    assert admin.put("/api/prompts/p/labels/eu", json={"to": "2"}).status_code == 200
    assert admin.post("/api/prompts/p/labels/eu/rollback", json={}).status_code == 200
    refused = admin.put("/api/prompts/p/labels/eu", json={"to": "2"})
    assert refused.json()["error"]["code"] == "approval_needed"
    body = {"content": {"messages": [{"role": "user", "template": "x"}]}, "branch": "production"}
    posing = admin.post("/api/prompts/p/versions", json=body)
    assert posing.status_code == 409 and "protected label" in posing.json()["error"]["message"]
    found = admin.post("/api/prompts/p/lint", json={}).json()
    assert [one["code"] for one in found["findings"]] == ["policy.polite"] and found["ok"]
    control.close()


def test_prompts_include_others_and_circles_are_named(client: Client) -> None:
    admin = client(local=True)
    commit(admin, "tone", "Be kind.")
    admin.put("/api/prompts/tone/labels/production", json={"to": "1"})
    commit(admin, "main", "{% include 'tone' %} {{ x }}")
    commit(admin, "tone", "Be rude.")
    admin.put("/api/prompts/tone/labels/production", json={"to": "2"})
    rendered = admin.post("/api/prompts/main/render", json={"variables": {"x": "Go."}}).json()
    assert rendered["messages"] == [{"role": "user", "text": "Be kind. Go."}], "pinned when it was made"
    body = {"content": content("{% include 'main@latest' %}")}
    circle = admin.post("/api/prompts/tone/versions", json=body)
    assert circle.status_code == 400
    assert circle.json()["error"]["message"] == (
        "Prompts include one another in a circle: tone → main → tone."
    )
    missing = admin.post("/api/prompts/x/versions", json={"content": content("{% include 'nothing' %}")})
    assert missing.status_code == 404


def test_the_catalogue_is_searched_by_word_tag_and_owner(client: Client) -> None:
    admin = client(local=True)
    for name, tags in (("refund-mail", ["mail", "é"]), ("refund-chat", ["chat"]), ("other", ["mail"])):
        commit(admin, name, "x")
        described = {"description": f"About {name}.", "tags": tags, "owners": ["ann"]}
        assert admin.put(f"/api/prompts/{name}", json=described).status_code == 200

    def found(**query: str) -> list[str]:
        return [one["name"] for one in admin.get("/api/prompts", params=query).json()["items"]]

    assert found() == ["other", "refund-chat", "refund-mail"]
    assert found(search="REFUND") == ["refund-chat", "refund-mail"] and found(tag="é") == ["refund-mail"]
    assert found(tag="mai") == [] and found(owner="ann", tag="mail") == ["other", "refund-mail"]
    assert found(search="%") == []


def test_hostile_contents_are_refused_in_a_sentence(client: Client) -> None:
    admin = client(local=True)
    for text in (
        "{{ ''.__class__ }}{% macro x() %}{% endmacro %}",
        "{% for %}",
        "{{ f() }}",
        "{{ x | attr('a') }}",
    ):
        answer = admin.post("/api/prompts/p/versions", json={"content": content(text)})
        assert answer.status_code == 400 and answer.json()["error"]["message"].startswith("Message 1 (user)")
    commit(admin, "p", "{{ ''.__class__.__mro__ }}")
    rendered = admin.post("/api/prompts/p/render", json={})
    assert rendered.status_code == 400 and "not defined" in rendered.json()["error"]["message"]
    schema = {"properties": {"x": {"type": "string", "pattern": "(a+)+$"}}}
    answer = admin.post("/api/prompts/p/versions", json={"content": content("x", variables=schema)})
    assert answer.status_code == 400 and "pattern" in answer.json()["error"]["message"]


def _served(control: Control, name: str) -> dict[str, int]:
    _, live = control.snapshots.current()
    found = live.prompts.get("default", {}).get(name)
    return {} if found is None else found.labels


def test_a_chain_of_includes_and_a_parameter_that_is_none_are_refused(client: Client) -> None:
    admin = client(local=True)
    commit(admin, "p0", "end")
    for depth in range(1, 19):
        commit(admin, f"p{depth}", f"{{% include 'p{depth - 1}@1' %}}")
    body = {"content": {"messages": [{"role": "user", "template": "{% include 'p18@1' %}"}]}}
    assert admin.post("/api/prompts/p19/versions", json=body).status_code == 201
    body["content"]["messages"][0]["template"] = "{% include 'p19@1' %}"
    refused = admin.post("/api/prompts/p20/versions", json=body)
    assert refused.status_code == 400 and "20 deep" in refused.json()["error"]["message"]
    body = {"content": {"messages": [{"role": "user", "template": "x"}], "parameters": {"stream": True}}}
    refused = admin.post("/api/prompts/q/versions", json=body)
    assert refused.status_code == 400 and "'stream' is no parameter" in refused.json()["error"]["message"]
