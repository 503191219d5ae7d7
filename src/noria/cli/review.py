"""`noria review`: queues of work for people, and what comes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from noria.cli.api import Api
from noria.cli.options import Command, with_api
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import ago
from noria.cli.table import facts, plain, table
from noria.errors import UserError

FORMATS = click.Choice(["answers", "examples", "judge", "preferences", "demonstrations"])
SHOWN = 2_000
"""Characters of an input or output that are printed."""


@click.group()
def review() -> None:
    """Queues of work for people, and what comes of them."""


@review.command("list")
@json_option
@with_api
def list_queues(api: Api, as_json: bool) -> None:
    """List queues with their progress, and what is left for you."""
    found = api.get("/api/queues")["items"]
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["name"],
            "closed" if one["closed"] else "open",
            one["progress"]["done"],
            one["progress"]["items"] - one["progress"]["dropped"],
            one["progress"]["disputed"],
            one["reviews"],
            one["left"],
            one["to_decide"],
        )
        for one in found
    ]
    columns = ("queue", "state", "done", "items", "disputed", "reviews each", "for you", "to decide")
    table(
        columns,
        rows,
        empty="There are no queues; `noria review create FILE` or [queues.NAME] in noria.toml makes one.",
        cut=("queue",),
    )


@review.command("show")
@click.argument("queue")
@json_option
@with_api
def show_queue(api: Api, queue: str, as_json: bool) -> None:
    """Show a QUEUE: what it asks, of whom, and how far it is."""
    found = api.get(_path(queue))
    if as_json:
        print_json(found)
        return
    facts(
        {
            "queue": found["name"],
            "about": found["description"],
            "asks": [f"{one['name']} ({one['kind']})" for one in found["form"]],
            "reviews": f"{found['reviews']} an item, {found['assignment'].replace('_', ' ')}",
            "reviewers": found["reviewers"] or "all editors",
            "order": found["order"],
            "progress": {
                name: found["progress"][name] for name in ("open", "disputed", "done", "dropped", "flagged")
            },
            "for you": found["left"],
        }
    )


@review.command("create")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
@with_api
def create_queue(api: Api, file: Path, as_json: bool) -> None:
    """Make the queue that FILE describes, in JSON or TOML: name, form, reviews and more."""
    made = api.post("/api/queues", _read(file))
    if as_json:
        print_json(made)
    else:
        say(f"Queue {made['name']} is there; `noria review add {made['name']}` fills it.")


def _close(api: Api, queue: str, *, closed: bool, as_json: bool) -> None:
    changed = api.patch(_path(queue), {"closed": closed})
    if as_json:
        print_json(changed)
        return
    say(f"Queue {queue} is {'closed' if closed else 'open'}.")


@review.command("close")
@click.argument("queue")
@json_option
@with_api
def close_queue(api: Api, queue: str, as_json: bool) -> None:
    """Close a QUEUE: nobody answers any more, and what was answered is kept."""
    _close(api, queue, closed=True, as_json=as_json)


@review.command("open")
@click.argument("queue")
@json_option
@with_api
def open_queue(api: Api, queue: str, as_json: bool) -> None:
    """Open a closed QUEUE again."""
    _close(api, queue, closed=False, as_json=as_json)


def _sources(command: Command) -> Command:
    added = (
        click.option("--spans", metavar="FILTER", help='Traces, such as "feedback:down"; "" is all.'),
        click.option("--from", "start", default="-7d", show_default=True, help="Of the traces."),
        click.option("--to", "end", default="now", show_default=True, help="Likewise."),
        click.option("--dataset", help="Examples of a dataset: NAME or NAME@VERSION."),
        click.option("--split", default="", help="Only this split of the dataset."),
        click.option("--run", help="Answers of an evaluation run, by its id."),
        click.option("--against", default="", help="A second run: pairs of answers to compare."),
        click.option(
            "--only",
            type=click.Choice(["all", "failed", "disagreement"]),
            default="all",
            help="Which answers of the run.",
        ),
        click.option("--file", type=click.Path(path_type=Path, exists=True), help="Items, as JSON Lines."),
        click.option("--limit", type=int, help="At most so many."),
        click.option("--assign", multiple=True, help="To whom, by id or e-mail; repeatable."),
    )
    for add in reversed(added):
        command = add(command)
    return command


@review.command("add")
@click.argument("queue")
@_sources
@json_option
@with_api
def add_items(api: Api, queue: str, as_json: bool, **given: Any) -> None:
    """Put traces, examples, answers of a run, or a file's items into a QUEUE."""
    found = api.post(f"{_path(queue)}/items", {**_wanted(given), "assign": list(given["assign"])})
    if as_json:
        print_json(found)
        return
    left_out = "".join(f" {count} left out: {reason}." for reason, count in found["reasons"].items())
    say(f"{found['added']} items added, {found['known']} were there already.{left_out}")


@review.command("next")
@click.argument("queue")
@click.option("--decide", is_flag=True, help="A dispute of others, instead.")
@json_option
@with_api
def next_item(api: Api, queue: str, decide: bool, as_json: bool) -> None:
    """Take the next item of a QUEUE and print it."""
    part = "adjudication" if decide else "review"
    turn = api.post(f"{_path(queue)}/next", {"part": part})
    if as_json:
        print_json(turn)
        return
    if turn["item"] is None:
        say("Nothing is left for you here.")
        return
    _print_item(turn["item"])
    say(f"{turn['left']} left for you. The turn is yours until it ends, {ago(turn['until_ms'])}.")


@review.command("answer")
@click.argument("queue")
@click.argument("item")
@click.argument("answers", nargs=-1, metavar="QUESTION=VALUE...")
@click.option("--comment", default="", help="Anything to add.")
@click.option("--decide", is_flag=True, help="Decide a dispute of others.")
@json_option
@with_api
def answer_item(
    api: Api, queue: str, item: str, answers: tuple[str, ...], comment: str, decide: bool, as_json: bool
) -> None:
    """Answer an ITEM of a QUEUE, or change the answer. A value is JSON where it can be read so, else text."""
    verb = "adjudicate" if decide else "answer"
    body = {"answers": _answers(answers), "comment": comment}
    done = api.post(f"{_path(queue)}/items/{quote(item, safe='')}/{verb}", body)
    if as_json:
        print_json(done)
    else:
        say(f"Item {done['number']} is answered.")


@review.command("agreement")
@click.argument("queue")
@json_option
@with_api
def show_agreement(api: Api, queue: str, as_json: bool) -> None:
    """How far the reviewers of a QUEUE agree beyond chance, over its closed items."""
    found = api.get(f"{_path(queue)}/agreement")
    if as_json:
        print_json(found)
        return
    say(f"{found['items']} closed items, {found['disputed']} of them disputed.")
    rows = [
        (
            one["question"],
            one["items"],
            one["reviewers"],
            _interval(one["exact"]),
            _interval(one["alpha"]),
            _interval(one["cohen"] or one["fleiss"]),
        )
        for one in found["questions"]
    ]
    columns = ("question", "items", "reviewers", "all agree", "Krippendorff's alpha", "kappa")
    table(columns, rows, empty="The form asks nothing that can be compared.")
    if found["reviewers"]:
        click.echo()
        people = [
            (one["name"], one["reviews"], _interval(one["agree"]), f"{one['seconds']:.0f} s")
            for one in found["reviewers"]
        ]
        table(("reviewer", "reviews", "as settled", "median time"), people, empty="")


@review.command("export")
@click.argument("queue")
@click.option("--format", "form", type=FORMATS, default="answers", show_default=True, help="What for.")
@click.option("--question", default="", help="Whose labels to calibrate a judge on.")
@click.option("--dataset", help="Into this dataset, as a new version, instead of printing.")
@with_api
def export_reviews(api: Api, queue: str, form: str, question: str, dataset: str | None) -> None:
    """Print a QUEUE's closed items as JSON Lines, or put them into a dataset."""
    if dataset is None:
        click.echo(api.text(f"{_path(queue)}/export", format=form, question=question), nl=False)
        return
    made = api.post(f"{_path(queue)}/dataset", {"name": dataset, "question": question})
    say(f"Version {made['version']} of {dataset} holds {made['examples']} examples.")


def _path(queue: str) -> str:
    return f"/api/queues/{quote(queue, safe='')}"


def _read(file: Path) -> Any:
    import tomllib

    try:
        return tomllib.loads(file.read_text()) if file.suffix == ".toml" else json.loads(file.read_text())
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is neither JSON nor TOML: {error}.") from None


def _wanted(given: Mapping[str, Any]) -> dict[str, Any]:
    limit = {} if given["limit"] is None else {"limit": given["limit"]}
    chosen = [name for name in ("spans", "dataset", "run", "file") if given[name] is not None]
    if len(chosen) != 1:
        raise UserError("Give exactly one of --spans, --dataset, --run and --file.")
    if given["spans"] is not None:
        return {"spans": {"q": given["spans"], "start": given["start"], "end": given["end"], **limit}}
    if given["dataset"] is not None:
        name, _, version = given["dataset"].partition("@")
        number = {"version": int(version)} if version.isdigit() else {}
        return {"dataset": {"name": name, "split": given["split"], **number, **limit}}
    if given["run"] is not None:
        return {"run": {"id": given["run"], "against": given["against"], "only": given["only"], **limit}}
    lines = [line for line in given["file"].read_text().splitlines() if line.strip()]
    try:
        return {"items": [json.loads(line) for line in lines]}
    except ValueError as error:
        raise UserError(f"{given['file']} is not JSON Lines: {error}.") from None


def _answers(given: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"An answer is QUESTION=VALUE, which {text!r} is not.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _print_item(item: Mapping[str, Any]) -> None:
    click.echo(click.style(f"Item {item['number']}  {item['id']}", bold=True))
    click.echo(_short(json.dumps(item["input"], ensure_ascii=False, indent=2)))
    for letter, output in zip("AB", item["outputs"], strict=False):
        click.echo()
        click.echo(click.style(f"Output {letter}" if len(item["outputs"]) > 1 else "Output", bold=True))
        click.echo(_short(output["text"]))
    for one in item["reviews"]:
        click.echo()
        click.echo(plain(f"{one['reviewer_name']}: {json.dumps(one['answers'], ensure_ascii=False)}"))


def _short(text: str) -> str:
    shown = "\n".join(plain(line) for line in text[:SHOWN].splitlines())
    return shown + (f"\n… {len(text):,} characters in all" if len(text) > SHOWN else "")


def _interval(found: Mapping[str, Any] | None) -> str:
    if found is None or found["estimate"] is None:
        return "-" if found is None else found["method"]
    if found["low"] is None:
        return f"{found['estimate']:.2f} ({found['method']})"
    return f"{found['estimate']:.2f} ({found['low']:.2f} to {found['high']:.2f})"
