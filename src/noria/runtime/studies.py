"""Studies as control offers them: begin, follow, stop, resume."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import msgspec

from noria import hooks
from noria.access.audit import Act
from noria.access.role import Principal
from noria.config.config import Config
from noria.config.mistake import nearest
from noria.config.study import StudySection
from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.core.pages import Page
from noria.errors import Conflict, NotFound
from noria.runtime.evals import Evals
from noria.runtime.jobs import Jobs
from noria.runtime.study_plan import planned
from noria.storage.home import Home
from noria.storage.studies import StudyTable
from noria.studies.search import needed
from noria.studies.study import ENDED, State, Study, StudySpec
from noria.studies.trial import TrialRecord

TASK = "studies.run"


class Studies:
    """All that the API offers of studies."""

    def __init__(
        self,
        table: StudyTable,
        jobs: Jobs,
        clock: Clock,
        *,
        home: Home,
        folder: Path,
        config: Callable[[], Config],
        evals: Evals,
    ) -> None:
        """`folder` is noria.toml's."""
        self._table = table
        self._jobs = jobs
        self._clock = clock
        self._home = home
        self._folder = folder
        self._config = config
        self._evals = evals

    def sections(self) -> dict[str, StudySection]:
        return dict(self._config().studies)

    def spec(self, project: str, name: str) -> StudySpec:
        """Of a new study. Raises NotFound with the nearest name, or ConfigError."""
        known = self._config().studies
        if name not in known:
            raise NotFound(f"noria.toml has no [studies.{name}]{nearest(name, known)}")
        section = known[name]
        hooks.load("objective", section.objective.type)
        return planned(self._evals, project, name, section)

    def start(self, project: str, spec: StudySpec, *, by: Principal) -> Study:
        """Begin; raises MissingExtra where that cannot be."""
        needed()
        study = Study(
            id=new_id("study"),
            project=project,
            spec=spec,
            by=by.id,
            by_name=by.name,
            created_ms=self._now(),
        )
        self._table.add(study, self._act("study.run", study, by, {"objective": spec.objective.type}))
        return self._begun(study, by)

    def studies(
        self,
        project: str,
        *,
        name: str = "",
        state: State | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Study]:
        page = self._table.studies(project, name=name, state=state, cursor=cursor, limit=limit)
        return Page(tuple(self._settled(one) for one in page.items), page.next)

    def study(self, project: str, id: str) -> Study:
        """Raises NotFound."""
        found = self._table.study(project, id)
        if found is None:
            raise NotFound(f"There is no study {id} in project {project!r}; see `noria study list`.")
        return self._settled(found)

    def _settled(self, study: Study) -> Study:
        """One whose job has ended without it, such as by a crash, has failed, and says why."""
        job = self._jobs.get(study.project, study.job) if study.job else None
        if study.state in ENDED or job is None or job.state in ("queued", "running"):
            return study
        # Its own end is written before the job's: what is there now is the last word.
        now = self._table.study(study.project, study.id) or study
        if now.state in ENDED or now.job != study.job:
            return now
        ended = "stopped" if job.state == "cancelled" else "failed"
        settled = now.to(ended, message=job.message or f"Its job was {job.state}.", at_ms=self._now())
        self._table.save(settled)
        return settled

    def trials(self, study: Study) -> list[TrialRecord]:
        """By number."""
        return self._table.trials(study.id)

    def stop(self, project: str, id: str, *, by: Principal) -> Study:
        """Trials under way are cut off and begun again by `resume`. Raises Conflict where it has ended."""
        study = self.study(project, id)
        stopped = study.to("stopped", message=f"Stopped by {by.name}; it can be resumed.", at_ms=self._now())
        if not self._table.save(stopped):
            raise Conflict("The study has just ended by itself.")
        self._table.change(stopped, self._act("study.stop", study, by))
        job = self._jobs.get(project, study.job) if study.job else None
        if job is not None and job.state in ("queued", "running"):
            self._jobs.cancel(project, job.id, by=by)
        for trial in self._table.trials(id):
            if trial.state == "running" and "run" in trial.evidence:
                # Not stopped where it has just ended, or is no more.
                with suppress(Conflict, NotFound):
                    self._evals.stop(project, trial.evidence["run"], by=by)
        return stopped

    def resume(
        self,
        project: str,
        id: str,
        *,
        trials: int | None = None,
        time: float | None = None,
        budget: Decimal | None = None,
        by: Principal,
    ) -> Study:
        """Go on, where given with other bounds. Raises Conflict while it goes on."""
        study = self.study(project, id)
        if study.state not in ENDED:
            raise Conflict(f"The study {id} is {study.state} already.")
        given = {"trials": trials, "time": time, "budget": budget}
        bounds = {name: value for name, value in given.items() if value is not None}
        queued = msgspec.structs.replace(
            study.to("queued"), spec=msgspec.structs.replace(study.spec, **bounds)
        )
        details: dict[str, object] = {name: str(value) for name, value in bounds.items()}
        self._table.change(queued, self._act("study.resume", study, by, details))
        return self._begun(queued, by)

    def remove(self, project: str, id: str, *, by: Principal) -> None:
        """Raises Conflict while it goes on."""
        study = self.study(project, id)
        if study.state not in ENDED:
            raise Conflict(f"The study is {study.state}; stop it first.")
        self._table.remove(study, self._act("study.remove", study, by))

    def _begun(self, study: Study, by: Principal) -> Study:
        arguments = {
            "home": str(self._home.folder),
            "folder": str(self._folder),
            "study": study.id,
            "project": study.project,
        }
        job = self._jobs.start(study.project, TASK, study.id, arguments=arguments, by=by)
        study = msgspec.structs.replace(study, job=job.id)
        self._table.note_job(study)
        return study

    def _act(self, act: str, study: Study, by: Principal, details: dict[str, object] | None = None) -> Act:
        said = {"study": study.spec.name, **(details or {})}
        return Act(by=by, act=act, subject=study.id, project=study.project, details=said)

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000
