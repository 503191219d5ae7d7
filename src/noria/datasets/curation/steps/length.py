"""Examples that are too short or too long dropped."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, text_of
from noria.datasets.curation.step import Drop, Outcome, Tools, Work, each
from noria.text.tokens import counter


class Length(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keeps examples whose texts together are of some length."""

    least: int = 0
    most: int | None = None
    unit: Literal["characters", "words", "tokens"] = "characters"
    tokenizer: str = ""
    """For tokens: a tokenizer.json, relative to noria.toml."""
    fields: tuple[str, ...] = TEXTS
    version: ClassVar[str] = "1"

    def open(self, tools: Tools) -> Work:
        count = counter(self.unit, tools.project / self.tokenizer if self.tokenizer else None)

        def judge(example: Example) -> Outcome:
            length = count(text_of(example, self.fields))
            if length < self.least:
                return Drop("too short", {self.unit: length})
            if self.most is not None and length > self.most:
                return Drop("too long", {self.unit: length})
            return example

        return each(judge)
