"""`noria eval`: run an evaluation, look at it, compare it with another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.eval_shown import (
    example_row,
    followed,
    headlines,
    how_far,
    interval,
    newest,
    run_id,
    show_comparison,
    show_detail,
)
from noria.cli.options import pairs, with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import ago
from noria.cli.table import table
from noria.errors import UserError

ASK_FROM = 1.0
"""Dollars from which a run is not begun without --yes."""


@click.group("eval")
def eval_group() -> None:
    """Evaluations: a target, answered and scored over a dataset."""


@eval_group.command("run")
@click.argument("name")
@click.option("--model", help="Another route or model than noria.toml says.")
@click.option("--prompt", help="Another prompt: name, name@label or name@number.")
@click.option("--dataset", help="Another dataset: name, name@3, name@golden, name@3:split.")
@click.option("--scorer", "scorers", multiple=True, help="Instead of noria.toml's scorers; repeatable.")
@click.option("--limit", type=click.IntRange(0), help="At most so many examples.")
@click.option("--repeats", type=click.IntRange(1, 100), help="Answers to each example.")
@click.option("--budget", help="US dollars that it may spend.")
@click.option("--fresh", is_flag=True, help="Do not use answers and judgements of earlier runs.")
@click.option("--tag", "tags", multiple=True, help="NAME=VALUE kept with the run, such as commit=1a2b3c.")
@click.option(
    "--yes", is_flag=True, help=f"Begin also where it may cost over ${ASK_FROM:g}, or an unknown sum."
)
@click.option("--detach", is_flag=True, help="Begin it and return; `noria eval show` tells how it goes.")
@json_option
@with_api
def run_eval(
    api: Api,
    name: str,
    model: str | None,
    prompt: str | None,
    dataset: str | None,
    scorers: tuple[str, ...],
    limit: int | None,
    repeats: int | None,
    budget: str | None,
    fresh: bool,
    tags: tuple[str, ...],
    yes: bool,
    detach: bool,
    as_json: bool,
) -> None:
    """Run the evaluation NAME of noria.toml, or one of your own with --model, --dataset and --scorer.

    Exit code 1 where too many answers or scores failed, or the run did not come to its end.
    """
    body: dict[str, Any] = {"name": name, "fresh": fresh, "tags": pairs(tags, what="A tag")}
    if model is not None or prompt is not None:
        body["target"] = {"model": model, "prompt": prompt}
    if scorers:
        body["scorers"] = [{"type": one} for one in scorers]
    for key, value in (("dataset", dataset), ("limit", limit), ("repeats", repeats), ("budget", budget)):
        if value is not None:
            body[key] = value
    _may_begin(api, {**body, "tags": {}}, yes=yes)
    begun = api.post("/api/evals/runs", body)
    if detach:
        print_json(begun) if as_json else say(f"Run {begun['id']} has begun; noria eval show {begun['id']}")
        return
    run = followed(api, begun["id"])
    found = api.get(f"/api/evals/runs/{run['id']}")
    show_detail(found, as_json=as_json)
    if run["state"] != "done" or not run["sound"]:
        raise click.exceptions.Exit(1)


def _may_begin(api: Api, body: dict[str, Any], *, yes: bool) -> None:
    found = api.post("/api/evals/estimate", body)
    many = f"{found['answers']:,} answers"
    if found["cost"] is None:
        say(f"{many}; what they may cost is not known: {found['unknown']}")
    else:
        judged = ", scores by models not included" if found["judged"] else ""
        say(f"{many}, at most ${float(found['cost']):.4f}{judged}.")
    costly = found["cost"] is None or float(found["cost"]) > ASK_FROM
    if costly and not yes and "budget" not in body:
        if not sys.stdin.isatty():
            raise UserError("Give --yes to begin it all the same, or --budget to bound it.")
        click.confirm("Begin?", abort=True, err=True)


@eval_group.command("list")
@click.argument("name", required=False)
@click.option("--limit", type=click.IntRange(1, 200), default=30, show_default=True, help="Most runs.")
@click.option("--defined", is_flag=True, help="The evaluations of noria.toml instead of runs.")
@json_option
@with_api
def list_evals(api: Api, name: str | None, limit: int, defined: bool, as_json: bool) -> None:
    """List runs, newest first; of the evaluation NAME alone where it is given."""
    if defined:
        _list_defined(api, as_json=as_json)
        return
    found = api.get("/api/evals/runs", name=name, limit=limit)["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["id"],
            one["name"],
            one["target"],
            one["dataset"],
            one["state"],
            how_far(one),
            headlines(one),
            ago(one["created_ms"]),
        )
        for one in found
    ]
    table(
        ("run", "evaluation", "target", "dataset", "state", "done", "measured", "begun"),
        rows,
        empty="There are no runs; `noria eval run NAME` makes one.",
        cut=("target", "dataset", "measured"),
        drop=("begun", "dataset"),
    )


def _list_defined(api: Api, *, as_json: bool) -> None:
    found = api.get("/api/evals/definitions")["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (one["name"], one["target"], one["dataset"], ", ".join(one["scorers"]), newest(one["newest"]))
        for one in found
    ]
    empty = "noria.toml has no [evals.NAME]; see docs/guides/evaluate.md."
    table(
        ("name", "target", "dataset", "scorers", "newest run"), rows, empty=empty, cut=("scorers", "target")
    )


@eval_group.command("show")
@click.argument("id")
@click.option("--follow", "-f", is_flag=True, help="Stay until it ends, with its progress.")
@click.option("--slices", "by", metavar="SCORER", help="Also this scorer by tag, field and length.")
@click.option(
    "--examples",
    type=click.Choice(["all", "failed", "wrong"]),
    help="Also these examples with their answers and scores.",
)
@json_option
@with_api
def show_run(api: Api, id: str, follow: bool, by: str | None, examples: str | None, as_json: bool) -> None:
    """Show what a run measured. ID may be the name of an evaluation: then its newest run."""
    id = run_id(api, id)
    if follow:
        followed(api, id)
    found = api.get(f"/api/evals/runs/{id}")
    if by is not None:
        found["slices"] = api.get(f"/api/evals/runs/{id}/slices", scorer=by)["items"]
    if examples is not None:
        found["examples"] = list(api.pages(f"/api/evals/runs/{id}/examples", show=examples, limit=200))
    show_detail(found, as_json=as_json)
    if as_json:
        return
    if by is not None:
        rows = [
            (one["by"], one["value"], f"{one['examples']:,}", interval(one["measure"]["interval"]))
            for one in found["slices"]
        ]
        click.echo()
        table(
            ("by", "value", "examples", by), rows, empty="There is nothing to slice by.", right=("examples",)
        )
    if examples is not None:
        click.echo()
        rows = [example_row(one) for one in found["examples"]]
        table(("example", "answer", "scores"), rows, empty="None.", cut=("answer",))


@eval_group.command("compare")
@click.argument("candidate")
@click.argument("baseline")
@click.option("--also", multiple=True, help="Another candidate; p is then adjusted over all. Repeatable.")
@click.option(
    "--level", type=click.FloatRange(0.5, 1, min_open=True, max_open=True), default=0.95, help="Confidence."
)
@click.option("--worst", type=click.IntRange(0), default=5, show_default=True, help="Regressions to show.")
@json_option
@with_api
def compare_runs(
    api: Api,
    candidate: str,
    baseline: str,
    also: tuple[str, ...],
    level: float,
    worst: int,
    as_json: bool,
) -> None:
    """Compare two runs, example by example.

    Each is an id, or an evaluation's name: then its newest run; NAME~1 is the one before.
    """
    right = run_id(api, baseline)
    lefts = [run_id(api, one) for one in (candidate, *also)]
    if not also:
        items = [api.get("/api/evals/compare", candidate=lefts[0], baseline=right, level=level)]
    else:
        names = ",".join(lefts)
        items = api.get("/api/evals/compare-all", candidates=names, baseline=right, level=level)["items"]
    if as_json:
        print_json(items if also else items[0])
        return
    for found in items:
        show_comparison(found, level=level, worst=worst, tests=sum(len(one["scorers"]) for one in items))


FORMS = ("html", "markdown", "junit", "json", "inspect", "promptfoo")


@eval_group.command("export")
@click.argument("id")
@click.option(
    "--form", type=click.Choice(FORMS), help="Left out: as the file's name ends (.eval is Inspect's)."
)
@click.option("--baseline", help="The run to compare with: an id, or an evaluation's name.")
@click.option("--gate", "gates", multiple=True, help="A gate to check; left out: all of the evaluation.")
@click.option("--examples", is_flag=True, help="JUnit: a test for each example, too.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Left out: stdout.")
@with_api
def export_run(
    api: Api,
    id: str,
    form: str | None,
    baseline: str | None,
    gates: tuple[str, ...],
    examples: bool,
    output: Path | None,
) -> None:
    """Write a run as a report (HTML, Markdown, JUnit, JSON) or as a log of Inspect or promptfoo.

    ID may be the name of an evaluation: then its newest run.
    """
    endings = {".html": "html", ".md": "markdown", ".xml": "junit", ".json": "json", ".eval": "inspect"}
    form = form or endings.get(output.suffix if output is not None else "", "markdown")
    run = run_id(api, id)
    query: dict[str, object] = {"form": form, "examples": examples}
    if baseline is not None:
        query["baseline"] = run_id(api, baseline)
    if gates:
        query["gates"] = ",".join(gates)
    data = b"".join(api.chunks(f"/api/evals/runs/{run}/report", **query))
    if output is None:
        sys.stdout.buffer.write(data)
    else:
        output.write_bytes(data)
        say(f"Run {run} is in {output}.")


@eval_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", default="", help="Of the evaluation; left out: what the log calls it.")
@click.option("--column", type=click.IntRange(0), help="Of promptfoo's table, where it has several.")
@json_option
@with_api
def import_log(api: Api, file: Path, name: str, column: int | None, as_json: bool) -> None:
    """Import a log of Inspect (.eval) or promptfoo's results (.json) as a run."""
    form = "inspect" if file.suffix == ".eval" else "promptfoo"
    body = {"path": str(file.absolute()), "form": form, "name": name, "column": column}
    run = api.post("/api/evals/import-local", body)
    show_detail(api.get(f"/api/evals/runs/{run['id']}"), as_json=as_json)


@eval_group.command("stop")
@click.argument("id")
@json_option
@with_api
def stop_run(api: Api, id: str, as_json: bool) -> None:
    """Stop a run; what it has stays, and it can be resumed."""
    found = api.post(f"/api/evals/runs/{id}/stop", {})
    if as_json:
        print_json(found)
        return
    say(f"Run {id} is {found['state']} after {how_far(found)}.")


@eval_group.command("resume")
@click.argument("id")
@click.option("--again", is_flag=True, help="Try again what failed, too.")
@json_option
@with_api
def resume_run(api: Api, id: str, again: bool, as_json: bool) -> None:
    """Go on with a run that was stopped or failed."""
    api.post(f"/api/evals/runs/{id}/resume", {"again": again})
    run = followed(api, id)
    show_detail(api.get(f"/api/evals/runs/{id}"), as_json=as_json)
    if run["state"] != "done" or not run["sound"]:
        raise click.exceptions.Exit(1)


@eval_group.command("delete")
@click.argument("id")
@json_option
@with_api
def delete_run(api: Api, id: str, as_json: bool) -> None:
    """Delete a run with its answers and scores."""
    api.delete(f"/api/evals/runs/{id}")
    if as_json:
        print_json({"deleted": id})
        return
    say(f"Run {id} is deleted.")
