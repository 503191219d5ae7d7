"""Gates as control asks them: which run is evidence of what, and what the gate makes of it.

A gate is asked about one target over one dataset version. Evidence is a finished run of exactly these, as
noria.toml, labels and routes stand now; any other run is none, and the answer says what differs.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from noria.config.eval import EvalSection, EvalTargetSection
from noria.core.gate import GateResult
from noria.errors import ConfigError, InvalidRequest, NotFound
from noria.evals.gate import Checked, Gate, check, old
from noria.evals.judging import KnownJudges
from noria.evals.run import EvalRun, RunSpec, changes
from noria.evals.sheet import Sheet
from noria.evals.store import RunReader
from noria.prompts.reference import parse_reference
from noria.prompts.store import PromptReader
from noria.prompts.version import PromptVersion
from noria.scoring.scorer import ScorerSpec

_PAGE = 100


class Gatekeeping:
    """Looks for evidence, and holds it against the gates."""

    def __init__(
        self,
        runs: RunReader,
        prompts: PromptReader,
        *,
        sections: Callable[[], dict[str, EvalSection]],
        spec: Callable[[str, str, EvalSection], RunSpec],
        sheet: Callable[[EvalRun], Sheet],
        owners: Callable[[RunSpec], dict[str, ScorerSpec]],
        bar: KnownJudges | None,
    ) -> None:
        """`spec` makes what a run would be now; `owners` gives the scorer of each measure."""
        self._runs = runs
        self._prompts = prompts
        self._sections = sections
        self._spec = spec
        self._sheet = sheet
        self._owners = owners
        self._bar = bar

    def of_run(self, gate: Gate, run: EvalRun, *, now_ms: int) -> Checked:
        """Of a run that is named: its target is asked about, over what the evaluation is about now."""
        if run.spec.name != gate.eval:
            return undecided(
                gate, f"Run {run.id} is of {run.spec.name}; the gate looks at runs of {gate.eval}."
            )
        section = self._sections().get(gate.eval)
        if section is not None:
            try:
                now = self._spec(run.project, gate.eval, section)
            except (ConfigError, InvalidRequest, NotFound) as error:
                return undecided(gate, str(error), run)
            other = changes(run.spec, msgspec.structs.replace(now, target=run.spec.target))
            if other:
                why = (
                    f"Run {run.id} is no evidence: not as [evals.{gate.eval}] has it now: {', '.join(other)}"
                )
                return undecided(gate, f"{why}. Run it again.", run)
        return self._checked(gate, run, now_ms=now_ms)

    def of_eval(self, project: str, gate: Gate, *, now_ms: int) -> Checked:
        """Of the evaluation's own target."""
        return self._of(project, gate, None, now_ms=now_ms)

    def of_version(self, gate: Gate, version: PromptVersion, *, now_ms: int) -> GateResult:
        """Of a prompt's version, with the evaluation's model and parameters."""
        return self._of(version.project, gate, version, now_ms=now_ms).result

    def _of(self, project: str, gate: Gate, version: PromptVersion | None, *, now_ms: int) -> Checked:
        section = self._sections().get(gate.eval)
        if section is None:
            why = f"noria.toml has no [evals.{gate.eval}], so it does not say what a run must be of"
            return undecided(gate, f"{why}; add it, or name a run with --run.")
        how = f"`noria eval run {gate.eval}"
        if version is not None:
            section = _with_prompt(section, version)
            if section is None:
                return undecided(
                    gate, f"The evaluation {gate.eval} asks no model, so no run of it has a prompt."
                )
            how += f" --prompt {version.prompt}@{version.number}"
        try:
            asked = self._spec(project, gate.eval, section)
        except (ConfigError, InvalidRequest, NotFound) as error:
            return undecided(gate, str(error))
        run = self._newest(project, gate.eval, lambda run: not changes(run.spec, asked))
        if run is not None:
            return self._checked(gate, run, now_ms=now_ms)
        whose = asked.target.shown if version is None else f"version {version.number} of {version.prompt}"
        nearest = self._newest(project, gate.eval, lambda run: version is None or _has(run, version))
        if nearest is None:
            return undecided(gate, f"No run of {gate.eval} has looked at {whose}; {how}` makes one.")
        other = ", ".join(changes(nearest.spec, asked))
        age = old(now_ms - nearest.ended_ms)
        why = f"No run of {gate.eval} is of {whose} as it is now: {nearest.id}, {age} old, differs in {other}"
        return undecided(gate, f"{why}; {how}` makes one.")

    def _checked(self, gate: Gate, run: EvalRun, *, now_ms: int) -> Checked:
        return check(
            gate,
            run,
            lambda: self._sheet(run),
            baseline=lambda text: self._baseline(run, text),
            owner=self._owners(run.spec).get,
            bar=self._bar,
            now_ms=now_ms,
        )

    def _baseline(self, run: EvalRun, text: str) -> tuple[EvalRun, Sheet] | None:
        """A finished run; but for one that is named, over the same examples."""
        kind, _, name = text.partition(":")
        found: EvalRun | None = None
        if kind == "run":
            found = self._runs.run(run.project, name)
        elif kind == "label" and run.spec.target.prompt:
            prompt = parse_reference(run.spec.target.prompt).name
            version = self._prompts.version(run.project, parse_reference(f"{prompt}@{name}"))
            if version is not None:
                found = self._newest(
                    run.project,
                    run.spec.name,
                    lambda one: _beside(one, run) and _but_for_prompt(one, run, version),
                )
        elif kind == "previous":
            found = self._newest(run.project, run.spec.name, lambda one: _beside(one, run), before=run.id)
        if found is None or found.state != "done":
            return None
        return found, self._sheet(found)

    def _newest(
        self, project: str, name: str, fits: Callable[[EvalRun], bool], *, before: str = ""
    ) -> EvalRun | None:
        """The newest that is done."""
        cursor: str | None = before or None
        while True:
            page = self._runs.runs(project, name=name, state="done", cursor=cursor, limit=_PAGE)
            found = next((run for run in page.items if fits(run)), None)
            if found is not None or page.next is None:
                return found
            cursor = page.next


def undecided(gate: Gate, why: str, run: EvalRun | None = None) -> Checked:
    """Without a look at any condition."""
    evidence = {} if run is None else {"run": run.id}
    return Checked(result=GateResult(gate=gate.name, verdict="undecided", reason=why, evidence=evidence))


def _with_prompt(section: EvalSection, version: PromptVersion) -> EvalSection | None:
    target = section.target
    if isinstance(target, str):
        target = EvalTargetSection(model=target)
    if target.url is not None or target.function is not None:
        return None
    named = target.model_copy(update={"prompt": f"{version.prompt}@{version.number}"})
    return section.model_copy(update={"target": named})


def _has(run: EvalRun, version: PromptVersion) -> bool:
    content = run.spec.target.content
    return content is not None and content.digest == version.digest


def _beside(one: EvalRun, run: EvalRun) -> bool:
    """Whether it is another run over the same examples."""
    ours, theirs = run.spec, one.spec
    return one.id != run.id and (ours.dataset.digest, ours.dataset.split, ours.dataset.limit, ours.seed) == (
        theirs.dataset.digest,
        theirs.dataset.split,
        theirs.dataset.limit,
        theirs.seed,
    )


def _but_for_prompt(one: EvalRun, run: EvalRun, version: PromptVersion) -> bool:
    """Whether it is of that version, and else of the same target; a prompt may bring its own model."""
    ours, theirs = run.spec.target, one.spec.target
    own = ours.content is not None and ours.model == ours.content.model
    model = version.content.model if own and version.content.model else ours.model
    return _has(one, version) and theirs.model == model and theirs.parameters == ours.parameters
