"""How sure what people said is: the interval of a share of thumbs, or of a mean score."""

from __future__ import annotations

import math

from noria.feedback.feedback import Said
from noria.stats.interval import Interval, absent, share
from noria.stats.quantile import two_sided

LEVEL = 0.95
ENOUGH = 30
"""Scores from which on the normal interval holds; Student's would need an extra part of Noria."""


def doubt(said: Said) -> Interval | None:
    """Wilson's of thumbs, the normal one of scores, as if each stood for itself; None: it has no numbers."""
    n, mean = said.count, said.mean
    if mean is None or said.square is None:
        return None
    if said.kind == "thumb":
        return share(round(mean * n), n, level=LEVEL)
    if n < ENOUGH:
        return absent(mean, "too few", level=LEVEL, n=n)
    spread = said.square - mean * mean
    # What is left of a difference of nearly equal squares is noise of the arithmetic, not of people.
    if spread <= 1e-12 * said.square:
        return absent(mean, "no variation", level=LEVEL, n=n)
    reach = two_sided(LEVEL) * math.sqrt(spread / (n - 1))
    return Interval(estimate=mean, low=mean - reach, high=mean + reach, level=LEVEL, n=n, method="normal")
