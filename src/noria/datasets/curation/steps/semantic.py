"""Examples that say the same in other words dropped, by their vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.clusters import Clusters
from noria.datasets.curation.fields import TEXTS, text_of
from noria.datasets.curation.step import Losses, Tools
from noria.datasets.curation.steps.embed import embedded

_BLOCK = 1_024
_ALL = 20_000
"""Up to so many examples, each is compared with each."""


class Semantic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keeps the first, in order of id, of examples whose vectors' cosine is at least `similarity`.

    Above 20,000 examples they are compared within clusters around drawn ones, as Abbas et al. 2023
    ("SemDeDup") do, each in its two nearest; pairs that lie apart by that are missed.
    """

    model: str
    """A route or model that embeds."""
    similarity: float = 0.95
    fields: tuple[str, ...] = TEXTS
    version: ClassVar[str] = "1"
    reason: ClassVar[str] = "same meaning"
    alone: ClassVar[bool] = True

    def signer(self, tools: Tools) -> Callable[[Sequence[Example]], Sequence[bytes]]:
        import numpy

        def sign(examples: Sequence[Example]) -> list[bytes]:
            texts = [text_of(example, self.fields) for example in examples]
            vectors = numpy.array(embedded(tools, self.model, texts), numpy.float32)
            lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True) if len(texts) else 1.0
            return [row.tobytes() for row in vectors / numpy.maximum(lengths, 1e-12)]

        return sign

    def decide(self, signed: Iterator[bytes], *, total: int, folder: Path) -> Losses:
        """Vectors are in a mapped file; in memory are two numbers an example and one cluster's vectors."""
        import numpy

        path = folder / "vectors.npy"
        rows = _filled(path, signed, total)
        clusters = Clusters()
        for members in _groups(rows):
            for start in range(0, len(members), _BLOCK):
                block = rows[members[start : start + _BLOCK]]
                alike = block @ rows[members[start:]].T
                left, right = numpy.nonzero(alike >= self.similarity)
                apart = right > left
                pairs = numpy.stack((members[start + left[apart]], members[start + right[apart]]), axis=1)
                clusters.join(pairs.tolist())
        found = clusters.losses(lambda lost, kept: (rows[lost] * rows[kept]).sum(axis=1))
        path.unlink(missing_ok=True)
        return found


def _filled(path: Path, signed: Iterator[bytes], total: int) -> Any:
    import numpy

    rows: Any = None
    for place, sign in enumerate(signed):
        vector = numpy.frombuffer(sign, numpy.float32)
        if rows is None:
            rows = numpy.lib.format.open_memmap(path, "w+", numpy.float32, (total, len(vector)))
        rows[place] = vector
    return numpy.zeros((0, 1), numpy.float32) if rows is None else rows


def _groups(rows: Any) -> Iterator[Any]:
    """Places to compare with one another, ascending."""
    import numpy

    if len(rows) <= _ALL:
        yield numpy.arange(len(rows))
        return
    random = numpy.random.default_rng(0)
    centres = rows[numpy.sort(random.choice(len(rows), int(len(rows) ** 0.5), replace=False))]
    nearest = numpy.empty((len(rows), 2), numpy.int32)
    for start in range(0, len(rows), _BLOCK):
        alike = rows[start : start + _BLOCK] @ centres.T
        nearest[start : start + _BLOCK] = numpy.argpartition(-alike, 1, axis=1)[:, :2]
    for place in range(2):
        order = numpy.argsort(nearest[:, place], kind="stable")
        edges = numpy.flatnonzero(numpy.diff(nearest[order, place])) + 1
        yield from numpy.split(order, edges)
