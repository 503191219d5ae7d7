"""Judges through a whole Noria: calibrated by a job over the gateway, and held to their bar."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from noria.access.role import SYSTEM
from noria.cli.main import noria
from noria.core.clock import SystemClock
from noria.core.example import Example
from noria.datasets.store import Dataset
from noria.runtime.supervisor import status
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.datasets import DatasetTable
from noria.storage.home import Home
from noria.testing.connection import Request
from noria.testing.judge import JudgeUpstream, Script
from noria.testing.plan import Plan
from noria.testing.stack import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LABELS = {f"answer number {number:03d}": "yes" if number % 3 else "no" for number in range(240)}
CONFIG = """
[server]
port = {port}

[providers.good]
dialect = "openai"
base_url = "{good}/v1"
api_key = "env:ACME_KEY"

[providers.guesses]
dialect = "openai"
base_url = "{guesses}/v1"
api_key = "env:ACME_KEY"

[models."good/mock"]
price = {{ input = "1.00", output = "4.00" }}

[models."guesses/mock"]

[judges.careful]
model = "good/mock"
criterion = "The answer is kind."
bar = {{ kappa = 0.6 }}

[judges.careless]
model = "guesses/mock"
criterion = "The answer is kind."
bar = {{ kappa = 0.6 }}

[judges.idle]
model = "good/mock"
criterion = "Something else."
bar = {{ kappa = 0.6 }}

[judges.free]
model = "good/mock"
criterion = "The answer is kind."

[scorers.near]
type = "numeric"
arguments = {{ tolerance = 0.5 }}
"""


class Counting(JudgeUpstream):
    """Counts what it is asked about."""

    pause = 0.0

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.asked: Counter[str] = Counter()

    def _plan_for(self, request: Request, model: str) -> Plan:
        plan = super()._plan_for(request, model)
        said = request.body.decode()
        self.asked.update(text for text in LABELS if text in said)
        return Plan(text=plan.text, first=self.pause)


class Judges:
    """Two upstreams that follow scripts, and a Noria before them."""

    def __init__(self, folder: Path) -> None:
        self.good = Counting(Script(LABELS, agreement=0.93, seed=1))
        self.guesses = Counting(Script(LABELS, agreement=0.5, seed=2))
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        for upstream in (self.good, self.guesses):
            asyncio.run_coroutine_threadsafe(upstream.start(), self._loop).result(10)
        self.folder = folder
        self.path = folder / "noria.toml"
        self.path.write_text(CONFIG.format(port=free_port(), good=self.good.url, guesses=self.guesses.url))
        self.home = Home(folder / ".noria")
        self._labels()
        self.process = self.up()

    def up(self) -> subprocess.Popen[bytes]:
        log = self.folder / "up.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "noria", "up", "--config", str(self.path), "--workers", "1"],
                stdout=file, stderr=file, env={**os.environ, "ACME_KEY": "sk-mock"}, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            if b"Noria answers" in log.read_bytes():
                return process
            time.sleep(0.05)
        raise TimeoutError(log.read_text())

    def attempt(self, *arguments: str) -> Result:
        environment = {"ACME_KEY": "sk-mock", "NORIA_CONFIG": str(self.path), "NORIA_HOME": None}
        return CliRunner().invoke(noria, list(arguments), env=environment)

    def run(self, *arguments: str, exit_code: int = 0) -> Any:
        result = self.attempt(*arguments, "--json")
        assert result.exit_code == exit_code, (result.output, result.exception)
        return json.loads(result.stdout)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        for upstream in (self.good, self.guesses):
            asyncio.run_coroutine_threadsafe(upstream.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _labels(self) -> None:
        """The dataset `labels`."""
        self.home.pepper()
        database, clock = Database.open(self.home.database), SystemClock()
        table = DatasetTable(database, AuditLog(database, clock), clock)
        table.create(Dataset(id="", project="default", name="labels"), by=SYSTEM)
        examples = [
            Example(id=text, input={"input": "Say something."}, metadata={"answer": text, "label": label})
            for text, label in LABELS.items()
        ]
        table.commit("default", "labels", examples, by=SYSTEM)
        database.close()


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judges]:
    pytest.importorskip("dbos")
    found = Judges(tmp_path_factory.mktemp("noria"))
    yield found
    found.stop()


def test_a_judge_that_agrees_may_gate(judges: Judges) -> None:
    before = judges.run("judge", "show", "careful", exit_code=1)
    assert before["gate"] == {
        "verdict": "undecided",
        "reason": "Judge careful was never calibrated; run `noria judge calibrate careful DATASET`.",
    }
    found = judges.run("judge", "calibrate", "careful", "labels")
    assert found["gate"]["verdict"] == "pass" and found["current"]
    measured = found["calibration"]["measured"]
    assert (measured["n"], measured["failed"]) == (240, 0)
    assert measured["kappa"]["low"] > 0.6 and measured["kappa"]["method"].startswith("BCa")
    assert measured["table"]["yes"]["yes"] > 140
    assert judges.good.asked.total() == 240
    # Its calls are found by the calibration's id, and paid for like all others.
    spans = judges.run("trace", "list", f"episode:{found['calibration']['id']}", "--limit", "5")
    assert len(spans) == 5


def test_a_judge_that_guesses_may_not(judges: Judges) -> None:
    found = judges.run("judge", "calibrate", "careless", "labels", exit_code=1)
    assert found["gate"]["verdict"] == "fail" and "kappa must be at least 0.6" in found["gate"]["reason"]
    listed = {one["name"]: one["gate"]["verdict"] for one in judges.run("judge", "list")}
    assert listed == {
        "careful": "pass", "careless": "fail", "free": "undecided", "idle": "undecided",
    }  # fmt: skip
    said = judges.attempt("judge", "show", "careless")
    assert said.exit_code == 1 and "may gate" in said.output and "κ" in said.output
    assert "has no bar" in judges.attempt("judge", "show", "free").output


def test_another_rubric_is_another_judge(judges: Judges) -> None:
    judges.run("judge", "calibrate", "idle", "labels")
    text = judges.path.read_text()
    judges.path.write_text(text.replace("Something else.", "Something else again."))
    assert judges.attempt("apply", "--yes").exit_code == 0
    found = judges.run("judge", "show", "idle", exit_code=1)
    assert not found["current"] and "another prompt, model or rubric" in found["gate"]["reason"]


def test_mistakes_are_sentences(judges: Judges) -> None:
    assert "noria.toml has no [judges.carefull]" in str(
        judges.attempt("judge", "calibrate", "carefull", "labels").exception
    )
    result = judges.attempt("judge", "calibrate", "careful", "nothing")
    assert "nothing" in str(result.exception)
    assert judges.run("scorer", "try", "near", "about 3.2", "--expected", "3")[0]["value"] is True
    assert "calls a model" in str(judges.attempt("scorer", "try", "judge.rubric", "x").exception)
    shown = judges.run("scorer", "show", "numeric")
    assert {one["name"] for one in shown["parameters"]} == {"tolerance", "relative", "take"}


def test_after_a_kill_it_goes_on_where_it_stopped(judges: Judges) -> None:
    judges.good.asked.clear()
    judges.good.pause = 60.0
    begun = judges.run("judge", "calibrate", "careful", "labels", "--no-wait")
    until = time.monotonic() + 60
    while judges.good.asked.total() < 60 and time.monotonic() < until:
        time.sleep(0.02)
    running = status(judges.home)
    assert running is not None
    os.killpg(judges.process.pid, signal.SIGKILL)
    judges.process.wait(30)
    done = judges.good.asked.total()
    assert 60 <= done < 240
    judges.good.pause = 0.0
    judges.process = judges.up()
    id = begun["calibration"]["id"]
    found: Any = None
    while time.monotonic() < until + 60:
        found = judges.run("judge", "show", "careful")["calibration"]
        if found["id"] == id:
            break
        time.sleep(0.2)
    assert found["id"] == id and found["measured"]["n"] == 240
    # Only what was under way is asked again.
    assert judges.good.asked.total() <= 240 + 8
    assert set(judges.good.asked) == set(LABELS)
