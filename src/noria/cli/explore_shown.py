"""How explorations and comparisons of models are shown in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from noria.cli.eval_shown import interval
from noria.cli.output import print_json
from noria.cli.table import facts, table


def show_findings(found: Mapping[str, Any], *, as_json: bool) -> None:
    """What it comes to."""
    if as_json:
        print_json(found)
        return
    one = found["exploration"]
    explored = one["kind"] == "exploration"
    unknown = f" and {found['unknown']:,} calls of unknown cost" if found["unknown"] else ""
    facts(
        {
            one["kind"]: one["id"],
            "title": one["title"],
            "samples": one["dataset"],
            "state": one["state"],
            "message": one["message"] if one["state"] in ("failed", "stopped") else "",
            "spent": f"${float(found['spent']):.6f}{unknown}",
            "feasible": found["feasible"] if explored else "",
            "because": found["sentence"] if explored else "",
            "quality": f"{one['measure'] or 'not measured'}. {found['why_measure']}",
        }
    )
    click.echo()
    show_measured(found)
    for title, items in (("Which adaptation", found["advice"]), ("Risks", found["risks"])):
        if items:
            click.echo(f"\n{title}")
        for each in items:
            head = f"{each['adaptation']}: {each['stance']}" if "stance" in each else each["about"]
            click.echo(f"  {head}. {each['sentence']}")
            for sentence in each.get("evidence", ()):
                click.echo(f"    {sentence}")
    for each in found["candidates"]:
        for reason in each["excluded"]:
            click.echo(f"  left out: {each['model']}: {reason}.")


def show_measured(found: Mapping[str, Any]) -> None:
    """A row a way."""
    findings = found["findings"]
    rows = [
        (
            name(one),
            interval(one["quality"]) if one["quality"] else _agreement(one),
            interval(one["cost"]) if one["cost"] else "not known",
            "-" if one["p50"] is None else f"{one['p50']:.3g} / {one['p95']:.3g} s",
            f"{one['failed']} of {one['answers']}",
            _answers(one),
            _place(one, findings) if one["run"] else one["message"],
        )
        for one in findings
    ]
    columns = ["way", "quality", "$ of 1,000", "latency p50 / p95", "failed", "asked", "place"]
    if not any(one["verdicts"] for one in findings):
        columns.remove("asked")
        rows = [(*row[:5], row[6]) for row in rows]
    table(
        columns,
        rows,
        empty="Nothing is measured.",
        cut=("place", "way"),
        drop=("failed", "latency p50 / p95"),
    )


def name(one: Mapping[str, Any]) -> str:
    return f"{one['model']}, {one['way']}"


def _answers(one: Mapping[str, Any]) -> str:
    """To each question of the brief."""
    return ", ".join(f"{verdict['question']} {verdict['answer']}" for verdict in one["verdicts"])


def _agreement(one: Mapping[str, Any]) -> str:
    found = one["agreement"]
    return "not measured" if found is None else f"not measured; agree {interval(found)}"


def _place(one: Mapping[str, Any], findings: list[Mapping[str, Any]]) -> str:
    place = one["place"]
    if place["by"] is None:
        return "on the front" if place["standing"] == "front" else place["why"] or place["standing"]
    words = "dominated by" if place["standing"] == "dominated" else "not told apart from"
    return f"{words} {name(findings[place['by']])}"
