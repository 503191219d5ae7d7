"""Tokens counted, or noted."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, noted, text_of
from noria.datasets.curation.step import Outcome, Tools, Work, each
from noria.text.tokens import tokenizer


class Tokenize(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Notes how many tokens an example has, or the tokens themselves."""

    tokenizer: str
    """A tokenizer.json, relative to noria.toml."""
    ids: bool = False
    """Also the ids of the tokens."""
    note: str = "tokens"
    """Metadata under which the count is; the ids are under `<note>_ids`."""
    fields: tuple[str, ...] = TEXTS
    version: ClassVar[str] = "1"

    def open(self, tools: Tools) -> Work:
        encode = tokenizer(tools.project / self.tokenizer)

        def judge(example: Example) -> Outcome:
            ids = encode(text_of(example, self.fields))
            more = {f"{self.note}_ids": ids} if self.ids else {}
            return noted(example, **{self.note: len(ids)}, **more)

        return each(judge)
