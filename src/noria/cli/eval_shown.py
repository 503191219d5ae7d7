"""How evaluations are shown in the terminal, and followed until they end."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.output import print_json, say
from noria.cli.quantities import ago, duration
from noria.cli.table import facts, shorten, table
from noria.errors import UserError

LOOK = 0.5
"""Seconds between two looks at a run that is followed."""


def show_comparison(found: Mapping[str, Any], *, level: float, worst: int, tests: int) -> None:
    """One candidate beside the baseline; `tests` is over how many p was adjusted."""
    apart = found["only_candidate"] + found["only_baseline"]
    say(
        f"{found['candidate']} to {found['baseline']}: {found['examples']:,} examples in both"
        + (f", {apart:,} in one alone and left out" if apart else "")
        + (f", {found['revised']:,} revised between them and left out" if found["revised"] else "")
        + f"; intervals at {level:.0%}, p by Holm over {tests} tests."
    )
    rows = [
        (
            one["name"],
            number(one["candidate"]),
            number(one["baseline"]),
            interval(one["difference"], sign=True),
            "-" if one["p_adjusted"] is None else f"{one['p_adjusted']:.3f}",
            f"{one['wins']}/{one['ties']}/{one['losses']}",
            one["verdict"] + (f" ({one['needed']:,} more would tell)" if one["needed"] else ""),
        )
        for one in found["scorers"]
    ]
    columns = ("scorer", "candidate", "baseline", "difference", "p", "win/tie/loss", "verdict")
    table(columns, rows, empty="The two runs share no scorer.")
    for name, regressions in found["regressions"].items():
        if regressions and worst:
            click.echo(f"\n{name}: worse on")
            for one in regressions[:worst]:
                click.echo(f"  {one['example']}  {number(one['baseline'])} -> {number(one['candidate'])}")


def run_id(api: Api, text: str) -> str:
    """The run that is meant: its id, or the newest of an evaluation (`intent`), or one of those before it
    (`intent~1` is the one before the newest)."""
    if text.startswith("run_"):
        return text
    name, _, back = text.partition("~")
    if back and not back.isdigit():
        raise UserError(f"{text!r} names no run; write an id, NAME, or NAME~1 for the run before the newest.")
    place = int(back or 0)
    found = api.get("/api/evals/runs", name=name, limit=min(place + 1, 200))["items"]
    if len(found) <= place:
        raise UserError(f"There are {len(found)} runs of {name!r}; see `noria eval list`.")
    return found[place]["id"]


def followed(api: Api, id: str) -> Any:
    """The run when it has ended; its progress on stderr until then."""
    drawn = ""
    while True:
        run = api.get(f"/api/evals/runs/{id}/progress")
        words = f"{run['name']}: {how_far(run)}{_rate(run)}{_cost(run)}"
        if sys.stderr.isatty() and words != drawn:
            sys.stderr.write(f"\r\x1b[K{words}")
            sys.stderr.flush()
            drawn = words
        if run["state"] not in ("queued", "running"):
            if drawn:
                sys.stderr.write("\n")
            return run
        time.sleep(LOOK)


def how_far(run: Mapping[str, Any]) -> str:
    """Scored answers of all."""
    now = run["progress"]
    total = now["total"]
    return f"{now['scored']:,} of {total:,}" if total is not None else f"{now['scored']:,}"


def _rate(run: Mapping[str, Any]) -> str:
    now, begun = run["progress"], run["started_ms"]
    seconds = time.time() - begun / 1000 if begun else 0
    fresh = now["scored"] - now["reused"]
    if seconds < 1 or fresh <= 0:
        return ""
    rate = fresh / seconds
    left = (now["total"] or 0) - now["scored"]
    return f", {rate:.1f}/s" + (f", {duration(left / rate * 1000)} left" if left > 0 else "")


def _cost(run: Mapping[str, Any]) -> str:
    now = run["progress"]
    failed = f", {now['failed']:,} failed" if now["failed"] else ""
    return f", ${float(now['cost']):.4f}{' or more' if now['unknown'] else ''}{failed}"


def show_detail(found: Mapping[str, Any], *, as_json: bool) -> None:
    """A run and its metrics."""
    if as_json:
        print_json(found)
        return
    run, metrics = found["run"], found["metrics"]
    now = run["progress"]
    facts(
        {
            "run": run["id"],
            "evaluation": run["name"],
            "target": run["target"],
            "dataset": run["dataset"],
            "state": run["state"] + ("" if run["sound"] else ", not to be trusted"),
            "message": run["message"],
            "answers": f"{now['answered']:,} ({now['reused']:,} reused, {now['failed']:,} failed)",
            "cost": f"${float(now['cost']):.6f}"
            + (f" and {now['unknown']:,} calls of unknown cost" if now["unknown"] else ""),
            "latency": _spent(metrics["latency"]),
        }
    )
    click.echo()
    judged = any(one["corrected"] for one in metrics["measures"])
    rows = [
        (
            one["name"],
            _value(one),
            *([corrected(one)] if judged else []),
            one["scores"],
            one["failed"],
            _why(one),
        )
        for one in metrics["measures"]
    ]
    table(
        ("scorer", "value", *(["corrected"] if judged else []), "scores", "failed", "why"),
        rows,
        empty="Nothing is scored yet.",
        cut=("why",),
        drop=("why",),
    )
    for one in metrics["measures"]:
        for tries in one["passes"]:
            k = tries["k"]
            click.echo(
                f"{one['name']}: pass@{k} {interval(tries['any'])}   pass^{k} {interval(tries['all'])}"
            )


def _spent(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    return f"median {found['p50']:.3f} s, 95 % under {found['p95']:.3f} s"


def _value(one: Mapping[str, Any]) -> str:
    if one["kind"] == "category":
        return ", ".join(f"{name} {count:,}" for name, count in one["counts"].items()) or "-"
    return interval(one["interval"])


def corrected(one: Mapping[str, Any]) -> str:
    """What people would say where a judge did, or why that is not known."""
    found = one["corrected"]
    if found is None:
        return ""
    return interval(found["interval"]) if found["interval"] is not None else found["why"]


def headlines(run: Mapping[str, Any]) -> str:
    """A run's numbers, in a few words."""
    return ", ".join(
        f"{one['name']} {number(one['interval']['estimate'])}" for one in run["headlines"] if one["interval"]
    )


def _why(one: Mapping[str, Any]) -> str:
    return "; ".join(f"{count} x {shorten(reason, 80)}" for reason, count in one["why_failed"])


def interval(one: Mapping[str, Any] | None, *, sign: bool = False) -> str:
    """An estimate with its ends, or why it has none."""
    if one is None or one["estimate"] is None:
        return "-"
    form = "+.4g" if sign else ".4g"
    if one["low"] is None:
        return f"{one['estimate']:{form}} ({one['method']})"
    return f"{one['estimate']:{form}} [{one['low']:{form}}, {one['high']:{form}}]"


def number(value: float | None) -> str:
    """Four digits."""
    return "-" if value is None else f"{value:.4g}"


def newest(run: Mapping[str, Any] | None) -> str:
    """How the newest run stands."""
    return "none" if run is None else f"{run['state']}, {ago(run['created_ms'])}"


def example_row(one: Mapping[str, Any]) -> tuple[str, str, str]:
    """Id, first answer, its scores."""
    if not one["answers"]:
        return one["id"], "not answered", ""
    answer = one["answers"][0]
    scores = ", ".join(f"{score['name']}={_score(score)}" for score in answer["scores"])
    return one["id"], answer["failed"] or answer["text"], scores


def _score(score: Mapping[str, Any]) -> str:
    return f"failed: {score['failed']}" if score["failed"] else str(score["value"])
