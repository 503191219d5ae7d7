"""Jobs that die while calls are under way: the gateway ends those calls, and nothing is paid twice."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from noria.runtime.supervisor import status

sys.path.insert(0, str(Path(__file__).parent))
from eval_noria import Running, Upstream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    found = Upstream()
    yield found
    found.close()


@pytest.fixture
def running(tmp_path: Path, upstream: Upstream) -> Iterator[Running]:
    pytest.importorskip("dbos")
    found = Running(tmp_path, upstream.url, examples=24)
    yield found
    found.stop()


def _kill(running: Running, role: str) -> None:
    found = status(running.home)
    assert found is not None
    (child,) = [one for one in found.children if one.role == role]
    assert child.pid
    os.kill(child.pid, signal.SIGKILL)


def test_an_evaluation_whose_job_is_killed_finds_what_was_under_way(
    running: Running, upstream: Upstream
) -> None:
    upstream.pause = 0.5
    id = running.run("eval", "run", "sums", "--fresh", "--yes", "--detach")["id"]
    until = time.monotonic() + 60
    while len(upstream.bodies) < 9:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert upstream.asked.total() < len(upstream.bodies), "calls are under way"
    _kill(running, "control")
    while (run := running.run("eval", "show", id)["run"])["state"] != "done":
        assert time.monotonic() < until + 60, run
        time.sleep(0.3)
    assert upstream.asked.total() == len(upstream.asked) == 24, upstream.asked
    assert run["progress"]["scored"] == 24 and run["progress"]["failed"] == 0
    assert Decimal(run["progress"]["cost"]) == Decimal("0.000018") * 24 and run["progress"]["unknown"] == 0
