"""Examples as files, streamed: Noria's JSON Lines, tables, and the formats of trainers and evaluators."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from noria.core.example import Example
from noria.datasets.columns import Column, columns, safe
from noria.datasets.formats.arrow import needed
from noria.datasets.schema import ExampleShape
from noria.datasets.training import ROWS, Unfit
from noria.errors import InvalidRequest

_CHUNK = 64 << 10
"""Bytes that are handed on at once."""
_GROUP_ROWS = 20_000
_GROUP_SIZE = 32 << 20
"""Characters of a Parquet row group."""
Examples = Callable[[], Iterable[Example]]
"""The same examples, every time it is called: a table's columns are known only at the end of a first pass."""


class Format(msgspec.Struct, frozen=True):
    """How a file of it is called and served."""

    media_type: str
    suffix: str


_LINES = Format("application/x-ndjson", ".jsonl")
FORMATS: dict[str, Format] = {
    "jsonl": _LINES,
    "csv": Format("text/csv; charset=utf-8", ".csv"),
    "parquet": Format("application/vnd.apache.parquet", ".parquet"),
    **dict.fromkeys(ROWS, _LINES),
}
"""jsonl, csv and parquet come back without loss when they are imported."""


class Left(msgspec.Struct, kw_only=True):
    """What an export wrote, and what it left out. Grows while it goes on."""

    written: int = 0
    """Examples."""
    rows: int = 0
    left_out: int = 0
    reasons: dict[str, int] = {}
    """Examples by reason, and one of each below `example`."""
    example: dict[str, str] = {}

    def out(self, id: str, reason: str) -> None:
        self.left_out += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        self.example.setdefault(reason, id)


def write(examples: Examples, *, format: str, text: str = "", left: Left | None = None) -> Iterator[bytes]:
    """The file in chunks. `text` names the field of the input that is the prompt, where there are several.

    Raises InvalidRequest for a format that is none, and MissingExtra, both at once.
    """
    account = left if left is not None else Left()
    if format == "jsonl":
        return _chunks(_plain(examples(), account))
    if format == "csv":
        return _chunks(_csv(examples, account))
    if format == "parquet":
        return _parquet(examples, account, needed("Writing Parquet"))
    if format in ROWS:
        return _chunks(_rows(examples(), format, text, account))
    raise InvalidRequest(f"A format is one of {', '.join(FORMATS)}, not {format!r}.", param="format")


def looked_over(examples: Iterable[Example], *, format: str, text: str = "") -> Left:
    """What an export would leave out, without writing it."""
    account = Left()
    for _ in write(lambda: examples, format=format if format in ROWS else "jsonl", text=text, left=account):
        pass
    return account


def _chunks(parts: Iterable[bytes]) -> Iterator[bytes]:
    held, size = list[bytes](), 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= _CHUNK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _plain(examples: Iterable[Example], account: Left) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    for example in examples:
        account.written += 1
        account.rows += 1
        yield encode(example) + b"\n"


def _rows(examples: Iterable[Example], format: str, text: str, account: Left) -> Iterator[bytes]:
    encode, rows_of = msgspec.json.Encoder().encode, ROWS[format]
    for example in examples:
        try:
            rows = rows_of(example, text)
        except Unfit as error:
            account.out(example.id, str(error))
            continue
        account.written += 1
        account.rows += len(rows)
        for row in rows:
            yield encode(row) + b"\n"


def _csv(examples: Examples, account: Left) -> Iterator[bytes]:
    chosen = _columns(examples())
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")
    writer.writerow([column.title for column in chosen])
    for example in examples():
        account.written += 1
        account.rows += 1
        writer.writerow([safe(column.cell(example)) for column in chosen])
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()
    yield line.getvalue().encode()


def _parquet(examples: Examples, account: Left, pyarrow: Any) -> Iterator[bytes]:
    import pyarrow.parquet as parquet

    chosen = [column for column in _columns(examples()) if column.part != "tags"]
    text = pyarrow.string()
    types = [(column.title, text) for column in chosen]
    schema = pyarrow.schema([*types, ("tags", pyarrow.list_(text))])
    sink = _Sink()
    with parquet.ParquetWriter(pyarrow.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for cells in _groups(examples(), chosen, account):
            arrays = [pyarrow.array(values, of.type) for values, of in zip(cells, schema, strict=True)]
            writer.write_batch(pyarrow.RecordBatch.from_arrays(arrays, schema=schema))
            yield sink.take()
    yield sink.take()


def _groups(examples: Iterable[Example], chosen: list[Column], account: Left) -> Iterator[list[list[Any]]]:
    """The cells of a row group by column, the tags last."""
    cells: list[list[Any]] = [[] for _ in range(len(chosen) + 1)]
    size = 0
    for example in examples:
        account.written += 1
        account.rows += 1
        row: list[Any] = [column.cell(example) for column in chosen]
        size += sum(map(len, row))
        for values, cell in zip(cells, [*row, list(example.tags)], strict=True):
            values.append(cell)
        if len(cells[0]) == _GROUP_ROWS or size > _GROUP_SIZE:
            yield cells
            cells, size = [[] for _ in cells], 0
    if cells[0]:
        yield cells


def _columns(examples: Iterable[Example]) -> list[Column]:
    shape = ExampleShape()
    for example in examples:
        shape.add(example)
    return columns(shape.schema())


class _Sink(io.RawIOBase):
    """A file that is only written, and whose bytes are taken away as they come."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._at += len(part)
        return len(part)

    def tell(self) -> int:
        return self._at

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
