"""The files of a run: each shard of each pass is three files and, last of all, the mark that it is whole.

<run>/<pass>/<shard>.examples   what is left after the pass, msgpack in zstd; sealed, as the events are, where
                                payloads are encrypted
<run>/<pass>/<shard>.signs      their ids, and what the pass's global step needs of each
<run>/<pass>/<shard>.events     drops, edits and failures; stays when the run has ended
<run>/<pass>/<shard>.done       the mark: a Mark in JSON
<run>/<pass>/losses.npz         what the global step has decided
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from noria.core.example import Example
from noria.datasets.curation.event import Counts, Event
from noria.datasets.curation.step import UNSEALED, Sealing

_encoder = msgspec.msgpack.Encoder()
_examples = msgspec.msgpack.Decoder(list[Example])
_events = msgspec.msgpack.Decoder(list[Event])
_signs = msgspec.msgpack.Decoder(tuple[list[str], list[bytes]])


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That a shard is whole, and what is in it."""

    given: int
    """Examples that it began with."""
    left: int
    last: str = ""
    """Id of the last that it was given."""
    counts: Counts = {}


class Shard:
    """One shard of one pass."""

    def __init__(self, run: Path, number: int, shard: int, seal: Sealing = UNSEALED) -> None:
        self._seal = seal
        self.number = shard
        self._folder = run / str(number)
        self._stem = f"{shard:07d}"

    def mark(self) -> Mark | None:
        """None: it is not whole."""
        try:
            return msgspec.json.decode(self._path("done").read_bytes(), type=Mark)
        except FileNotFoundError:
            return None

    def write(
        self,
        mark: Mark,
        *,
        examples: Sequence[Example],
        events: Sequence[Event],
        signs: Sequence[bytes] | None,
    ) -> None:
        """All of it, the mark last."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if signs is not None:
            ids = [example.id for example in examples]
            write_whole(self._path("signs"), _encoder.encode((ids, signs)))
        self.rewrite_events(events)
        write_whole(self._path("examples"), self._seal.bytes(_packed(examples)))
        write_whole(self._path("done"), msgspec.json.encode(mark))

    def rewrite_events(self, events: Sequence[Event]) -> None:
        write_whole(self._path("events"), self._seal.bytes(_packed(events)))

    @property
    def has_examples(self) -> bool:
        """False: the next pass has them, or the run has ended."""
        return self._path("examples").exists()

    def examples(self) -> list[Example]:
        return _examples.decode(self._unpacked("examples"))

    def events(self) -> list[Event]:
        return _events.decode(self._unpacked("events"))

    def signs(self) -> tuple[list[str], list[bytes]]:
        """(ids, signs) of what is left."""
        return _signs.decode(self._path("signs").read_bytes())

    def spend(self) -> None:
        """Delete the examples: the next pass has taken them over."""
        self._path("examples").unlink(missing_ok=True)

    def _unpacked(self, kind: str) -> bytes:
        return zstandard.ZstdDecompressor().decompress(self._seal.opened(self._path(kind).read_bytes()))

    def _path(self, kind: str) -> Path:
        return self._folder / f"{self._stem}.{kind}"


def shards(run: Path, number: int, seal: Sealing = UNSEALED) -> Iterator[tuple[Shard, Mark]]:
    """The whole shards of a pass, in order, up to the first that is missing."""
    shard = 0
    while True:
        found = Shard(run, number, shard, seal)
        mark = found.mark()
        if mark is None:
            return
        yield found, mark
        shard += 1


def write_whole(path: Path, data: bytes) -> None:
    """The file is there whole or not at all, also after a power cut."""
    aside = path.with_name(path.name + ".part")
    with open(aside, "wb", opener=_private) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _packed(values: Sequence[Any]) -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(_encoder.encode(values))
