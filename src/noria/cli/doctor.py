"""`noria doctor`: finds and explains what is wrong."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from noria.cli.options import config_option
from noria.cli.output import json_option, print_json, say
from noria.cli.table import plain, width

if TYPE_CHECKING:
    from noria.runtime.finding import Finding

_SIGNS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "wrong": ("WRONG", "red")}


@click.command()
@click.option("--offline", is_flag=True, help="Leave providers alone.")
@click.option("--quiet", "-q", is_flag=True, help="Only what is wrong.")
@config_option
@json_option
def doctor(path: Path, offline: bool, quiet: bool, as_json: bool) -> None:
    """Find and explain what is wrong, on a Noria that runs or not; exit code 1 where something is.

    Changes nothing.
    """
    from noria.runtime.doctor import examine

    found = examine(path, environment=dict(os.environ), network=not offline, report=_report)
    found += _told_by_control(path)
    _report("")
    if as_json:
        print_json(
            [{"check": one.check, "level": one.level, "what": one.what, "todo": one.todo} for one in found]
        )
    else:
        for one in found:
            if one.level == "wrong" or not quiet:
                _show(one)
    wrong = sum(one.level == "wrong" for one in found)
    if wrong:
        say(f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong.")
        raise click.exceptions.Exit(1)
    say("Nothing is wrong.")


def _told_by_control(path: Path) -> list[Finding]:
    """What the control process knows and the files do not show."""
    from noria.cli.alone import answers
    from noria.cli.api import Api
    from noria.errors import NoriaError
    from noria.runtime.finding import Finding
    from noria.runtime.supervisor import status
    from noria.storage.home import Home

    home = Home.beside(path)
    if not (home.folder / "run").is_dir() or status(home) is None:
        return []
    if not answers(home):
        todo = f"See {home.folder}/logs/control.log; calls go on being answered meanwhile."
        return [Finding("control", "wrong", "The control process does not answer.", todo)]
    api = Api(home)
    found: list[Finding] = []
    try:
        for problem in api.get("/api/health")["problems"]:
            what, _, todo = problem.partition("; ")
            found.append(Finding("control", "wrong", what.rstrip(".") + ".", todo.capitalize()))
        if api.get("/api/config")["differs_on_disk"]:
            todo = "`noria plan` shows what is new, `noria apply` makes it run, `noria pull` takes it back."
            found.append(
                Finding("configuration", "note", "noria.toml says something else than what runs.", todo)
            )
    except NoriaError as error:
        found.append(Finding("control", "wrong", str(error), f"See {home.folder}/logs/control.log."))
    return found or [Finding("control", "ok", "The control process answers.")]


def _report(what: str) -> None:
    """What is being looked at, on one line of the terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{click.style(what, dim=True)}", nl=False, err=True)


def _show(one: Finding) -> None:
    word, colour = _SIGNS[one.level]
    head = click.style(word.ljust(5), fg=colour, bold=one.level == "wrong") + f"  {one.check.ljust(13)}  "
    indent = " " * 22
    room = (width() or 10_000) - len(indent)
    lines = textwrap.wrap(plain(one.what), max(room, 30))
    if one.todo and one.level != "ok":
        lines += textwrap.wrap(
            plain(one.todo), max(room - 2, 30), initial_indent="→ ", subsequent_indent="  "
        )
    click.echo(head + f"\n{indent}".join(lines))
