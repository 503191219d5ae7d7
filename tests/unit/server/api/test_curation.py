"""Builds over the API, done by real jobs in child processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace

from noria.access.role import SYSTEM
from noria.core.clock import SystemClock
from noria.core.example import Example
from noria.datasets.curation.plan import StepSpec
from noria.datasets.store import Dataset
from noria.runtime.control import Control
from noria.storage.audit import AuditLog
from noria.storage.curation import CurationTable
from noria.storage.datasets import DatasetTable

from .conftest import CONFIG, make_control

Client = Callable[..., TestClient]
pytest.importorskip("dbos")
_NO_WORDS: list[dict[str, Any]] = [{"type": "near", "arguments": {"words": 0}}]
_STEPS: list[dict[str, Any]] = [
    {"type": "normalize", "arguments": {}},
    {"type": "exact", "arguments": {}},
    {"type": "filter", "arguments": {"where": 'not ("secret" in text)'}},
    {"type": "decontaminate", "arguments": {"against": ["tests"]}},
    {"type": "pii", "arguments": {"mode": "token"}},
]


@pytest.fixture
def datasets(control: Control) -> DatasetTable:
    clock = SystemClock()
    table = DatasetTable(control.database, AuditLog(control.database, clock), clock)
    table.create(Dataset(id="", project="default", name="raw"), by=SYSTEM)
    texts = ["one  two", "one two", "a secret for ann@example.com", "write to bob@example.com ", "plain"]
    examples = [Example(id=f"e{place}", input={"input": text}) for place, text in enumerate(texts)]
    table.commit("default", "raw", examples, by=SYSTEM)
    table.create(Dataset(id="", project="default", name="tests"), by=SYSTEM)
    table.commit("default", "tests", [Example(id="g", input={"input": "another text"})], by=SYSTEM)
    return table


def _ended(client: TestClient, path: str) -> Any:
    for _ in range(600):
        found = client.get(path).json()
        if found["state"] not in ("queued", "running"):
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_build_look_take_back_and_open(control: Control, client: Client, datasets: DatasetTable) -> None:
    api = client(local=True)
    begun = api.post("/api/curation/builds", json={"dataset": "clean", "source": "raw", "steps": _STEPS})
    assert begun.status_code == 201, begun.text
    build = _ended(api, f"/api/curation/builds/{begun.json()['id']}")
    assert (build["state"], build["given"], build["left"], build["version"]) == ("done", 5, 3, 1), build
    assert [step["dropped"] for step in build["steps"]] == [0, 1, 1, 0, 0]
    assert build["steps"][4]["reasons"] == {"email": 1}

    version = datasets.version("default", "clean")
    assert version is not None
    assert version.lineage["source"]["dataset"] == "raw" and version.lineage["source"]["digest"]
    assert [step["type"] for step in version.lineage["steps"]] == [step["type"] for step in _STEPS]
    texts = {example.id: example.input["input"] for example in datasets.examples(version)}
    assert set(texts) == {"e0", "e3", "e4"} and texts["e0"] == "one two"
    assert "bob@" not in texts["e3"]

    drops = api.get(f"/api/curation/builds/{build['id']}/events", params={"kind": "drop"}).json()["items"]
    assert {drop["example"]: drop["reasons"] for drop in drops} == {"e1": ["duplicate"], "e2": ["filtered"]}
    edits = api.get(
        f"/api/curation/builds/{build['id']}/events", params={"kind": "edit", "example": "e0"}
    ).json()["items"]
    assert edits[0]["changes"] == [{"field": "input.input", "before": "one  two", "after": "one two"}]

    opened = api.post("/api/curation/tokens/open", json={"text": texts["e3"]})
    assert opened.json() == {"text": "write to bob@example.com"}
    assert control.audit.page(act="personal_data.open").items[0].details == {"tokens": 1}

    selected = {"reason": "filtered"}
    path = f"/api/curation/builds/{build['id']}/undo"
    assert api.post(f"{path}/count", json=selected).json() == {"drop": 1}
    job = _ended(api, f"/api/jobs/{api.post(path, json=selected).json()['id']}")
    assert job["state"] == "done" and "1 restored" in job["message"], job
    version = datasets.version("default", "clean")
    assert version is not None and version.number == 2 and version.lineage["build"] == build["id"]
    back = datasets.example(version, "e2")
    # It went on through the step behind the filter, so that no address came back with it.
    assert back is not None and "ann@" not in back.input["input"] and "secret" in back.input["input"]

    assert api.delete(f"/api/curation/builds/{build['id']}").status_code == 204
    assert api.get(f"/api/curation/builds/{build['id']}").status_code == 404


def _tokenize(file: str) -> dict[str, Any]:
    return {"type": "tokenize", "arguments": {"tokenizer": file}}


def test_what_is_refused(control: Control, client: Client, datasets: DatasetTable) -> None:
    api = client(local=True)
    for body, status, words in (
        ({"dataset": "clean"}, 404, "datasets.clean.build"),
        ({"dataset": "c", "source": "none", "steps": _STEPS}, 404, "no dataset called 'none'"),
        ({"dataset": "c", "source": "raw@9", "steps": _STEPS}, 409, "no such version"),
        ({"dataset": "c", "source": "raw", "steps": [{"type": "map"}]}, 403, "noria.toml"),
        ({"dataset": "c", "source": "raw", "steps": [_tokenize("/etc/passwd")]}, 403, "noria.toml's folder"),
        ({"dataset": "c", "source": "raw", "steps": [_tokenize("a/../../b")]}, 403, "noria.toml's folder"),
        ({"dataset": "c", "source": "raw", "steps": [{"type": "nothing"}]}, 400, "No step"),
        (
            {"dataset": "c", "source": "raw", "steps": [{"type": "near", "arguments": {"words": 0}}]},
            400,
            "words",
        ),
        ({"dataset": "c", "source": "raw@²", "steps": _STEPS}, 400, "A version is a number"),
        ({"dataset": "c", "source": "raw"}, 400, "both"),
    ):
        answer = api.post("/api/curation/builds", json=body)
        assert answer.status_code == status and words in answer.json()["error"]["message"], answer.text
    assert api.post("/api/curation/builds/resume", json={"dataset": "clean"}).status_code == 409


def test_every_step_says_what_it_does(client: Client) -> None:
    found = client(local=True).get("/api/curation/steps").json()["items"]
    assert {"normalize", "near", "pii", "decontaminate"} <= {one["type"] for one in found}
    assert all(one["does"] for one in found)


_SLOW = """
import time

def slow(example):
    with open({log!r}, "a") as file:
        file.write(example.id + "\\n")
    time.sleep(0.002)
    return example
"""


_CONFIG = """
[datasets.made]
columns = { input = { input = "q" } }
splits = { train = 0.5, test = 0.5 }

[datasets.made.build]
files = ["given.jsonl"]
steps = [{ type = "exact" }]
"""


def test_files_are_built_as_noria_toml_says(tmp_path: Path) -> None:
    """What cannot be read is counted and told; the result has the splits that are declared."""
    lines = [*(f'{{"q": "text {place}"}}' for place in range(40)), "no json", '{"q": "text 1"}']
    (tmp_path / "given.jsonl").write_text("\n".join(lines))
    control = make_control(tmp_path, config=CONFIG + _CONFIG)
    control.start()
    try:
        build = control.curation.start("default", "made", by=SYSTEM)
        until = time.monotonic() + 60
        while not control.curation.get("default", build.id).ended_ms and time.monotonic() < until:
            time.sleep(0.1)
        clock = SystemClock()
        version = DatasetTable(control.database, AuditLog(control.database, clock), clock).version(
            "default", "made"
        )
        assert version is not None and version.examples == 40
        assert set(version.splits) == {"train", "test"} and sum(version.splits.values()) == 40
        assert version.lineage["unread"] == 1 and version.lineage["problems"][0]["line"] == 41
        assert version.lineage["source"]["described"][0]["sha256"]
        job = control.curation.job(control.curation.get("default", build.id))
        while job is not None and job.state == "running" and time.monotonic() < until:
            time.sleep(0.1)
            job = control.curation.job(control.curation.get("default", build.id))
        assert (
            job is not None
            and "1 records could not be read, the first at given.jsonl, line 41" in job.message
        )
    finally:
        control.close()


@pytest.mark.slow
def test_a_killed_build_goes_on_when_asked(control: Control, client: Client, tmp_path: Path) -> None:
    """The child is killed with -9; what it had done is not done again, and there is one version."""
    log = tmp_path / "log"
    (tmp_path / "slow_step.py").write_text(_SLOW.format(log=str(log)))
    clock = SystemClock()
    datasets = DatasetTable(control.database, AuditLog(control.database, clock), clock)
    datasets.create(Dataset(id="", project="default", name="raw"), by=SYSTEM)
    examples = [Example(id=f"e{place:05}", input={"input": str(place)}) for place in range(5000)]
    datasets.commit("default", "raw", examples, by=SYSTEM)
    steps = [StepSpec(type="map", arguments={"function": "slow_step:slow"})]
    build = control.curation.start("default", "slow", source="raw", steps=steps, by=SYSTEM)
    run = control.home.folder / "curation" / build.id
    while len(list(run.glob("0/*.done"))) < 2:
        time.sleep(0.02)
    _kill(build.id)
    api = client(local=True)
    failed = _ended(api, f"/api/curation/builds/{build.id}")
    assert failed["state"] == "failed" and "-9" in failed["message"]
    assert datasets.version("default", "slow") is None

    again = api.post("/api/curation/builds/resume", json={"dataset": "slow"}).json()
    assert again["id"] == build.id
    done = _ended(api, f"/api/curation/builds/{build.id}")
    assert (done["state"], done["left"], done["version"]) == ("done", 5000, 1)
    version = datasets.version("default", "slow")
    assert version is not None and version.number == 1 and version.examples == 5000
    # Two shards were whole; of those under way at the kill, a thousand examples each, some were done again.
    assert 5000 <= len(log.read_text().splitlines()) <= 5000 + 3000


def test_a_build_that_died_right_behind_its_commit_makes_no_second_version(
    control: Control, client: Client, datasets: DatasetTable
) -> None:
    api = client(local=True)
    asked = {"dataset": "clean", "source": "raw", "steps": _STEPS[:1]}
    id = api.post("/api/curation/builds", json=asked).json()["id"]
    _ended(api, f"/api/curation/builds/{id}")
    # Somebody goes on working with the version before the build is resumed.
    added = {"examples": [{"id": "mine", "input": {"input": "x"}}]}
    assert api.post("/api/datasets/clean/examples", json=added).status_code == 201
    table = CurationTable(control.database, control.audit)
    build = control.curation.get("default", id)
    table.save(replace(build, ended_ms=0, version=0))
    api.post("/api/curation/builds/resume", json={"dataset": "clean"})
    done = _ended(api, f"/api/curation/builds/{id}")
    assert (done["state"], done["version"]) == ("done", 1)
    newest = datasets.version("default", "clean")
    assert newest is not None and newest.number == 2 and datasets.example(newest, "mine") is not None


def _kill(build: str) -> None:
    """The job's process, found by what it was given: it is this process's child."""
    for child in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for pid in child.read_text().split():
            if b"dataset.build" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(int(pid), signal.SIGKILL)
                return
    raise AssertionError(f"no process builds {build}")
