"""Numbers as arrays: numpy and scipy.special, and the check that every value is one."""

from __future__ import annotations

from collections.abc import Sequence

from noria.errors import InvalidRequest, MissingExtra

try:
    import numpy as np
    from numpy.typing import NDArray
    from scipy import special
except ModuleNotFoundError as missing:
    raise MissingExtra("Statistics", "evals") from missing

__all__ = ["Bytes", "Flags", "Floats", "Ints", "finite", "np", "same_length", "special", "whole"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]


def finite(
    values: Sequence[float | None] | Sequence[Sequence[float]] | Floats, name: str = "values"
) -> Floats:
    """[n] or [n, k]; `name` is for the error. Raises InvalidRequest for NaN, infinity and None."""
    array = np.asarray(values, dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(array))
    if wrong.size:
        index = ", ".join(str(int(found)) for found in np.unravel_index(wrong[0], array.shape))
        raise InvalidRequest(
            f"Number {index} of {name} is missing, NaN or infinite: leave such scores out and count them."
        )
    return array


def whole(values: Sequence[int], name: str) -> Ints:
    """[n] of counts. Raises InvalidRequest where one is negative or no whole number."""
    array = finite(values, name)
    wrong = np.flatnonzero((array < 0) | (array != np.floor(array)))
    if wrong.size:
        raise InvalidRequest(f"Number {wrong[0]} of {name} must be a count, not {array[wrong[0]]:g}.")
    return array.astype(np.int64)


def same_length(**sequences: Sequence[object] | Floats) -> int:
    """How long they all are. Raises InvalidRequest where they are not."""
    lengths = {name: len(sequence) for name, sequence in sequences.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{length} {name}" for name, length in lengths.items())
        raise InvalidRequest(f"These must be equally many, one an example: {said}.")
    return next(iter(lengths.values()))
