"""`noria optimize`: search for better words, and examples, for a prompt."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import ago
from noria.cli.table import facts, table

LOOK = 1.0
"""Seconds between two looks at a search that is followed."""


@click.group()
def optimize() -> None:
    """Search for a better version of a prompt, and prove it on examples that it has not seen."""


@optimize.command("run")
@click.argument("prompt")
@click.option("--dataset", required=True, help="name or name@3, with splits train, validation and test.")
@click.option("--scorer", required=True, help="What is to get better: a scorer, or one of noria.toml.")
@click.option("--measure", default="", help="Which of the scorer's numbers; default: its first.")
@click.option("--model", default="", help="Route or model that answers; default: the prompt's own.")
@click.option("--reflect", default="", help="Route or model that writes better words; a strong one is best.")
@click.option(
    "--answers", type=click.IntRange(10), default=300, show_default=True, help="Most answers of the search."
)
@click.option("--shots", multiple=True, type=click.IntRange(1, 50), help="Also try so many examples.")
@click.option("--budget", help="US dollars that it may spend.")
@click.option("--detach", is_flag=True, help="Begin it and return.")
@json_option
@with_api
def run_optimize(
    api: Api,
    prompt: str,
    dataset: str,
    scorer: str,
    measure: str,
    model: str,
    reflect: str,
    answers: int,
    shots: tuple[int, ...],
    budget: str | None,
    detach: bool,
    as_json: bool,
) -> None:
    """Search from PROMPT (name, name@label or name@number) on.

    What is better on examples that the search has not seen becomes a new version on the branch `optimized`,
    with its evidence. Exit code 1 where nothing better was shown.
    """
    body: dict[str, Any] = {
        "prompt": prompt, "dataset": dataset, "scorer": scorer, "measure": measure, "model": model,
        "reflect": reflect, "answers": answers, "shots": list(shots), "budget": budget,
    }  # fmt: skip
    begun = api.post("/api/optimizations", body)
    if detach:
        print_json(begun) if as_json else say(f"{begun['id']} has begun; noria optimize show {begun['id']}")
        return
    ended = _followed(api, begun["id"])
    _show(ended, as_json=as_json)
    if ended["state"] != "done" or ended["number"] is None:
        raise click.exceptions.Exit(1)


@optimize.command("list")
@click.argument("prompt", required=False)
@click.option("--limit", type=click.IntRange(1, 200), default=30, show_default=True, help="Most searches.")
@json_option
@with_api
def list_optimizations(api: Api, prompt: str | None, limit: int, as_json: bool) -> None:
    """List searches, newest first; of one PROMPT where it is given."""
    found = api.get("/api/optimizations", prompt=prompt, limit=limit)["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (one["id"], f"{one['prompt']}@{one['version']}", one["dataset"], one["state"], one["number"] or "",
         ago(one["created_ms"]))
        for one in found
    ]  # fmt: skip
    columns = ("search", "began with", "dataset", "state", "version made", "begun")
    table(columns, rows, empty="Nothing has been searched for yet; see `noria optimize run --help`.")


@optimize.command("show")
@click.argument("id")
@json_option
@with_api
def show_optimization(api: Api, id: str, as_json: bool) -> None:
    """Show a search and what it came to."""
    _show(api.get(f"/api/optimizations/{id}"), as_json=as_json)


@optimize.command("stop")
@click.argument("id")
@json_option
@with_api
def stop_optimization(api: Api, id: str, as_json: bool) -> None:
    """Stop a search; what it has asked for is kept, and it can be resumed."""
    stopped = api.post(f"/api/optimizations/{id}/stop", {})
    if as_json:
        print_json(stopped)
        return
    say(f"{id} is stopped.")


@optimize.command("resume")
@click.argument("id")
@json_option
@with_api
def resume_optimization(api: Api, id: str, as_json: bool) -> None:
    """Go on with a search that was stopped or failed."""
    api.post(f"/api/optimizations/{id}/resume", {})
    _show(_followed(api, id), as_json=as_json)


def _followed(api: Api, id: str) -> dict[str, Any]:
    shown = ""
    while True:
        found = api.get(f"/api/optimizations/{id}")
        if found["state"] not in ("queued", "running"):
            return found
        job = api.get(f"/api/jobs/{found['job']}") if found["job"] else {}
        doing = job.get("message") or found["state"]
        words = f"{job.get('done') or 0} of {found['answers']} answers, {doing}"
        if words != shown and sys.stderr.isatty():
            say(words)
            shown = words
        time.sleep(LOOK)


def _show(one: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    unknown = f" and {one['unknown']} calls of unknown cost" if one["unknown"] else ""
    facts(
        {
            "search": one["id"],
            "state": one["state"],
            "outcome": one["message"],
            "began with": f"{one['prompt']}@{one['version']} on {one['model']}",
            "words by": one["reflect"],
            "dataset": one["dataset"],
            "measure": f"{one['scorer']}: {one['measure']}",
            "candidates": one["candidates"],
            "answers": one["answered"],
            "cost": f"${one['cost']}{unknown}",
            "validation": "" if one["before"] is None else f"{one['before']:.3f} -> {one['after']:.3f}",
            "evidence": ", ".join(one["runs"]),
        }
    )
