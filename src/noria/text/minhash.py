"""MinHash: short signatures whose share of equal places estimates how much two sets of n-grams overlap.

Broder 1997, "On the resemblance and containment of documents"; banding as in Leskovec, Rajaraman and Ullman,
"Mining of Massive Datasets", section 3.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from noria.text.shingle import Shingles, shingles

PERMUTATIONS = 128
_TILE = 1 << 14
"""N-grams that are hashed at a time, so that they stay in the cache of one core."""
_CAUGHT = 0.97
"""Of the pairs at the threshold, the share that must meet in at least one band."""


def signatures(
    texts: Sequence[str], *, words: int = 5, permutations: int = PERMUTATIONS, seed: int = 1
) -> Any:
    """uint32[texts, permutations]; all ones where a text has no words. Raises MissingExtra."""
    return of(shingles(texts, words=words), permutations=permutations, seed=seed)


def of(found: Shingles, *, permutations: int = PERMUTATIONS, seed: int = 1) -> Any:
    """As `signatures`, of n-grams that are hashed already."""
    import numpy

    count = len(found.bounds) - 1
    result = numpy.full((count, permutations), 0xFFFFFFFF, numpy.uint32)
    random = numpy.random.default_rng(seed)
    # x ↦ (x XOR mask) · odd, modulo 2^32, permutes the 32-bit numbers; x is well mixed already.
    factors = random.integers(0, 2**32, permutations, numpy.uint32) | numpy.uint32(1)
    masks = random.integers(0, 2**32, permutations, numpy.uint32)
    sizes = numpy.diff(found.bounds)
    some = numpy.flatnonzero(sizes > 0)
    for first, last in _tiles(found.bounds[some], found.bounds[some + 1]):
        texts = some[first:last]
        base = found.bounds[texts[0]]
        hashes = (found.hashes[base : found.bounds[texts[-1] + 1]] >> numpy.uint64(32)).astype(numpy.uint32)
        offsets = found.bounds[texts] - base
        tile = numpy.empty((permutations, len(texts)), numpy.uint32)
        for place in range(permutations):
            values = (hashes ^ masks[place]) * factors[place]
            tile[place] = numpy.minimum.reduceat(values, offsets)
        result[texts] = tile.T
    return result


def bands(threshold: float, permutations: int = PERMUTATIONS) -> tuple[int, int]:
    """(bands, rows): the most rows a band with which nearly every pair at `threshold` meets in a band."""
    for rows in range(permutations // 2, 1, -1):
        count = permutations // rows
        if 1 - (1 - threshold**rows) ** count >= _CAUGHT:
            return count, rows
    return permutations, 1


def _tiles(starts: Any, ends: Any) -> list[tuple[int, int]]:
    """Runs of texts with about a tile of n-grams each."""
    found: list[tuple[int, int]] = []
    first = 0
    for place in range(len(starts)):
        if ends[place] - starts[first] >= _TILE or place == len(starts) - 1:
            found.append((first, place + 1))
            first = place + 1
    return found
