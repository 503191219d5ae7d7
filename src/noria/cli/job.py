"""`noria job`: long work and its progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.progress import WeightsBar
from noria.cli.quantities import ago, at, size
from noria.cli.table import facts, table

LOOK = 0.5
"""Seconds between two looks at a job that is followed."""


@click.group()
def job() -> None:
    """Jobs: long work that goes on when nobody watches, and after a restart."""


@job.command("list")
@json_option
@with_api
def list_jobs(api: Api, as_json: bool) -> None:
    """List jobs, newest first."""
    found = api.get("/api/jobs")["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["id"],
            one["kind"],
            one["subject"],
            one["state"],
            _progress(one),
            ago(one["updated_ms"]),
            one["message"],
        )
        for one in found
    ]
    columns = ("id", "kind", "subject", "state", "progress", "changed", "message")
    table(
        columns,
        rows,
        empty="No long work was begun in this project.",
        cut=("message", "subject"),
        drop=("message", "changed"),
    )


@job.command("show")
@click.argument("id")
@click.option(
    "--follow", "-f", is_flag=True, help="Stay until it ends, with its progress. Exit code 1 where it fails."
)
@json_option
@with_api
def show_job(api: Api, id: str, follow: bool, as_json: bool) -> None:
    """Show a job."""
    found = _followed(api, id) if follow else api.get(f"/api/jobs/{id}")
    _print(found, as_json=as_json)
    if follow and found["state"] != "done":
        raise click.exceptions.Exit(1)


@job.command("cancel")
@click.argument("id")
@json_option
@with_api
def cancel_job(api: Api, id: str, as_json: bool) -> None:
    """Stop a job; what it has fetched or made stays for the next attempt."""
    found = api.post(f"/api/jobs/{id}/cancel", {})
    if as_json:
        print_json(found)
    else:
        say(f"Job {id} is {found['state']}.")


def _followed(api: Api, id: str) -> Any:
    from noria.providers.weights import Progress

    said = ""
    with WeightsBar() as bar:
        while True:
            found = api.get(f"/api/jobs/{id}")
            if found["done"] is not None and found["unit"] == "bytes":
                bar.report(Progress(found["subject"], found["done"], found["total"]))
            elif found["message"] != said and sys.stderr.isatty():
                said = found["message"]
                say(said)
            if found["state"] not in ("queued", "running"):
                return found
            time.sleep(LOOK)


def _progress(one: Mapping[str, Any]) -> str:
    if one["done"] is None:
        return "-"
    if one["total"]:
        return f"{one['done'] / one['total']:.0%}"
    return size(one["done"]) if one["unit"] == "bytes" else f"{one['done']:,} {one['unit']}"


def _print(one: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    facts(
        {
            "id": one["id"],
            "kind": one["kind"],
            "subject": one["subject"],
            "state": one["state"],
            "progress": _progress(one),
            "message": one["message"],
            "by": one["by"],
            "begun": at(one["created_ms"]),
            "changed": f"{at(one['updated_ms'])} ({ago(one['updated_ms'])})",
        }
    )
