"""`noria dataset build`, `drops`, `undo` and `steps`: datasets made by curation steps."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.dataset_events import pairs_of, show
from noria.cli.options import Command, with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.table import facts, plain, shorten, table
from noria.errors import UserError

LOOK = 0.3
"""Seconds between two looks at a build."""


@click.command("build")
@click.argument("name")
@click.option("--explain", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--resume", is_flag=True, help="Go on with the last build, which failed or was stopped.")
@click.option("--detach", is_flag=True, help="Do not wait; `noria dataset builds` shows it.")
@json_option
@with_api
def build(api: Api, name: str, explain: bool, resume: bool, detach: bool, as_json: bool) -> None:
    """Build dataset NAME as [datasets.NAME.build] of what runs says, and show what each step did. Exit code 1
    where it fails."""
    if explain:
        _explain(api.get(f"/api/curation/plans/{name}"), as_json=as_json)
        return
    path = "/api/curation/builds" + ("/resume" if resume else "")
    begun = api.post(path, {"dataset": name})
    found = begun if detach else _followed(api, begun["id"])
    if as_json:
        print_json(found)
    else:
        _print(found)
    if not detach and found["state"] != "done":
        raise click.exceptions.Exit(1)


@click.command("builds")
@click.argument("name", required=False, default="")
@json_option
@with_api
def builds(api: Api, name: str, as_json: bool) -> None:
    """List builds, of NAME or of all datasets, newest first."""
    found = api.get("/api/curation/builds", dataset=name)["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (one["id"], one["dataset"], one["source"], one["state"], one["given"], one["left"], one["version"])
        for one in found
    ]
    columns = ("id", "dataset", "source", "state", "given", "left", "version")
    table(columns, rows, empty="Nothing was built here; `noria dataset build NAME` does.", cut=("source",))


def _selection(command: Command) -> Command:
    """The options that choose drops and edits."""
    added: tuple[Callable[[Command], Command], ...] = (
        click.option("--step", type=int, help="Of this step; the first is 0."),
        click.option("--reason", default="", help="With this reason."),
        click.option("--example", default="", help="Of the example with this id."),
    )
    for add in reversed(added):
        command = add(command)
    return command


@click.command("drops")
@click.argument("run")
@_selection
@click.option(
    "--kind",
    type=click.Choice(["drop", "edit", "unable", "note"]),
    help="Only drops, edits, steps that could not be applied, or added metadata.",
)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@json_option
@with_api
def drops(
    api: Api,
    run: str,
    step: int | None,
    reason: str,
    example: str,
    kind: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show what build RUN dropped and changed: counts by step and reason, then the single ones with what was
    before and after. RUN is a build's id, or a dataset's name for its last build."""
    build = _find(api, run)
    query = {"step": step, "reason": reason or None, "example": example or None, "kind": kind}
    found: list[Any] = []
    for one in api.pages(f"/api/curation/builds/{build['id']}/events", limit=min(limit, 500), **query):
        found.append(one)
        if len(found) == limit:
            break
    if as_json:
        print_json({"build": build, "events": found})
        return
    _print(build)
    for one in found:
        show(one)
    if not found:
        say("There is nothing of that.")
    elif len(found) == limit:
        say(f"The first {limit}; --limit shows more.")


@click.command("undo")
@click.argument("run")
@_selection
@click.option("--kind", type=click.Choice(["drop", "edit"]), help="Only drops, or only edits.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_api
def undo(
    api: Api,
    run: str,
    step: int | None,
    reason: str,
    example: str,
    kind: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Take drops and edits of build RUN back: a new version of its dataset has the examples as they were
    before, carried on through the later steps that look at one example at a time."""
    build = _find(api, run)
    body = {"step": step, "kind": kind, "reason": reason, "examples": [example] if example else []}
    counts = api.post(f"/api/curation/builds/{build['id']}/undo/count", body)
    drops, edits = counts.get("drop", 0), counts.get("edit", 0)
    if not drops and not edits:
        raise UserError("No drop or edit of this build is meant; `noria dataset drops` lists them.")
    if not yes:
        click.confirm(f"Take {drops:,} drops and {edits:,} edits back?", abort=True, err=True)
    job = api.post(f"/api/curation/builds/{build['id']}/undo", body)
    while job["state"] in ("queued", "running"):
        time.sleep(LOOK)
        job = api.get(f"/api/jobs/{job['id']}")
    if as_json:
        print_json(job)
    else:
        say(f"Now {job['message']}." if job["state"] == "done" else job["message"])
    if job["state"] != "done":
        raise click.exceptions.Exit(1)


@click.command("steps")
@json_option
@with_api
def steps(api: Api, as_json: bool) -> None:
    """List curation steps with their arguments."""
    found = api.get("/api/curation/steps")["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (one["type"], one["scope"], ", ".join(_arguments(one["arguments"])), one["does"]) for one in found
    ]
    table(
        ("type", "looks at", "arguments", "does"),
        rows,
        empty="No step is installed.",
        cut=("does", "arguments"),
    )


def _find(api: Api, run: str) -> Any:
    if run.startswith("cur_"):
        return api.get(f"/api/curation/builds/{run}")
    found = api.get("/api/curation/builds", dataset=run, limit=1)["items"]
    if not found:
        raise UserError(f"Dataset {run!r} was never built; `noria dataset builds` lists what was.")
    return found[0]


def _followed(api: Api, id: str) -> Any:
    """Until it has ended, with a line on stderr that says how far it is."""
    terminal, said = sys.stderr.isatty(), ""
    while True:
        found = api.get(f"/api/curation/builds/{id}")
        words = found["message"]
        if found["done"] is not None:
            total = f" of {found['total']:,}" if found["total"] is not None else ""
            words = f"{found['done']:,}{total} examples, {words}"
        if words and words != said and found["state"] == "running" and terminal:
            click.echo(f"\r\x1b[K{shorten(plain(words), 110)}", nl=False, err=True)
            said = words
        if found["state"] not in ("queued", "running"):
            if said:
                click.echo("\r\x1b[K", nl=False, err=True)
            return found
        time.sleep(LOOK)


def _explain(plan: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(plan)
        return
    facts({"dataset": plan["dataset"], "from": plan["source"], "passes over all": plan["passes"]})
    rows = [
        (place, step["type"], step["scope"], pairs_of(given), step["does"])
        for place, (step, given) in enumerate(zip(plan["steps"], plan["given"], strict=True))
    ]
    columns = ("step", "type", "looks at", "arguments", "does")
    table(columns, rows, empty="It has no steps.", cut=("does", "arguments"))


def _print(build: Mapping[str, Any]) -> None:
    given, left = build["given"], build["left"]
    facts(
        {
            "build": build["id"],
            "dataset": build["dataset"],
            "from": build["source"],
            "state": build["state"],
            "message": build["message"] if build["state"] != "done" else "",
            "examples": f"{left:,} of {given:,}" if left is not None and given is not None else "",
            "version": build["version"],
        }
    )
    if given is None:
        return
    rows = [
        (
            place,
            step["type"],
            step["seen"],
            step["changed"],
            step["dropped"],
            step["unable"],
            ", ".join(f"{name} {count:,}" for name, count in step["reasons"].items()) or "-",
        )
        for place, step in enumerate(build["steps"])
    ]
    table(
        ("step", "type", "seen", "changed", "dropped", "unable", "reasons"), rows, empty="", cut=("reasons",)
    )


def _arguments(schema: Mapping[str, Any]) -> list[str]:
    for one in schema.get("$defs", {}).values():
        if "properties" in one:
            return list(one["properties"])
    return []
