"""`noria eval suite`: several evaluations of one model, and one report to sign."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.table import table
from noria.errors import UserError


@click.group()
def suite() -> None:
    """Suites: responsible use and capability, on public data that is on this machine."""


@suite.command("list")
@json_option
@with_api
def list_suites(api: Api, as_json: bool) -> None:
    """List the suites with their parts."""
    found = api.get("/api/suites")["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (one["name"], part["name"], part["data"], part["about"]) for one in found for part in one["parts"]
    ]
    table(
        ("suite", "part", "data", "about"),
        rows,
        empty="There are no suites.",
        cut=("about",),
        drop=("about",),
    )


@suite.command("run")
@click.argument("name")
@click.option("--model", required=True, help="The route or model that is looked at.")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="NORIA_DATA",
    required=True,
    help="The folder that holds the public data sets.",
)
@click.option("--part", "chosen", multiple=True, help="These parts alone; repeatable.")
@click.option("--limit", type=click.IntRange(0), default=0, help="At most so many examples of each part.")
@click.option(
    "--judge", default="", help="The model that judges, for parts that need one; else those are left out."
)
@click.option(
    "--concurrency", type=click.IntRange(1, 64), default=4, show_default=True, help="Answers at once."
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="A .html to sign, or a .md; else stdout."
)
@click.option(
    "--no-examples", is_flag=True, help="Without any text of the data, so that it may be published."
)
@json_option
@with_api
def run_suite(
    api: Api,
    name: str,
    model: str,
    data: Path,
    chosen: tuple[str, ...],
    limit: int,
    judge: str,
    concurrency: int,
    output: Path | None,
    no_examples: bool,
    as_json: bool,
) -> None:
    """Run the suite NAME, part after part. What was answered before is used again, so it can be begun again.

    Exit code 1 where a part did not come to its end, or too much of it failed.
    """
    from noria.cli.eval_shown import followed

    found = next((one for one in api.get("/api/suites")["items"] if one["name"] == name), None)
    if found is None:
        raise UserError(f"There is no suite {name!r}; `noria eval suite list` shows them.")
    names = {one["name"] for one in found["parts"]}
    if unknown := [one for one in chosen if one not in names]:
        raise UserError(f"The suite has no part {unknown[0]!r}; it has {', '.join(sorted(names))}.")
    body: dict[str, Any] = {"model": model, "limit": limit, "judge": judge, "concurrency": concurrency}
    runs: list[Any] = []
    for part in found["parts"]:
        if chosen and part["name"] not in chosen:
            continue
        if part["judged"] and not judge:
            say(f"{part['name']} is left out: it is scored by a model, so name one with --judge.")
            continue
        say(f"{part['name']}: {part['about']}")
        begun = api.post(
            f"/api/suites/{name}/parts/{part['name']}/runs", {**body, "data": str(data.absolute())}
        )
        runs.append(followed(api, begun["id"]))
    if as_json:
        print_json(runs)
    else:
        form = "html" if output is not None and output.suffix == ".html" else "markdown"
        text = api.text(
            f"/api/suites/{name}/report",
            runs=",".join(one["id"] for one in runs),
            form=form,
            examples=not no_examples,
        )
        if output is None:
            sys.stdout.write(text)
        else:
            output.write_text(text)
            say(f"The report is in {output}.")
    if any(one["state"] != "done" or not one["sound"] for one in runs):
        raise click.exceptions.Exit(1)
