"""JSON Lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from noria.datasets.formats.lines import lines
from noria.datasets.record import Problem, Record, too_large

_DEEPEST = 100
_DEEP = f"The record is nested more than {_DEEPEST} deep."


def read(path: Path, *, name: str) -> Iterator[Record | Problem]:
    """Blank lines are passed over."""
    for number, line in lines(path):
        if line is None:
            yield Problem(name, number, too_large())
        elif line.strip():
            yield decode(line, name, number)


def decode(text: bytes, name: str, number: int) -> Record | Problem:
    """One object of JSON text."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Problem(name, number, _reason(text, error))
    if text.count(b"[") + text.count(b"{") > _DEEPEST and _is_deeper(found, _DEEPEST):
        return Problem(name, number, _DEEP)
    if not isinstance(found, dict):
        return Problem(name, number, "The record is JSON, but not an object.")
    return Record(name, number, found)


def _is_deeper(value: object, limit: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return limit < 0 or any(_is_deeper(one, limit - 1) for one in inner)


def _reason(text: bytes, error: Exception) -> str:
    if isinstance(error, RecursionError):
        return _DEEP
    try:
        text.decode()
    except UnicodeDecodeError as broken:
        return f"The record is not UTF-8 (byte {broken.start})."
    if b"NaN" in text or b"Infinity" in text:
        return "The record has NaN or Infinity, which JSON does not know; write null or leave the field out."
    return f"The record is not JSON: {error}."
