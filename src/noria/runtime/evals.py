"""Evaluations as control offers them: begin, follow, stop, resume, measure, compare, gate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from noria.access.audit import Act
from noria.access.role import Principal
from noria.config.config import Config
from noria.config.eval import EvalSection
from noria.config.mistake import nearest
from noria.core.clock import Clock
from noria.core.gate import GateResult
from noria.core.ids import new_id
from noria.core.pages import Page
from noria.errors import Conflict, NoriaError, NotFound
from noria.evals.comparison import Comparison, compare
from noria.evals.estimate import Estimate
from noria.evals.formats.imported import Log
from noria.evals.gate import Checked, Gate
from noria.evals.judging import KnownJudges
from noria.evals.metrics import Correction, Metrics
from noria.evals.run import ENDED, EvalRun, RunSpec, State
from noria.evals.runner import verdict
from noria.evals.sheet import Sheet, sheet
from noria.evals.slices import Slice, slices
from noria.evals.store import Kept, Written
from noria.prompts.store import PromptReader
from noria.prompts.version import PromptVersion
from noria.runtime.eval_measures import (
    Measured,
    corrected,
    headline_corrections,
    headlines,
    measured,
    measures_of,
    owners_of,
)
from noria.runtime.eval_spec import Resolver, gate_of
from noria.runtime.gates import Gatekeeping
from noria.runtime.jobs import Job, Jobs
from noria.storage.evals import EvalTable
from noria.storage.home import Home

TASK = "evals.run"
_PART = 500
"""Examples of one transaction of an import."""
LEVEL = 0.95
"""Of headlines."""
_KEPT, _MEASURED = 8, 200
"""Sheets, and metrics, of ended runs that are kept in memory."""


class Evals:
    """All that the API offers of evaluations; prompts.promotion.GateSource as well."""

    def __init__(
        self,
        table: EvalTable,
        jobs: Jobs,
        clock: Clock,
        *,
        home: Home,
        folder: Path,
        config: Callable[[], Config],
        resolver: Resolver,
        prompts: PromptReader,
        bar: KnownJudges | None = None,
    ) -> None:
        """`folder` is noria.toml's. Without `bar` every scorer may decide a gate."""
        self._table = table
        self._jobs = jobs
        self._clock = clock
        self._home = home
        self._folder = folder
        self._config = config
        self._judges = bar
        self._gatekeeping = Gatekeeping(
            table,
            prompts,
            sections=self.sections,
            spec=self.spec,
            sheet=self.sheet,
            owners=owners_of,
            bar=bar,
        )
        self._sheets: dict[tuple[str, int], Sheet] = {}
        self._metrics: dict[tuple[str, int, float], Measured] = {}
        self._beginning: set[str] = set()
        self._lock = threading.Lock()
        self.resolver = resolver

    # What is configured.

    def sections(self) -> dict[str, EvalSection]:
        return dict(self._config().evals)

    def section(self, name: str) -> EvalSection:
        """Raises NotFound with the nearest name."""
        known = self._config().evals
        found = known.get(name)
        if found is None:
            raise NotFound(f"noria.toml has no [evals.{name}]{nearest(name, known)}")
        return found

    def gates(self) -> list[Gate]:
        return [gate_of(name, section) for name, section in self._config().gates.items()]

    def gate(self, name: str) -> Gate:
        """Raises NotFound with the nearest name."""
        known = self._config().gates
        if name not in known:
            raise NotFound(f"noria.toml has no [gates.{name}]{nearest(name, known)}")
        return gate_of(name, known[name])

    def spec(self, project: str, name: str, section: EvalSection) -> RunSpec:
        """What a run would be now."""
        return self._pinned(project, self.resolver.spec(project, name, section))

    def estimate(self, project: str, spec: RunSpec) -> Estimate:
        return self.resolver.estimate(project, spec)

    # Runs.

    def start(self, project: str, spec: RunSpec, *, by: Principal) -> EvalRun:
        """Begin; raises InvalidRequest or MissingExtra where that cannot be."""
        spec = self._pinned(project, spec)
        total = self.resolver.count(project, spec.dataset) * spec.repeats
        run = EvalRun(
            id=new_id("run"),
            project=project,
            spec=spec,
            by=by.id,
            by_name=by.name,
            created_ms=self._clock.now_ns() // 1_000_000,
        )
        run = msgspec.structs.replace(run, progress=msgspec.structs.replace(run.progress, total=total))
        details = {"eval": spec.name, "target": spec.target.shown, "dataset": spec.dataset.shown}
        with self._begins(run.id):
            self._table.add(run, self._act("eval.run", run, by, details))
            return self._begun(run, by)

    def runs(
        self,
        project: str,
        *,
        name: str = "",
        state: State | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[EvalRun]:
        return self._table.runs(project, name=name, state=state, cursor=cursor, limit=limit)

    def run(self, project: str, id: str) -> EvalRun:
        """Raises NotFound."""
        found = self._table.run(project, id)
        if found is None:
            raise NotFound(f"There is no run {id} in project {project!r}; see `noria eval list`.")
        return found if found.state in ENDED else self._settled(found)

    def _settled(self, run: EvalRun) -> EvalRun:
        """A run whose job has ended without it, such as by a crash, has failed, and says why."""
        if run.id in self._beginning:
            return run
        job = self._jobs.get(run.project, run.job) if run.job else self._job_of(run)
        if job is not None and job.state in ("queued", "running"):
            return run
        # The run's own end is written before the job's: what is there now is the last word.
        now = self._table.run(run.project, run.id) or run
        if now.state in ENDED or now.job != run.job:
            return now
        counted = msgspec.structs.replace(self._table.counted(run.id), total=now.progress.total)
        why = (job.message or f"Its job was {job.state}.") if job else "Noria ended before it had begun."
        ended = "stopped" if job is not None and job.state == "cancelled" else "failed"
        settled = msgspec.structs.replace(now, progress=counted).to(ended, message=why, at_ms=self._now())
        self._table.save(settled)
        return settled

    def _job_of(self, run: EvalRun) -> Job | None:
        """Of a run in which it was not noted any more."""
        return next((job for job in self._jobs.all(run.project) if job.subject == run.id), None)

    def stop(self, project: str, id: str, *, by: Principal) -> EvalRun:
        """What is under way is lost; what is stored stays. Raises Conflict where it has ended."""
        run = self.run(project, id)
        progress = msgspec.structs.replace(self._table.counted(id), total=run.progress.total)
        stopped = msgspec.structs.replace(
            run.to("stopped", message=f"Stopped by {by.name}; it can be resumed.", at_ms=self._now()),
            progress=progress,
        )
        if not self._table.save(stopped, self._act("eval.stop", run, by)):
            raise Conflict("The run has just ended by itself.")
        if run.job:
            job = self._jobs.get(project, run.job)
            # A study's job does its runs, and goes on without this one.
            if job is not None and job.subject == id and job.state in ("queued", "running"):
                self._jobs.cancel(project, run.job, by=by)
        return stopped

    def resume(self, project: str, id: str, *, again: bool = False, by: Principal) -> EvalRun:
        """Go on; with `again` what failed is tried again, also of a run that is done."""
        run = self.run(project, id)
        again = again and run.state in ENDED
        queued = msgspec.structs.replace(run, state="stopped").to("queued") if again else run.to("queued")
        with self._begins(id):
            if not self._table.change(queued, self._act("eval.resume", run, by, {"again": again})):
                raise Conflict(f"The run {id} is being resumed already.")
            if again:
                self._table.forget_failed(id)
            return self._begun(queued, by, again=again)

    @contextmanager
    def _begins(self, id: str) -> Generator[None]:
        """While its job is not noted yet it is not taken for lost."""
        self._beginning.add(id)
        try:
            yield
        finally:
            self._beginning.discard(id)

    def remove(self, project: str, id: str, *, by: Principal) -> None:
        """Raises Conflict while it goes on."""
        run = self.run(project, id)
        if run.state not in ENDED:
            raise Conflict(f"The run is {run.state}; stop it first.")
        self._table.remove(run, self._act("eval.remove", run, by, {"eval": run.spec.name}))

    def take_in(self, project: str, log: Log, *, name: str = "", by: Principal) -> EvalRun:
        """A run that another program made, with its answers and scores. Raises ConfigError."""
        spec = log.spec()
        now = self._now()
        run = EvalRun(
            id=new_id("run"),
            project=project,
            spec=msgspec.structs.replace(spec, name=name or spec.name),
            state="running",
            by=by.id,
            by_name=by.name,
            created_ms=now,
            started_ms=now,
        )
        self._table.add(
            run, self._act("eval.import", run, by, {"eval": run.spec.name, "of": spec.dataset.shown})
        )
        try:
            rows = log.rows()
            while part := list(islice(rows, _PART)):
                self._table.write(
                    run.id,
                    Written(
                        examples=[one.example for one in part],
                        answers=[answer for one in part for answer in one.answers],
                        judgements=[judgement for one in part for judgement in one.judgements],
                    ),
                )
        except NoriaError as error:
            self._table.save(run.to("failed", message=str(error), at_ms=self._now()))
            raise
        counted = self._table.counted(run.id)
        run = msgspec.structs.replace(run, progress=msgspec.structs.replace(counted, total=counted.answered))
        run = run.to("done", message=verdict(run), at_ms=self._now())
        self._table.save(run)
        self._measured(run, LEVEL)
        return self._table.run(project, run.id) or run

    def kept(self, run: EvalRun) -> Iterator[Kept]:
        """All that it holds, streamed."""
        return self._table.kept(run.id)

    # What they say.

    def sheet(self, run: EvalRun) -> Sheet:
        """Of what is there so far."""
        # A run that went on has another end.
        key = (run.id, run.ended_ms)
        with self._lock:
            found = self._sheets.get(key) if run.state in ENDED else None
        if found is not None:
            return found
        made = sheet(self._table.kept(run.id), measures_of(run.spec))
        if run.state in ENDED:
            with self._lock:
                self._sheets[key] = made
                while len(self._sheets) > _KEPT:
                    del self._sheets[next(iter(self._sheets))]
        return made

    def metrics(self, run: EvalRun, *, level: float = 0.95) -> Metrics:
        found = self._measured(run, level)
        return found.metrics if self._judges is None else corrected(found, self._judges, run.project)

    def headline_corrections(self, run: EvalRun) -> dict[str, Correction]:
        """What people would say of the shares among a run's headlines, by measure."""
        return {} if self._judges is None else headline_corrections(run, self._judges)

    def _measured(self, run: EvalRun, level: float) -> Measured:
        with self._lock:
            found = self._metrics.get((run.id, run.ended_ms, level)) if run.state in ENDED else None
        if found is not None:
            return found
        found = measured(run.spec, self.sheet(run), level=level)
        if run.state in ENDED:
            with self._lock:
                self._metrics[run.id, run.ended_ms, level] = found
                while len(self._metrics) > _MEASURED:
                    del self._metrics[next(iter(self._metrics))]
        if run.state == "done" and not run.headlines and level == LEVEL:
            self._table.note_headlines(msgspec.structs.replace(run, headlines=headlines(found)))
        return found

    def slices(self, run: EvalRun, scorer: str) -> list[Slice]:
        """Raises NotFound where the run has no such scorer."""
        found = self.sheet(run)
        measure = found.measure(scorer)
        if measure is None:
            known = {one.name: None for one in found.measures}
            raise NotFound(f"The run has no scorer {scorer!r}{nearest(scorer, known)}")
        return slices(found, measure)

    def compare(self, candidate: EvalRun, baseline: EvalRun, *, level: float = 0.95) -> Comparison:
        return compare(
            self.sheet(candidate), self.sheet(baseline), ids=(candidate.id, baseline.id), level=level
        )

    def kept_of(self, run: EvalRun, examples: Sequence[str]) -> dict[str, Kept]:
        return self._table.kept_of(run.id, examples)

    # Gates.

    def check(self, project: str, gate: Gate, run: EvalRun | None = None) -> Checked:
        """Of a run, or of the evaluation's own target as noria.toml has it now."""
        if run is not None:
            return self._gatekeeping.of_run(gate, run, now_ms=self._now())
        return self._gatekeeping.of_eval(project, gate, now_ms=self._now())

    def results(self, project: str, gates: Sequence[str], version: PromptVersion) -> Sequence[GateResult]:
        """prompts.promotion.GateSource."""
        found: list[GateResult] = []
        known = self._config().gates
        for name in gates:
            if name in known:
                gate = gate_of(name, known[name])
                found.append(self._gatekeeping.of_version(gate, version, now_ms=self._now()))
            else:
                why = f"noria.toml has no [gates.{name}]{nearest(name, known)}"
                found.append(GateResult(gate=name, verdict="undecided", reason=why))
        return found

    def _begun(self, run: EvalRun, by: Principal, *, again: bool = False) -> EvalRun:
        arguments = {
            "home": str(self._home.folder),
            "folder": str(self._folder),
            "run": run.id,
            "project": run.project,
            # What is tried again is to be answered anew.
            "once": f"{run.id}/{self._now()}" if again else run.id,
        }
        job = self._jobs.start(run.project, TASK, run.id, arguments=arguments, by=by)
        run = msgspec.structs.replace(run, job=job.id)
        self._table.note_job(run)
        return run

    def _pinned(self, project: str, spec: RunSpec) -> RunSpec:
        """Judges as they are now: a label or route that moves later changes no run that has begun."""
        if self._judges is None:
            return spec
        scorers = tuple(self._judges.pinned(project, one) for one in spec.scorers)
        return msgspec.structs.replace(spec, scorers=scorers)

    def _act(self, act: str, run: EvalRun, by: Principal, details: dict[str, Any] | None = None) -> Act:
        return Act(by=by, act=act, subject=run.id, project=run.project, details=details or {})

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000
