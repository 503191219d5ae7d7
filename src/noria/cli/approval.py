"""`noria approval`: asking somebody else to agree before an act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import pairs, seconds_of, with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import ago, at
from noria.cli.table import facts, table

STATES = click.Choice(["open", "approved", "rejected", "expired", "withdrawn"])


@click.group()
def approval() -> None:
    """Approvals: somebody else agrees before an act."""


@approval.command("ask")
@click.argument("act")
@click.argument("subject")
@click.option("--reason", default="", help="Why.")
@click.option(
    "--detail", "details", multiple=True, metavar="NAME=VALUE", help="Anything to know; repeatable."
)
@click.option("--expires", default="7d", show_default=True, metavar="SPAN", help="When it lapses undecided.")
@json_option
@with_api
def ask(
    api: Api, act: str, subject: str, reason: str, details: tuple[str, ...], expires: str, as_json: bool
) -> None:
    """Ask for approval of ACT (such as config.apply) on SUBJECT (such as a digest). Prints its id."""
    body = {
        "act": act,
        "subject": subject,
        "reason": reason,
        "details": pairs(details, what="A detail"),
        "expires_s": seconds_of(expires),
    }
    found = api.post("/api/approvals", body)
    if as_json:
        print_json(found)
    else:
        click.echo(found["id"])
        say(
            f"Open until {at(found['expires_ms'])}; somebody else decides: `noria approval decide "
            f"{found['id']} approve`."
        )


@approval.command("list")
@click.option("--state", type=STATES, help="Only those in this state.")
@json_option
@with_api
def list_approvals(api: Api, state: str | None, as_json: bool) -> None:
    """List approvals, newest first."""
    found = api.get("/api/approvals", state=state)["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["id"],
            f"open, lapses {ago(one['expires_ms'])}" if one["state"] == "open" else one["state"],
            one["act"],
            one["subject"],
            one["asked_by_name"],
            one["decided_by_name"] or "-",
            one["reason"],
        )
        for one in found
    ]
    columns = ("id", "state", "act", "subject", "asked by", "decided by", "reason")
    table(
        columns,
        rows,
        empty="Nothing is to be approved.",
        cut=("reason", "subject"),
        drop=("decided by", "reason"),
    )


@approval.command("show")
@click.argument("id")
@json_option
@with_api
def show_approval(api: Api, id: str, as_json: bool) -> None:
    """Show an approval."""
    found = next((one for one in api.get("/api/approvals")["items"] if one["id"] == id), None)
    if found is None:
        raise click.UsageError(f"There is no approval {id}; `noria approval list` shows the last 200.")
    _print(found, as_json=as_json)


@approval.command("decide")
@click.argument("id")
@click.argument("decision", type=click.Choice(["approve", "reject", "withdraw"]))
@click.option("--comment", "-m", default="", help="Why.")
@json_option
@with_api
def decide(api: Api, id: str, decision: str, comment: str, as_json: bool) -> None:
    """Decide on an approval that somebody else asked for, or withdraw one's own."""
    _print(
        api.post(f"/api/approvals/{id}/decide", {"decision": decision, "comment": comment}), as_json=as_json
    )


def _print(one: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    decided = f"{at(one['decided_ms'])} by {one['decided_by_name']}" if one["decided_ms"] else None
    facts(
        {
            "id": one["id"],
            "state": one["state"],
            "act": one["act"],
            "subject": one["subject"],
            "reason": one["reason"],
            "details": one["details"],
            "asked": f"{at(one['created_ms'])} by {one['asked_by_name']}",
            "lapses": f"{at(one['expires_ms'])} ({ago(one['expires_ms'])})"
            if one["state"] == "open"
            else None,
            "decided": decided,
            "comment": one["comment"],
        }
    )
