"""`noria audit`: who changed what."""

from __future__ import annotations

import json
from itertools import islice

import click

from noria.cli.api import Api
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import at
from noria.cli.table import table


@click.group()
def audit() -> None:
    """The audit log: append-only, each event holding the hash of the one before."""


@audit.command("list")
@click.option("--act", default="", help="An act, or the start of one such as `key.`")
@click.option("--actor", default="", help="Id of who did it.")
@click.option("--subject", default="", help="What it was done to.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Most events.")
@json_option
@with_api
def list_audit(api: Api, act: str, actor: str, subject: str, limit: int, as_json: bool) -> None:
    """List events, newest first."""
    pages = api.pages("/api/audit", act=act, actor=actor, subject=subject, limit=min(limit, 500))
    found = list(islice(pages, limit))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["number"],
            at(one["at_ms"]),
            one["actor_name"],
            one["act"],
            _subject(one["subject"]),
            ", ".join(f"{name}={_short(value)}" for name, value in one["details"].items() if value),
        )
        for one in found
    ]
    columns = ("no", "when", "who", "act", "subject", "details")
    table(columns, rows, empty="No event fits.", cut=("details", "subject", "who"), drop=("details",))


def _subject(text: str) -> str:
    """Digests by their first digits, as everywhere."""
    return text[: len("sha256:") + 12] if text.startswith("sha256:") else text


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@audit.command("verify")
@json_option
@with_api
def verify_audit(api: Api, as_json: bool) -> None:
    """Recompute every hash. Exit code 1 where an event was changed."""
    found = api.get("/api/audit/verify")
    if as_json:
        print_json(found)
    else:
        click.echo(found["head"])
    if found["whole"]:
        say(f"All {found['events']} events follow from one another; stdout has the last one's hash.")
        return
    say(f"Event {found['broken_at']} does not follow from the one before: the log was changed from there on.")
    raise click.exceptions.Exit(1)
