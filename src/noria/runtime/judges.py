"""Scorers and judges as noria.toml names them, and what calibration says of the judges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from noria.access.role import Principal
from noria.config.config import Config
from noria.config.judge import JudgeSection
from noria.config.mistake import nearest
from noria.core.clock import Clock
from noria.core.digest import digest
from noria.core.gate import GateResult
from noria.core.ids import new_id
from noria.core.pages import Page
from noria.datasets.reference import resolve as resolve_dataset
from noria.datasets.store import DatasetReader
from noria.errors import NotFound
from noria.evals.metrics import Correction
from noria.gateway.snapshot import Snapshot
from noria.prompts.store import PromptReader
from noria.runtime.jobs import Job, Jobs
from noria.runtime.judge_prompts import version_of
from noria.scoring.judge.bar import Bar, may_gate
from noria.scoring.judge.corrected import corrected_mean, corrected_share
from noria.scoring.judge.label import AS_WRITTEN, Reading
from noria.scoring.judge.store import CalibrationRun, CalibrationStore
from noria.scoring.scorer import ScorerSpec
from noria.storage.home import Home

TASK = "judges.calibrate"
PREFIX = "judge."
_BEGINNING = 60_000
"""Milliseconds in which a calibration has its job."""
_INNER = "scorer"
"""The argument in which some scorers name another that they ask."""


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """A judge, and how it stands."""

    name: str
    spec: ScorerSpec
    identity: str
    """"" where its model or prompt is not to be found; then `gate` says so."""
    bar: Bar | None
    threshold: float | None
    run: CalibrationRun | None
    """The newest calibration of this very judge, else of what bore its name before."""
    gate: GateResult


class Judges:
    """All that the API offers of judges; evals.judging.KnownJudges as well."""

    def __init__(
        self,
        store: CalibrationStore,
        jobs: Jobs,
        clock: Clock,
        *,
        home: Home,
        config: Callable[[], Config],
        serving: Callable[[], Snapshot],
        datasets: DatasetReader,
        prompts: PromptReader,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._home = home
        self._config = config
        self._serving = serving
        self._datasets = datasets
        self._prompts = prompts

    # What is configured.

    def spec(self, name: str) -> ScorerSpec | None:
        """Of the [scorers.NAME] or [judges.NAME]; None: there is neither."""
        config = self._config()
        found = config.judges.get(name) or config.scorers.get(name)
        return None if found is None else found.spec(name)

    def scorers(self) -> dict[str, ScorerSpec]:
        """Those of [scorers]."""
        return {name: section.spec(name) for name, section in self._config().scorers.items()}

    def all(self, project: str) -> list[Stand]:
        """By name."""
        newest = self._store.newest(project)
        return [
            self._stand(project, name, section, newest.get(name, {}))
            for name, section in sorted(self._config().judges.items())
        ]

    def one(self, project: str, name: str) -> Stand:
        """Raises NotFound with the nearest name."""
        return self._stand(project, name, self._section(name), self._store.newest(project).get(name, {}))

    def identity(self, project: str, spec: ScorerSpec) -> str:
        """Changes with the prompt's content, the model and what it leads to, the rubric and the scale.

        Raises NotFound where model or prompt are not to be found.
        """
        arguments = dict(spec.arguments)
        prompt = arguments.pop("prompt", "")
        content = version_of(self._prompts, project, prompt).digest if prompt else _own_prompt(spec)
        return digest((spec.type, arguments, content, self._serves(str(arguments.get("model", "")))))

    # Calibrations.

    def calibrate(
        self,
        project: str,
        name: str,
        dataset: str,
        *,
        repeats: int = 1,
        reading: Reading = AS_WRITTEN,
        by: Principal,
    ) -> tuple[CalibrationRun, Job]:
        """Begin, on the labelled examples of `name`, `name@3`, `name@golden` or `name@3:split`.

        The first examples are judged `repeats` times, for the noise. Raises NotFound, MissingExtra.
        """
        section = self._section(name)
        spec = section.spec(name)
        version, split = resolve_dataset(self._datasets, project, dataset)
        run = CalibrationRun(
            id=new_id("cal"),
            project=project,
            judge=name,
            identity=self.identity(project, spec),
            spec=self._pinned(project, spec),
            dataset=dataset.partition("@")[0].partition(":")[0],
            version=version.number,
            split=split,
            repeats=repeats,
            threshold=section.threshold,
            reading=reading,
            by=by.id,
            by_name=by.name,
            created_ms=self._now(),
        )
        self._store.add(run, by=by)
        arguments = {"home": str(self._home.folder), "project": project, "calibration": run.id}
        return run, self._jobs.start(project, TASK, run.id, arguments=arguments, by=by)

    def calibrations(
        self, project: str, name: str, *, cursor: str | None = None, limit: int = 50
    ) -> Page[CalibrationRun]:
        page = self._store.page(project, name, cursor=cursor, limit=limit)
        return Page(tuple(self._settled(run) for run in page.items), page.next)

    def calibration(self, project: str, id: str) -> CalibrationRun:
        """Raises NotFound."""
        found = self._store.get(project, id)
        if found is None:
            raise NotFound(f"There is no calibration {id} in project {project!r}; see `noria judge show`.")
        return self._settled(found)

    # What may be decided with them, and how far they can be believed.

    def may_gate(self, project: str, name: str) -> GateResult:
        """Whether the judge's scores may decide anything. Raises NotFound."""
        return self.one(project, name).gate

    def barred(self, project: str, spec: ScorerSpec) -> str:
        """Why what this scorer says may not decide, in a sentence; "" where it may."""
        judge = judge_in(spec)
        if judge is None:
            return ""
        try:
            identity = spec.identity or self.identity(project, judge)
        except NotFound as error:
            return str(error)
        for stand in self.all(project):
            if stand.identity == identity:
                return "" if stand.gate.verdict == "pass" else stand.gate.reason
        return (
            f"{spec.name or spec.type} is not a judge that noria.toml names now, so no calibration vouches "
            "for it: name it in [judges], run `noria judge calibrate`, and where its prompt, model or rubric "
            "has changed since, run the evaluation again."
        )

    def pinned(self, project: str, spec: ScorerSpec) -> ScorerSpec:
        """As a run records it: a judge with its prompt's version instead of a label that may move, and with
        its identity; what asks no judge as it is. Raises NotFound."""
        judge = judge_in(spec)
        if judge is None or spec.identity:
            return spec
        fixed, identity = self._pinned(project, judge), self.identity(project, judge)
        if judge is not spec:
            inner = {**spec.arguments[_INNER], "arguments": fixed.arguments}
            fixed = msgspec.structs.replace(spec, arguments={**spec.arguments, _INNER: inner})
        return msgspec.structs.replace(fixed, identity=identity)

    def corrected_share(
        self, project: str, spec: ScorerSpec, rate: float, *, worth: float, n: int
    ) -> Correction:
        """What people would say where the judge said yes at that rate (Rogan, Gladen).

        It assumes that the judge errs on these answers as it did on the labelled ones.
        """
        run, why = self._calibrated(project, spec)
        if run is None or run.measured is None:
            return Correction(why=why)
        found = corrected_share(run.measured, rate, worth=worth, n=n)
        why = "" if found else "The judge was not calibrated on labels of yes and no."
        return Correction(interval=found, why=why, calibration=run.id)

    def corrected_mean(
        self, project: str, spec: ScorerSpec, values: Sequence[float], *, groups: Sequence[str] | None
    ) -> Correction:
        """The mean that people would give where the judge gave `values` (prediction-powered)."""
        run, why = self._calibrated(project, spec)
        if run is None:
            return Correction(why=why)
        found = corrected_mean(self._store.verdicts(run.id), values, groups=groups)
        why = "" if found else "The judge was not calibrated on labels that are numbers."
        return Correction(interval=found, why=why, calibration=run.id)

    def _calibrated(self, project: str, spec: ScorerSpec) -> tuple[CalibrationRun | None, str]:
        """The newest calibration of that very judge, or why there is none."""
        try:
            identity = spec.identity or self.identity(project, spec)
        except NotFound as error:
            return None, str(error)
        run = self._store.of_identity(project, identity)
        return run, "" if run else "The judge, as it judged here, was never calibrated."

    def _settled(self, run: CalibrationRun) -> CalibrationRun:
        """One whose job has failed or was cancelled has failed."""
        if run.state != "running":
            return run
        job = next((job for job in self._jobs.all(run.project) if job.subject == run.id), None)
        if job is None:
            if self._now() - run.created_ms < _BEGINNING:
                return run
            message = "Noria ended before it had begun; calibrate again."
        elif job.state in ("failed", "cancelled"):
            message = job.message or f"The job was {job.state}."
        else:
            return run
        self._store.end(run.id, measured=None, message=message, now_ms=self._now())
        return self._store.get(run.project, run.id) or run

    def _section(self, name: str) -> JudgeSection:
        known = self._config().judges
        if name not in known:
            raise NotFound(f"noria.toml has no [judges.{name}]{nearest(name, known)}")
        return known[name]

    def _stand(
        self, project: str, name: str, section: JudgeSection, runs: dict[str, CalibrationRun]
    ) -> Stand:
        spec, bar = section.spec(name), None if section.bar is None else section.bar.compiled()
        last = next(reversed(runs.values()), None)
        try:
            identity = self.identity(project, spec)
        except NotFound as error:
            gate = GateResult(gate=f"judge:{name}", verdict="undecided", reason=str(error))
            return Stand(
                name=name, spec=spec, identity="", bar=bar, threshold=section.threshold, run=last, gate=gate
            )
        run = runs.get(identity, last)
        # Another threshold makes other verdicts of the same numbers.
        same = run is not None and run.threshold == section.threshold
        gate = may_gate(
            name,
            identity=identity,
            bar=bar,
            calibrated=None if run is None else run.identity if same else "",
            calibration=None if run is None else run.measured,
        )
        return Stand(
            name=name, spec=spec, identity=identity, bar=bar, threshold=section.threshold, run=run, gate=gate
        )

    def _pinned(self, project: str, spec: ScorerSpec) -> ScorerSpec:
        """With the prompt's version instead of a label that may move."""
        prompt = spec.arguments.get("prompt")
        if not prompt:
            return spec
        version = version_of(self._prompts, project, prompt)
        pinned: dict[str, Any] = {**spec.arguments, "prompt": f"{version.prompt}@{version.number}"}
        return msgspec.structs.replace(spec, arguments=pinned)

    def _serves(self, model: str) -> object:
        """All that a route or model leads to now."""
        snapshot = self._serving()
        route = snapshot.routes.get(model)
        if route is None:
            raise NotFound(f"There is no route or model {model!r}; see `noria route list --all`.")
        behind = [snapshot.models[target.model] for target in route.targets]
        return (
            route.strategy,
            [(target.model, target.weight) for target in route.targets],
            [(one.upstream, snapshot.providers[one.provider].base_url) for one in behind],
        )

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


def judge_in(spec: ScorerSpec) -> ScorerSpec | None:
    """The judge that a scorer is, or asks."""
    if spec.type.startswith(PREFIX):
        return spec
    inner = spec.arguments.get(_INNER)
    return judge_in(msgspec.convert(inner, ScorerSpec)) if isinstance(inner, dict) else None


def _own_prompt(spec: ScorerSpec) -> str:
    from noria.scoring.judge.prompt import built_in

    kind = spec.type.removeprefix(PREFIX)
    return built_in("rubric" if kind == "toxicity" else kind).digest
