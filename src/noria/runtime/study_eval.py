"""Objective "eval": an EvalRun at the values of a trial, in a process of its own, and one measure of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from noria.access.audit import Act
from noria.access.role import Principal
from noria.core.clock import Clock, SystemClock
from noria.core.ids import new_id
from noria.errors import StateError
from noria.evals.metrics import Metrics, metrics
from noria.evals.run import ENDED, EvalRun, Progress
from noria.evals.sheet import sheet
from noria.runtime.evals import TASK, measures_of
from noria.runtime.prompt_contents import PromptContents
from noria.runtime.sealing import open_database
from noria.runtime.study_plan import EvalPlan, spec_of
from noria.stats.interval import Interval
from noria.storage.audit import AuditLog
from noria.storage.datasets import DatasetTable
from noria.storage.evals import EvalTable
from noria.storage.home import Home
from noria.storage.prompts import PromptTable
from noria.storage.studies import StudyTable
from noria.studies.objective import Objective, Place
from noria.studies.parameter import Values
from noria.studies.trial import Outcome, Pruned, Trial

LOOKS = 4
"""A run is looked at after so many equal parts, to see whether it is worth its end."""
LEAST = 40
"""Answers; of fewer no part is looked at."""


@asynccontextmanager
async def eval_objective(place: Place, arguments: dict[str, Any]) -> AsyncGenerator[Objective]:
    """Entry point `objective.eval`."""
    database = open_database(Home(Path(place.home)))
    clock = SystemClock()
    try:
        plan = msgspec.convert(arguments, EvalPlan, strict=False)
        log = AuditLog(database, clock)
        datasets = DatasetTable(database, log, clock)
        contents = PromptContents(PromptTable(database, log, clock), lambda: datasets)
        study = StudyTable(database, log).study(place.project, place.study)
        job = "" if study is None else study.job
        yield EvalObjective(EvalTable(database, log), contents, plan, place, clock, job=job)
    finally:
        database.close()


class EvalObjective:
    """objective.Objective."""

    def __init__(
        self,
        runs: EvalTable,
        contents: PromptContents,
        plan: EvalPlan,
        place: Place,
        clock: Clock,
        *,
        job: str,
    ) -> None:
        """`job` is the study's, which does the runs too."""
        self._runs = runs
        self._contents = contents
        self._plan = plan
        self._place = place
        self._clock = clock
        self._job = job

    async def __call__(self, values: Values, trial: Trial) -> Outcome:
        run = self._begun(values, trial)
        if run.state != "done":
            run = await self._run(run, trial)
        trial.spent(None if run.progress.unknown else run.progress.cost)
        if run.state != "done":
            raise StateError(f"Its run {run.id} is {run.state}: {run.message}")
        found = self._value(run)
        if found is None or found.estimate is None:
            raise StateError(f"Its run {run.id} has no value of {self._plan.scorer!r}: every score failed.")
        return Outcome(value=found.estimate, low=found.low, high=found.high)

    def _begun(self, values: Values, trial: Trial) -> EvalRun:
        """The run of an earlier sitting, or a new one."""
        project = self._place.project
        by = Principal(id=self._place.by, name=self._place.by_name, kind="local", roles={})
        known = trial.evidence.get("run")
        run = None if known is None else self._runs.run(project, known)
        if run is not None and run.state in ENDED and run.state != "done":
            run = run.to("queued")
            self._runs.change(run, self._act("eval.resume", run, by))
        if run is None:
            spec = spec_of(
                self._plan, values, lambda name, content: self._contents.changed(project, name, content)
            )
            tags = {**spec.tags, "study": self._place.study, "trial": str(trial.number)}
            run = EvalRun(
                id=new_id("run"),
                project=project,
                spec=msgspec.structs.replace(spec, tags=tags, budget=_less(spec.budget, trial.budget)),
                progress=Progress(total=self._plan.total),
                by=self._place.by,
                by_name=self._place.by_name,
                created_ms=self._clock.now_ns() // 1_000_000,
            )
            self._runs.add(run, self._act("eval.run", run, by))
            trial.note("run", run.id)
        run = msgspec.structs.replace(run, job=self._job)
        self._runs.note_job(run)
        return run

    async def _run(self, run: EvalRun, trial: Trial) -> EvalRun:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "noria.runtime.task", TASK,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert child.stdin is not None and child.stdout is not None, "both are pipes"
        arguments = {
            "home": self._place.home,
            "folder": self._place.folder,
            "run": run.id,
            "project": run.project,
        }
        said: dict[str, Any] = {}
        try:
            child.stdin.write(msgspec.json.encode(arguments) + b"\n")
            await child.stdin.drain()
            looked = 0
            async for line in child.stdout:
                said = msgspec.json.decode(line)
                looked = self._look(run, said, trial, looked)
            status = await child.wait()
        except Pruned:
            await _ended(child)
            self._give_up(run)
            raise
        finally:
            await _ended(child)
        ended = self._runs.run(run.project, run.id)
        assert ended is not None, "nobody removes a run that goes on"
        if "result" not in said and ended.state not in ENDED:
            why = said.get("error", f"its process ended with status {status}")
            raise StateError(f"Its run {run.id} broke off: {why}")
        return ended

    def _give_up(self, run: EvalRun) -> None:
        now = self._runs.run(run.project, run.id)
        if now is None or now.state in ENDED:
            return
        by = Principal(id=self._place.by, name=self._place.by_name, kind="local", roles={})
        moment = self._clock.now_ns() // 1_000_000
        stopped = now.to("stopped", message="Its trial was given up.", at_ms=moment)
        self._runs.save(stopped, self._act("eval.stop", stopped, by))

    def _look(self, run: EvalRun, said: dict[str, Any], trial: Trial, looked: int) -> int:
        """Report what a part of the run says; how many parts were looked at."""
        done, total = said.get("done"), said.get("total")
        if not done or not total or total < LEAST or done * LOOKS // total <= looked or done >= total:
            return looked
        part = done * LOOKS // total
        now = self._runs.run(run.project, run.id)
        if now is not None:
            trial.spent(None if now.progress.unknown else now.progress.cost)
        found = self._value(run)
        if found is not None and found.estimate is not None:
            trial.report(part, found.estimate)
        return part

    def _value(self, run: EvalRun) -> Interval | None:
        found = metrics(sheet(self._runs.kept(run.id), measures_of(run.spec)))
        return value_of(found, self._plan.scorer)

    def _act(self, act: str, run: EvalRun, by: Principal) -> Act:
        details: dict[str, object] = {"eval": run.spec.name, "study": self._place.study}
        return Act(by=by, act=act, subject=run.id, project=run.project, details=details)


def value_of(found: Metrics, scorer: str) -> Interval | None:
    """One measure; a measure of the scorers wins over a quantity of that name."""
    for measure in found.measures:
        if measure.name == scorer:
            return measure.interval
    spent = {"latency": found.latency, "cost": found.cost, "tokens": found.tokens}.get(scorer)
    return None if spent is None else spent.mean


async def _ended(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.terminate()
        await child.wait()


def _less(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    known = [budget for budget in (one, other) if budget is not None]
    return min(known) if known else None
