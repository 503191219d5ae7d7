"""`noria budget`: caps on money, and what is left of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import click

from noria.cli.api import Api
from noria.cli.key import late
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import ago, at, money, share
from noria.cli.table import facts, table
from noria.errors import UserError

WINDOWS = click.Choice(["hour", "day", "week", "month", "total"])
_hard = click.option(
    "--hard/--soft", default=None, help="Refuse what could exceed it, or only count and warn."
)
_warn = click.option("--warn", type=click.FloatRange(0, 1, min_open=True), help="Share at which it warns.")


@click.group()
def budget() -> None:
    """Budgets: caps on money, and what is left of them."""


@budget.command("list")
@json_option
@with_api
def list_budgets(api: Api, as_json: bool) -> None:
    """List budgets with the subject that has spent most of each."""
    found = api.get("/api/budgets")["items"]
    if as_json:
        print_json(found)
        return
    rows: list[tuple[object, ...]] = []
    for one in found:
        most = one["subjects"][0] if one["subjects"] else None
        rows.append(
            (
                one["name"],
                f"{money(one['amount'])} a {one['window']}"
                if one["window"] != "total"
                else f"{money(one['amount'])} in all",
                "hard" if one["hard"] else "soft",
                one["state"],
                most["subject"] if most else one["subject"],
                money(most["spent"]) if most else "$0",
                share(most["share"]) if most else "0 %",
                "-" if one["end_ms"] is None else ago(one["end_ms"]),
            )
        )
    columns = ("name", "cap", "kind", "state", "subject", "spent", "used", "renews")
    table(
        columns,
        rows,
        empty="There are no budgets; `noria budget create NAME AMOUNT` makes one.",
        cut=("subject", "name"),
        drop=("kind", "renews"),
        right=("spent", "used"),
    )


@budget.command("show")
@click.argument("name")
@json_option
@with_api
def show_budget(api: Api, name: str, as_json: bool) -> None:
    """Show a budget and every subject that has spent something of it."""
    found = next((one for one in api.get("/api/budgets")["items"] if one["name"] == name), None)
    if found is None:
        raise UserError(f"There is no budget called {name!r}; `noria budget list` shows them.")
    if as_json:
        print_json(found)
        return
    _facts(found)
    rows = [
        (
            one["subject"],
            money(one["spent"]),
            "unknown" if one["reserved"] is None else money(one["reserved"]),
            share(one["share"]),
            "-" if one["forecast"] is None else money(one["forecast"]),
        )
        for one in found["subjects"]
    ]
    if rows:
        click.echo()
        columns = ("subject", "spent", "reserved", "used", "forecast")
        table(columns, rows, empty="", cut=("subject",), right=columns[1:])


@budget.command("create")
@click.argument("name")
@click.argument("amount")
@click.option(
    "--per", "period", type=WINDOWS, default="month", show_default=True, help="When it begins anew (UTC)."
)
@click.option(
    "--subject",
    help="What is counted together: key:ID, team:NAME, user:NAME, project:NAME or tag.TAG:VALUE; NAME `*` "
    "counts each apart. Without it: the keys that name this budget.",
)
@_hard
@_warn
@json_option
@with_api
def create_budget(
    api: Api, name: str, amount: str, period: str, subject: str | None, hard: bool | None, warn: float | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Cap what is spent at AMOUNT dollars; in force when the command ends."""
    body = {"name": name, "amount": amount.lstrip("$"), "window": period, "subject": subject}
    body |= _given(hard, warn)
    _changed(api.post("/api/budgets", body), as_json=as_json)


@budget.command("patch")
@click.argument("name")
@click.option("--amount", help="Dollars.")
@_hard
@_warn
@json_option
@with_api
def patch_budget(
    api: Api, name: str, amount: str | None, hard: bool | None, warn: float | None, as_json: bool
) -> None:
    """Change a budget that was not made in noria.toml; what is not given stays."""
    body = _given(hard, warn) | ({"amount": amount.lstrip("$")} if amount else {})
    if not body:
        raise UserError("Nothing was given to change; `noria budget patch --help` lists what can be.")
    _changed(api.patch(f"/api/budgets/{quote(name, safe='')}", body), as_json=as_json)


@budget.command("delete")
@click.argument("name")
@json_option
@with_api
def delete_budget(api: Api, name: str, as_json: bool) -> None:
    """Delete a budget that was not made in noria.toml."""
    served = api.delete(f"/api/budgets/{quote(name, safe='')}")
    if as_json:
        print_json(served)
    else:
        say(f"Budget {name} is deleted.")
    late(served)


def _given(hard: bool | None, warn: float | None) -> dict[str, Any]:
    body: dict[str, Any] = {} if hard is None else {"hard": hard}
    return body if warn is None else body | {"warn_share": warn}


def _changed(changed: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(changed)
    else:
        _facts(changed["budget"])
    late(changed["served"])


def _facts(one: Mapping[str, Any]) -> None:
    facts(
        {
            "name": one["name"],
            "cap": money(one["amount"]),
            "window": one["window"],
            "subject": one["subject"],
            "kind": "hard: calls that could exceed it are refused"
            if one["hard"]
            else "soft: counts and warns",
            "warns at": share(one["warn_share"]),
            "state": one["state"],
            "made in": "noria.toml" if one["source"] == "config" else "the page, API or command line",
            "since": None if one["start_ms"] is None else at(one["start_ms"]),
            "until": None if one["end_ms"] is None else f"{at(one['end_ms'])} ({ago(one['end_ms'])})",
        }
    )
