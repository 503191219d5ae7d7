"""`noria monitor` and `noria alert`: live calls that are watched, and who is told."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import seconds_of, window, window_options, with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import ago, at, duration, money
from noria.cli.table import facts, table
from noria.config.units import duration as span
from noria.errors import UserError

PATIENCE = 30.0
"""Seconds that a test message is waited for."""
_NO_DATA = "no_data"
_SIGNS = {"ok": "ok", "warning": "WARNING", "alert": "ALERT", _NO_DATA: "no data"}


@click.group()
def monitor() -> None:
    """Monitors: live calls that are scored and watched; declared as [monitors.NAME] in noria.toml."""


@monitor.command("list")
@json_option
@with_api
def list_monitors(api: Api, as_json: bool) -> None:
    """List monitors with the state of every rule."""
    found = api.get("/api/monitors")
    if as_json:
        print_json(found)
        return
    rows = [
        (one["name"], _SIGNS[one["state"]], _rules(one), one["filter"] or "every call", one["problem"] or "-")
        for one in found["items"]
    ]
    table(
        ("name", "state", "rules", "filter", "problem"),
        rows,
        empty="noria.toml has no [monitors.NAME]; see docs/guides/monitor.md.",
        cut=("problem", "filter", "rules"),
        drop=("filter",),
    )
    if found["open_alerts"]:
        say(f"{found['open_alerts']} alerts are open; `noria alert list` shows them.")


@monitor.command("show")
@click.argument("name")
@window_options("-1h")
@json_option
@with_api
def show_monitor(api: Api, name: str, start: str, end: str, as_json: bool) -> None:
    """Show a monitor, its rules, and how their values went."""
    found = api.get(f"/api/monitors/{name}")
    series = {
        rule["name"]: api.get(f"/api/monitors/{name}/series", rule=rule["name"], **window(start, end))
        for rule in found["rules"]
    }
    if as_json:
        points = {rule: one["points"] for rule, one in series.items()}
        print_json({**found, "series": points})
        return
    facts(
        {
            "monitor": found["name"],
            "state": _SIGNS[found["state"]],
            "problem": found["problem"],
            "filter": found["filter"] or "every call of the project",
            "sample": f"{found['share']:.4g} of all traces" if found["share"] < 1 else "every trace",
            "scorers": [one["name"] for one in found["scorers"]],
            "scores": {name.replace("_", " "): count for name, count in found["outcomes"].items()},
            "waiting": f"{found['behind']:,} traces" if found["behind"] else None,
            "told": found["channels"] or "nobody; the page shows alerts",
        }
    )
    if found["rules"]:
        click.echo()
    rows = [
        (
            rule["name"],
            _SIGNS[rule["state"]],
            reading_of(rule, rule["reading"]),
            bounds_of(rule),
            span(rule["window_s"]),
            _line(series[rule["name"]]["points"]),
            f"until {at(rule['muted_ms'])}" if rule["muted_ms"] else "-",
        )
        for rule in found["rules"]
    ]
    if rows:
        columns = ("rule", "state", "value", "bounds", "window", "course", "muted")
        table(columns, rows, empty="", drop=("course", "muted"))


@monitor.command("why")
@click.argument("trace")
@click.option("--monitor", "only", default="", help="One monitor alone.")
@json_option
@with_api
def why(api: Api, trace: str, only: str, as_json: bool) -> None:
    """Say what each monitor made of the calls of TRACE, and why it made nothing."""
    found = api.get(f"/api/monitors/why/{trace}", monitor=only)["items"]
    if as_json:
        print_json(found)
        return
    rows: list[tuple[str, str, str, str, str]] = []
    for one in found:
        if not one["scores"]:
            rows.append((one["monitor"], one["span"], "-", one["cause"].replace("_", " "), one["words"]))
        for score in one["scores"]:
            said = score["word"] if score["value"] is None else f"{score['value']:.4g}"
            state = said if score["state"] == "scored" else score["state"].replace("_", " ")
            rows.append((one["monitor"], one["span"], score["name"], str(state), score["reason"] or "-"))
    columns = ("monitor", "span", "score", "outcome", "reason")
    table(columns, rows, empty="No monitor is there to look at it.", cut=("reason",), drop=("span",))


@monitor.command("mute")
@click.argument("name")
@click.argument("rule")
@click.option("--for", "long", default="1h", show_default=True, metavar="SPAN", help="For how long.")
@click.option("--off", is_flag=True, help="End the mute instead.")
@json_option
@with_api
def mute(api: Api, name: str, rule: str, long: str, off: bool, as_json: bool) -> None:
    """Tell nobody of a rule for a while; what happens is recorded all the same."""
    until = 0 if off else int((time.time() + seconds_of(long)) * 1000)
    found = api.post(f"/api/monitors/{name}/rules/{rule}/mute", {"until_ms": until})
    if as_json:
        print_json(found)
        return
    say(
        f"Rule {rule} of {name} is muted until {at(found['muted_ms'])}."
        if found["muted_ms"]
        else f"People are told of rule {rule} of {name} again."
    )


@click.group()
def alert() -> None:
    """Alerts: what went over its bound, who looks after it, who was told."""


@alert.command("list")
@click.option("--past", is_flag=True, help="Those that have ended.")
@click.option("--monitor", "only", default="", help="Of one monitor.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="Most alerts.")
@json_option
@with_api
def list_alerts(api: Api, past: bool, only: str, limit: int, as_json: bool) -> None:
    """List open alerts, newest first."""
    state = "past" if past else "open"
    found = api.get("/api/alerts", state=state, monitor=only, limit=limit)["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["id"],
            one["monitor"],
            one["rule"],
            _SIGNS[one["worst"] if past else one["state"]],
            ago(one["opened_ms"]),
            one["acknowledged_by"] or "-",
        )
        for one in found
    ]
    columns = ("id", "monitor", "rule", "state", "opened", "acknowledged by")
    table(columns, rows, empty="No alert is open." if not past else "No alert has ended yet.")


@alert.command("show")
@click.argument("id")
@json_option
@with_api
def show_alert(api: Api, id: str, as_json: bool) -> None:
    """Show an alert and its deliveries."""
    found = api.get(f"/api/alerts/{id}")
    if as_json:
        print_json(found)
        return
    one = found["alert"]
    facts(
        {
            "alert": one["id"],
            "monitor": one["monitor"],
            "rule": one["rule"],
            "state": _SIGNS[one["state"]],
            "worst": _SIGNS[one["worst"]],
            "opened": at(one["opened_ms"]),
            "ended": None if one["closed_ms"] is None else at(one["closed_ms"]),
            "acknowledged": _acknowledged(one),
            "comment": one["comment"],
        }
    )
    rows = [_delivery(delivery) for delivery in found["deliveries"]]
    if rows:
        click.echo()
        table(("channel", "state", "attempts", "when", "problem"), rows, empty="", cut=("problem",))


@alert.command("acknowledge")
@click.argument("id")
@click.option("-m", "--comment", default="", help="What others should know.")
@json_option
@with_api
def acknowledge(api: Api, id: str, comment: str, as_json: bool) -> None:
    """Say that you look after an alert. It stays open until all is well again."""
    found = api.post(f"/api/alerts/{id}/acknowledge", {"comment": comment})
    if as_json:
        print_json(found)
        return
    say(f"Alert {id} of {found['monitor']} is acknowledged by {found['acknowledged_by']}.")


@alert.command("test")
@click.argument("channel")
@json_option
@with_api
def test(api: Api, channel: str, as_json: bool) -> None:
    """Send a test message through a channel of noria.toml. Exit code 1 where it does not arrive."""
    found = api.post(f"/api/alerts/channels/{channel}/test", {})
    until = time.monotonic() + PATIENCE
    while found["state"] == "waiting":
        if time.monotonic() > until:
            raise UserError(f"The message is still on its way after {PATIENCE:g} s; look at the log.")
        time.sleep(0.2)
        found = api.get(f"/api/alerts/deliveries/{found['id']}")
    if as_json:
        print_json(found)
    elif found["state"] == "sent":
        say(f"The channel {channel} took the message.")
    else:
        say(f"The message did not go through: {found['problem']}")
    if found["state"] != "sent":
        raise click.exceptions.Exit(1)


def reading_of(rule: Mapping[str, Any], reading: Mapping[str, Any] | None) -> str:
    """A value in the rule's unit, with its interval and what it is made of."""
    if reading is None or reading["value"] is None:
        return "-"
    said = value_of(rule, reading["value"])
    if reading["low"] is not None:
        said += f" [{value_of(rule, reading['low'])}, {value_of(rule, reading['high'])}]"
    said += f" of {reading['n']:,}"
    return f"{said} or more" if reading["unknown"] else said


def bounds_of(rule: Mapping[str, Any]) -> str:
    """From which values on there is a warning, or an alert."""
    stated = [(name, rule[name]) for name in ("warn", "alert") if rule[name] is not None]
    return f"{rule['direction']} " + ", ".join(f"{name} {value_of(rule, value)}" for name, value in stated)


def value_of(rule: Mapping[str, Any], value: float) -> str:
    """In its unit."""
    match rule["unit"]:
        case "share":
            return f"{value * 100:.3g} %"
        case "seconds":
            return duration(value * 1000)
        case "dollars":
            return money(str(value))
        case _:
            return f"{value:.4g}"


def _rules(one: Mapping[str, Any]) -> str:
    said = [f"{rule['name']} {_SIGNS[rule['state']]}" for rule in one["rules"]]
    return ", ".join(said) or "none"


def _line(points: list[Mapping[str, Any]]) -> str:
    """The course of the values, one character a step."""
    known = [point["value"] for point in points if point["value"] is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    bars = "▁▂▃▄▅▆▇█"

    def bar(value: float | None) -> str:
        return " " if value is None else bars[round((value - low) / (high - low) * 7) if high > low else 0]

    return "".join(bar(point["value"]) for point in points[-24:])


def _acknowledged(one: Mapping[str, Any]) -> str:
    if one["acknowledged_ms"] is None:
        return ""
    return f"by {one['acknowledged_by']}, {at(one['acknowledged_ms'])}"


def _delivery(one: Mapping[str, Any]) -> tuple[object, ...]:
    when = at(one["ended_ms"]) if one["ended_ms"] else f"next {at(one['next_ms'])}"
    return one["channel"], one["state"], one["attempts"], when, one["problem"] or "-"
