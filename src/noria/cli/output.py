"""How commands speak: data on stdout, as a table for people or JSON for programs; words on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON instead of a table."
)


def say(words: str) -> None:
    """A sentence for the person, on stderr."""
    click.echo(words, err=True)


def print_json(value: object) -> None:
    """Data for a program, indented."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Columns as wide as their content; numbers to the right. `empty` is said where there are no rows."""
    kept = list(rows)
    cells = [[_cell(value) for value in row] for row in kept]
    if not cells:
        say(empty)
        return
    numeric = [
        all(isinstance(value, int | float) or value is None for value in column)
        for column in zip(*kept, strict=True)
    ]
    widths = [max(len(line[index]) for line in (columns, *cells)) for index in range(len(columns))]
    for number, line in enumerate((list(columns), *cells)):
        text = "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        )
        click.echo(click.style(text.rstrip(), bold=number == 0))


def _cell(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(one) for one in value)
    return str(value)
