"""Near duplicates dropped, by MinHash."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.clusters import Clusters
from noria.datasets.curation.fields import TEXTS, text_of
from noria.datasets.curation.step import Losses, Tools
from noria.text.minhash import PERMUTATIONS, bands, signatures
from noria.text.shingle import mixed

_BATCH = 1_024
_PAIRS = 65_536
"""Pairs that are compared at a time."""


class Near(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keeps the first, in order of id, of examples whose sets of word n-grams overlap (Jaccard) by at least
    `similarity`, as 128 MinHashes estimate it (standard error at most 0.044). Chains count: the first and the
    last of a cluster may be less alike."""

    similarity: float = 0.8
    """Lee et al. 2022, "Deduplicating Training Data Makes Language Models Better", appendix A."""
    words: int = 5
    """Of an n-gram; FineWeb (Penedo et al. 2024) takes 5. Texts of one line want 1 to 3."""
    fields: tuple[str, ...] = TEXTS
    version: ClassVar[str] = "1"
    reason: ClassVar[str] = "near duplicate"

    def __post_init__(self) -> None:
        if not 0.2 <= self.similarity <= 1 or self.words < 1:
            raise ValueError("`similarity` must be from 0.2 to 1, and `words` at least 1")

    def signer(self, tools: Tools) -> Callable[[Sequence[Example]], Sequence[bytes]]:
        signatures([""])  # Raises MissingExtra here, and not in the middle of a run.

        def sign(examples: Sequence[Example]) -> list[bytes]:
            texts = [text_of(example, self.fields) for example in examples]
            found = signatures(texts, words=self.words)
            # The least hash is the greatest possible where there are no n-grams, and else almost never.
            raw, wide = found.tobytes(), 4 * PERMUTATIONS
            return [
                b"" if empty else raw[place * wide : (place + 1) * wide]
                for place, empty in enumerate((found[:, 0] == 0xFFFFFFFF).tolist())
            ]

        return sign

    def decide(self, signed: Iterator[bytes], *, total: int, folder: Path) -> Losses:
        """Signatures are in a file of 512 bytes an example that is mapped; in memory are two numbers each."""
        import numpy

        path = folder / "signatures.npy"
        rows = _filled(path, signed, total)
        clusters = Clusters()
        count, wide = bands(self.similarity)
        some = numpy.flatnonzero(rows[:, 0] != 0xFFFFFFFF) if total else numpy.zeros(0, numpy.int64)
        # Whom a pair is formed with depends on the texts alone, not on where they stand.
        content = _key(rows[some, :8]) if len(some) else some
        for band in range(count):
            part = numpy.ascontiguousarray(rows[some, band * wide : (band + 1) * wide])
            for pairs in _met(_key(part), content):
                pairs = some[pairs]
                alike = (rows[pairs[:, 0]] == rows[pairs[:, 1]]).mean(axis=1)
                clusters.join(pairs[alike >= self.similarity].tolist())
        found = clusters.losses(lambda lost, kept: (rows[lost] == rows[kept]).mean(axis=1))
        path.unlink(missing_ok=True)
        return found


def _filled(path: Path, signed: Iterator[bytes], total: int) -> Any:
    import numpy

    if not total:
        return numpy.zeros((0, PERMUTATIONS), numpy.uint32)
    rows = numpy.lib.format.open_memmap(path, "w+", numpy.uint32, (total, PERMUTATIONS))
    none = b"\xff" * (4 * PERMUTATIONS)
    at = 0
    while batch := [sign or none for sign in islice(signed, _BATCH)]:
        rows[at : at + len(batch)] = numpy.frombuffer(b"".join(batch), numpy.uint32).reshape(len(batch), -1)
        at += len(batch)
    return rows


def _key(part: Any) -> Any:
    """One uint64 of the columns of each row."""
    import numpy

    key = numpy.zeros(len(part), numpy.uint64)
    for column in range(part.shape[1]):
        key = mixed(numpy, key * numpy.uint64(0x9E3779B97F4A7C15) + part[:, column])
    return key


def _met(keys: Any, content: Any) -> Iterator[Any]:
    """Pairs of places with equal keys: each with the first of its group and with the one before it."""
    import numpy

    order = numpy.lexsort((content, keys))
    ordered = keys[order]
    again = numpy.zeros(len(order), bool)
    again[1:] = ordered[1:] == ordered[:-1]
    members = numpy.flatnonzero(again)
    heads = numpy.maximum.accumulate(numpy.where(again, 0, numpy.arange(len(order))))
    for start in range(0, len(members), _PAIRS):
        part = members[start : start + _PAIRS]
        before = numpy.stack((order[part], order[part - 1]), axis=1)
        first = numpy.stack((order[part], order[heads[part]]), axis=1)
        yield numpy.concatenate((before, first[heads[part] != part - 1]))
