"""Drops and edits of a build, as the terminal shows them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import click

from noria.cli.table import plain, shorten

_CONTEXT = 40
"""Characters around a change that are shown."""


def show(event: Mapping[str, Any]) -> None:
    """Print one, with what was before and after."""
    head = f"{event['kind']}  {event['type']}  {plain(event['example'])}  {', '.join(event['reasons'])}"
    click.echo(click.style(head, bold=True) + (f"  {pairs_of(event['details'])}" if event["details"] else ""))
    for change in event["changes"]:
        before, after = change["before"], change["after"]
        if isinstance(before, str) and isinstance(after, str):
            click.echo(f"  {plain(change['field'])}: {_difference(before, after)}")
        else:
            click.echo(f"  {plain(change['field'])}: {_short(before)} → {_short(after)}")
    if event["dropped"] is not None:
        for field in ("input", "expected"):
            if event["dropped"].get(field) is not None:
                click.echo(f"  {field}: {_short(event['dropped'][field])}")


def _difference(before: str, after: str) -> str:
    """The words that went in red, those that came in green; marked by signs where there are no colours."""
    old, new = before.split(" "), after.split(" ")
    parts: list[str] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.append(_around(plain(" ".join(old[a:b]))))
            continue
        if b > a:
            parts.append(click.style("[-" + _visible(" ".join(old[a:b])) + "-]", fg="red"))
        if d > c:
            parts.append(click.style("{+" + _visible(" ".join(new[c:d])) + "+}", fg="green"))
    return " ".join(parts)


def _around(text: str) -> str:
    return text if len(text) <= 2 * _CONTEXT else f"{text[:_CONTEXT]} … {text[-_CONTEXT:]}"


def _visible(text: str) -> str:
    return plain(text.replace("\n", "⏎").replace("\t", "⇥").replace("\u00a0", "⍽")) or "␠"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else pairs_of(value) if isinstance(value, dict) else str(value)
    return shorten(plain(text), 160)


def pairs_of(values: Mapping[str, Any]) -> str:
    """`name=value, …`."""
    return ", ".join(f"{name}={plain(str(value))}" for name, value in values.items())
