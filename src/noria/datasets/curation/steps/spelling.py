"""English typos corrected."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, rewritten
from noria.datasets.curation.step import Changed, Outcome, Tools, Work, each
from noria.text.spelling import corrector


class Spelling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """English typos with one likely reading are corrected; names, numbers, code, addresses and formulas are
    never touched. Every correction is logged."""

    fields: tuple[str, ...] = TEXTS
    known: tuple[str, ...] = ()
    """Words that are right, such as those of a trade."""
    version: ClassVar[str] = "1"

    def open(self, tools: Tools) -> Work:
        corrected = corrector(known=self.known)

        def judge(example: Example) -> Outcome:
            words: dict[str, str] = {}

            def change(text: str) -> str:
                after, typos = corrected(text)
                words.update(typos)
                return after

            after = rewritten(example, self.fields, change)
            return Changed(after, ("typo",), {"words": words}) if words else example

        return each(judge)
