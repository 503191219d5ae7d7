"""Rates that a judge reports, corrected for the errors that its calibration has shown."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from noria.scoring.judge.calibration import LEVEL, Calibration
from noria.scoring.judge.label import Verdict
from noria.stats.interval import Interval


def corrected_share(calibration: Calibration, rate: float, *, worth: float, n: int) -> Interval | None:
    """The true share of yes behind a judge's `rate` over n examples (Rogan, Gladen), with the errors'
    uncertainty. They are worth so many independent ones (`stats.interval.effective_number`). None: the judge
    was not calibrated on yes and no.
    """
    from noria.stats.rates import corrected_rate

    if set(calibration.table) - {"yes", "no"} or not calibration.table or not n:
        return None
    right, wrong = calibration.table.get("yes", {}), calibration.table.get("no", {})
    found = corrected_rate(
        rate * worth,
        worth,
        sensitivity=(right.get("yes", 0), sum(right.values())),
        specificity=(wrong.get("no", 0), sum(wrong.values())),
        level=LEVEL,
    )
    method = f"{found.method} by group" if worth < n and found.low is not None else found.method
    return msgspec.structs.replace(found, n=n, method=method)


def corrected_mean(
    verdicts: Sequence[Verdict], judged: Sequence[float], *, groups: Sequence[str] | None = None
) -> Interval | None:
    """The mean that people would give to the answers that the judge gave `judged` (prediction-powered).

    `verdicts` are the judge's on labelled answers of the same kind. None: their labels are not on its scale.
    """
    from noria.stats.rates import prediction_powered_mean

    both = [
        (float(one.label), float(one.judged), one.group)
        for one in verdicts
        if one.repeat == 0 and isinstance(one.label, bool | float) and isinstance(one.judged, bool | float)
    ]
    said = [one for one in verdicts if one.judged is not None]
    if any(isinstance(one.label, bool) != isinstance(one.judged, bool) for one in said):
        return None
    return prediction_powered_mean(
        [label for label, _, _ in both],
        [said for _, said, _ in both],
        judged,
        label_groups=[group for _, _, group in both],
        groups=groups,
        level=LEVEL,
    )
