"""`noria scorer`: what is installed, and a try of one."""

from __future__ import annotations

import json
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json
from noria.cli.table import facts, table
from noria.errors import UserError


@click.group()
def scorer() -> None:
    """Scorers: what judges an answer."""


@scorer.command("list")
@json_option
@with_api
def list_scorers(api: Api, as_json: bool) -> None:
    """List the scorers that are installed, and those that noria.toml names."""
    found = api.get("/api/scorers")
    if as_json:
        print_json(found)
        return
    named = [
        (one["name"], f"[scorers] {one['type']} {json.dumps(one['arguments'])}") for one in found["named"]
    ]
    rows = named + [(one["type"], one["about"]) for one in found["types"]]
    table(("scorer", "what it measures"), rows, empty="No scorers are installed.", cut=("what it measures",))


@scorer.command("show")
@click.argument("type")
@json_option
@with_api
def show_scorer(api: Api, type: str, as_json: bool) -> None:
    """Show what a scorer of this TYPE takes."""
    found = next((one for one in api.get("/api/scorers")["types"] if one["type"] == type), None)
    if found is None:
        raise UserError(f"There is no scorer of type {type!r}; `noria scorer list` shows them.")
    if as_json:
        print_json(found)
        return
    facts(
        {
            "type": found["type"],
            "what": found["about"],
            "calls models": "yes" if found["calls_models"] else "no",
        }
    )
    rows = [
        (one["name"], one["type"], "needed" if one["required"] else json.dumps(one["default"]))
        for one in found["parameters"]
    ]
    if rows:
        table(("argument", "type", "default"), rows, empty="", cut=("type",))


@scorer.command("try")
@click.argument("type")
@click.argument("text")
@click.option("--expected", help="The reference answer; JSON where it is that.")
@click.option("--set", "settings", multiple=True, metavar="NAME=JSON", help="An argument; repeatable.")
@json_option
@with_api
def try_scorer(
    api: Api, type: str, text: str, expected: str | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Score TEXT once. Scorers that call models are left to evaluations."""
    arguments: dict[str, Any] = {}
    for setting in settings:
        name, mark, value = setting.partition("=")
        if not mark:
            raise UserError(f"An argument is NAME=JSON, such as tolerance=0.1, which {setting!r} is not.")
        arguments[name] = _json(value)
    body = {"type": type, "text": text, "arguments": arguments}
    if expected is not None:
        body["expected"] = _json(expected)
    scores = api.post("/api/scorers/try", body)["scores"]
    if as_json:
        print_json(scores)
        return
    rows = [(one["name"], _value(one["value"]), one["failed"] or one["reason"]) for one in scores]
    table(("score", "value", "why"), rows, empty="It measures nothing.", cut=("why",))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _value(value: Any) -> str:
    if value is None:
        return "failed"
    return (
        "yes"
        if value is True
        else "no"
        if value is False
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
