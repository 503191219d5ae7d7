"""The bar that a judge must reach before its scores may decide anything."""

from __future__ import annotations

import msgspec

from noria.core.gate import GateResult, Verdict
from noria.scoring.judge.calibration import Calibration
from noria.stats.interval import Interval

FAILED = 0.05
"""Share of examples without a verdict that is borne where the bar says nothing of it."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """Each is held against the interval, not the estimate: the evidence must settle it."""

    kappa: float | None = None
    alpha: float | None = None
    true_positive: float | None = None
    """At least."""
    false_positive: float | None = None
    """At most."""
    consistent: float | None = None
    """At least."""
    failed: float = FAILED
    """At most, as a plain share."""

    @property
    def empty(self) -> bool:
        """Whether it asks for no agreement at all."""
        return all(
            getattr(self, name) is None
            for name in ("kappa", "alpha", "true_positive", "false_positive", "consistent")
        )


def may_gate(
    judge: str, *, identity: str, bar: Bar | None, calibrated: str | None, calibration: Calibration | None
) -> GateResult:
    """Whether the judge's scores may decide. `calibrated` is the identity that `calibration` was made of."""

    def result(verdict: Verdict, reason: str) -> GateResult:
        return GateResult(gate=f"judge:{judge}", verdict=verdict, reason=reason, evidence={"judge": identity})

    if bar is None or bar.empty:
        return result(
            "undecided", f"Judge {judge} has no bar; write `bar = {{ kappa = 0.6 }}` in [judges.{judge}]."
        )
    if calibration is None or calibrated is None:
        return result(
            "undecided", f"Judge {judge} was never calibrated; run `noria judge calibrate {judge} DATASET`."
        )
    if calibrated != identity:
        return result(
            "undecided",
            f"Judge {judge} was calibrated with another prompt, model or rubric; run "
            f"`noria judge calibrate {judge} DATASET` again.",
        )
    whole = calibration.n + calibration.failed
    share = calibration.failed / whole if whole else 1.0
    if share > bar.failed:
        return result(
            "fail",
            f"Judge {judge} gave no verdict on {calibration.failed} of {whole} examples, "
            f"more than the {bar.failed:.0%} that its bar allows.",
        )
    looks = [
        _held(name, interval, wanted, least=name != "false_positive")
        for name, interval, wanted in (
            ("kappa", calibration.kappa, bar.kappa),
            ("alpha", calibration.alpha, bar.alpha),
            ("true_positive", calibration.true_positive, bar.true_positive),
            ("false_positive", calibration.false_positive, bar.false_positive),
            ("consistent", calibration.consistent, bar.consistent),
        )
        if wanted is not None
    ]
    order: tuple[Verdict, ...] = ("fail", "undecided", "pass")
    verdict, reason = min(looks, key=lambda look: order.index(look[0]))
    if verdict == "pass":
        reason = "; ".join(one for _, one in looks)
    return result(verdict, f"Judge {judge}: {reason}.")


def _held(name: str, interval: Interval | None, wanted: float, *, least: bool) -> tuple[Verdict, str]:
    words = f"{name.replace('_', ' ')} must be at {'least' if least else 'most'} {wanted:g}"
    if interval is None or interval.estimate is None:
        return "undecided", f"{words}, and could not be measured on its labels"
    if interval.low is None or interval.high is None:
        return "undecided", f"{words}; it is {interval.estimate:.2f} without an interval ({interval.method})"
    seen = f"is {interval.estimate:.2f} ({interval.low:.2f} to {interval.high:.2f}, {interval.n} examples)"
    if (interval.low >= wanted) if least else (interval.high <= wanted):
        return "pass", f"{words} and {seen}"
    if (interval.high < wanted) if least else (interval.low > wanted):
        return "fail", f"{words} and {seen}"
    return "undecided", f"{words} and {seen}, which does not settle it; label more examples"
