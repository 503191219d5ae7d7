"""The examples of a run: of a dataset's version, or of a JSON Lines file."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path

import msgspec

from noria.core.example import Example
from noria.errors import ConfigError

LINE = 16_777_216
"""Most bytes of one line of a file."""
_decode = msgspec.json.Decoder(Example).decode


def read_file(path: Path) -> Iterator[Example]:
    """One Example a line, streamed. Raises ConfigError naming file and line."""
    try:
        with path.open("rb") as file:
            yield from _lines(path, file)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None


def _lines(path: Path, file: BufferedReader) -> Iterator[Example]:
    seen: set[bytes] = set()
    number = 0
    while line := file.readline(LINE + 1):
        number += 1
        if len(line) > LINE:
            raise ConfigError(f"{path}:{number} is longer than {LINE:,} bytes; split it.")
        if not line.strip():
            continue
        try:
            example = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}:{number} is not an example: {error}.") from None
        mark = hashlib.blake2b(example.id.encode(), digest_size=12).digest()
        if mark in seen:
            raise ConfigError(
                f"{path}:{number} has the id {example.id!r} of an earlier line; ids are unique."
            )
        seen.add(mark)
        yield example


def chosen(examples: Iterable[Example], *, limit: int, seed: int) -> list[Example]:
    """`limit` of them: those whose hash with the seed is lowest, so that the choice is random, the same each
    time, and hardly changes when the dataset grows; in order of id."""
    picked = heapq.nsmallest(limit, examples, key=lambda example: _rank(example.id, seed))
    return sorted(picked, key=lambda example: example.id)


def _rank(id: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{id}".encode(), digest_size=8).digest()


def file_digest(path: Path) -> str:
    """The content address of a file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
