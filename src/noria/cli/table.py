"""Tables and lists of facts that fit the terminal; whole where the output is not one."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import click

from noria.cli.output import print_table

LEAST, NEED = 18, 8
"""Characters to which a column may be cut, before and after others were left out."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")


def plain(text: str) -> str:
    """On one line, and unable to steer the terminal: recorded texts come from strangers."""
    return _CONTROL.sub(" ", text)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    empty: str,
    cut: Sequence[str] = (),
    drop: Sequence[str] = (),
    right: Sequence[str] = (),
) -> None:
    """Print rows. In a terminal that is too narrow the columns in `cut` are shortened, the first first, then
    those in `drop` left out; what is not a terminal gets everything. Columns in `right` are aligned there."""
    kept = [
        [_text(value) if value is None or isinstance(value, str) else value for value in row] for row in rows
    ]
    names = list(columns)
    limit = width()
    if limit is not None and kept:
        _fit(names, kept, cut=cut, drop=drop, limit=limit)
    heads = [name.upper() for name in names]
    for index in (names.index(name) for name in right if name in names and kept):
        wide = max(len(names[index]), *(len(str(row[index])) for row in kept))
        heads[index] = heads[index].rjust(wide)
        for row in kept:
            row[index] = str(row[index]).rjust(wide)
    print_table(heads, kept, empty=empty)


def facts(values: Mapping[str, object]) -> None:
    """Print names and values, one a line; long texts are wrapped. What is None or empty is left out."""
    shown = {name: value for name, value in values.items() if value not in (None, "", [], {}, ())}
    if not shown:
        return
    indent = max(len(name) for name in shown) + 2
    limit = width()
    for name, value in shown.items():
        text = plain(_text(value))
        lines = [text] if limit is None else textwrap.wrap(text, max(limit - indent, 20)) or [""]
        click.echo(click.style(name.ljust(indent), dim=True) + f"\n{' ' * indent}".join(lines))


def beside(columns: Sequence[Mapping[str, object]]) -> None:
    """Print the same facts of several things beside one another, wrapped to the terminal."""
    names = [name for name in columns[0] if any(one[name] not in (None, "") for one in columns)]
    indent = max(len(name) for name in names) + 2
    room = max(((width() or 160) - indent) // len(columns) - 2, 16)
    for name in names:
        wrapped = [
            textwrap.wrap(plain("-" if one[name] in (None, "") else _text(one[name])), room)
            for one in columns
        ]
        for number in range(max(len(lines) for lines in wrapped)):
            cells = [(lines[number] if number < len(lines) else "").ljust(room) for lines in wrapped]
            label = click.style((name if number == 0 else "").ljust(indent), dim=True)
            click.echo((label + "  ".join(cells)).rstrip())


def width() -> int | None:
    """Columns of the terminal; None where stdout is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def shorten(text: str, limit: int) -> str:
    """Cut to `limit` characters, with an ellipsis."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def _fit(
    names: list[str], rows: list[list[object]], *, cut: Sequence[str], drop: Sequence[str], limit: int
) -> None:
    """Leave out as many columns as must be, then shorten no more than is needed."""
    waiting = list(drop)
    widths = [max(len(name), *(len(_text(row[index])) for row in rows)) for index, name in enumerate(names)]
    while waiting and _least(names, widths, cut) > limit:
        index = names.index(waiting.pop(0))
        for line in (names, widths, *rows):
            line.pop(index)
    over = sum(widths) + 2 * (len(widths) - 1) - limit
    for least in (LEAST, NEED):
        for index in (names.index(name) for name in cut if name in names):
            allowed = max(widths[index] - max(over, 0), min(least, widths[index]))
            over -= widths[index] - allowed
            widths[index] = allowed
    for index in (names.index(name) for name in cut if name in names):
        for row in rows:
            row[index] = shorten(_text(row[index]), widths[index])


def _least(names: Sequence[str], widths: Sequence[int], cut: Sequence[str]) -> int:
    narrow = [min(wide, LEAST) if name in cut else wide for name, wide in zip(names, widths, strict=True)]
    return sum(narrow) + 2 * (len(narrow) - 1)


def _text(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={inner}" for name, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(one) for one in value)
    return plain(str(value))
