"""Feedback as JSON Lines or CSV, streamed page by page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from noria.core.pages import Page
from noria.feedback.feedback import Feedback

_COLUMNS = tuple(name for name in Feedback.__struct_fields__ if name not in ("project", "retracted"))
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet would take for a formula begins so."""


def lines(read: Callable[[str | None], Page[Feedback]], format: Literal["jsonl", "csv"]) -> Iterator[str]:
    """`read` gives the page behind a cursor."""
    if format == "csv":
        yield _row(_COLUMNS)
    cursor: str | None = None
    while True:
        page = read(cursor)
        for one in page.items:
            values = msgspec.structs.asdict(one)
            if format == "csv":
                yield _row([_cell(values[name]) for name in _COLUMNS])
            else:
                yield msgspec.json.encode({name: values[name] for name in _COLUMNS}).decode() + "\n"
        cursor = page.next
        if cursor is None:
            return


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if isinstance(value, str) and text.startswith(_RUNS) else text


def _row(cells: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
