"""`noria eval watch`: runs again what a change touches."""

from __future__ import annotations

import time
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.eval_shown import followed, how_far
from noria.cli.options import with_api
from noria.cli.output import say
from noria.errors import UserError

LOOK = 2.0
"""Seconds between two looks."""


@click.command("watch")
@click.argument("names", nargs=-1)
@click.option("--once", is_flag=True, help="Run what has changed since its newest run, and end.")
@click.option("--limit", type=click.IntRange(0), help="At most so many examples of each.")
@with_api
def watch(api: Api, names: tuple[str, ...], once: bool, limit: int | None) -> None:
    """Run the evaluations NAMES (all, where none is named) whenever their prompt, dataset, file, route,
    scorers or settings change. Answers that a change does not touch are used again."""
    failed: dict[str, str] = {}
    while True:
        chosen = list(names) or [one["name"] for one in api.get("/api/evals/definitions")["items"]]
        if not chosen:
            raise UserError("noria.toml has no [evals.NAME] to watch.")
        for name in chosen:
            body: dict[str, Any] = {"name": name} if limit is None else {"name": name, "limit": limit}
            try:
                found = api.post("/api/evals/changed", body)
            except UserError as error:
                # What is being edited may be wrong for a while; it is said once.
                if failed.get(name) != str(error):
                    failed[name] = str(error)
                    say(f"{name}: {error}")
                continue
            failed.pop(name, None)
            if not found["changed"]:
                continue
            say(f"{name}: {', '.join(found['what'])} changed")
            run = followed(api, api.post("/api/evals/runs", body)["id"])
            _tell(api, run, found["newest"])
        if once:
            return
        time.sleep(LOOK)


def _tell(api: Api, run: Any, before: str | None) -> None:
    say(f"{run['name']}: {run['state']}, {how_far(run)} {run['message']}")
    for one in api.get(f"/api/evals/runs/{run['id']}")["metrics"]["measures"]:
        estimate = (one["interval"] or {}).get("estimate")
        if estimate is not None:
            click.echo(f"  {one['name']} {estimate:.4g}")
    if before is None:
        return
    for one in api.get("/api/evals/compare", candidate=run["id"], baseline=before)["scorers"]:
        if one["difference"]["estimate"]:
            click.echo(
                f"  {one['name']} {one['difference']['estimate']:+.4g} since {before}: {one['verdict']}"
            )
