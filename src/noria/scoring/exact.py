"""Exact match with a reference."""

from __future__ import annotations

import string
from collections.abc import Sequence

from noria.scoring.factory import factory
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer

_PUNCTUATION = str.maketrans("", "", string.punctuation)


@factory(Described(name="exact", kind="share"))
def exact(*, ignore_case: bool = False, ignore_punctuation: bool = False, strip: bool = True) -> Scorer:
    """Whether the answer is one of the references; white space at the ends does not count unless told so."""

    def plain(text: str) -> str:
        text = text.strip() if strip else text
        text = text.casefold() if ignore_case else text
        return " ".join(text.translate(_PUNCTUATION).split()) if ignore_punctuation else text

    async def score(output: Output) -> Sequence[Score]:
        wanted = {plain(reference) for reference in references(output.example)}
        return (Score(name="exact", value=plain(output.text) in wanted),)

    return score
