"""`noria cost`: what calls have cost, by whom and for what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import window, window_options, with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import count, money
from noria.cli.table import table

_COUNTS = ("calls", "unknown", "estimated", "input_tokens", "output_tokens", "cached_tokens")


@click.command()
@click.argument("by", default="model")
@window_options("-30d")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with the exact sums.")
@json_option
@with_api
def cost(api: Api, by: str, start: str, end: str, as_csv: bool, as_json: bool) -> None:
    """Sum what calls have cost BY model, route, team, user, key, day, project or tag.NAME.

    Sums are exact; a call whose price is not known is counted apart and never as zero.
    """
    grouping = f"tag:{by[4:]}" if by.startswith("tag.") else by
    query = {"by": grouping, **window(start, end)}
    if as_csv:
        click.echo(api.text("/api/costs", format="csv", **query), nl=False)
        return
    found = api.get("/api/costs", **query)
    if as_json:
        print_json(found)
        return
    rows = [_row(one, name=one["group"] or "(none)") for one in found["rows"]]
    if len(rows) > 1:
        rows.append(_row(found["total"], name="total"))
    columns = (by, "cost", "calls", "unpriced", "estimated", "tokens in", "tokens out", "cached")
    empty = "Nothing was called in this time."
    table(columns, rows, empty=empty, cut=(by,), drop=("estimated", "cached"), right=columns[1:])
    unknown = found["total"]["unknown"]
    if unknown:
        calls = "1 call has" if unknown == 1 else f"{unknown:,} calls have"
        say(f"{calls} no known price; the sums are of the others.")


def _row(one: Mapping[str, Any], *, name: str) -> tuple[object, ...]:
    cost = "unknown" if one["unknown"] and one["unknown"] == one["calls"] else money(one["cost"])
    return (
        name,
        cost,
        *(count(one[field]) for field in _COUNTS),
    )
