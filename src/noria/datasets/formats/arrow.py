"""Parquet and Arrow files, read in batches. Needs the extra `data`."""

from __future__ import annotations

import base64
import datetime
import decimal
import math
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from noria.datasets.record import LARGEST, Problem, Record, too_large
from noria.errors import InvalidRequest, MissingExtra

_ROWS = 500
"""At once."""
_AT_ONCE = 64 << 20
"""Bytes of values; of larger batches one row is unpacked at a time."""


def read_parquet(path: Path, *, name: str) -> Iterator[Record | Problem]:
    """Raises InvalidRequest for a file that is none."""
    pyarrow = needed("Reading Parquet")
    import pyarrow.parquet as parquet

    try:
        with parquet.ParquetFile(path) as file:
            types = pyarrow.types
            texts = [
                field.name
                for field in file.schema_arrow
                if types.is_string(field.type)
                or types.is_binary(field.type)
                or types.is_large_string(field.type)
                or types.is_large_binary(field.type)
            ]
        # As dictionaries: a value that is stored once and meant a million times is held once.
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            yield from _records(file.iter_batches(batch_size=_ROWS), name)
    except (pyarrow.ArrowException, OSError) as error:
        raise InvalidRequest(f"{name} cannot be read as Parquet ({_first_line(error)}).") from None


def read_arrow(path: Path, *, name: str) -> Iterator[Record | Problem]:
    """The streaming and the file form of Arrow's IPC."""
    pyarrow = needed("Reading Arrow files")
    try:
        with pyarrow.memory_map(str(path)) as source:
            head = source.read(6)
            source.seek(0)
            if head == b"ARROW1":
                file = pyarrow.ipc.open_file(source)
                batches = (file.get_batch(index) for index in range(file.num_record_batches))
            else:
                batches = iter(pyarrow.ipc.open_stream(source))
            yield from _records(_slices(batches), name)
    except (pyarrow.ArrowException, OSError) as error:
        raise InvalidRequest(f"{name} cannot be read as Arrow ({_first_line(error)}).") from None


def needed(what: str) -> Any:
    """pyarrow."""
    try:
        import pyarrow
        import pyarrow.ipc  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise MissingExtra(what, "data") from error
    return pyarrow


def _slices(batches: Iterator[Any]) -> Iterator[Any]:
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS):
            yield batch.slice(start, _ROWS)


def _records(batches: Iterator[Any], name: str) -> Iterator[Record | Problem]:
    number = 0
    for batch in batches:
        whole = _size(batch) <= _AT_ONCE
        for part in [batch] if whole else (batch.slice(row, 1) for row in range(batch.num_rows)):
            if not whole and _size(part) > LARGEST:
                number += 1
                yield Problem(name, number, too_large())
                continue
            for row in part.to_pylist():
                number += 1
                try:
                    yield Record(
                        name, number, {column: _plain(value, column) for column, value in row.items()}
                    )
                except _Unfit as error:
                    yield Problem(name, number, str(error))


def _size(batch: Any) -> int:
    """Bytes of its values, at most."""
    size = 0
    for column in batch.columns:
        if hasattr(column, "dictionary"):
            lengths = column.dictionary.take(column.indices.unique().drop_null())
            size += max((len(value.as_buffer()) for value in lengths if value.is_valid), default=0) * len(
                column
            )
        else:
            size += column.nbytes
    return size


class _Unfit(Exception):
    """A value that JSON cannot hold."""


def _plain(value: Any, column: str) -> Any:
    match value:
        case None | str() | bool() | int():
            return value
        case float():
            if math.isfinite(value):
                return value
            raise _Unfit(f"The column {column!r} holds NaN or an infinity; write null instead.")
        case list():
            return [_plain(one, column) for one in value]
        case dict():
            return {str(name): _plain(inner, column) for name, inner in value.items()}
        case tuple():
            return [_plain(one, column) for one in value]
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return value.total_seconds()
        case decimal.Decimal() | uuid.UUID():
            return str(value)
        case bytes():
            return {"base64": base64.b64encode(value).decode()}
        case _:
            raise _Unfit(f"The column {column!r} holds {type(value).__name__}, which JSON does not know.")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
