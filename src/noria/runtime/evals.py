"""Evaluations as control offers them: begin, follow, stop, resume, measure, compare, gate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
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
from noria.evals.formats import imported
from noria.evals.formats.imported import Log
from noria.evals.gate import Checked, Gate, JudgeBar, check
from noria.evals.metrics import Metrics, metrics
from noria.evals.run import ENDED, EvalRun, RunSpec, State
from noria.evals.runner import verdict
from noria.evals.sheet import Sheet, sheet
from noria.evals.slices import Slice, slices
from noria.evals.store import Kept, Written
from noria.prompts.reference import parse_reference
from noria.prompts.store import PromptReader
from noria.prompts.version import PromptVersion
from noria.runtime.eval_spec import Resolver, gate_of
from noria.runtime.jobs import Jobs
from noria.scoring.resolve import described
from noria.scoring.scorer import Described, ScorerSpec
from noria.storage.evals import EvalTable
from noria.storage.home import Home

TASK = "evals.run"
_PART = 500
"""Examples of one transaction of an import."""
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
        bar: JudgeBar | None = None,
    ) -> None:
        """`folder` is noria.toml's. Without `bar` every scorer may decide a gate."""
        self._table = table
        self._jobs = jobs
        self._clock = clock
        self._home = home
        self._folder = folder
        self._config = config
        self._prompts = prompts
        self._bar = bar
        self._sheets: dict[str, Sheet] = {}
        self._metrics: dict[tuple[str, float], Metrics] = {}
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
        return self.resolver.spec(project, name, section)

    def estimate(self, project: str, spec: RunSpec) -> Estimate:
        return self.resolver.estimate(project, spec)

    # Runs.

    def start(self, project: str, spec: RunSpec, *, by: Principal) -> EvalRun:
        """Begin; raises InvalidRequest or MissingExtra where that cannot be."""
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
        job = self._jobs.get(run.project, run.job) if run.job else None
        if job is None or job.state in ("queued", "running"):
            return run
        # The run's own end is written before the job's: what is there now is the last word.
        now = self._table.run(run.project, run.id) or run
        if now.state in ENDED or now.job != run.job:
            return now
        counted = msgspec.structs.replace(self._table.counted(run.id), total=now.progress.total)
        why = job.message or f"Its job was {job.state}."
        failed = msgspec.structs.replace(now, progress=counted).to("failed", message=why, at_ms=self._now())
        self._table.save(failed)
        return failed

    def stop(self, project: str, id: str, *, by: Principal) -> EvalRun:
        """What is under way is lost; what is stored stays. Raises Conflict where it has ended."""
        run = self.run(project, id)
        progress = msgspec.structs.replace(self._table.counted(id), total=run.progress.total)
        stopped = msgspec.structs.replace(
            run.to("stopped", message=f"Stopped by {by.name}; it can be resumed.", at_ms=self._now()),
            progress=progress,
        )
        if not self._table.save(stopped):
            raise Conflict("The run has just ended by itself.")
        self._table.change(stopped, self._act("eval.stop", run, by))
        if run.job:
            job = self._jobs.get(project, run.job)
            if job is not None and job.state in ("queued", "running"):
                self._jobs.cancel(project, run.job, by=by)
        return stopped

    def resume(self, project: str, id: str, *, again: bool = False, by: Principal) -> EvalRun:
        """Go on; with `again` what failed is tried again, also of a run that is done."""
        run = self.run(project, id)
        if again and run.state in ENDED:
            self._table.forget_failed(id)
            run = msgspec.structs.replace(run, state="stopped")
        queued = run.to("queued")
        self._table.change(queued, self._act("eval.resume", run, by, {"again": again}))
        self._forget(id)
        return self._begun(queued, by)

    def remove(self, project: str, id: str, *, by: Principal) -> None:
        """Raises Conflict while it goes on."""
        run = self.run(project, id)
        if run.state not in ENDED:
            raise Conflict(f"The run is {run.state}; stop it first.")
        self._forget(id)
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
        return run

    def kept(self, run: EvalRun) -> Iterator[Kept]:
        """All that it holds, streamed."""
        return self._table.kept(run.id)

    # What they say.

    def sheet(self, run: EvalRun) -> Sheet:
        """Of what is there so far."""
        with self._lock:
            found = self._sheets.get(run.id)
        if found is not None:
            return found
        made = sheet(self._table.kept(run.id), measures_of(run.spec))
        if run.state in ENDED:
            with self._lock:
                self._sheets[run.id] = made
                while len(self._sheets) > _KEPT:
                    del self._sheets[next(iter(self._sheets))]
        return made

    def metrics(self, run: EvalRun, *, level: float = 0.95) -> Metrics:
        with self._lock:
            found = self._metrics.get((run.id, level)) if run.state in ENDED else None
        if found is not None:
            return found
        made = metrics(self.sheet(run), level=level)
        if run.state in ENDED:
            with self._lock:
                self._metrics[run.id, level] = made
                while len(self._metrics) > _MEASURED:
                    del self._metrics[next(iter(self._metrics))]
        return made

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
        """Of a run, or of the newest of the gate's evaluation."""
        if run is None:
            newest = self._table.runs(project, name=gate.eval, limit=1).items
            if not newest:
                why = f"There is no run of {gate.eval}; `noria eval run {gate.eval}` makes one."
                return Checked(result=GateResult(gate=gate.name, verdict="undecided", reason=why))
            run = newest[0]
        owners = {measure.name: spec for spec in run.spec.scorers for measure in _measures(spec)}
        return check(
            gate,
            run,
            self.sheet(run),
            baseline=lambda text: self._baseline(project, run, text),
            owner=owners.get,
            bar=self._bar,
        )

    def results(self, project: str, gates: Sequence[str], version: PromptVersion) -> Sequence[GateResult]:
        """prompts.promotion.GateSource: of the newest run of each gate's evaluation with that version."""
        found: list[GateResult] = []
        known = self._config().gates
        for name in gates:
            if name not in known:
                why = f"noria.toml has no [gates.{name}]{nearest(name, known)}"
                found.append(GateResult(gate=name, verdict="undecided", reason=why))
                continue
            gate = gate_of(name, known[name])
            run = self._newest(project, gate.eval, version.digest)
            if run is None:
                why = (
                    f"No run of {gate.eval} has looked at version {version.number} of {version.prompt}; "
                    f"`noria eval run {gate.eval} --prompt {version.prompt}@{version.number}` makes one."
                )
                found.append(GateResult(gate=name, verdict="undecided", reason=why))
            else:
                found.append(self.check(project, gate, run).result)
        return found

    def _baseline(self, project: str, run: EvalRun, text: str) -> tuple[EvalRun, Sheet] | None:
        kind, _, name = text.partition(":")
        found: EvalRun | None = None
        if kind == "run":
            found = self._table.run(project, name)
        elif kind == "label" and run.spec.target.prompt:
            prompt = parse_reference(run.spec.target.prompt).name
            version = self._prompts.version(project, parse_reference(f"{prompt}@{name}"))
            if version is not None:
                found = self._newest(project, run.spec.name, version.digest, other_than=run.id)
        elif kind == "previous":
            found = self._newest(project, run.spec.name, other_than=run.id, before=run.id)
        if found is None or found.state != "done":
            return None
        return found, self.sheet(found)

    def _newest(
        self, project: str, name: str, prompt: str = "", *, other_than: str = "", before: str = ""
    ) -> EvalRun | None:
        """The newest run that is done, with the prompt version of this digest."""
        cursor: str | None = before or None
        while True:
            page = self._table.runs(project, name=name, state="done", cursor=cursor, limit=100)
            for run in page.items:
                content = run.spec.target.content
                if run.id != other_than and (
                    not prompt or (content is not None and content.digest == prompt)
                ):
                    return run
            cursor = page.next
            if cursor is None:
                return None

    def _begun(self, run: EvalRun, by: Principal) -> EvalRun:
        arguments = {
            "home": str(self._home.folder),
            "folder": str(self._folder),
            "run": run.id,
            "project": run.project,
        }
        job = self._jobs.start(run.project, TASK, run.id, arguments=arguments, by=by)
        run = msgspec.structs.replace(run, job=job.id)
        self._table.note_job(run)
        return run

    def _act(self, act: str, run: EvalRun, by: Principal, details: dict[str, Any] | None = None) -> Act:
        return Act(by=by, act=act, subject=run.id, project=run.project, details=details or {})

    def _forget(self, id: str) -> None:
        with self._lock:
            self._sheets.pop(id, None)
            for key in [one for one in self._metrics if one[0] == id]:
                del self._metrics[key]

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


def measures_of(spec: RunSpec) -> list[Described]:
    """What a run's scorers measure."""
    return [measure for one in spec.scorers for measure in _measures(one)]


def _measures(spec: ScorerSpec) -> Sequence[Described]:
    return [imported.described(spec)] if spec.type == imported.TYPE else described(spec)
