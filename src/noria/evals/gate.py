"""A Gate: conditions that a run must meet, and the one answer that they give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from noria.core.gate import GateResult
from noria.core.gate import Verdict as Answer
from noria.errors import ConfigError
from noria.evals.comparison import compare
from noria.evals.metrics import measure, metrics
from noria.evals.run import EvalRun
from noria.evals.sheet import Sheet
from noria.scoring.scorer import ScorerSpec

QUANTITIES = ("latency", "cost", "tokens")
"""What a condition may be about beside scorers: of an answer, its 95th percentile (cost: its mean)."""


class Condition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Exactly one of `at_least`, `at_most`, `better_than` and `no_worse_than` is set."""

    scorer: str
    """Name of what is measured, or one of QUANTITIES."""
    at_least: float | None = None
    at_most: float | None = None
    better_than: str = ""
    """A baseline: "label:NAME", "run:ID", "previous"."""
    no_worse_than: str = ""
    by: float = 0.0
    """With `better_than` the least gain, with `no_worse_than` the most loss."""
    level: float | None = None
    """Confidence. With a bound: the interval's near end must hold it; None: the estimate. With a baseline:
    0.95 where it is None."""
    tag: str = ""
    """Only the examples with this tag."""

    @property
    def shown(self) -> str:
        if self.at_least is not None:
            rule = f"at least {self.at_least:g}"
        elif self.at_most is not None:
            rule = f"at most {self.at_most:g}"
        elif self.better_than:
            rule = f"better than {self.better_than}" + (f" by {self.by:g}" if self.by else "")
        else:
            rule = f"no worse than {self.no_worse_than}" + (f" by {self.by:g}" if self.by else "")
        return f"{self.scorer}{f' on {self.tag}' if self.tag else ''} {rule}"


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """As configured."""

    name: str
    eval: str
    """Name of the evaluation whose runs it looks at."""
    conditions: tuple[Condition, ...]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A Gate, looked at: pass only where every condition passes, fail where one fails."""

    result: GateResult
    conditions: tuple[tuple[Condition, GateResult], ...] = ()


class JudgeBar(Protocol):
    """Whether what a scorer says may decide; `runtime` wires it to the judges' calibrations."""

    def barred(self, project: str, spec: ScorerSpec) -> str:
        """Why it may not, in a sentence; "" where it may."""
        ...


Baseline = Callable[[str], tuple[EvalRun, Sheet] | None]
"""Finds the run that a condition compares with, by its name in the condition."""
Owner = Callable[[str], ScorerSpec | None]
"""The scorer that makes a measure."""


def check(
    gate: Gate,
    run: EvalRun,
    sheet: Callable[[], Sheet],
    *,
    baseline: Baseline,
    owner: Owner,
    bar: JudgeBar | None,
    now_ms: int,
) -> Checked:
    """What `gate` says of `run`, and how old that evidence is. Conditions with baselines are corrected for
    one another by Holm's method within a comparison."""
    age = old(now_ms - (run.ended_ms or run.created_ms))
    evidence = {"run": run.id, "age": age}
    if run.state != "done":
        why = f"The run is {run.state}, not done: {run.message or 'wait for it, or resume it'}."
        return Checked(result=_result(gate, "undecided", why, evidence))
    if not run.sound:
        return Checked(result=_result(gate, "undecided", run.message, evidence))
    looked: list[tuple[Condition, GateResult]] = []
    for condition in gate.conditions:
        spec = owner(condition.scorer)
        why = bar.barred(run.project, spec) if bar is not None and spec is not None else ""
        if why:
            result = _result(gate, "undecided", why, evidence)
        else:
            result = _looked(gate, condition, run, _tagged(sheet(), condition.tag), baseline=baseline)
        looked.append((condition, result))
    verdicts = [result.verdict for _, result in looked]
    verdict: Answer = "fail" if "fail" in verdicts else "undecided" if "undecided" in verdicts else "pass"
    decided = [result.reason for _, result in looked if result.verdict == verdict]
    for _, result in looked:
        evidence |= result.evidence
    reason = f"{' '.join(decided)} (Run {run.id}, {age} old.)"
    return Checked(result=_result(gate, verdict, reason, evidence), conditions=tuple(looked))


def old(ms: int) -> str:
    """An age in its largest unit."""
    seconds = max(0, ms) // 1000
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return _many(seconds // length, unit)
    return _many(seconds, "second")


def _many(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def _looked(
    gate: Gate, condition: Condition, run: EvalRun, sheet: Sheet, *, baseline: Baseline
) -> GateResult:
    named = condition.better_than or condition.no_worse_than
    if not named:
        return _bound(gate, condition, sheet, run)
    found = baseline(named)
    if found is None:
        why = f"There is no finished run of {gate.eval} over the same examples to compare with ({named})."
        return _result(gate, "undecided", why, {"run": run.id})
    other, theirs = found
    return _compared(gate, condition, run, sheet, other, _tagged(theirs, condition.tag))


def _bound(gate: Gate, condition: Condition, sheet: Sheet, run: EvalRun) -> GateResult:
    name, described = condition.scorer, sheet.measure(condition.scorer)
    evidence = {"run": run.id}
    if name in QUANTITIES and described is None:
        found = metrics(msgspec.structs.replace(sheet, measures=()))
        spent = {"latency": found.latency, "cost": found.cost, "tokens": found.tokens}[name]
        if spent is None:
            return _result(gate, "undecided", f"The {name} of the answers is not known.", evidence)
        value, what = (spent.mean.estimate, "mean") if name == "cost" else (spent.p95, "95th percentile")
        low = high = value
        shown = f"{name} ({what}) {value:.4g}"
    else:
        if described is None:
            return _result(gate, "undecided", f"The run has no scorer {name!r}.", evidence)
        made = measure(sheet.lines, described, level=condition.level or 0.95)
        interval = made.interval
        if interval is None or interval.estimate is None:
            why = f"No score of {name} can be used" + (
                f": {made.why_failed[0][0]}" if made.why_failed else "."
            )
            return _result(gate, "undecided", why, evidence)
        value, low, high = interval.estimate, interval.low, interval.high
        shown = f"{name} {value:.4g}" + (
            f" [{low:.4g}, {high:.4g}]" if low is not None and high is not None else ""
        )
        if condition.level is None:
            low = high = value
        elif low is None or high is None:
            why = f"{shown} has no interval ({interval.method}): there are too few examples."
            return _result(gate, "undecided", why, evidence)
    assert value is not None and low is not None and high is not None, "all are known by now"
    if condition.at_least is not None:
        bound, near, far, rule = (
            condition.at_least,
            low >= condition.at_least,
            high < condition.at_least,
            "at least",
        )
    else:
        bound = condition.at_most
        if bound is None:
            raise ConfigError(f"A condition of the gate {gate.name} on {name} says nothing to hold.")
        near, far, rule = high <= bound, low > bound, "at most"
    verdict: Answer = "pass" if near else "fail" if far else "undecided"
    return _result(gate, verdict, f"{shown}, to be {rule} {bound:g}.", evidence)


def _compared(
    gate: Gate, condition: Condition, run: EvalRun, sheet: Sheet, other: EvalRun, theirs: Sheet
) -> GateResult:
    name = condition.scorer
    level = condition.level or 0.95
    evidence = {"run": run.id, "baseline": other.id}
    if other.spec.dataset.digest != run.spec.dataset.digest:
        note = " (over other versions of the dataset)"
    else:
        note = ""
    comparison = compare(sheet, theirs, ids=(run.id, other.id), level=level)
    found = next((one for one in comparison.scorers if one.name == name), None)
    if found is None:
        return _result(gate, "undecided", f"The two runs do not both have a scorer {name!r}.", evidence)
    if found.better == "neither":
        why = f"Of {name} neither more nor less is better, so it cannot be compared in a gate."
        return _result(gate, "undecided", why, evidence)
    gap, low, high = found.difference.estimate, found.difference.low, found.difference.high
    if gap is None:
        return _result(gate, "undecided", f"The two runs share no example with a score of {name}.", evidence)
    if found.difference.method == "no variation":
        low = high = gap
    if low is None or high is None:
        why = f"{name} cannot be compared ({found.difference.method}): {found.n} examples are too few."
        return _result(gate, "undecided", why, evidence)
    if found.better == "lower":
        gap, low, high = -gap, -high, -low
    shown = f"{name} {gap:+.4g} [{low:+.4g}, {high:+.4g}] against {other.id}{note}"
    if condition.better_than:
        certain = found.p_adjusted is not None and found.p_adjusted <= 1 - level
        verdict: Answer = (
            "pass" if low > condition.by and certain else "fail" if high <= condition.by else "undecided"
        )
        rule = f"to be better by more than {condition.by:g}" if condition.by else "to be better"
    else:
        verdict = "pass" if low >= -condition.by else "fail" if high < -condition.by else "undecided"
        rule = f"to be worse by no more than {condition.by:g}" if condition.by else "to be no worse"
    more = (
        f" {found.needed:,} more examples would probably settle it."
        if found.needed and verdict == "undecided"
        else ""
    )
    return _result(gate, verdict, f"{shown}, {rule}.{more}", evidence)


def _tagged(sheet: Sheet, tag: str) -> Sheet:
    if not tag:
        return sheet
    return msgspec.structs.replace(sheet, lines=tuple(line for line in sheet.lines if tag in line.tags))


def _result(gate: Gate, verdict: Answer, reason: str, evidence: dict[str, str]) -> GateResult:
    return GateResult(gate=gate.name, verdict=verdict, reason=reason, evidence=dict(evidence))
