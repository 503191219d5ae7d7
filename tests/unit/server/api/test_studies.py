"""Studies by the API: what is configured, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

CONFIG = (Path(__file__).parent / "noria.toml").read_text()
STUDIES = """
[evals.sums]
target = "fast"
file = "sums.jsonl"
scorers = ["exact"]

[studies.warmth]
objective = { type = "eval", eval = "sums", scorer = "exact" }
parameters.temperature = { float = [0.0, 1.0] }
trials = 3

[studies.wrong]
objective = { type = "eval", eval = "sums", scorer = "exct" }
parameters.temperature = { float = [0.0, 1.0] }

[studies.unnamed]
objective = { type = "eval", eval = "sums", scorer = "exact" }
parameters.model = { int = [1, 2] }

[studies.stranger]
objective = { type = "nothing" }
parameters.x = { float = [0.0, 1.0] }

[studies.own]
objective = { type = "function", function = "own_objective:score" }
parameters.x = { float = [0.0, 1.0] }
trials = 12
concurrency = 3
"""
# Waits while there is a file.
OWN = """
import asyncio
from pathlib import Path

async def score(values, trial):
    while Path(__file__).with_name("hold").exists() and trial.number > 2:
        await asyncio.sleep(0.02)
    return values["x"]
"""


@pytest.fixture
def api(client: Callable[..., TestClient], tmp_path: Path) -> TestClient:
    for module in ("dbos", "optuna"):
        pytest.importorskip(module)
    (tmp_path / "sums.jsonl").write_text('{"id": "a", "input": {"input": "1"}, "expected": "1"}\n')
    (tmp_path / "own_objective.py").write_text(OWN)
    found = client(local=True)
    applied = found.post("/api/config/apply", json={"files": {"noria.toml": CONFIG + STUDIES}})
    assert applied.status_code == 200, applied.text
    return found


def test_what_is_configured_is_listed(api: TestClient) -> None:
    items = api.get("/api/studies/definitions").json()["items"]
    assert {one["name"] for one in items} == {"warmth", "wrong", "unnamed", "stranger", "own"}
    assert next(one for one in items if one["name"] == "warmth") == {
        "name": "warmth", "objective": "eval", "parameters": ["temperature"], "trials": 3, "newest": None,
    }  # fmt: skip
    assert api.get("/api/studies").json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("warmt", "no [studies.warmt]"),
        ("wrong", "no measure 'exct'"),
        ("unnamed", "'model' must be a choice of names"),
        ("stranger", "No objective of type 'nothing'"),
    ],
)
def test_what_cannot_be_begun_is_refused_in_a_sentence(api: TestClient, name: str, said: str) -> None:
    answer = api.post("/api/studies", json={"name": name})
    assert 400 <= answer.status_code < 500
    assert said in answer.text, answer.text


def test_one_that_is_not_there(api: TestClient) -> None:
    for method, path in (
        ("GET", ""),
        ("GET", "/importance"),
        ("POST", "/stop"),
        ("POST", "/resume"),
        ("DELETE", ""),
    ):
        answer = api.request(method, f"/api/studies/study_x{path}", json={} if method == "POST" else None)
        assert answer.status_code == 404, answer.text


def test_a_study_is_begun_stopped_resumed_and_deleted(api: TestClient, tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    begun = api.post("/api/studies", json={"name": "own"})
    assert begun.status_code == 201, begun.text
    path = f"/api/studies/{begun.json()['id']}"
    _until(api, path, lambda study: study["progress"]["done"] == 3)
    assert api.delete(path).status_code == 409 and api.post(f"{path}/resume", json={}).status_code == 409
    stopped = api.post(f"{path}/stop", json={}).json()
    assert stopped["state"] == "stopped" and api.post(f"{path}/stop", json={}).status_code == 409
    hold.unlink()
    assert api.post(f"{path}/resume", json={"budget": "much"}).status_code == 400
    resumed = api.post(f"{path}/resume", json={"trials": 11, "budget": "2.50"}).json()
    assert (resumed["trials"], resumed["budget"], resumed["state"]) == (11, "2.50", "queued")
    study = _until(api, path, lambda study: study["state"] not in ("queued", "running"))
    assert (study["state"], study["progress"]["done"], study["message"]) == (
        "done", 11, "All 11 trials were made.",
    )  # fmt: skip
    assert api.get(f"{path}/importance").json() == {"shares": {"x": 1.0}}
    assert [trial["number"] for trial in api.get(path).json()["trials"]] == list(range(11))
    acts = [event["act"] for event in api.get("/api/audit").json()["items"]]
    assert [act for act in acts if act.startswith("study.")] == ["study.resume", "study.stop", "study.run"]
    assert api.delete(path).status_code == 204 and api.get(path).status_code == 404


def _until(api: TestClient, path: str, holds: Any) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while not holds(study := api.get(path).json()["study"]):
        assert time.monotonic() < deadline, study
        time.sleep(0.05)
    return study
