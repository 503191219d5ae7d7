"""How many standard errors a level of confidence is."""

from __future__ import annotations

from statistics import NormalDist

from noria.errors import InvalidRequest

_normal = NormalDist()


def two_sided(level: float) -> float:
    """1.96 for 0.95. Raises InvalidRequest unless 0 < level < 1."""
    if not 0 < level < 1:
        raise InvalidRequest(f"A level must be between 0 and 1, such as 0.95, not {level:g}.")
    return _normal.inv_cdf(0.5 + level / 2)


def student(level: float, degrees: int) -> float:
    """The same for Student's distribution; degrees of freedom of at least 1."""
    from noria.stats.arrays import special

    two_sided(level)
    return float(special.stdtrit(degrees, 0.5 + level / 2))
