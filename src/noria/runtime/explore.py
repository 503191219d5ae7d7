"""Explorations as control offers them: samples in, begin, follow, stop, resume, and the report."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

import noria
from noria.access.role import Principal
from noria.core.clock import Clock
from noria.core.example import Example
from noria.core.ids import new_id
from noria.core.pages import Page
from noria.datasets.reference import resolve
from noria.errors import Conflict, InvalidRequest, NotFound
from noria.evals.estimate import Estimate
from noria.evals.explore.brief import Brief
from noria.evals.explore.candidates import Facts
from noria.evals.explore.evidence import absent, evidence
from noria.evals.explore.exploration import Exploration, ExploreSpec, problem_of, run_id
from noria.evals.explore.report import ExploreReport, report
from noria.evals.run import DatasetRef
from noria.evals.store import RunReader
from noria.gateway.snapshot import Snapshot
from noria.runtime.datasets import Datasets
from noria.runtime.eval_spec import Resolver
from noria.runtime.explore_arm import measure_of
from noria.runtime.explore_plan import Planner
from noria.runtime.jobs import Jobs
from noria.runtime.judges import Judges
from noria.storage.explorations import KIND, ExplorationTable, arguments_of
from noria.storage.home import Home

EXPLORATION, COMPARISON = "exp", "cmp"
"""How their ids begin."""
_OPEN = ("queued", "running")
_KEPT = 8
"""Reports of ended explorations that are kept in memory."""
_LOOKED = 500
"""Examples of a comparison's dataset that its complexity and risks are told of."""


class Explorations:
    """`folder` is noria.toml's."""

    def __init__(
        self,
        table: ExplorationTable,
        runs: RunReader,
        jobs: Jobs,
        clock: Clock,
        *,
        home: Home,
        folder: Path,
        datasets: Datasets,
        resolver: Callable[[], Resolver],
        judges: Judges,
        serving: Callable[[], Snapshot],
    ) -> None:
        self._table = table
        self._runs = runs
        self._jobs = jobs
        self._clock = clock
        self._home = home
        self._folder = folder
        self._datasets = datasets
        self._resolver = resolver
        self._judges = judges
        self._serving = serving
        self._reports: dict[tuple[str, str], ExploreReport] = {}
        self._lock = threading.Lock()

    # What is to be explored.

    def taken(
        self, project: str, brief: Brief, samples: Sequence[Example], *, dataset: str = "", by: Principal
    ) -> DatasetRef:
        """The samples as a version of a dataset, which is named after the brief where it is not named."""
        name = dataset or f"explore-{_slug(brief.title or brief.task)}"
        self._datasets.ensure(project, name, by=by)
        version = self._datasets.table.commit(
            project, name, samples, replace=True, comment="Samples of an exploration", by=by
        )
        return DatasetRef(name=name, number=version.number, digest=version.digest)

    def checked(self, samples: Sequence[Example]) -> Sequence[Example]:
        """The same. Raises InvalidRequest for too few or too many, or two that are one."""
        if problem := problem_of(samples):
            raise InvalidRequest(problem, param="samples")
        if len({one.id for one in samples}) < len(samples):
            raise InvalidRequest("Two samples have the same id, or the same content.", param="samples")
        return samples

    def referred(self, project: str, text: str, *, limit: int = 0) -> DatasetRef:
        """Examples of a dataset that is there: `name`, `name@3`, `name@golden` or `name@3:split`."""
        version, split = resolve(self._datasets.table, project, text)
        name = text.partition("@")[0].partition(":")[0]
        return DatasetRef(name=name, number=version.number, digest=version.digest, split=split, limit=limit)

    def samples(self, project: str, dataset: DatasetRef, *, seed: int = 0) -> list[Example]:
        """Raises InvalidRequest for too few or too many."""
        count = self._resolver().count(project, dataset)
        found = list(self._resolver().examples(project, dataset, seed=seed)) if count <= 1000 else []
        if problem := problem_of(found):
            why = problem if found else f"{dataset.shown} has {count:,} examples; give a limit of at most 50."
            raise InvalidRequest(why, param="dataset")
        return found

    def planner(self) -> Planner:
        return Planner(self._resolver(), self._judges, self._serving())

    def facts(self, names: Sequence[str]) -> dict[str, list[Facts]]:
        """What cards say of the models behind each name."""
        planner = self.planner()
        return {name: planner.facts(name) for name in names}

    def estimate(self, project: str, spec: ExploreSpec, samples: Sequence[Example] = ()) -> Estimate:
        """`samples` are those that are no dataset yet."""
        return self.planner().estimate(project, spec, samples)

    # Explorations.

    def start(self, project: str, spec: ExploreSpec, *, by: Principal) -> Exploration:
        """Begin; raises InvalidRequest where there is nothing to run."""
        if not spec.arms:
            reasons = "; ".join(
                f"{one.model}: {', '.join(one.excluded)}" for one in spec.candidates if one.excluded
            )
            raise InvalidRequest(
                f"Every candidate is excluded ({reasons})." if reasons else "There is nothing to run."
            )
        one = Exploration(
            id=new_id(EXPLORATION if spec.kind == "exploration" else COMPARISON),
            project=project,
            spec=spec,
            by=by.id,
            by_name=by.name,
            created_ms=self._clock.now_ns() // 1_000_000,
        )
        return self._begun(one, by)

    def all(
        self, project: str, *, kind: str = "", cursor: str | None = None, limit: int = 50
    ) -> Page[Exploration]:
        """Newest first."""
        prefix = {"exploration": f"{EXPLORATION}_", "comparison": f"{COMPARISON}_"}.get(kind, "")
        return self._table.all(project, prefix=prefix, cursor=cursor, limit=limit)

    def get(self, project: str, id: str) -> Exploration:
        """Raises NotFound."""
        found = self._table.get(project, id)
        if found is None:
            raise NotFound(f"There is no exploration {id} in {project!r}; see `noria explore list`.")
        return found

    def stop(self, project: str, id: str, *, by: Principal) -> Exploration:
        """What was answered stays. Raises Conflict where it has ended."""
        one = self.get(project, id)
        if one.state not in _OPEN:
            raise Conflict(f"The exploration is {one.state} already.")
        self._jobs.cancel(project, one.job, by=by)
        return self.get(project, id)

    def resume(self, project: str, id: str, *, by: Principal) -> Exploration:
        """Go on, also with runs that failed. Raises Conflict while it runs, or where all is done."""
        one = self.get(project, id)
        if one.state in _OPEN:
            raise Conflict(f"The exploration is {one.state} already.")
        runs = [self._runs.run(project, run_id(id, arm)) for arm in one.spec.arms]
        if all(run is not None and run.state == "done" for run in runs):
            raise Conflict("Every run of the exploration is done; there is nothing to go on with.")
        return self._begun(one, by)

    def report(self, one: Exploration) -> ExploreReport:
        """Of what there is so far."""
        key = (one.id, one.job)
        with self._lock:
            found = self._reports.get(key)
        if found is not None and one.state not in _OPEN:
            return msgspec.structs.replace(found, exploration=one)
        made = self._reported(one)
        # A run that was resumed by itself makes another report.
        if one.state == "done" and all(each.evidence.whole for each in made.findings):
            with self._lock:
                self._reports[key] = made
                while len(self._reports) > _KEPT:
                    del self._reports[next(iter(self._reports))]
        return made

    def _reported(self, one: Exploration) -> ExploreReport:
        spec = one.spec
        described = measure_of(spec)
        found = []
        for arm in spec.arms:
            run = self._runs.run(one.project, run_id(one.id, arm))
            if run is None:
                why = "not begun yet." if one.state in _OPEN else _missing(one)
                found.append(absent(arm, why))
            else:
                kept = self._runs.kept(run.id)
                found.append(evidence(arm, run, kept, described=described, level=spec.level))
        return report(
            one,
            self._shown(one),
            found,
            made_ms=self._clock.now_ns() // 1_000_000,
            version=noria.__version__,
        )

    def _shown(self, one: Exploration) -> list[Example]:
        """The samples; of a large dataset the first ones. None where the version is no more."""
        try:
            every = self._resolver().examples(one.project, one.spec.dataset, seed=one.spec.seed)
            return [example for _, example in zip(range(_LOOKED), every, strict=False)]
        except NotFound:
            return []

    def _begun(self, one: Exploration, by: Principal) -> Exploration:
        arguments = {
            **arguments_of(one),
            "home": str(self._home.folder),
            "folder": str(self._folder),
        }
        job = self._jobs.start(one.project, KIND, one.id, arguments=arguments, by=by)
        return msgspec.structs.replace(one, job=job.id, state="queued", message="")


def _missing(one: Exploration) -> str:
    if one.state != "done":
        return one.message or f"the exploration was {one.state} before it."
    if one.spec.brief.budget is not None:
        return f"not begun, since the budget of ${one.spec.brief.budget} was spent, or its run was deleted."
    return "its run was deleted."


def _slug(text: str) -> str:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return "-".join(words)[:40].strip("-") or "samples"
