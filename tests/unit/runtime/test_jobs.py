"""Jobs go on after a kill, show how far they are, and can be stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from noria.access.role import SYSTEM
from noria.core.clock import SystemClock
from noria.errors import Conflict, InvalidRequest
from noria.runtime.jobs import Job, Jobs
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.jobs import JobTable

_CLOCK = SystemClock()


def _opened(folder: Path) -> tuple[Jobs, AuditLog]:
    database = Database.open(folder / "noria.db")
    log = AuditLog(database, _CLOCK)
    return Jobs(JobTable(database, log, _CLOCK), folder / "jobs.db", _CLOCK), log


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    found, _ = _opened(tmp_path)
    yield found
    found.close()


def _until(jobs: Jobs, id: str, holds: Callable[[Job], bool]) -> Job:
    until = time.monotonic() + 30
    while True:
        job = jobs.get("default", id)
        assert job is not None and time.monotonic() < until, job
        if holds(job):
            return job
        time.sleep(0.05)


def _count(jobs: Jobs, steps: int) -> Job:
    return jobs.start("default", "check.count", "test", arguments={"steps": steps}, by=SYSTEM)


def test_a_job_runs_and_says_how_far_it_is(jobs: Jobs) -> None:
    job = _count(jobs, 8)
    _until(jobs, job.id, lambda job: job.state == "running" and job.total == 8 and bool(job.done))
    assert _until(jobs, job.id, lambda job: job.state == "done").message == "8"


def test_the_same_work_is_not_begun_twice(jobs: Jobs) -> None:
    assert _count(jobs, 20).id == _count(jobs, 20).id


def test_a_job_can_be_stopped(jobs: Jobs) -> None:
    job = _count(jobs, 500)
    _until(jobs, job.id, lambda job: job.state == "running")
    assert jobs.cancel("default", job.id, by=SYSTEM).state == "cancelled"
    with pytest.raises(Conflict):
        jobs.cancel("default", job.id, by=SYSTEM)
    assert _count(jobs, 1).id != job.id


def test_a_task_that_fails_says_why(jobs: Jobs) -> None:
    job = jobs.start("default", "weights.pull", "x", arguments={"name": "no-such-weights"}, by=SYSTEM)
    failed = _until(jobs, job.id, lambda job: job.state == "failed")
    assert "no-such-weights" in failed.message


def test_only_known_kinds_run(jobs: Jobs) -> None:
    with pytest.raises(InvalidRequest):
        jobs.start("default", "rm -rf", "/", arguments={}, by=SYSTEM)


_HOLDER = """
import sys, time
from pathlib import Path
sys.path[:0] = [{tests!r}]
from test_jobs import _count, _opened
jobs, _ = _opened(Path({folder!r}))
print(_count(jobs, 30).id, flush=True)
time.sleep(60)
"""


def test_a_killed_process_leaves_work_that_the_next_finishes(tmp_path: Path) -> None:
    code = _HOLDER.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    id = holder.stdout.readline().strip()
    time.sleep(1.0)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    jobs, log = _opened(tmp_path)
    try:
        assert jobs.all("default")[0].state in ("queued", "running")
        jobs.resume()
        assert _until(jobs, id, lambda job: job.state == "done").message == "30"
        assert [event.act for event in log.page().items] == ["job.start"]
    finally:
        jobs.close()


def test_a_stop_in_order_leaves_work_that_the_next_start_finishes(tmp_path: Path) -> None:
    jobs, _ = _opened(tmp_path)
    job = _count(jobs, 15)
    _until(jobs, job.id, lambda job: job.state == "running")
    jobs.close()
    jobs, _ = _opened(tmp_path)
    try:
        assert jobs.all("default")[0].state in ("queued", "running")
        jobs.resume()
        assert _until(jobs, job.id, lambda job: job.state == "done").message == "15"
    finally:
        jobs.close()
