"""Several tests at once: p values that stay honest."""

from __future__ import annotations

from collections.abc import Sequence

from noria.errors import InvalidRequest


def holm(ps: Sequence[float]) -> list[float]:
    """Adjusted p values in the order given: below `a`, at most a share `a` of families has any false one.

    Holm 1979: step-down Bonferroni; needs no independence. Raises InvalidRequest for a p outside 0..1.
    """
    for index, p in enumerate(ps):
        if not 0 <= p <= 1:
            raise InvalidRequest(f"Number {index} of the p values must be between 0 and 1, not {p:g}.")
    adjusted = [0.0] * len(ps)
    most = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        most = max(most, min(1.0, ps[index] * (len(ps) - rank)))
        adjusted[index] = most
    return adjusted
