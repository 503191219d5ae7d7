"""`noria key`: virtual keys, which say who may call what within which limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import Command, pairs, seconds_of, with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import ago, at, money
from noria.cli.table import facts, table
from noria.errors import UserError

ROLES = click.Choice(["caller", "viewer", "editor", "admin"])


@click.group()
def key() -> None:
    """Virtual keys: who may call what, within which limits."""


@key.command("list")
@click.option("--revoked", is_flag=True, help="Revoked keys too.")
@json_option
@with_api
def list_keys(api: Api, revoked: bool, as_json: bool) -> None:
    """List keys, newest first, with their use over the last 30 days."""
    found = api.get("/api/keys", revoked=str(revoked).lower())["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["id"],
            one["name"],
            one["hint"],
            one["role"],
            one["team"] or "-",
            "any" if one["routes"] == ["*"] else ", ".join(one["routes"]) or "none",
            _state(one),
            one["calls_30d"],
            money(one["cost_30d"]),
        )
        for one in found
    ]
    columns = ("id", "name", "token", "role", "team", "routes", "state", "calls", "cost")
    table(
        columns,
        rows,
        empty="There are no keys; `noria key create NAME` makes one.",
        cut=("routes", "name"),
        drop=("id", "token", "team"),
        right=("calls", "cost"),
    )


@key.command("show")
@click.argument("key")
@json_option
@with_api
def show_key(api: Api, key: str, as_json: bool) -> None:
    """Show everything about a KEY, given by id or name."""
    found = _find(api, key)
    if as_json:
        print_json(found)
    else:
        _facts(found)


def _settings(command: Command) -> Command:
    """The options that `create` and `patch` share; what is not given stays None."""
    added: tuple[Callable[[Command], Command], ...] = (
        click.option("--team", help="Whose calls they are, for budgets and costs."),
        click.option("--user", help="Likewise."),
        click.option(
            "--role", type=ROLES, help="What the key may do in the API; `caller`: only call models."
        ),
        click.option(
            "--route", "routes", multiple=True, help="A route or model that may be called; repeatable."
        ),
        click.option(
            "--tag", "tags", multiple=True, metavar="NAME=VALUE", help="Put on every call; repeatable."
        ),
        click.option(
            "--limit",
            "limits",
            multiple=True,
            metavar="AMOUNT/UNIT/SPAN",
            help="Such as 600/requests/1m, 1000000/tokens/1h or 5/money/1d; repeatable.",
        ),
        click.option(
            "--budget", "budgets", multiple=True, help="A budget that its calls count to; repeatable."
        ),
        click.option("--expires", metavar="SPAN", help="From now, such as 30d; `never` takes it off."),
        click.option("--capture", help="full, metadata, or the share of calls whose payloads are kept."),
    )
    for add in reversed(added):
        command = add(command)
    return command


@key.command("create")
@click.argument("name")
@_settings
@json_option
@with_api
def create_key(api: Api, name: str, as_json: bool, **settings: Any) -> None:
    """Make a key called NAME. Its token is printed on stdout, this once, and kept nowhere."""
    made = api.post("/api/keys", {"name": name, **_body(settings)})
    _print_token(made, as_json=as_json)
    if not as_json:
        say(f"Key {made['key']['id']} is in force. Its token is shown this once and cannot be read again.")


@key.command("rotate")
@click.argument("key")
@click.option(
    "--overlap",
    default="1d",
    show_default=True,
    metavar="SPAN",
    help="For how long the old token goes on working.",
)
@json_option
@with_api
def rotate_key(api: Api, key: str, overlap: str, as_json: bool) -> None:
    """Give a KEY a new token, which is printed on stdout this once."""
    id = _find(api, key)["id"]
    made = api.post(f"/api/keys/{id}/rotate", {"overlap_s": seconds_of(overlap)})
    _print_token(made, as_json=as_json)
    if not as_json:
        say(f"The old token of {id} works for another {overlap}.")


@key.command("revoke")
@click.argument("key")
@json_option
@with_api
def revoke_key(api: Api, key: str, as_json: bool) -> None:
    """Make a KEY useless, on every worker when the command ends. It cannot be taken back."""
    id = _find(api, key)["id"]
    changed = api.post(f"/api/keys/{id}/revoke", {})
    if as_json:
        print_json(changed)
    else:
        say(f"Key {id} ({changed['key']['name']}) is revoked.")
    late(changed["served"])


@key.command("patch")
@click.argument("key")
@click.option("--name", help="Its new name.")
@_settings
@json_option
@with_api
def patch_key(api: Api, key: str, name: str | None, as_json: bool, **settings: Any) -> None:
    """Change a KEY; what is not given stays. A list that is given takes the old one's place."""
    body = _body(settings) | ({"name": name} if name else {})
    if not body:
        raise UserError("Nothing was given to change; `noria key patch --help` lists what can be.")
    changed = api.patch(f"/api/keys/{_find(api, key)['id']}", body)
    if as_json:
        print_json(changed)
    else:
        _facts(changed["key"])
    late(changed["served"])


def late(served: Mapping[str, Any]) -> None:
    """Say which workers have not taken a change over."""
    if not served["everywhere"]:
        names = ", ".join(f"worker-{number}" for number in served["waiting_for"])
        say(f"Not yet in force on {names}; `noria doctor` looks into it.")


def _find(api: Api, name: str) -> Any:
    found = [one for one in api.get("/api/keys", revoked="true")["items"] if name in (one["id"], one["name"])]
    active = [one for one in found if one["state"] == "active"] or found
    if not active:
        raise UserError(f"There is no key called {name!r}; `noria key list` shows them.")
    if len(active) > 1:
        ids = ", ".join(one["id"] for one in active)
        raise UserError(f"Several keys are called {name!r}; name one by its id: {ids}.")
    return active[0]


def _body(settings: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {
        name: settings[name] for name in ("team", "user", "role", "capture") if settings[name] is not None
    }
    body |= {name: list(settings[name]) for name in ("routes", "budgets") if settings[name]}
    if settings["tags"]:
        body["tags"] = pairs(settings["tags"], what="A tag")
    if settings["limits"]:
        body["limits"] = [_limit(text) for text in settings["limits"]]
    if settings["expires"] is not None:
        never = settings["expires"] == "never"
        body["expires_ms"] = None if never else int((time.time() + seconds_of(settings["expires"])) * 1000)
    return body


def _limit(text: str) -> dict[str, Any]:
    parts = text.split("/")
    if len(parts) != 3 or parts[1] not in ("requests", "tokens", "money"):
        raise UserError(f"A limit is AMOUNT/UNIT/SPAN, such as 600/requests/1m, which {text!r} is not.")
    return {"amount": parts[0], "unit": parts[1], "window_s": seconds_of(parts[2])}


def _print_token(made: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
    else:
        click.echo(made["token"])
    late(made["served"])


def _state(one: Mapping[str, Any]) -> str:
    if one["state"] == "active" and one["expires_ms"] is not None:
        return f"expires {ago(one['expires_ms'])}"
    return one["state"]


def _facts(one: Mapping[str, Any]) -> None:
    limits = [f"{limit['amount']} {limit['unit']} in {limit['window_s']} s" for limit in one["limits"]]
    facts(
        {
            "id": one["id"],
            "name": one["name"],
            "token": one["hint"],
            "state": _state(one),
            "project": one["project"],
            "role": one["role"],
            "team": one["team"],
            "user": one["user"],
            "routes": "any" if one["routes"] == ["*"] else one["routes"] or "none",
            "tags": one["tags"],
            "limits": limits,
            "budgets": one["budgets"],
            "capture": one["capture"],
            "made": f"{at(one['created_ms'])} by {one['created_by']}",
            "used": {"no": "never", "hour": "within the last hour"}.get(
                one["used"], f"within the last {one['used']}"
            ),
            "30 days": f"{one['calls_30d']:,} calls, {money(one['cost_30d'])}",
        }
    )
