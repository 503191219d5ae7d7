"""Durable jobs: DBOS on jobs.db decides what has still to run, a child process does it, noria.db shows it.

DBOS is imported at the first job, or at a start that finds unfinished ones. After a kill, the job's one step
runs again, so a task must be able to go on where it stopped.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from noria.access.audit import Act
from noria.access.role import Principal
from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.errors import Conflict, InvalidRequest, MissingExtra, NotFound
from noria.runtime.task import TASKS
from noria.storage.jobs import Job, JobTable

__all__ = ["Job", "Jobs"]
_log = logging.getLogger(__name__)
_WORKFLOW = "noria.job"
# DBOS resumes only what was begun under the same version: jobs are to survive an upgrade.
_VERSION = "1"


class Jobs:
    """Starts, follows, cancels and resumes."""

    def __init__(
        self, table: JobTable, database: Path, clock: Clock, *, environment: Mapping[str, str] | None = None
    ) -> None:
        """`database` is jobs.db; `environment` is what the children are told beside this process's own."""
        self._environment = dict(environment or {})
        self._table = table
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._start_workflow: Callable[[str], None] | None = None
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._closing = False

    def all(self, project: str) -> list[Job]:
        """Newest first."""
        return self._table.all(project)

    def open(self) -> list[Job]:
        """Those of all projects that have not ended."""
        return self._table.open()

    def get(self, project: str, id: str) -> Job | None:
        job = self._table.get(id)
        return job if job is not None and job.project == project else None

    def start(
        self, project: str, kind: str, subject: str, *, arguments: dict[str, Any], by: Principal
    ) -> Job:
        """Begin; the same work that is under way already is returned instead. Raises MissingExtra."""
        if kind not in TASKS:
            raise InvalidRequest(f"There is no kind of job called {kind!r}.")
        for job in self._table.open():
            if (job.project, job.kind, job.subject) == (project, kind, subject):
                return job
        run = self._launched()
        now = self._clock.now_ns() // 1_000_000
        job = Job(
            id=new_id("job"),
            project=project,
            kind=kind,
            subject=subject,
            arguments=arguments,
            by=by.name,
            created_ms=now,
            updated_ms=now,
        )
        act = Act(
            by=by, act="job.start", subject=job.id, project=project, details={"kind": kind, "of": subject}
        )
        self._table.add(job, act)
        run(job.id)
        return job

    def cancel(self, project: str, id: str, *, by: Principal) -> Job:
        """Stop it, also when it has not begun. Raises NotFound, or Conflict where it has ended."""
        job = self.get(project, id)
        if job is None:
            raise NotFound(f"There is no job {id} in project {project!r}.")
        act = Act(by=by, act="job.cancel", subject=id, project=project, details={"kind": job.kind})
        if not self._table.cancel(id, act):
            raise Conflict(f"This job is {job.state} already.")
        child = self._children.get(id)
        if child is not None:
            child.terminate()
        found = self.get(project, id)
        assert found is not None, "jobs are never deleted"
        return found

    def resume(self) -> None:
        """Go on with what an earlier process has left, and begin what it had only noted down."""
        left = self._table.open()
        if not left:
            return
        try:
            run = self._launched()
        except MissingExtra as error:
            for job in left:
                self._table.update(job.id, state="failed", message=str(error))
            return
        for job in left:
            run(job.id)

    def close(self) -> None:
        """Stop all work; it is resumed by the next start."""
        self._closing = True
        for child in list(self._children.values()):
            child.terminate()
        if self._start_workflow is not None:
            from dbos import DBOS

            DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=2)
            self._start_workflow = None

    def _launched(self) -> Callable[[str], None]:
        with self._lock:
            if self._start_workflow is None:
                self._start_workflow = self._launch()
            return self._start_workflow

    def _launch(self) -> Callable[[str], None]:
        try:
            from dbos import DBOS, SetWorkflowID
        except ImportError as error:
            raise MissingExtra("Running jobs", "jobs") from error
        DBOS(
            config={
                "name": "noria",
                "system_database_url": f"sqlite:///{self._database}",
                "application_version": _VERSION,
                "executor_id": "control",
                "enable_otlp": False,
                "log_level": "WARNING",
                "max_executor_threads": 8,
            }
        )

        @DBOS.step(name="noria.task")
        def step(id: str) -> None:
            self._run(id)

        @DBOS.workflow(name=_WORKFLOW)
        def work(id: str) -> None:
            step(id)

        DBOS.launch()
        self._database.chmod(0o600)

        def start(id: str) -> None:
            # The job's id is the workflow's: one that DBOS has already, it does not begin again.
            with SetWorkflowID(id):
                DBOS.start_workflow(work, id)

        return start

    def _run(self, id: str) -> None:
        """One job's step: a child process, whose reports go into the table."""
        job = self._table.get(id)
        if job is None or not self._table.update(id, state="running"):
            return
        child = subprocess.Popen(
            [sys.executable, "-m", "noria.runtime.task", job.kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **self._environment},
        )
        self._children[id] = child
        said: dict[str, Any] = {}
        try:
            assert child.stdin is not None and child.stdout is not None, "both are pipes"
            child.stdin.write(msgspec.json.encode(job.arguments) + b"\n")
            child.stdin.flush()
            for line in child.stdout:
                said = msgspec.json.decode(line)
                if "done" in said and not self._table.update(id, **said):
                    child.terminate()
            status = child.wait()
        finally:
            del self._children[id]
            child.kill()
        if self._closing:
            # Not recorded as done by DBOS: the next start runs the step again.
            raise _Interrupted
        if "result" in said:
            self._table.update(id, state="done", message=str(said["result"]))
        else:
            reason = said.get("error", f"the process ended with status {status}")
            self._table.update(id, state="failed", message=reason)


class _Interrupted(BaseException):
    """The process stops; as a BaseException it leaves the workflow unfinished."""
