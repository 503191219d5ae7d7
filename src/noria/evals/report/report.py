"""What a report is made of, whatever its form."""

from __future__ import annotations

import msgspec

from noria.evals.comparison import Comparison
from noria.evals.gate import Checked
from noria.evals.metrics import Measure, Metrics
from noria.evals.run import EvalRun
from noria.evals.slices import Slice
from noria.evals.store import Kept
from noria.stats.interval import Interval


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """One example on which the candidate is worse, as both answered it."""

    scorer: str
    candidate: Kept
    baseline: Kept


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Of one run, beside another where there is one to compare with."""

    run: EvalRun
    metrics: Metrics
    baseline: EvalRun | None = None
    comparison: Comparison | None = None
    gates: tuple[Checked, ...] = ()
    worst: tuple[Beside, ...] = ()
    failures: tuple[Kept, ...] = ()
    """Some of the examples whose answer or score failed, or was wrong."""
    slices: dict[str, tuple[Slice, ...]] = {}
    """By scorer."""
    made_ms: int = 0
    version: str = ""
    """Of the program."""
    title: str = ""
    notes: tuple[str, ...] = ()
    """What a reader must know of the measurement, such as the limits of a suite's scorers."""
    signature: bool = False
    """Whether somebody is to sign it."""


def shown(interval: Interval | None, *, sign: bool = False) -> str:
    """An estimate with its interval, or why there is none."""
    if interval is None or interval.estimate is None:
        return "not known"
    form = "+.4g" if sign else ".4g"
    if interval.low is None or interval.high is None:
        return f"{interval.estimate:{form}} ({interval.method})"
    return f"{interval.estimate:{form}} [{interval.low:{form}}, {interval.high:{form}}]"


def corrected(one: Measure) -> str:
    """What people would say where a judge did, or why that is not known."""
    if one.corrected is None:
        return ""
    return shown(one.corrected.interval) if one.corrected.interval is not None else one.corrected.why


def method(report: Report) -> list[str]:
    """How the numbers were made, in sentences."""
    spec = report.run.spec
    said = [
        f"{spec.repeats} answer{'s' if spec.repeats > 1 else ''} to each example of {spec.dataset.shown}"
        f" (content {spec.dataset.digest[:19] or 'not known'}), seed {spec.seed}.",
        "Intervals: Wilson's for shares, the bias-corrected and accelerated bootstrap for means and corpus "
        "metrics; by group where examples depend on one another. The method of each is in its row.",
        "A failed score is left out of the number, and counted beside it.",
    ]
    if any(one.corrected is not None for one in report.metrics.measures):
        said.append(
            "Corrected: what people would have said, by the judge's errors on the labelled answers of its "
            "calibration (Rogan and Gladen for shares, with Lang and Reiczigel's interval; "
            "prediction-powered for means); it holds where the judge errs here as it did there."
        )
    if report.comparison is not None:
        found = report.comparison
        said.append(
            f"Comparison: paired over the {found.examples} examples that both have; McNemar's exact test "
            "for yes and no, sign flips for numbers, random swaps for corpus metrics; p by Holm's method "
            f"over {len(found.scorers)} scorers; a difference is shown at {found.level:.0%} confidence."
        )
    return said
