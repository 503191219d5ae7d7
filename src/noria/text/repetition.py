"""How much of a text repeats itself, as MassiveText measures it (Rae et al. 2021, appendix A.1.1)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

_PARAGRAPHS = re.compile(r"\n{2,}")
_LINES = re.compile(r"\n+")


class Repeated(NamedTuple):
    """Shares from 0 to 1."""

    of_all: float
    """Of the pieces, those that occurred before."""
    of_characters: float
    """Of the text's characters, those in such pieces."""


def lines(text: str) -> Repeated:
    return _repeated(_LINES.split(text.strip()), len(text))


def paragraphs(text: str) -> Repeated:
    return _repeated(_PARAGRAPHS.split(text.strip()), len(text))


def top_ngram(words: Sequence[str], n: int, characters: int) -> float:
    """Share of the characters that are in the commonest n-gram's occurrences; 0 where none occurs twice."""
    counts = Counter(zip(*(words[place:] for place in range(n)), strict=False))
    if not counts:
        return 0.0
    (gram, count), *_ = counts.most_common(1)
    return sum(map(len, gram)) * count / characters if count > 1 else 0.0


def duplicate_ngrams(words: Sequence[str], n: int, characters: int) -> float:
    """Share of the characters that are in n-grams which occurred before, each character counted once."""
    seen: set[tuple[str, ...]] = set()
    total = upto = 0
    for place, gram in enumerate(zip(*(words[offset:] for offset in range(n)), strict=False)):
        if gram in seen:
            start = max(place, upto)
            total += sum(map(len, words[start : place + n]))
            upto = place + n
        else:
            seen.add(gram)
    return total / characters if characters else 0.0


def _repeated(pieces: Sequence[str], characters: int) -> Repeated:
    seen: set[str] = set()
    count = length = 0
    for piece in pieces:
        if piece in seen:
            count += 1
            length += len(piece)
        else:
            seen.add(piece)
    return Repeated(count / len(pieces), length / characters if characters else 0.0)
