"""Exact duplicates dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, text_of
from noria.datasets.curation.same import SIZE, same
from noria.datasets.curation.step import Losses, Tools


class Exact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keeps the first, in order of id, of examples whose texts are equal."""

    fields: tuple[str, ...] = TEXTS
    loose: bool = True
    """Letters' case and white space make no difference."""
    version: ClassVar[str] = "1"
    reason: ClassVar[str] = "duplicate"

    def signer(self, tools: Tools) -> Callable[[Sequence[Example]], Sequence[bytes]]:
        def sign(example: Example) -> bytes:
            text = text_of(example, self.fields)
            if self.loose:
                text = " ".join(text.casefold().split())
            return (
                hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=SIZE).digest() if text else b""
            )

        return lambda examples: [sign(example) for example in examples]

    def decide(self, signed: Iterator[bytes], *, total: int, folder: Path) -> Losses:
        return same(signed, total)
