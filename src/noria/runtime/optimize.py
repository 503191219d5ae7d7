"""Optimizations as control offers them: begin, follow, stop, resume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from noria.access.audit import Act
from noria.access.role import Principal
from noria.config.eval import EvalScorerSection, EvalTargetSection
from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.core.pages import Page
from noria.datasets.reference import parse
from noria.datasets.reference import resolve as resolve_dataset
from noria.datasets.store import DatasetReader
from noria.errors import Conflict, InvalidRequest, NotFound
from noria.evals.optimize.optimization import SPLITS, Optimization, OptimizeSpec, Result
from noria.evals.run import DatasetRef
from noria.prompts.reference import LATEST
from noria.runtime.eval_spec import Resolver
from noria.runtime.jobs import Jobs
from noria.scoring.resolve import described
from noria.storage.home import Home
from noria.storage.optimizations import OptimizationTable

TASK = "prompt.optimize"
_OPEN = ("queued", "running")


class Optimizations:
    """`folder` is noria.toml's."""

    def __init__(
        self,
        table: OptimizationTable,
        jobs: Jobs,
        clock: Clock,
        *,
        home: Home,
        folder: Path,
        resolver: Callable[[], Resolver],
        datasets: DatasetReader,
    ) -> None:
        self._table = table
        self._jobs = jobs
        self._clock = clock
        self._home = home
        self._folder = folder
        self._resolver = resolver
        self._datasets = datasets

    def start(
        self,
        project: str,
        prompt: str,
        *,
        dataset: str,
        scorer: str,
        measure: str = "",
        model: str = "",
        reflect: str = "",
        answers: int = 300,
        shots: Sequence[int] = (),
        budget: Decimal | None = None,
        seed: int = 0,
        concurrency: int = 8,
        by: Principal,
    ) -> Optimization:
        """Begin with the version `prompt` (name, name@label or name@number).

        Raises NotFound, ConfigError or InvalidRequest where something that is named cannot be used.
        """
        resolver = self._resolver()
        named = prompt if "@" in prompt else f"{prompt}@{LATEST}"
        target = resolver.target(project, EvalTargetSection(prompt=named, model=model or None))
        spec = resolver.scorer(EvalScorerSection(type=scorer))
        measures = {one.name: one for one in described(spec)}
        wanted = measure or next(iter(measures))
        if wanted not in measures or measures[wanted].kind not in ("mean", "share"):
            known = ", ".join(name for name, one in measures.items() if one.kind in ("mean", "share"))
            raise InvalidRequest(
                f"The scorer {scorer!r} gives no number called {wanted!r} for each answer (it gives: "
                f"{known or 'none'}).",
                param="measure",
            )
        datasets, hashed = self._splits(project, dataset)
        one = Optimization(
            id=new_id("opt"),
            project=project,
            spec=OptimizeSpec(
                prompt=prompt.partition("@")[0],
                target=target,
                datasets=datasets,
                hashed=hashed,
                scorer=spec,
                measure=wanted,
                lower=measures[wanted].better == "lower",
                reflect=reflect or target.model,
                answers=answers,
                shots=tuple(shots),
                budget=budget,
                seed=seed,
                concurrency=concurrency,
            ),
            by=by.id,
            by_name=by.name,
            created_ms=self._now(),
        )
        resolver.serves(one.spec.reflect)
        details = {"prompt": prompt, "dataset": dataset, "scorer": scorer, "answers": answers}
        self._table.add(one, self._act("prompt.optimize", one, by, details))
        return self._begun(one, by)

    def all(self, project: str, *, prompt: str = "", cursor: str | None, limit: int) -> Page[Optimization]:
        """Newest first."""
        page = self._table.all(project, prompt=prompt, cursor=cursor, limit=limit)
        return Page(tuple(self._settled(one) for one in page.items), page.next)

    def get(self, project: str, id: str) -> Optimization:
        """Raises NotFound."""
        found = self._table.get(project, id)
        if found is None:
            raise NotFound(f"There is no optimization {id} in {project!r}; see `noria optimize list`.")
        return self._settled(found)

    def _settled(self, one: Optimization) -> Optimization:
        """One whose job has ended without it, such as by a crash, has failed, and says why."""
        job = self._jobs.get(one.project, one.job) if one.job else None
        if one.state not in _OPEN or job is None or job.state in _OPEN:
            return one
        # Its own end is written before the job's: what is there now is the last word.
        now = self._table.get(one.project, one.id) or one
        if now.state not in _OPEN or now.job != one.job:
            return now
        why = job.message or f"Its job was {job.state}."
        failed = msgspec.structs.replace(now, state="failed", message=why, ended_ms=self._now())
        self._table.save(failed, unless=("done", "failed", "stopped"))
        return failed

    def stop(self, project: str, id: str, *, by: Principal) -> Optimization:
        """What was asked for stays known. Raises Conflict where it has ended."""
        one = self.get(project, id)
        stopped = msgspec.structs.replace(
            one,
            state="stopped",
            message=f"Stopped by {by.name}; it can be resumed.",
            ended_ms=self._now(),
        )
        act = self._act("prompt.optimize.stop", one, by, {})
        if not self._table.save(stopped, act, unless=("done", "failed", "stopped")):
            raise Conflict("The optimization has ended already.")
        job = self._jobs.get(project, one.job) if one.job else None
        if job is not None and job.state in _OPEN:
            self._jobs.cancel(project, one.job, by=by)
        return stopped

    def resume(self, project: str, id: str, *, by: Principal) -> Optimization:
        """Go on. Raises Conflict while it runs, or where it is done."""
        one = self.get(project, id)
        if one.state not in ("stopped", "failed"):
            raise Conflict(f"The optimization is {one.state}; only one that was stopped or failed goes on.")
        queued = msgspec.structs.replace(one, state="queued", message="", ended_ms=0)
        self._table.save(queued, self._act("prompt.optimize.resume", one, by, {}))
        return self._begun(queued, by)

    def _splits(self, project: str, text: str) -> tuple[dict[str, DatasetRef], bool]:
        name = parse(text).name
        version, split = resolve_dataset(self._datasets, project, text)
        if split:
            raise InvalidRequest(
                "An optimization takes a whole dataset, and its splits train, validation and test.",
                param="dataset",
            )
        has = [one for one in SPLITS if version.splits.get(one)]
        hashed = len(has) < len(SPLITS)
        refs = {
            one: DatasetRef(
                name=name, number=version.number, digest=version.digest, split="" if hashed else one
            )
            for one in SPLITS
        }
        return refs, hashed

    def _begun(self, one: Optimization, by: Principal) -> Optimization:
        arguments = {
            "home": str(self._home.folder),
            "folder": str(self._folder),
            "project": one.project,
            "optimization": one.id,
        }
        job = self._jobs.start(one.project, TASK, one.id, arguments=arguments, by=by)
        begun = msgspec.structs.replace(one, job=job.id)
        self._table.note_job(one.id, job.id)
        return begun

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000

    def _act(self, act: str, one: Optimization, by: Principal, details: dict[str, Any]) -> Act:
        return Act(by=by, act=act, subject=one.id, project=one.project, details=details)


def result_of(one: Optimization) -> Result:
    """What there is so far."""
    return one.result or Result(candidates=0)
