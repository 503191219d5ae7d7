"""The rules that FineWeb adds to those of C4 and Gopher."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, text_of
from noria.datasets.curation.step import Drop, Outcome, Tools, Work, each
from noria.text import repetition

_ENDS = (".", "!", "?", '"', "'", "”", "’", "。", "！", "？", ":", ";", "…")


class FineWeb(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Drops pages that look like lists, menus and boilerplate.

    Every default is a threshold of Penedo et al. 2024, "The FineWeb Datasets", section 3.6.
    """

    punctuated: float = 0.12
    """At most this share of lines ends with punctuation: dropped."""
    duplicated: float = 0.1
    """At least this share of characters is in repeated lines: dropped."""
    short: float = 0.67
    """At least this share of lines is shorter than 30 characters: dropped."""
    fields: tuple[str, ...] = TEXTS
    version: ClassVar[str] = "1"

    def open(self, tools: Tools) -> Work:
        def judge(example: Example) -> Outcome:
            text = text_of(example, self.fields)
            lines = [line for line in text.split("\n") if line.strip()]
            if not lines:
                return Drop("fineweb: empty")
            ended = sum(line.rstrip().endswith(_ENDS) for line in lines) / len(lines)
            if ended <= self.punctuated:
                return Drop("fineweb: punctuation", {"share": round(ended, 3)})
            repeated = repetition.lines(text).of_characters
            if repeated >= self.duplicated:
                return Drop("fineweb: repeated lines", {"characters": round(repeated, 3)})
            short = sum(len(line) < 30 for line in lines) / len(lines)
            if short >= self.short:
                return Drop("fineweb: short lines", {"share": round(short, 3)})
            return example

        return each(judge)
