"""As many examples as fit into a number of tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, text_of
from noria.datasets.curation.step import Losses, Tools
from noria.text.tokens import tokenizer


class TokenBudget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keeps examples, drawn at random, until their tokens reach a total; the first that does not fit ends
    it."""

    tokens: int
    tokenizer: str
    """A tokenizer.json, relative to noria.toml."""
    seed: int = 0
    fields: tuple[str, ...] = TEXTS
    version: ClassVar[str] = "1"
    reason: ClassVar[str] = "token budget"

    def signer(self, tools: Tools) -> Callable[[Sequence[Example]], Sequence[bytes]]:
        encode = tokenizer(tools.project / self.tokenizer)

        def sign(examples: Sequence[Example]) -> list[bytes]:
            return [
                draw(example.id, self.seed) + len(encode(text_of(example, self.fields))).to_bytes(8, "little")
                for example in examples
            ]

        return sign

    def decide(self, signed: Iterator[bytes], *, total: int, folder: Path) -> Losses:
        import numpy

        found = numpy.frombuffer(b"".join(signed), numpy.dtype([("draw", "<u8"), ("tokens", "<u8")]))
        order = numpy.argsort(found["draw"], kind="stable")
        over = numpy.cumsum(found["tokens"][order]) > self.tokens
        lost = numpy.sort(order[over]).astype(numpy.int64)
        none = numpy.full(len(lost), -1, numpy.int64)
        return Losses(ordinals=lost, kept=none, measure=numpy.full(len(lost), numpy.nan, numpy.float32))


def draw(id: str, seed: int) -> bytes:
    """Eight bytes that depend on the id and the seed alone, so that what is drawn stays when data grows."""
    return hashlib.blake2b(f"{seed}\0{id}".encode(), digest_size=8).digest()
