"""Examples in other languages dropped."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, noted, text_of
from noria.datasets.curation.step import Drop, Outcome, Tools, Unable, Work, each
from noria.text.language import guesser


class Language(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keeps examples of some languages, as fastText's small model sees them. What is too short to tell
    stays."""

    keep: tuple[str, ...] = ()
    """ISO 639 codes; empty: all, and the language is only noted."""
    confidence: float = 0.65
    """Least probability: FineWeb (Penedo et al. 2024, section 3.1) and C4's successors take 0.65."""
    shortest: int = 20
    """Characters; below, guesses are little better than chance."""
    fields: tuple[str, ...] = TEXTS
    note: str = "language"
    """Metadata under which it is noted; "": it is not."""
    version: ClassVar[str] = "1"

    def open(self, tools: Tools) -> Work:
        guess = guesser()

        def judge(example: Example) -> Outcome:
            text = text_of(example, self.fields)
            if len(text) < self.shortest:
                return Unable("too short")
            found = guess(text)
            measured = {"language": found.language, "confidence": round(found.confidence, 3)}
            if self.keep and found.language not in self.keep:
                return Drop("language", measured)
            if self.keep and found.confidence < self.confidence:
                return Drop("unsure", measured)
            return noted(example, **{self.note: found.language}) if self.note else example

        return each(judge)
