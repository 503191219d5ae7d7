"""Unicode and white space in one form."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, rewritten
from noria.datasets.curation.step import Outcome, Tools, Work, each
from noria.text.normal import normal


class Normalize(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Unicode normal form, line ends, blanks, and characters that cannot be seen, each in one form."""

    fields: tuple[str, ...] = TEXTS
    form: Literal["NFC", "NFKC"] = "NFC"
    """NFKC also folds full-width letters, ligatures and superscripts, which is not for code or formulas."""
    version: ClassVar[str] = "1"

    def open(self, tools: Tools) -> Work:
        def judge(example: Example) -> Outcome:
            return rewritten(example, self.fields, lambda text: normal(text, form=self.form))

        return each(judge)
