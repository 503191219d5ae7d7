"""`noria trace`: what was recorded, found by a filter, shown as a tree, followed live, taken elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import window, window_options, with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import at, duration, money, tokens
from noria.cli.table import plain, shorten, table, width
from noria.errors import UserError

LOOK = 0.5
"""Seconds between two looks for new traces."""
SHOWN = 10
"""Last digits of a trace id in lists: the first are the time, and the same for what began together."""
SORTS = click.Choice(["newest", "oldest", "slowest", "costliest"])
FORMATS = click.Choice(["jsonl", "otlp", "csv"])


@click.group()
def trace() -> None:
    """Traces: what was recorded of each call."""


@trace.command("list")
@click.argument("filter", nargs=-1)
@window_options("-1h")
@click.option("--sort", type=SORTS, default="newest", show_default=True, help="Which come first.")
@click.option("--limit", type=click.IntRange(1), default=30, show_default=True, help="Most traces.")
@json_option
@with_api
def list_traces(
    api: Api, filter: tuple[str, ...], start: str, end: str, sort: str, limit: int, as_json: bool
) -> None:
    """List the traces that a FILTER finds.

    FILTER is such as: model:gpt-* latency>2s status:error "refund" -cache:hit tag.env:prod. Put `--` before
    one that begins with a minus, and quotation marks around what the shell would take.
    """
    query = {"q": _text(filter), "sort": sort, "limit": min(limit, 500), **window(start, end)}
    found = list(islice(api.pages("/api/traces", **query), limit))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["id"][-SHOWN:],
            at(one["start_ms"]),
            _status(one),
            one["route"] or one["name"],
            one["model"] if one["model"] != one["route"] else one["provider"],
            duration(one["duration_ms"]),
            tokens(one["input_tokens"], one["output_tokens"]),
            _cost(one),
            one["input"] or one["error_kind"],
        )
        for one in found
    ]
    columns = ("trace", "when", "status", "route", "model", "took", "tokens", "cost", "input")
    table(
        columns,
        rows,
        empty="No trace fits; --from reaches further back.",
        cut=("input", "route", "model"),
        drop=("model", "tokens"),
        right=("took", "tokens", "cost"),
    )


@trace.command("show")
@click.argument("id")
@click.option("--body", is_flag=True, help="Whole inputs and outputs, not their first lines.")
@json_option
@with_api
def show_trace(api: Api, id: str, body: bool, as_json: bool) -> None:
    """Show a trace as a tree of spans, with times and costs.

    ID may be the end, or the start, of one of the last day.
    """
    from noria.cli.trace_tree import show

    found = api.get(f"/api/traces/{_whole(api, id)}")
    if as_json:
        print_json(found)
    else:
        show(found["trace"], found["feedback"], body=body)


@trace.command("tail")
@click.argument("filter", nargs=-1)
@json_option
@with_api
def tail(api: Api, filter: tuple[str, ...], as_json: bool) -> None:
    """Print each trace as it becomes visible, until Ctrl-C; with --json one JSON object a line."""
    import json

    wanted = _text(filter)
    if sys.stderr.isatty():
        say("Waiting for traces; Ctrl-C ends.")
    for one in _new(api, wanted):
        if as_json:
            click.echo(json.dumps(one, ensure_ascii=False))
        else:
            click.echo(_line(one))
        sys.stdout.flush()


@trace.command("export")
@click.argument("filter", nargs=-1)
@click.option("--format", "form", type=FORMATS, default="jsonl", show_default=True, help="What to print.")
@window_options("-24h")
@click.option("--limit", type=click.IntRange(1), help="At most this many traces, the oldest first.")
@with_api
def export(api: Api, filter: tuple[str, ...], form: str, start: str, end: str, limit: int | None) -> None:
    """Print traces with all their spans, the oldest first.

    jsonl: one trace a line. otlp: one OTLP JSON request a line, as an OpenTelemetry collector reads it from a
    file. csv: one line a trace, without bodies.
    """
    from noria.cli.trace_export import WRITERS

    query = {"q": _text(filter), "sort": "oldest", "limit": min(limit or 500, 500), **window(start, end)}
    found = islice(api.pages("/api/traces", **query), limit)
    count = WRITERS[form](found, lambda id: api.get(f"/api/traces/{id}"), sys.stdout)
    say(f"{count:,} traces.")


def _text(filter: tuple[str, ...]) -> str:
    """One filter again: the shell has taken quotation marks away, so words with blanks are one phrase."""
    return " ".join(
        f'"{part}"' if " " in part and not any(mark in part for mark in ':<>"') else part for part in filter
    )


def _whole(api: Api, id: str) -> str:
    if len(id) == 32:
        return id.lower()
    if len(id) < 4:
        raise UserError("At least four digits of a trace id are needed.")
    found = {
        one["id"]
        for pattern in (f"*{id.lower()}", f"{id.lower()}*")
        for one in api.get("/api/traces", q=f"trace:{pattern}", limit=2, **{"from": "-1d"})["items"]
    }
    if not found:
        raise UserError(f"No trace of the last day begins or ends with {id}; give its whole id.")
    if len(found) > 1:
        raise UserError(f"Several traces begin or end with {id}; give more of it.")
    return found.pop()


def _new(api: Api, wanted: str) -> Iterator[Any]:
    position = api.get("/api/traces/since")["position"]
    begun = int(time.time() * 1000)
    while True:
        time.sleep(LOOK)
        found = api.get("/api/traces/since", position=position, limit=500)
        position = found["position"]
        ids = {one["id"] for one in found["items"]}
        if ids and wanted:
            # The filter is the store's to understand: what is new is looked up among what fits.
            fitting = api.pages("/api/traces", q=wanted, limit=500, **{"from": str(begun - 3_600_000)})
            ids &= {one["id"] for one in fitting}
        yield from (one for one in found["items"] if one["id"] in ids)


def _line(one: Mapping[str, Any]) -> str:
    status = _status(one)
    colour = "red" if one["status"] == "error" else "green"
    parts = [
        f"{at(one['start_ms'])}",
        click.style(status.ljust(6), fg=colour),
        plain(one["route"] or one["name"]),
        duration(one["duration_ms"]),
        tokens(one["input_tokens"], one["output_tokens"]) + " tokens"
        if one["input_tokens"] is not None
        else "",
        _cost(one),
        "cache" if one["cache"] == "hit" else "",
        one["id"][-SHOWN:],
    ]
    head = "  ".join(part for part in parts if part)
    room = (width() or 10_000) - len(click.unstyle(head)) - 2
    words = plain(one["input"] or one["error_kind"] or "")
    return f"{head}  {click.style(shorten(words, room), dim=True)}" if room > 10 and words else head


def _status(one: Mapping[str, Any]) -> str:
    if one["status"] == "error":
        return str(one["http_status"] or "error")
    return "ok?" if one["unconfirmed"] else "ok"


def _cost(one: Mapping[str, Any]) -> str:
    if one["cost"] is None:
        return "unknown" if one["unknown_costs"] else "-"
    return money(one["cost"]) + ("+?" if one["unknown_costs"] else "")
