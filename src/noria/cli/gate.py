"""`noria gate`: whether a release may go on."""

from __future__ import annotations

from typing import Any

import click

from noria.cli.api import Api
from noria.cli.eval_shown import run_id
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.table import table
from noria.errors import UserError


@click.group()
def gate() -> None:
    """Gates: conditions that a run must meet before a release."""


@gate.command("list")
@json_option
@with_api
def list_gates(api: Api, as_json: bool) -> None:
    """List the gates of noria.toml."""
    found = api.get("/api/evals/gates")["items"]
    if as_json:
        print_json(found)
        return
    rows = [(one["name"], one["eval"], "; ".join(one["conditions"])) for one in found]
    table(
        ("gate", "evaluation", "conditions"),
        rows,
        empty="noria.toml has no [gates.NAME]; see docs/guides/evaluate.md.",
        cut=("conditions",),
    )


@gate.command("check")
@click.argument("names", nargs=-1)
@click.option("--run", help="Ask about this run's target: its id, or an evaluation's name for its newest.")
@json_option
@with_api
def check_gates(api: Api, names: tuple[str, ...], run: str | None, as_json: bool) -> None:
    """Look at gates now, at all of them where none is named. Exit code 1 unless every one passes.

    Without --run a gate is asked about its evaluation's target and dataset as noria.toml has them now: the
    newest finished run of exactly these is its evidence.
    """
    chosen = list(names) or [one["name"] for one in api.get("/api/evals/gates")["items"]]
    if not chosen:
        raise UserError("noria.toml has no [gates.NAME], so there is nothing to check.")
    body: dict[str, Any] = {} if run is None else {"run": run_id(api, run)}
    found = [api.post(f"/api/evals/gates/{name}/check", body) for name in chosen]
    if as_json:
        print_json(found)
    else:
        for one in found:
            click.echo(f"{_mark(one['verdict'])}  {one['gate']}")
            for condition in one["conditions"]:
                click.echo(
                    f"      {_mark(condition['verdict'])}  {condition['condition']}: {condition['reason']}"
                )
            if not one["conditions"]:
                click.echo(f"      {one['reason']}")
    held = [one["gate"] for one in found if one["verdict"] != "pass"]
    if held:
        say(f"{', '.join(held)}: not passed.")
        raise click.exceptions.Exit(1)


def _mark(verdict: str) -> str:
    colours = {"pass": "green", "fail": "red", "undecided": "yellow"}
    return click.style(verdict.ljust(9), fg=colours[verdict])
