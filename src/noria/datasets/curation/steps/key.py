"""Examples with the same key dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import parsed, read
from noria.datasets.curation.same import SIZE, same
from noria.datasets.curation.step import Losses, Tools

_canonical = msgspec.json.Encoder(order="deterministic").encode


class Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keeps the first, in order of id, of examples with equal values of a field; those without one stay."""

    key: str
    """Dotted: "metadata.ticket"."""
    version: ClassVar[str] = "1"
    reason: ClassVar[str] = "same key"

    def signer(self, tools: Tools) -> Callable[[Sequence[Example]], Sequence[bytes]]:
        path = parsed(self.key)

        def sign(example: Example) -> bytes:
            value = read(example, path)
            if value is None or value == "":
                return b""
            return hashlib.blake2b(_canonical(value), digest_size=SIZE).digest()

        return lambda examples: [sign(example) for example in examples]

    def decide(self, signed: Iterator[bytes], *, total: int, folder: Path) -> Losses:
        return same(signed, total)
