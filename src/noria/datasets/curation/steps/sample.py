"""A random part of the examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.step import Losses, Tools
from noria.datasets.curation.steps.token_budget import draw


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keeps some examples, drawn by a hash of their groups (else ids): the same stay when others come."""

    count: int | None = None
    """How many; exactly so, unless there are fewer or groups are kept together."""
    share: float = 1.0
    """Or which part of all."""
    seed: int = 0
    version: ClassVar[str] = "1"
    reason: ClassVar[str] = "not drawn"

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1 or (self.count is not None and self.count < 1):
            raise ValueError("`share` must be over 0 and at most 1, and `count` at least 1")

    def signer(self, tools: Tools) -> Callable[[Sequence[Example]], Sequence[bytes]]:
        return lambda examples: [draw(example.group or example.id, self.seed) for example in examples]

    def decide(self, signed: Iterator[bytes], *, total: int, folder: Path) -> Losses:
        import numpy

        found = numpy.frombuffer(b"".join(signed), "<u8")
        limit = numpy.uint64(min(int(self.share * 2**64), 2**64 - 1))
        lost = found > limit
        if self.count is not None and self.count < len(found):
            lost |= found > numpy.partition(found, self.count - 1)[self.count - 1]
        places = numpy.flatnonzero(lost).astype(numpy.int64)
        none = numpy.full(len(places), -1, numpy.int64)
        return Losses(ordinals=places, kept=none, measure=numpy.full(len(places), numpy.nan, numpy.float32))
