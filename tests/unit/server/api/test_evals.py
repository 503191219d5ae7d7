"""Evaluations over the API: what may be begun by whom, a run read in every way, gates that say why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fastapi.testclient import TestClient

FILES = Path(__file__).parents[2] / "evals" / "files"
Client = Callable[..., TestClient]


def taken_in(api: TestClient, name: str, **query: str) -> str:
    data = (FILES / "inspect.eval").read_bytes()
    answer = api.post("/api/evals/import", params={"form": "inspect", "name": name, **query}, content=data)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def refused(answer: object, status: int, words: str) -> None:
    assert answer.status_code == status and words in answer.text, answer.text  # type: ignore[attr-defined]


def test_a_run_is_read_in_every_way(client: Client) -> None:
    api = client(local=True)
    first, second = taken_in(api, "sums"), taken_in(api, "sums")
    found = api.get(f"/api/evals/runs/{first}").json()
    assert (found["run"]["state"], found["run"]["progress"]["scored"]) == ("done", 5)
    [exact] = found["metrics"]["measures"]
    assert (exact["name"], exact["kind"], exact["interval"]["estimate"]) == ("exact", "share", 1.0)
    page = api.get(f"/api/evals/runs/{first}/examples", params={"limit": 2}).json()
    assert [one["id"] for one in page["items"]] == ["0", "1"] and page["total"] == 5
    rest = api.get(
        f"/api/evals/runs/{first}/examples", params={"cursor": page["next"], "baseline": second}
    ).json()
    assert [one["id"] for one in rest["items"]] == ["2", "3", "4"] and rest["next"] is None
    assert rest["items"][0]["baseline"][0]["text"] == "answer 2"
    for show in ("failed", "wrong", "worse", "different"):
        query = {"show": show, "baseline": second}
        assert api.get(f"/api/evals/runs/{first}/examples", params=query).json()["total"] == 0
    compared = api.get("/api/evals/compare", params={"candidate": first, "baseline": second}).json()
    assert (compared["examples"], compared["scorers"][0]["verdict"]) == (5, "not shown")
    many = {"candidates": f"{first},{second}", "baseline": second}
    assert len(api.get("/api/evals/compare-all", params=many).json()["items"]) == 2
    for form in ("html", "markdown", "junit", "json", "inspect", "promptfoo"):
        answer = api.get(f"/api/evals/runs/{first}/report", params={"form": form, "baseline": second})
        assert answer.status_code == 200 and first in answer.headers["content-disposition"]
    listed = api.get("/api/evals/runs", params={"name": "sums"}).json()["items"]
    assert len(listed) == 2
    [headline] = listed[0]["headlines"]
    assert (headline["name"], headline["interval"]) == ("exact", exact["interval"])
    assert headline["corrected"] is None
    assert api.delete(f"/api/evals/runs/{first}").status_code == 204
    assert api.get(f"/api/evals/runs/{first}").status_code == 404


def test_what_cannot_be_is_a_sentence(client: Client) -> None:
    api = client(local=True)
    run = taken_in(api, "sums")
    examples = f"/api/evals/runs/{run}/examples"
    refused(api.get(examples, params={"show": "worse"}), 400, "give a `baseline`")
    refused(api.get(examples, params={"scorer": "no"}), 400, "no scorer 'no'")
    refused(api.get(f"/api/evals/runs/{run}/slices", params={"scorer": "exat"}), 404, "exact")
    refused(api.post(f"/api/evals/runs/{run}/stop"), 409, "is done")
    refused(api.post("/api/evals/gates/none/check", json={}), 404, "no [gates.none]")
    refused(api.post("/api/evals/runs", json={"name": "x"}), 400, "target, dataset, scorers")
    body = {"name": "x", "target": {"model": "no/such"}, "dataset": "d", "scorers": [{"type": "exact"}]}
    refused(api.post("/api/evals/runs", json=body), 404, "no/such")
    answer = api.post("/api/evals/import", params={"form": "inspect"}, content=b"nonsense")
    refused(answer, 400, "is not a log that can be read")
    refused(
        api.post("/api/suites/responsible/parts/no/runs", json={"model": "m", "data": "/"}), 404, "no part"
    )


def test_nobody_lets_the_server_call_or_load_what_they_like(client: Client) -> None:
    api = client(local=True)
    made = api.post("/api/keys", json={"name": "e", "role": "editor"}).json()
    editor = client(key=made["token"])
    for target in ({"url": "http://169.254.169.254/"}, {"function": "os:system"}):
        body = {"name": "x", "target": target, "dataset": "d", "scorers": [{"type": "exact"}]}
        assert editor.post("/api/evals/runs", json=body).status_code in (400, 422)
    local = {"path": "/etc/passwd", "form": "promptfoo"}
    refused(editor.post("/api/evals/import-local", json=local), 403, "command line")
    data = {"model": "m", "data": "/etc"}
    refused(editor.post("/api/suites/responsible/parts/refusal/runs", json=data), 403, "command line")
    viewer = client(key=api.post("/api/keys", json={"name": "v", "role": "viewer"}).json()["token"])
    refused(viewer.post("/api/evals/runs", json={"name": "x"}), 403, "editor")
