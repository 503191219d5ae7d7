"""Examples that a golden set has as well dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, text_of, texts
from noria.datasets.curation.shard import write_whole
from noria.datasets.curation.step import Drop, Outcome, Tools, Work
from noria.text.shingle import shingles

_SHORTEST = 8
"""Words of a text that is looked for as a whole, where it has no n-gram: Brown et al.'s lower bound of n."""
_BATCH = 1_000


class Decontaminate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Drops examples that share an n-gram of words with a golden set, or have the very input of one of its
    examples; so that what is trained on them is not judged by what it has seen.

    n is 13 as in Brown et al. 2020, "Language Models are Few-Shot Learners", appendix C; of a golden text
    with 8 to 12 words all words count as one n-gram, and shorter ones are compared by the whole input alone.
    """

    against: tuple[str, ...]
    """Datasets, by name or as `name@version`."""
    words: int = 13
    fields: tuple[str, ...] = TEXTS
    """Of both sides."""
    version: ClassVar[str] = "1"

    def __post_init__(self) -> None:
        if not self.against or self.words < _SHORTEST:
            raise ValueError(f"`against` must name a dataset, and `words` must be at least {_SHORTEST}")

    def prepare(self, read: Callable[[str], Iterable[Example]], folder: Path) -> None:
        """Leaves the hashes of all n-grams of the golden sets, sorted."""
        path = self._file(folder)
        if path.exists():
            return
        found: dict[int, dict[int, int]] = {}
        wholes: dict[bytes, int] = {}
        for number, name in enumerate(self.against):
            for batch in _batches(read(name)):
                for example in batch:
                    wholes.setdefault(_whole(example), number)
                golden = [text for example in batch for _, text in texts(example, self.fields)]
                for n, hashes in self._ngrams(golden):
                    found.setdefault(n, {}).update(dict.fromkeys(hashes, number))
        index = _Index(ngrams={n: _sorted(hashes) for n, hashes in found.items()}, wholes=wholes)
        write_whole(path, msgspec.msgpack.encode(index))

    def open(self, tools: Tools) -> Work:
        index = msgspec.msgpack.decode(self._file(tools.folder).read_bytes(), type=_Index)
        ngrams = [(n, *_arrays(packed)) for n, packed in sorted(index.ngrams.items())]

        def work(examples: Sequence[Example]) -> list[Outcome]:
            outcomes: list[Outcome] = list(examples)
            written = [text_of(example, self.fields) for example in examples]
            for n, hashes, numbers in ngrams:
                for place, count, number in _hits(written, n, hashes, numbers):
                    outcomes[place] = Drop(
                        "in a golden set", {"of": self.against[number], "ngrams": count, "n": n}
                    )
            for place, example in enumerate(examples):
                number = index.wholes.get(_whole(example))
                if number is not None:
                    outcomes[place] = Drop(
                        "in a golden set", {"of": self.against[number], "input": "the same"}
                    )
            return outcomes

        return work

    def _ngrams(self, golden: Sequence[str]) -> Iterator[tuple[int, list[int]]]:
        full = shingles(golden, words=self.words, whole=False)
        yield self.words, full.hashes.tolist()
        counts = shingles(golden, words=1).bounds
        for n in range(_SHORTEST, self.words):
            short = [text for place, text in enumerate(golden) if counts[place + 1] - counts[place] == n]
            if short:
                yield n, shingles(short, words=n, whole=False).hashes.tolist()

    def _file(self, folder: Path) -> Path:
        name = hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]
        return folder / f"prepared-{name}"


class _Index(msgspec.Struct, frozen=True):
    ngrams: dict[int, tuple[bytes, bytes]]
    """By n: uint64 hashes, sorted, and of each the place of its dataset, uint16."""
    wholes: dict[bytes, int]


def _sorted(hashes: dict[int, int]) -> tuple[bytes, bytes]:
    import numpy

    keys = numpy.fromiter(hashes.keys(), numpy.uint64, len(hashes))
    numbers = numpy.fromiter(hashes.values(), numpy.uint16, len(hashes))
    order = numpy.argsort(keys)
    return keys[order].tobytes(), numbers[order].tobytes()


def _arrays(packed: tuple[bytes, bytes]) -> tuple[Any, Any]:
    import numpy

    return numpy.frombuffer(packed[0], numpy.uint64), numpy.frombuffer(packed[1], numpy.uint16)


def _hits(written: Sequence[str], n: int, hashes: Any, numbers: Any) -> Iterator[tuple[int, int, int]]:
    """(place of the text, n-grams that it shares, dataset of the first)."""
    import numpy

    if not len(hashes):
        return
    found = shingles(written, words=n, whole=False)
    at = numpy.minimum(numpy.searchsorted(hashes, found.hashes), len(hashes) - 1)
    shared = numpy.flatnonzero(hashes[at] == found.hashes)
    owners = numpy.searchsorted(found.bounds, shared, side="right") - 1
    for place, first, count in zip(*numpy.unique(owners, return_index=True, return_counts=True), strict=True):
        yield int(place), int(count), int(numbers[at[shared[first]]])


def _whole(example: Example) -> bytes:
    text = " ".join(text_of(example, ("input",)).casefold().split())
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest() if text else b""


def _batches(examples: Iterable[Example]) -> Iterator[list[Example]]:
    batch: list[Example] = []
    for example in examples:
        batch.append(example)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
