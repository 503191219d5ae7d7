"""Vectors noted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, noted, text_of
from noria.datasets.curation.step import Outcome, Tools, Vectors, Work
from noria.errors import ConfigError

BATCH = 64
"""Texts of one call."""


class Embed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Notes the vector of each example, made by an embedding model of this Noria."""

    model: str
    """A route or model that embeds."""
    note: str = "embedding"
    fields: tuple[str, ...] = TEXTS
    version: ClassVar[str] = "1"
    alone: ClassVar[bool] = True

    def open(self, tools: Tools) -> Work:
        def work(examples: Sequence[Example]) -> list[Outcome]:
            vectors = embedded(tools, self.model, [text_of(example, self.fields) for example in examples])
            return [
                noted(example, **{self.note: [float(f"{value:.6g}") for value in vector]})
                for example, vector in zip(examples, vectors, strict=True)
            ]

        return work


def embedded(tools: Tools, model: str, texts: Sequence[str]) -> Vectors:
    """One vector a text, asked for in batches."""
    if tools.embed is None:
        raise ConfigError(
            f"There is no gateway that could embed with {model!r}; start Noria with `noria up`."
        )
    found: list[Sequence[float]] = []
    for start in range(0, len(texts), BATCH):
        # An empty text has no vector anywhere: a blank stands for it.
        found += tools.embed(model, [text or " " for text in texts[start : start + BATCH]])
    return found
