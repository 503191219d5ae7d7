"""Examples with abusive words dropped or noted."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, noted, text_of
from noria.datasets.curation.step import Drop, Outcome, Tools, Work, each
from noria.text.toxicity import abusive


class Toxicity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Finds abusive English words by a list. It sees words and not meaning: hatred in decent words passes,
    and a report of an insult does not; a judge is needed where that matters."""

    mode: Literal["drop", "note"] = "drop"
    severity: Literal["slur", "swear"] = "slur"
    """slur: words that demean a group of people; swear: coarse words as well."""
    least: int = 1
    """Occurrences."""
    also: tuple[str, ...] = ()
    """More words."""
    fields: tuple[str, ...] = TEXTS
    version: ClassVar[str] = "1"

    def open(self, tools: Tools) -> Work:
        look = abusive(severity=self.severity, also=self.also)

        def judge(example: Example) -> Outcome:
            found = look(text_of(example, self.fields))
            if self.mode == "note":
                return noted(example, abusive_words=len(found))
            if len(found) >= self.least:
                return Drop("abusive words", {"words": sorted(set(found))})
            return example

        return each(judge)
