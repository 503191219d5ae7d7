"""`noria route`: what can be called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json
from noria.cli.table import facts, table
from noria.errors import UserError


@click.group()
def route() -> None:
    """Routes: the names that callers use as `model`."""


@route.command("list")
@click.option(
    "--all", "every", is_flag=True, help="Also the models that no route names; they can be called too."
)
@json_option
@with_api
def list_routes(api: Api, every: bool, as_json: bool) -> None:
    """List the routes that can be called."""
    found = [one for one in api.get("/api/routes")["items"] if every or not one["implicit"]]
    if as_json:
        print_json(found)
        return
    rows = [
        (one["name"], one["strategy"], ", ".join(target["model"] for target in one["targets"]), _cache(one))
        for one in sorted(found, key=lambda one: (one["implicit"], one["name"]))
    ]
    empty = "There are no routes; add [routes.NAME] to noria.toml, or see `noria route list --all`."
    table(("name", "strategy", "targets", "cache"), rows, empty=empty, cut=("targets",))


@route.command("show")
@click.argument("name")
@json_option
@with_api
def show_route(api: Api, name: str, as_json: bool) -> None:
    """Show a route with its targets and their conditions."""
    found = next((one for one in api.get("/api/routes")["items"] if one["name"] == name), None)
    if found is None:
        raise UserError(f"There is no route called {name!r}; `noria route list --all` shows them.")
    if as_json:
        print_json(found)
        return
    facts(
        {
            "name": found["name"],
            "strategy": found["strategy"],
            "sticky by": found["sticky"],
            "retries": found["retries"],
            "cache": _cache(found),
            "capture": found["capture"],
            "regions": found["regions"],
        }
    )
    click.echo()
    rows = [
        (target["model"], target["order"], f"{target['weight']:g}", _condition(target))
        for target in found["targets"]
    ]
    table(("target", "order", "weight", "when"), rows, empty="", cut=("when",))


def _cache(one: Mapping[str, Any]) -> str:
    return f"{one['cache_ttl_s']} s" if one["cache_ttl_s"] else "off"


def _condition(target: Mapping[str, Any]) -> str:
    parts = [f"{name}={value}" for name, value in target["tags"].items()]
    if target["min_input_tokens"] is not None:
        parts.append(f"from {target['min_input_tokens']:,} tokens")
    if target["max_input_tokens"] is not None:
        parts.append(f"up to {target['max_input_tokens']:,} tokens")
    return ", ".join(parts) or "always"
