"""`noria judge`: how far a judge agrees with people, and whether its scores may decide."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import at
from noria.cli.table import facts, table
from noria.errors import UserError

LOOK = 0.5
"""Seconds between two looks at a calibration that is followed."""
_WORDS = {
    "kappa": "κ",
    "alpha": "α",
    "true_positive": "true positives",
    "false_positive": "false positives",
    "consistent": "same in both orders",
    "first_place": "prefers the first",
    "length_bias": "bias to length",
    "noise": "changes when repeated",
}


@click.group()
def judge() -> None:
    """Judges: scorers that ask a model, and what calibration against people's labels says of them."""


@judge.command("list")
@json_option
@with_api
def list_judges(api: Api, as_json: bool) -> None:
    """List the judges of noria.toml."""
    found = api.get("/api/judges")["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["name"],
            one["type"].removeprefix("judge."),
            one["arguments"].get("model", "-"),
            _short(_measured(one), "kappa") if one["current"] else "not calibrated",
            "yes" if one["gate"]["verdict"] == "pass" else "no",
            "" if one["gate"]["verdict"] == "pass" else one["gate"]["reason"],
        )
        for one in found
    ]
    table(
        ("name", "kind", "model", "kappa", "may gate", "why not"),
        rows,
        empty="noria.toml names no judges; [judges.NAME] makes one.",
        cut=("why not", "model"),
        drop=("why not",),
    )


@judge.command("show")
@click.argument("name")
@json_option
@with_api
@click.pass_context
def show_judge(ctx: click.Context, api: Api, name: str, as_json: bool) -> None:
    """Show a judge with its newest calibration. Exit code 1: its scores may not decide."""
    found = api.get(f"/api/judges/{name}")
    if as_json:
        print_json(found)
    else:
        _facts(found)
    ctx.exit(0 if found["gate"]["verdict"] == "pass" else 1)


@judge.command("calibrate")
@click.argument("name")
@click.argument("dataset")
@click.option("--repeats", default=1, show_default=True, help="Judge the first 50 so often, for the noise.")
@click.option("--answer", default="answer", show_default=True, help="Where the examples have the answer.")
@click.option("--label", default="label", show_default=True, help="And people's verdict on it.")
@click.option(
    "--yes", multiple=True, metavar="LABEL", help="A label that means yes; repeatable, others mean no."
)
@click.option("--no-wait", is_flag=True, help="Only begin it.")
@json_option
@with_api
@click.pass_context
def calibrate(
    ctx: click.Context,
    api: Api,
    name: str,
    dataset: str,
    repeats: int,
    answer: str,
    label: str,
    yes: tuple[str, ...],
    no_wait: bool,
    as_json: bool,
) -> None:
    """Ask judge NAME about the labelled answers of DATASET (`labels`, `labels@3:test`) and compare.

    Its examples have the answer and people's verdict on it in their metadata, or in their input. Exit code 1:
    the judge does not reach its bar, and its scores may not decide.
    """
    body = {"dataset": dataset, "repeats": repeats, "answer": answer, "label": label, "yes": list(yes)}
    begun = api.post(f"/api/judges/{name}/calibrations", body)
    if no_wait:
        if as_json:
            print_json(begun)
        else:
            say(f"Calibration {begun['calibration']['id']} has begun; `noria judge show {name}` follows it.")
        return
    run = begun["calibration"]
    while run["state"] == "running":
        time.sleep(LOOK)
        run = api.get(f"/api/judges/calibrations/{run['id']}")
    if run["state"] == "failed":
        raise UserError(f"The calibration failed: {run['message']}")
    found = api.get(f"/api/judges/{name}")
    if as_json:
        print_json(found)
    else:
        _facts(found)
    ctx.exit(0 if found["gate"]["verdict"] == "pass" else 1)


def _facts(one: Mapping[str, Any]) -> None:
    run = one["calibration"]
    measured = _measured(one)
    arguments = {name: value for name, value in one["arguments"].items() if name != "model"}
    facts(
        {
            "name": one["name"],
            "kind": one["type"].removeprefix("judge."),
            "model": one["arguments"].get("model"),
            "arguments": arguments,
            "bar": {name: value for name, value in (one["bar"] or {}).items() if value is not None} or "none",
            "may gate": "yes" if one["gate"]["verdict"] == "pass" else "no",
            "why": one["gate"]["reason"],
            "calibrated": _when(run, current=one["current"]),
            "answers": f"{measured['n']} judged, {measured['failed']} failed" if measured else None,
            **{words: _interval(measured[name]) for name, words in _WORDS.items() if measured},
            "labels": _labels(measured["table"]) if measured else None,
            "failures": measured["reasons"] if measured else None,
        }
    )


def _when(run: Mapping[str, Any] | None, *, current: bool) -> str:
    if run is None:
        return "never"
    where = f"{run['dataset']}@{run['version']}" + (f":{run['split']}" if run["split"] else "")
    old = "" if current else ", as another prompt or model"
    return f"{at(run['created_ms'])} on {where} by {run['by_name']}{old}"


def _measured(one: Mapping[str, Any]) -> Any:
    return one["calibration"]["measured"] if one["calibration"] else None


def _short(measured: Any, name: str) -> str:
    found = measured and measured[name]
    return f"{found['estimate']:.2f}" if found and found["estimate"] is not None else "unknown"


def _interval(found: Mapping[str, Any] | None) -> str | None:
    if found is None or found["estimate"] is None:
        return None
    if found["low"] is None:
        return f"{found['estimate']:.3f} without an interval ({found['method']})"
    return f"{found['estimate']:.3f} ({found['low']:.3f} to {found['high']:.3f}, {found['method']})"


def _labels(found: Mapping[str, Mapping[str, int]]) -> list[str]:
    return [
        f"{label} judged "
        + " and ".join(f"{verdict} {count} times" for verdict, count in sorted(row.items()))
        for label, row in sorted(found.items())
    ]
