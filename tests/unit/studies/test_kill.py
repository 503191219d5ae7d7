"""kill -9 in the middle of a study: it goes on by itself, no trial is lost and none that ended made twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from noria.studies.parameter import Float, Int
from noria.studies.study import ObjectiveSpec

pytest.importorskip("optuna")

OBJECTIVE = """
import asyncio
import os
from pathlib import Path


async def score(values, trial):
    log = Path(__file__).with_name("log")
    with log.open("a") as file:
        file.write(f"begin {trial.number} {values['x']!r}\\n")
    trial.note("run", f"run_{trial.number}")
    await asyncio.sleep(0.05)
    with log.open("a") as file:
        file.write(f"end {trial.number}\\n")
    return values["x"] * values["n"]
"""


def _begin(arguments: dict[str, Any]) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-m", "noria.runtime.task", "studies.run"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdin is not None
    child.stdin.write(json.dumps(arguments).encode() + b"\n")
    child.stdin.flush()
    return child


def _said(child: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Its last word; its stdin stays open, since it dies with whoever holds it."""
    assert child.stdout is not None
    last = child.stdout.read().splitlines()[-1]
    child.wait()
    return json.loads(last)


def _lines(folder: Path) -> list[list[str]]:
    log = folder / "log"
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def test_a_study_survives_kill_9(desk: Any, tmp_path: Path) -> None:
    (tmp_path / "objective.py").write_text(OBJECTIVE)
    study = desk.study(
        {"x": Float(low=0.0, high=1.0), "n": Int(low=1, high=9)},
        trials=24,
        concurrency=3,
        objective=ObjectiveSpec(type="function", arguments={"function": "objective:score"}),
    )
    arguments = {
        "home": str(tmp_path),
        "folder": str(tmp_path),
        "project": "default",
        "study": study.id,
    }
    for until in (5, 13):
        child = _begin(arguments)
        deadline = time.monotonic() + 60
        while sum(line[0] == "end" for line in _lines(tmp_path)) < until:
            assert time.monotonic() < deadline and child.poll() is None
            time.sleep(0.005)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert desk.again(study).state == "running"
    cut_off = {trial.number: trial for trial in desk.table.trials(study.id) if trial.state == "running"}
    child = _begin(arguments)
    assert _said(child)["result"].startswith("done: 24 of 24 trials")

    trials = desk.table.trials(study.id)
    assert [trial.number for trial in trials] == list(range(24))
    assert all(trial.state == "done" and trial.evidence == {"run": f"run_{trial.number}"} for trial in trials)
    begun = Counter(int(line[1]) for line in _lines(tmp_path) if line[0] == "begin")
    ended = Counter(int(line[1]) for line in _lines(tmp_path) if line[0] == "end")
    assert set(begun) == set(ended) == set(range(24))
    # Only those that a kill cut off were begun more than once, at most three at each kill.
    assert sum(begun.values()) - 24 <= 6
    assert all(trials[number].values == trial.values for number, trial in cut_off.items())
    tried = {(line[1], line[2]) for line in _lines(tmp_path) if line[0] == "begin"}
    assert len(tried) == 24


def test_an_objective_that_cannot_be_made_is_the_studys_reason(desk: Any, tmp_path: Path) -> None:
    spec = ObjectiveSpec(type="function", arguments={"function": "nowhere:score"})
    study = desk.study(objective=spec)
    arguments = {"home": str(tmp_path), "folder": str(tmp_path), "project": "default", "study": study.id}
    child = _begin(arguments)
    assert "cannot be loaded" in _said(child)["error"]
    kept = desk.again(study)
    assert kept.state == "failed" and "nowhere:score" in kept.message
