"""Mojibake repaired."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, rewritten
from noria.datasets.curation.step import Outcome, Tools, Work, each
from noria.text.mojibake import repairer


class Encoding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Text that was decoded with the wrong encoding ("schÃ¶n") is put right ("schön"), with ftfy."""

    fields: tuple[str, ...] = TEXTS
    version: ClassVar[str] = "1"

    def open(self, tools: Tools) -> Work:
        repaired = repairer()

        def judge(example: Example) -> Outcome:
            return rewritten(example, self.fields, repaired)

        return each(judge)
