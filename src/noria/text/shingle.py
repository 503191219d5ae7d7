"""Words and word n-grams of many texts as 64-bit hashes, without a Python loop over words.

The hash of a word is sum(byte[i] · B^i) · B^-start over its bytes, modulo 2^64, so that it comes from one
cumulative sum over all texts; mixing it makes every bit depend on every byte. Texts are compared in lower
case, by letters and digits alone; each CJK character is a word. Of a text the first 4 million characters
count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from noria.errors import MissingExtra

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 2**64)
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_SIGNS = re.compile(r"[^\w\s]")
LONGEST = 1 << 22
"""Characters of a text that are looked at."""
_CHUNK = 1 << 20
"""Bytes of text that are hashed at a time: the arrays are eight times as large."""


class Shingles(NamedTuple):
    """Hashes of consecutive n-grams; those of text i are `hashes[bounds[i] : bounds[i + 1]]`."""

    hashes: Any
    """uint64."""
    bounds: Any
    """int64, one more than texts."""


def shingles(texts: Sequence[str], *, words: int, whole: bool = True) -> Shingles:
    """The n-grams of `words` words of each text. A shorter text has one of all its words, or with `whole`
    False none; one without words has none. Raises MissingExtra."""
    numpy = _numpy()
    hashes: list[Any] = []
    counts: list[Any] = []
    for chunk in _chunks(texts):
        found, count = _of(numpy, chunk, words, whole)
        hashes.append(found)
        counts.append(count)
    bounds = numpy.zeros(len(texts) + 1, numpy.int64)
    if counts:
        numpy.cumsum(numpy.concatenate(counts), out=bounds[1:])
    return Shingles(numpy.concatenate(hashes) if hashes else numpy.zeros(0, numpy.uint64), bounds)


def _chunks(texts: Sequence[str]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    size = 0
    for text in texts:
        lower = text[:LONGEST].lower()
        if not lower.isascii():
            lower = _CJK.sub(r" \g<0> ", _SIGNS.sub(" ", lower))
        chunk.append(lower.encode("utf-8", "replace"))
        size += len(chunk[-1])
        if size >= _CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _of(numpy: Any, texts: list[bytes], n: int, whole: bool) -> tuple[Any, Any]:
    """(hashes of all n-grams, how many each text has)."""
    data = numpy.frombuffer(b"\0".join(texts) + b"\0", numpy.uint8)
    inside = _word_bytes(numpy)[data]
    edge = numpy.diff(inside, prepend=False, append=False)
    places = numpy.flatnonzero(edge)
    starts, ends = places[::2], places[1::2]
    powers, inverses = _powers(len(data).bit_length())
    sums = numpy.zeros(len(data) + 1, numpy.uint64)
    numpy.cumsum((data.astype(numpy.uint64) + numpy.uint64(1)) * powers[: len(data)], out=sums[1:])
    word = mixed(numpy, (sums[ends] - sums[starts]) * inverses[starts])
    lengths = numpy.fromiter((len(text) + 1 for text in texts), numpy.int64, len(texts))
    limits = numpy.cumsum(lengths)
    first = numpy.searchsorted(starts, numpy.concatenate(([0], limits)))
    count = numpy.diff(first)  # words of each text
    if n == 1:
        return word, count
    grams = numpy.maximum(count - n + 1, 0)
    begins = _ranges(numpy, first[:-1], grams)
    combined = numpy.zeros(len(begins), numpy.uint64)
    for place in range(n):
        combined = (combined + word[begins + place]) * numpy.uint64(_BASE)
    if not whole:
        return mixed(numpy, combined), grams
    short = numpy.flatnonzero((count > 0) & (count < n))
    if not len(short):
        return mixed(numpy, combined), grams
    singles = [_all(word[first[text] : first[text + 1]]) for text in short]
    grams[short] = 1
    ends_of = numpy.cumsum(grams)
    result = numpy.empty(ends_of[-1], numpy.uint64)
    long = numpy.ones(len(result), bool)
    long[ends_of[short] - 1] = False
    result[long] = combined
    result[ends_of[short] - 1] = numpy.array(singles, numpy.uint64)
    return mixed(numpy, result), grams


@lru_cache(maxsize=2)
def _powers(bits: int) -> tuple[Any, Any]:
    """The first 2^bits powers of the base, and of its inverse."""
    numpy = _numpy()
    powers, inverses = (
        numpy.cumprod(numpy.full(1 << bits, base, numpy.uint64)) for base in (_BASE, _INVERSE)
    )
    return powers, inverses


def _all(words: Any) -> int:
    value = 0
    for word in words.tolist():
        value = (value + word) * _BASE % 2**64
    return value


def _ranges(numpy: Any, first: Any, count: Any) -> Any:
    """first[i], first[i] + 1, … count[i] of them, for each i."""
    total = int(count.sum())
    offsets = numpy.repeat(first - (numpy.cumsum(count) - count), count)
    return numpy.arange(total) + offsets


def mixed(numpy: Any, value: Any) -> Any:
    """The finaliser of MurmurHash3: every bit of the result depends on every bit of the value."""
    value = (value ^ (value >> numpy.uint64(33))) * numpy.uint64(0xFF51AFD7ED558CCD)
    value = (value ^ (value >> numpy.uint64(33))) * numpy.uint64(0xC4CEB9FE1A85EC53)
    return value ^ (value >> numpy.uint64(33))


def _word_bytes(numpy: Any) -> Any:
    table = numpy.zeros(256, bool)
    table[128:] = True
    for letter in b"abcdefghijklmnopqrstuvwxyz0123456789":
        table[letter] = True
    return table


def _numpy() -> Any:
    try:
        import numpy
    except ImportError as error:
        raise MissingExtra("Comparing texts", "curate") from error
    return numpy
