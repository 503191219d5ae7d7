"""Rates that a judge reports, corrected for the errors that its calibration has shown."""

from __future__ import annotations

from collections.abc import Sequence

from noria.errors import InvalidRequest
from noria.scoring.judge.calibration import LEVEL, Calibration
from noria.scoring.judge.label import Verdict
from noria.stats.interval import Interval


def corrected_share(calibration: Calibration, *, yes: int, n: int) -> Interval:
    """The true share of yes behind `yes` of `n` verdicts (Rogan, Gladen), with the errors' uncertainty.

    Raises InvalidRequest where the judge was not calibrated on yes and no.
    """
    from noria.stats.rates import corrected_rate

    if set(calibration.table) - {"yes", "no"} or not calibration.table:
        raise InvalidRequest(
            "Only a judge that was calibrated on yes and no has rates that can be corrected."
        )
    right, wrong = calibration.table.get("yes", {}), calibration.table.get("no", {})
    return corrected_rate(
        yes,
        n,
        sensitivity=(right.get("yes", 0), sum(right.values())),
        specificity=(wrong.get("no", 0), sum(wrong.values())),
        level=LEVEL,
    )


def corrected_mean(verdicts: Sequence[Verdict], judged: Sequence[float]) -> Interval:
    """The mean that people would give to the answers that the judge gave `judged` (prediction-powered).

    `verdicts` are the judge's on labelled answers of the same kind.
    """
    from noria.stats.rates import prediction_powered_mean

    both = [
        (float(one.label), float(one.judged))
        for one in verdicts
        if one.repeat == 0 and isinstance(one.label, bool | float) and isinstance(one.judged, bool | float)
    ]
    return prediction_powered_mean(
        [label for label, _ in both], [said for _, said in both], judged, level=LEVEL
    )
