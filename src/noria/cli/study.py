"""`noria study`: search for the best parameters, and look at what was found."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import ago, duration
from noria.cli.table import facts, table
from noria.config.units import seconds
from noria.errors import UserError

LOOK = 0.5
"""Seconds between two looks at a study that is followed."""


@click.group()
def study() -> None:
    """Studies: a search for the parameters with which an objective is best."""


@study.command("run")
@click.argument("name")
@click.option("--detach", is_flag=True, help="Begin it and return; `noria study show` tells how it goes.")
@json_option
@with_api
def run_study(api: Api, name: str, detach: bool, as_json: bool) -> None:
    """Run the study NAME of noria.toml. Exit code 1 where it finds nothing."""
    begun = api.post("/api/studies", {"name": name})
    if detach:
        print_json(begun) if as_json else say(
            f"Study {begun['id']} has begun; noria study show {begun['id']}"
        )
        return
    _ended(api, begun["id"], as_json=as_json)


@study.command("list")
@click.argument("name", required=False)
@click.option("--limit", type=click.IntRange(1, 200), default=30, show_default=True, help="Most studies.")
@click.option("--defined", is_flag=True, help="The studies of noria.toml instead of those that were run.")
@json_option
@with_api
def list_studies(api: Api, name: str | None, limit: int, defined: bool, as_json: bool) -> None:
    """List studies, newest first; of the name NAME alone where it is given."""
    if defined:
        found = api.get("/api/studies/definitions")["items"]
        if as_json:
            print_json(found)
            return
        rows = [(one["name"], one["objective"], ", ".join(one["parameters"]), one["trials"]) for one in found]
        table(
            ("name", "objective", "parameters", "trials"),
            rows,
            empty="noria.toml has no [studies.NAME]; see docs/guides/study.md.",
            cut=("parameters",),
        )
        return
    found = api.get("/api/studies", name=name, limit=limit)["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (one["id"], one["name"], one["state"], _how_far(one), _best(one), ago(one["created_ms"]))
        for one in found
    ]
    columns = ("id", "study", "state", "trials", "best", "begun")
    table(columns, rows, empty="There are no studies; `noria study run NAME` makes one.", drop=("begun",))


@study.command("show")
@click.argument("id")
@click.option("--follow", "-f", is_flag=True, help="Stay until it ends, with its progress.")
@click.option("--top", type=click.IntRange(0), default=10, show_default=True, help="Best trials to show.")
@json_option
@with_api
def show_study(api: Api, id: str, follow: bool, top: int, as_json: bool) -> None:
    """Show a study with its best trials. ID may be a name: then the newest of that name."""
    id = _id(api, id)
    if follow:
        _followed(api, id)
    _show(api, id, top=top, as_json=as_json)


@study.command("stop")
@click.argument("id")
@json_option
@with_api
def stop_study(api: Api, id: str, as_json: bool) -> None:
    """Stop a study; what it has stays, and it can be resumed."""
    found = api.post(f"/api/studies/{_id(api, id)}/stop", {})
    if as_json:
        print_json(found)
        return
    say(f"Study {found['id']} is {found['state']} after {_how_far(found)} trials.")


@study.command("resume")
@click.argument("id")
@click.option("--trials", type=click.IntRange(1), help="Go on to so many trials in all.")
@click.option("--time", "time_", help="Time of all sittings together, such as 2h.")
@click.option("--budget", help="US dollars for all trials together.")
@click.option("--detach", is_flag=True, help="Go on and return.")
@json_option
@with_api
def resume_study(
    api: Api,
    id: str,
    trials: int | None,
    time_: str | None,
    budget: str | None,
    detach: bool,
    as_json: bool,
) -> None:
    """Go on with a study that has ended or was killed, where given with other bounds."""
    try:
        most = None if time_ is None else seconds(time_)
    except ValueError as error:
        raise UserError(f"--time {error}.") from None
    begun = api.post(
        f"/api/studies/{_id(api, id)}/resume", {"trials": trials, "time": most, "budget": budget}
    )
    if detach:
        print_json(begun) if as_json else say(f"Study {begun['id']} goes on.")
        return
    _ended(api, begun["id"], as_json=as_json)


@study.command("delete")
@click.argument("id")
@json_option
@with_api
def delete_study(api: Api, id: str, as_json: bool) -> None:
    """Delete a study with its trials; the runs that they were measured on stay."""
    api.delete(f"/api/studies/{id}")
    if as_json:
        print_json({"deleted": id})
        return
    say(f"Study {id} is deleted.")


def _id(api: Api, text: str) -> str:
    """An id as it is; the newest study of a name. Raises UserError."""
    if text.startswith("study_"):
        return text
    found = api.get("/api/studies", name=text, limit=1)["items"]
    if not found:
        raise UserError(f"There is no study {text!r}; `noria study list` shows those that there are.")
    return found[0]["id"]


def _ended(api: Api, id: str, *, as_json: bool) -> None:
    found = _followed(api, id)
    _show(api, id, top=10, as_json=as_json)
    if found["state"] != "done":
        raise click.exceptions.Exit(1)


def _followed(api: Api, id: str) -> Any:
    """The study when it has ended; its progress on stderr until then."""
    drawn = ""
    while True:
        found = api.get(f"/api/studies/{id}")["study"]
        words = f"{found['name']}: {_how_far(found)} trials, best {_best(found)}{_cost(found)}"
        if sys.stderr.isatty() and words != drawn:
            sys.stderr.write(f"\r\x1b[K{words}")
            sys.stderr.flush()
            drawn = words
        if found["state"] not in ("queued", "running"):
            if drawn:
                sys.stderr.write("\n")
            return found
        if found["job"] and api.get(f"/api/jobs/{found['job']}")["state"] in ("failed", "cancelled"):
            raise UserError(f"The process of study {id} is gone; `noria study resume {id}` goes on.")
        time.sleep(LOOK)


def _show(api: Api, id: str, *, top: int, as_json: bool) -> None:
    found = api.get(f"/api/studies/{id}")
    one = found["study"]
    # Only what has ended: until then it changes with each trial.
    shares = api.get(f"/api/studies/{id}/importance")["shares"] if one["progress"]["done"] else {}
    if as_json:
        print_json({**found, "importance": shares})
        return
    now = one["progress"]
    facts(
        {
            "study": one["id"],
            "name": one["name"],
            "objective": f"{one['objective']}, {one['better']} is better",
            "state": one["state"],
            "message": one["message"],
            "trials": f"{_how_far(one)} ({now['pruned']:,} given up, {now['failed']:,} failed)",
            "cost": f"${float(now['cost']):.6f}{' or more' if now['unknown'] else ''}",
            "time": duration(now["seconds"] * 1000),
            "importance": ", ".join(f"{name} {share:.0%}" for name, share in shares.items()),
        }
    )
    done = [trial for trial in found["trials"] if trial["value"] is not None]
    sign = -1 if one["better"] == "higher" else 1
    best = sorted(done, key=lambda trial: (sign * trial["value"], trial["number"]))[:top]
    if best:
        click.echo()
        names = sorted(one["parameters"])
        rows = [
            (
                trial["number"],
                _value(trial),
                *(_shown(trial["values"][name]) for name in names),
                ", ".join(trial["evidence"].values()),
            )
            for trial in best
        ]
        table(("trial", "value", *names, "evidence"), rows, empty="", drop=("evidence",))
    failed = [trial for trial in found["trials"] if trial["state"] == "failed"]
    if failed:
        say(f"{len(failed)} trials failed; trial {failed[-1]['number']}: {failed[-1]['reason']}")


def _how_far(one: Mapping[str, Any]) -> str:
    now = one["progress"]
    return f"{now['done'] + now['pruned'] + now['failed']:,} of {now['total']:,}"


def _best(one: Mapping[str, Any]) -> str:
    now = one["progress"]
    return "-" if now["best"] is None else f"{now['value']:.4g} (trial {now['best']})"


def _cost(one: Mapping[str, Any]) -> str:
    now = one["progress"]
    return f", ${float(now['cost']):.4f}{' or more' if now['unknown'] else ''}"


def _value(trial: Mapping[str, Any]) -> str:
    known = trial["low"] is not None and trial["high"] is not None
    return f"{trial['value']:.4g}" + (f" [{trial['low']:.4g}, {trial['high']:.4g}]" if known else "")


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
