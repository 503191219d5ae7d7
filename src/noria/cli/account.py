"""`noria account`: people who may sign in to the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import ago
from noria.cli.table import table
from noria.errors import UserError

ROLES = click.Choice(["viewer", "editor", "admin"])


@click.group()
def account() -> None:
    """Accounts: people who may sign in to the page."""


@account.command("list")
@json_option
@with_api
def list_accounts(api: Api, as_json: bool) -> None:
    """List accounts and their roles."""
    found = api.get("/api/accounts")["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["email"],
            one["name"],
            _roles(one),
            "disabled" if one["disabled"] else "invited" if one["invited"] else "active",
            one["method"],
            ago(one["last_seen_ms"]) if one["last_seen_ms"] else "never",
        )
        for one in found
    ]
    columns = ("email", "name", "roles", "state", "signs in by", "seen")
    table(
        columns,
        rows,
        empty="There are no accounts; `noria up` prints a link for the first.",
        cut=("roles", "name"),
        drop=("signs in by",),
    )


@account.command("invite")
@click.argument("email")
@click.option("--name", default="", help="How the person is called.")
@click.option("--role", type=ROLES, default="viewer", show_default=True, help="In the project.")
@click.option("--everywhere", is_flag=True, help="The role holds in every project.")
@json_option
@with_api
def invite(api: Api, email: str, name: str, role: str, everywhere: bool, as_json: bool) -> None:
    """Make an account. Prints the link that completes it; it works once, for a week."""
    roles = {_project(everywhere): role}
    _print_link(
        api, api.post("/api/accounts", {"email": email, "name": name, "roles": roles}), as_json=as_json
    )


@account.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice(["viewer", "editor", "admin", "none"]))
@click.option("--everywhere", is_flag=True, help="The role holds in every project.")
@json_option
@with_api
def role(api: Api, email: str, role: str, everywhere: bool, as_json: bool) -> None:
    """Give an account another role in the project; `none` takes it away. Takes effect at once."""
    found = _find(api, email)
    roles = {**found["roles"], _project(everywhere): role}
    roles = {project: given for project, given in roles.items() if given != "none"}
    _changed(api.patch(f"/api/accounts/{found['id']}", {"roles": roles}), as_json=as_json)


@account.command("disable")
@click.argument("email")
@json_option
@with_api
def disable(api: Api, email: str, as_json: bool) -> None:
    """Keep an account from signing in, and end its sessions."""
    _changed(api.patch(f"/api/accounts/{_find(api, email)['id']}", {"disabled": True}), as_json=as_json)


@account.command("enable")
@click.argument("email")
@json_option
@with_api
def enable(api: Api, email: str, as_json: bool) -> None:
    """Let an account sign in again."""
    _changed(api.patch(f"/api/accounts/{_find(api, email)['id']}", {"disabled": False}), as_json=as_json)


@account.command("link")
@click.argument("email")
@json_option
@with_api
def link(api: Api, email: str, as_json: bool) -> None:
    """Print a one-time link with which the account's owner sets a new password."""
    _print_link(api, api.post(f"/api/accounts/{_find(api, email)['id']}/link", {}), as_json=as_json)


def _project(everywhere: bool) -> str:
    return "*" if everywhere else click.get_current_context().params["project"]


def _find(api: Api, email: str) -> Any:
    for one in api.get("/api/accounts")["items"]:
        if email.lower() in (one["email"].lower(), one["id"]):
            return one
    raise UserError(f"There is no account of {email}; `noria account list` shows them.")


def _roles(one: Mapping[str, Any]) -> str:
    named = {"*": "everywhere"}
    return (
        ", ".join(f"{role} {named.get(project, f'in {project}')}" for project, role in one["roles"].items())
        or "none"
    )


def _changed(one: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(one)
    else:
        say(f"{one['email']}: {_roles(one)}{', disabled' if one['disabled'] else ''}.")


def _print_link(api: Api, made: Mapping[str, Any], *, as_json: bool) -> None:
    from noria.cli.where import address

    whole = address(click.get_current_context().params["path"]) + made["link"]
    if as_json:
        print_json({**made, "link": whole})
    else:
        click.echo(whole)
        say(
            f"Send this link to {made['account']['email']}; it works once, for a week, and is shown only now."
        )
