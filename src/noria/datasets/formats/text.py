"""Plain text, one record a line; several files side by side, as parallel corpora are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

from noria.datasets.formats.lines import lines
from noria.datasets.record import Problem, Record, too_large
from noria.errors import InvalidRequest

COLUMN = "text"


def read(path: Path, *, name: str) -> Iterator[Record | Problem]:
    """Lines under the column "text"."""
    return parallel({COLUMN: path}, name=name)


def parallel(columns: Mapping[str, Path], *, name: str) -> Iterator[Record | Problem]:
    """Line n of every file together. Raises InvalidRequest where one has more lines than another."""
    for together in zip_longest(*(lines(path) for path in columns.values())):
        if None in together:
            short = [column for column, one in zip(columns, together, strict=True) if one is None]
            raise InvalidRequest(f"The file of {', '.join(short)} has fewer lines than the others.")
        yield _record(dict(zip(columns, together, strict=True)), name)


def _record(cells: dict[str, tuple[int, bytes | None]], name: str) -> Record | Problem:
    values: dict[str, str] = {}
    number = 0
    for column, (number, line) in cells.items():
        if line is None:
            return Problem(name, number, too_large())
        try:
            values[column] = line.rstrip(b"\r\n").decode()
        except UnicodeDecodeError as error:
            return Problem(name, number, f"The line of {column} is not UTF-8 (byte {error.start}).")
    return Record(name, number, dict(values))
