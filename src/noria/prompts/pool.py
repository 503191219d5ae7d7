"""Examples with their vectors in one file, and the choice of those that suit a call.

The choice needs no numpy, since workers make it: signs of the centred vectors (one bit a dimension) narrow
the pool to the nearest by Hamming distance, and exact products choose among those. All who choose do it here,
so that an evaluation shows a model the same examples as the gateway does.
"""

from __future__ import annotations

import mmap
import os
from array import array
from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest
from math import sqrt
from operator import mul
from pathlib import Path
from typing import Any, cast

import msgspec

from noria.errors import InvalidRequest, StateError, Unavailable
from noria.prompts.technique import Shot, Shots

MAGIC = b"NRPOOL1\n"
NEAR = 128
"""How many are looked at exactly."""
MOST_OPEN = 100
"""Pools that a worker keeps at hand; the one that was opened first goes first."""
MOST = 50_000
"""Examples of one pool."""
_shot = msgspec.json.Decoder(Shot)
_encode = msgspec.json.Encoder().encode


class Head(msgspec.Struct, frozen=True):
    count: int
    dimensions: int
    bytes: int
    """Of all examples together."""


class Pool:
    """Read from its file, which is mapped."""

    def __init__(self, path: Path) -> None:
        """Raises StateError where it is not there, or no pool."""
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise StateError(
                f"The examples of the prompt cannot be read ({error}); move its label again."
            ) from None
        if self._map[: len(MAGIC)] != MAGIC:
            raise StateError(f"{path} is not a pool of examples; move the prompt's label again.")
        size = int.from_bytes(self._map[8:12], "little")
        self.head = msgspec.json.decode(self._map[12 : 12 + size], type=Head)
        count, width = self.head.count, self.head.dimensions
        at = 12 + size + -(12 + size) % 8
        view = memoryview(self._map)
        self._offsets = view[at : at + 8 * (count + 1)].cast("Q")
        at += 8 * (count + 1)
        self._mean = view[at : at + 4 * width].cast("f").tolist()
        at += 4 * width
        self._vectors = view[at : at + 4 * width * count].cast("f")
        at += 4 * width * count
        bits = (width + 7) // 8
        self._codes = [
            int.from_bytes(view[start : start + bits], "little")
            for start in range(at, at + bits * count, bits)
        ]
        self._examples = at + bits * count

    def example(self, index: int) -> Shot:
        start, end = self._offsets[index], self._offsets[index + 1]
        return _shot.decode(self._map[self._examples + start : self._examples + end])

    def query(self, shots: Shots, variables: Mapping[str, Any]) -> str:
        """The text that is compared: the call's counterpart of `text_of`."""
        return text_of(shots, variables)

    def choose(self, vector: Sequence[float], shots: Shots) -> list[Shot]:
        """The examples for a call, the nearest last: what stands next to the question weighs most."""
        unit = normal(vector, self.head.dimensions)
        near = self._near(unit)
        products = {index: self._product(unit, index) for index in near}
        if shots.choose == "diverse":
            found = self._diverse(products, shots)
        else:
            found = sorted(products, key=products.__getitem__, reverse=True)[: shots.k]
        return [self.example(index) for index in reversed(found)]

    def nearest(self, vector: Sequence[float], k: int) -> list[int]:
        """Their numbers, the nearest first."""
        unit = normal(vector, self.head.dimensions)
        return sorted(self._near(unit), key=lambda index: self._product(unit, index), reverse=True)[:k]

    def _near(self, unit: Sequence[float]) -> Iterable[int]:
        count = self.head.count
        if count <= NEAR:
            return range(count)
        code = _code(unit, self._mean)
        distances = [(code ^ other).bit_count() for other in self._codes]
        return nsmallest(NEAR, range(count), key=distances.__getitem__)

    def _vector(self, index: int) -> list[float]:
        width = self.head.dimensions
        return cast("list[float]", self._vectors[index * width : (index + 1) * width].tolist())

    def _product(self, unit: Sequence[float], index: int) -> float:
        return sum(map(mul, unit, self._vector(index)))

    def _diverse(self, products: dict[int, float], shots: Shots) -> list[int]:
        """Maximal marginal relevance: near the query, and unlike those chosen before."""
        left = sorted(products, key=products.__getitem__, reverse=True)[: max(4 * shots.k, 16)]
        vectors = {index: self._vector(index) for index in left}
        likeness = dict.fromkeys(left, 0.0)
        found: list[int] = []
        while left and len(found) < shots.k:
            best = max(
                left, key=lambda one: shots.balance * products[one] - (1 - shots.balance) * likeness[one]
            )
            left.remove(best)
            found.append(best)
            for one in left:
                likeness[one] = max(likeness[one], sum(map(mul, vectors[best], vectors[one])))
        return found


def text_of(shots: Shots, values: Mapping[str, Any]) -> str:
    """What of an input is compared: the field that the technique names, or the only text there is."""
    if shots.field:
        found = values.get(shots.field)
        if not isinstance(found, str):
            raise InvalidRequest(
                f"The variable {shots.field!r} chooses the examples; give it as a text.", param="variables"
            )
        return found
    texts = [value for value in values.values() if isinstance(value, str)]
    if len(texts) != 1:
        raise InvalidRequest(
            f"{len(texts)} variables are texts; name the one that examples are chosen by as "
            "`technique.examples.field`.",
            param="variables",
        )
    return texts[0]


def normal(vector: Sequence[float], dimensions: int) -> list[float]:
    """Of length 1. Raises InvalidRequest where it is of another size than the pool's."""
    if len(vector) != dimensions:
        raise InvalidRequest(
            f"The embedding has {len(vector)} dimensions and the pool {dimensions}; the embedder has "
            "changed, make a new version of the prompt.",
            param="model",
        )
    size = sqrt(sum(map(mul, vector, vector))) or 1.0
    return [value / size for value in vector]


def write_pool(path: Path, shots: Sequence[Shot], vectors: Sequence[Sequence[float]]) -> None:
    """Whole or not at all. Vectors are in order, of one size."""
    width = len(vectors[0])
    units = [normal(one, width) for one in vectors]
    mean = [sum(column) / len(units) for column in zip(*units, strict=True)]
    blobs = [_encode(one) for one in shots]
    offsets = array("Q", [0])
    for blob in blobs:
        offsets.append(offsets[-1] + len(blob))
    head = _encode(Head(len(shots), width, offsets[-1]))
    start = MAGIC + len(head).to_bytes(4, "little") + head
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(aside, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(start + b"\0" * (-len(start) % 8))
        file.write(offsets.tobytes())
        file.write(array("f", mean).tobytes())
        for unit in units:
            file.write(array("f", unit).tobytes())
        for unit in units:
            file.write(_code(unit, mean).to_bytes((width + 7) // 8, "little"))
        for blob in blobs:
            file.write(blob)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _code(unit: Sequence[float], mean: Sequence[float]) -> int:
    bits = "".join("1" if value > middle else "0" for value, middle in zip(unit, mean, strict=True))
    return int(bits, 2)


class Shelf:
    """The pools of a folder, each read once; a pool never changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pools: dict[str, Pool] = {}

    def __call__(self, name: str) -> Pool:
        """Raises Unavailable where it cannot be read."""
        found = self._pools.get(name)
        if found is None:
            try:
                found = self._pools[name] = Pool(self._folder / f"{name}.pool")
            except StateError as error:
                raise Unavailable(str(error)) from None
            if len(self._pools) > MOST_OPEN:
                del self._pools[next(iter(self._pools))]
        return found
