"""Edits between the answer and a reference, in characters and in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from noria.errors import MissingExtra
from noria.scoring.factory import Unscorable, factory
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer

_NAME = "edit_distance"


@factory(Described(name=_NAME, better="lower"), Described(name=f"{_NAME}.similarity"))
def edit_distance(*, ignore_case: bool = False) -> Scorer:
    """Levenshtein distance in characters to the nearest reference, and 1 - distance / longer length."""
    distance = levenshtein()

    async def score(output: Output) -> Sequence[Score]:
        text = output.text.casefold() if ignore_case else output.text
        wanted = [one.casefold() if ignore_case else one for one in references(output.example)]
        edits, longest = min((distance(text, one), max(len(text), len(one))) for one in wanted)
        similarity = 1 - edits / longest if longest else 1.0
        return (
            Score(name=_NAME, value=float(edits)),
            Score(name=f"{_NAME}.similarity", value=similarity),
        )

    return score


def rate(scores: Sequence[Score]) -> float:
    """Edits over words of reference, of all together."""
    words = sum(score.parts[1] for score in scores)
    return sum(score.parts[0] for score in scores) / words


@factory(Described(name="wer", kind="corpus", better="lower", metric=rate))
def wer(*, ignore_case: bool = False) -> Scorer:
    """Word error rate: edits in words over the words of the reference with the fewest, which may exceed 1."""
    distance = levenshtein()

    async def score(output: Output) -> Sequence[Score]:
        text = output.text.casefold() if ignore_case else output.text
        words = text.split()
        wanted = [(one.casefold() if ignore_case else one).split() for one in references(output.example)]
        counts = [(distance(words, one), len(one)) for one in wanted if one]
        if not counts:
            raise Unscorable(f"The expected answer of example {output.example.id} has no words.")
        edits, length = min(counts, key=lambda pair: pair[0] / pair[1])
        return (Score(name="wer", value=edits / length, parts=(float(edits), float(length))),)

    return score


def levenshtein() -> Callable[[Sequence[Any], Sequence[Any]], int]:
    """rapidfuzz's. Raises MissingExtra."""
    try:
        return import_module("rapidfuzz.distance.Levenshtein").distance
    except ImportError as error:
        raise MissingExtra("Edit distances", "evals") from error
