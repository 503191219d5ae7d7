"""`noria explore`: is a task feasible, with which model, asked how."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from noria.cli.api import Api
from noria.cli.explore_shown import show_findings
from noria.cli.options import with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import ago
from noria.cli.table import table
from noria.errors import UserError

ASK_FROM = 1.0
"""Dollars from which nothing is begun without --yes."""
LOOK = 0.5
"""Seconds between two looks at an exploration that is followed."""
_OPEN = ("queued", "running")


class BriefGroup(click.Group):
    """`noria explore BRIEF.md` runs it; what names a command is the command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=BriefGroup)
def explore() -> None:
    """Explore a task: `noria explore BRIEF.md --samples FILE`.

    BRIEF.md says what must hold (TOML between +++ lines) and what the models are told (the prose below it).
    """


@explore.command("run")
@click.argument("brief", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--samples", required=True, help="JSON Lines or CSV with 5 to 50 samples; or a dataset: name@3:test."
)
@click.option(
    "--input", "inputs", multiple=True, help="A column of the input, or VARIABLE=COLUMN; repeatable."
)
@click.option("--expected", default="", help="The column with the expected answer.")
@click.option("--group", default="", help="The column that says what belongs together.")
@click.option("--limit", type=click.IntRange(1, 50), help="At most so many examples of a dataset.")
@click.option("--model", "models", multiple=True, help="A candidate instead of the brief's; repeatable.")
@click.option("--name", default="", help="Of the dataset that the samples become.")
@click.option(
    "--concurrency", type=click.IntRange(1, 64), default=4, show_default=True, help="Calls at a time."
)
@click.option("--fresh", is_flag=True, help="Do not use answers of earlier runs.")
@click.option(
    "--plan", "only_plan", is_flag=True, help="Say what would be run and what it may cost, and stop."
)
@click.option(
    "--yes", is_flag=True, help=f"Begin also where it may cost over ${ASK_FROM:g}, or an unknown sum."
)
@click.option("--detach", is_flag=True, help="Begin it and return; `noria explore show` tells how it goes.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Also write the report: .html or .md.")
@json_option
@with_api
def run_exploration(api: Api, brief: Path, samples: str, **given: Any) -> None:
    """Try candidate models on SAMPLES: asked plainly, with examples, and with reasoning.

    Exit code 1 where what the brief asks is shown not to be feasible, or it did not come to its end.
    """
    body: dict[str, Any] = {
        "brief": _text(brief),
        "name": given["name"],
        "models": list(given["models"]),
        "concurrency": given["concurrency"],
        "fresh": given["fresh"],
    }
    if Path(samples).is_file():
        body["samples"] = _samples(Path(samples), given)
    else:
        body |= {"dataset": samples, "limit": given["limit"] or 0}
    plan = api.post("/api/explorations/plan", body)
    if given["only_plan"]:
        _show_plan(plan, as_json=given["as_json"])
        return
    may_begin(plan, yes=given["yes"])
    begun = api.post("/api/explorations", body)
    if given["detach"]:
        if given["as_json"]:
            print_json(begun)
        else:
            say(f"{begun['id']} has begun; noria explore show {begun['id']}")
        return
    finish(api, begun["id"], output=given["output"], as_json=given["as_json"])


@explore.command("list")
@click.option("--limit", type=click.IntRange(1, 200), default=30, show_default=True, help="Most of them.")
@json_option
@with_api
def list_explorations(api: Api, limit: int, as_json: bool) -> None:
    """List explorations and comparisons of models, newest first."""
    found = api.get("/api/explorations", limit=limit)["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["id"],
            one["title"],
            one["dataset"],
            ", ".join(one["models"]),
            one["state"],
            ago(one["created_ms"]),
        )
        for one in found
    ]
    table(
        ("id", "title", "samples", "models", "state", "begun"),
        rows,
        empty="Nothing was explored yet; see `noria explore --help`.",
        cut=("title", "models"),
        drop=("samples", "begun"),
    )


@explore.command("show")
@click.argument("id")
@click.option("--follow", "-f", is_flag=True, help="Stay until it ends, with its progress.")
@json_option
@with_api
def show_exploration(api: Api, id: str, follow: bool, as_json: bool) -> None:
    """Show what an exploration or comparison comes to."""
    if follow:
        followed(api, id)
    show_findings(api.get(f"/api/explorations/{id}/findings"), as_json=as_json)


@explore.command("export")
@click.argument("id")
@click.option("--form", type=click.Choice(["html", "markdown"]), help="Left out: as the file's name ends.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Left out: stdout.")
@with_api
def export_exploration(api: Api, id: str, form: str | None, output: Path | None) -> None:
    """Write the report as one page that stands alone, or as Markdown."""
    data = _report(api, id, form, output)
    if output is None:
        sys.stdout.buffer.write(data)
    else:
        output.write_bytes(data)
        say(f"The report of {id} is in {output}.")


@explore.command("stop")
@click.argument("id")
@json_option
@with_api
def stop_exploration(api: Api, id: str, as_json: bool) -> None:
    """Stop an exploration; what was answered stays, and it can be resumed."""
    found = api.post(f"/api/explorations/{id}/stop", {})
    if as_json:
        print_json(found)
        return
    say(f"{id} is stopped.")


@explore.command("resume")
@click.argument("id")
@json_option
@with_api
def resume_exploration(api: Api, id: str, as_json: bool) -> None:
    """Go on with an exploration that was stopped or failed, with its runs that failed as well."""
    api.post(f"/api/explorations/{id}/resume", {})
    finish(api, id, output=None, as_json=as_json)


def may_begin(plan: Mapping[str, Any], *, yes: bool) -> None:
    """Says what it may cost, and asks where that is much or unknown. Raises UserError without a terminal."""
    ways = f"{plan['ways']} ways, {plan['answers']:,} answers"
    for one in plan["candidates"]:
        for reason in one["excluded"]:
            say(f"{one['model']} is left out: {reason}.")
    if not plan["ways"]:
        return
    if plan["cost"] is None:
        say(f"{ways}; what they may cost is not known: {plan['unknown']}")
    else:
        judged = ", scores by models not included" if plan["judged"] else ""
        say(f"{ways}, at most ${float(plan['cost']):.4f}{judged}.")
    if plan["barred"]:
        say(f"Quality will not be told: {plan['barred']}")
    costly = plan["cost"] is None or float(plan["cost"]) > ASK_FROM
    if costly and not yes:
        if not sys.stdin.isatty():
            raise UserError("Give --yes to begin it all the same, or the brief a `budget` with prices known.")
        click.confirm("Begin?", abort=True, err=True)


def followed(api: Api, id: str) -> dict[str, Any]:
    """It when it has ended; its progress on stderr until then."""
    drawn = ""
    while True:
        found = api.get(f"/api/explorations/{id}")
        if found["state"] not in _OPEN:
            if drawn:
                sys.stderr.write("\n")
            return found
        job = api.get(f"/api/jobs/{found['job']}")
        words = f"{job['done'] or 0:,} of {job['total'] or 0:,} answers; {job['message']}"
        if sys.stderr.isatty() and words != drawn:
            sys.stderr.write(f"\r\x1b[K{words}")
            sys.stderr.flush()
            drawn = words
        time.sleep(LOOK)


def finish(api: Api, id: str, *, output: Path | None, as_json: bool) -> None:
    """Follow it to its end and show what it comes to."""
    ended = followed(api, id)
    found = api.get(f"/api/explorations/{id}/findings")
    show_findings(found, as_json=as_json)
    if output is not None:
        output.write_bytes(_report(api, id, None, output))
        say(f"The report is in {output}.")
    if ended["state"] != "done" or found["feasible"] == "not feasible":
        raise click.exceptions.Exit(1)


def _report(api: Api, id: str, form: str | None, output: Path | None) -> bytes:
    endings = {".html": "html", ".md": "markdown"}
    form = form or endings.get(output.suffix if output is not None else "", "markdown")
    return b"".join(api.chunks(f"/api/explorations/{id}/report", form=form))


def _show_plan(plan: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(plan)
        return
    rows = [(one["model"], "; ".join(one["excluded"]) or "tried", "; ".join(one["unknown"]) or "-")
            for one in plan["candidates"]]  # fmt: skip
    table(("model", "tried", "not known"), rows, empty="There are no candidates.", cut=("tried", "not known"))
    cost = (
        f"at most ${float(plan['cost']):.4f}" if plan["cost"] is not None else f"unknown: {plan['unknown']}"
    )
    say(f"{plan['ways']} ways, {plan['answers']:,} answers, cost {cost}.")
    say(plan["why_measure"])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as text: {error}.") from None


def _samples(path: Path, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The file's examples. Raises UserError for one that cannot be read: of so few each counts."""
    import msgspec

    from noria.datasets.importing import Report, Source, examples, records
    from noria.datasets.record import Record

    source = Source(path=str(path))
    first = next(iter(records(source)), None)
    columns = tuple(first.values) if isinstance(first, Record) else ()
    own = isinstance(first, Record) and isinstance(first.values.get("input"), dict)
    mapping = _mapping(given, () if own else columns)
    report = Report()
    found = [msgspec.to_builtins(one) for one in examples(records(source), mapping, report)]
    if report.bad:
        one = report.problems[0]
        raise UserError(f"{one.file}, line {one.line} is no sample: {one.reason}")
    return found


def _mapping(given: Mapping[str, Any], columns: tuple[str, ...]) -> Any:
    """As named, else a column `input` is the input, and a column `expected` the expected answer."""
    from noria.datasets.mapping import Mapping as Columns

    inputs = dict(text.partition("=")[::2] if "=" in text else (text, text) for text in given["inputs"])
    if not inputs and "input" in columns:
        inputs = {"input": "input"}
    expected = given["expected"] or ("expected" if inputs and "expected" in columns else "")
    return Columns(input=inputs, expected=expected, group=given["group"])
