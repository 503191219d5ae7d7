"""CSV and TSV: a header, then one record a row. Every cell is a text."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from noria.datasets.formats.lines import lines
from noria.datasets.record import LARGEST, Problem, Record, too_large
from noria.errors import InvalidRequest


def read_csv(path: Path, *, name: str) -> Iterator[Record | Problem]:
    return read(path, name=name, delimiter=",")


def read_tsv(path: Path, *, name: str) -> Iterator[Record | Problem]:
    return read(path, name=name, delimiter="\t")


def read(path: Path, *, name: str, delimiter: str) -> Iterator[Record | Problem]:
    """A row may go over several lines; its number is that of the last. Raises InvalidRequest."""
    csv.field_size_limit(LARGEST)
    large: list[int] = []
    rows = csv.reader(_texts(path, large), delimiter=delimiter)
    header: list[str] | None = None
    while True:
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            yield Problem(name, rows.line_num, f"The row cannot be read ({error}).")
            continue
        yield from (Problem(name, number, too_large()) for number in large)
        large.clear()
        if header is None:
            header = _header(row, name)
        elif row:
            yield _record(row, header, name, rows.line_num)
    yield from (Problem(name, number, too_large()) for number in large)


def _texts(path: Path, large: list[int]) -> Iterator[str]:
    for number, line in lines(path):
        if line is None:
            large.append(number)
        else:
            # Broken bytes stay recognisable, so that only their row is lost.
            yield line.decode(errors="surrogateescape")


def _header(row: list[str], name: str) -> list[str]:
    if len(set(row)) < len(row):
        twice = next(column for column in row if row.count(column) > 1)
        raise InvalidRequest(f"{name} has two columns called {twice!r}; name them differently.")
    if _broken(row):
        raise InvalidRequest(f"The header of {name} is not UTF-8; convert the file.")
    return row


def _record(row: list[str], header: list[str], name: str, line: int) -> Record | Problem:
    if len(row) != len(header):
        return Problem(name, line, f"The row has {len(row)} cells, and the header {len(header)}.")
    if _broken(row):
        return Problem(name, line, "The row is not UTF-8.")
    return Record(name, line, dict(zip(header, row, strict=True)))


def _broken(row: list[str]) -> bool:
    return any("\udc80" <= letter <= "\udcff" for cell in row if not cell.isascii() for letter in cell)
