"""`noria feedback`: what people and programs said of answers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import window, window_options, with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import ago
from noria.cli.table import plain, table

KINDS = click.Choice(["thumb", "score", "choice", "comment", "correction", "demonstration"])


@click.group()
def feedback() -> None:
    """What people and programs said of answers."""


@feedback.command("list")
@window_options("-7d")
@click.option("--kind", type=KINDS, help="Only of this kind.")
@click.option("--name", help='Only on this, such as "helpful".')
@click.option("--trace", help="Only on this trace.")
@click.option("--session", help="Only on this session.")
@click.option("--retracted", is_flag=True, help="What was taken back, instead.")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
@json_option
@with_api
def list_feedback(
    api: Api, start: str, end: str, retracted: bool, limit: int, as_json: bool, **sought: str | None
) -> None:
    """List feedback, newest first."""
    query = {**window(start, end), **sought, "retracted": str(retracted).lower()}
    found = list(islice(api.pages("/api/feedback", limit=min(max(limit, 1), 500), **query), limit))
    if as_json:
        print_json(found)
        return
    rows = [
        (one["id"], ago(one["created_ms"]), _about(one), one["kind"], one["name"], _said(one), one["by_name"])
        for one in found
    ]
    table(
        ("id", "when", "about", "kind", "name", "said", "by"),
        rows,
        empty="Nobody has said anything; applications do with POST /v1/feedback.",
        cut=("said", "about"),
        drop=("id", "by"),
    )


@feedback.command("show")
@click.argument("id")
@json_option
@with_api
def show_feedback(api: Api, id: str, as_json: bool) -> None:
    """Show feedback and all its earlier revisions, oldest first."""
    found = api.get(f"/api/feedback/{id}")["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["revision"],
            ago(one["revised_ms"] or one["created_ms"]),
            "retracted" if one["retracted"] else _said(one),
            one["by_name"],
        )
        for one in found
    ]
    table(("revision", "when", "said", "by"), rows, empty="")


@feedback.command("count")
@window_options("-7d")
@json_option
@with_api
def count_feedback(api: Api, start: str, end: str, as_json: bool) -> None:
    """Count what was said, by kind and name."""
    found = api.get("/api/feedback/said", **window(start, end))["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (one["kind"], one["name"] or "-", one["count"], "-" if one["mean"] is None else f"{one['mean']:.3f}",
         ", ".join(f"{word} {count}" for word, count in one["words"].items()) or "-")
        for one in found
    ]  # fmt: skip
    table(("kind", "name", "count", "mean", "words"), rows, empty="Nobody has said anything.", cut=("words",))


@feedback.command("export")
@window_options("-3650d")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    help="Form.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file instead of stdout.")
@with_api
def export_feedback(api: Api, start: str, end: str, form: str, out: Path | None) -> None:
    """Write all feedback that stands, newest first, as JSON Lines or CSV."""
    text = api.text("/api/feedback/export", format=form, **window(start, end))
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text)
    say(f"Wrote {out}.")


def _about(one: Mapping[str, Any]) -> str:
    kinds = ("trace", "session", "episode")
    return ", ".join(f"{kind} {one[kind]}" for kind in kinds if one[kind])


def _said(one: Mapping[str, Any]) -> str:
    if one["kind"] == "thumb":
        said = "up" if one["value"] else "down"
    else:
        said = "" if one["value"] is None else str(one["value"])
    return plain(": ".join(part for part in (said, one["comment"]) if part))
