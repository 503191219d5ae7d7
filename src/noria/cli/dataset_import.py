"""`noria dataset import`: files, folders and spans into a dataset."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from noria.cli.api import Api
from noria.cli.dataset import shares_of
from noria.cli.options import pairs, window, window_options, with_api
from noria.cli.output import json_option, print_json, say
from noria.errors import UserError

_LOOK = 0.3
_SHOWN = 10
"""Problems that are told without --problems."""
_FORMATS = click.Choice(["jsonl", "json", "csv", "tsv", "parquet", "arrow", "text"])


@click.command("import")
@click.argument("name")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--input", "inputs", multiple=True, help="A column of the input, or VARIABLE=COLUMN; repeatable."
)
@click.option("--expected", default="", help="The column with the expected answer.")
@click.option("--metadata", "kept", multiple=True, help="Columns to keep; left out: all others. Repeatable.")
@click.option("--tags", "tag_columns", multiple=True, help="A column whose values become tags; repeatable.")
@click.option("--tag", "tags", multiple=True, help="A tag for every example; repeatable.")
@click.option("--group", default="", help="The column that says what belongs together.")
@click.option(
    "--id", "id", default="", help="The column with ids; '#': file and line; left out: of the content."
)
@click.option("--format", "format", type=_FORMATS, help="Where the files' names do not tell.")
@click.option("--parallel", multiple=True, help="COLUMN=FILE: plain texts line by line together; repeatable.")
@click.option("--spans", "spans", help="A filter: an example of each trace that it finds, instead of files.")
@window_options("-1d")
@click.option(
    "--limit", default=1000, show_default=True, type=click.IntRange(1, 100_000), help="Most traces."
)
@click.option("--split", "splits", multiple=True, help="NAME=SHARE, such as train=0.8; repeatable.")
@click.option("--replace", is_flag=True, help="Delete examples that the files do not have.")
@click.option("--problems", is_flag=True, help="Tell every record that was left out (the first 1,000).")
@click.option("-m", "--comment", default="", help="Kept with the version.")
@json_option
@with_api
def import_dataset(api: Api, name: str, files: tuple[Path, ...], **given: Any) -> None:
    """Import FILES (JSON Lines, JSON, CSV, TSV, Parquet, Arrow, text) or Hugging Face folders into NAME.

    Without FILES it imports what [datasets.NAME] of the noria.toml that runs says. Files in Noria's own form
    and chats (OpenAI's fine-tuning files, ShareGPT) need no columns to be named. What cannot be read is left
    out, counted and told; the rest goes in. Importing the same again makes no new version.
    """
    path = f"/api/datasets/{quote(name, safe='')}"
    if given["spans"] is not None:
        asked = {"q": given["spans"], "limit": given["limit"], "tags": list(given["tags"])}
        body = {**asked, "comment": given["comment"]}
        done = api.post(f"{path}/import-spans", body, **window(given["start"], given["end"]))
    else:
        done = api.post(f"{path}/import-local", _body(files, given))
    report = done["report"] or _followed(api, path, done["job"], said=not given["as_json"])
    if given["as_json"]:
        print_json(report)
    else:
        _tell(name, report, every=given["problems"])


def _body(files: tuple[Path, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    sources: list[dict[str, Any]] = [
        {"path": str(file.absolute()), "format": given["format"] or "", "tags": list(given["tags"])}
        for file in files
    ]
    if given["parallel"]:
        columns = pairs(given["parallel"], what="A parallel file")
        paths = {column: str(Path(path).absolute()) for column, path in columns.items()}
        sources.append({"parallel": paths, "tags": list(given["tags"])})
    body: dict[str, Any] = {"sources": sources, "replace": given["replace"], "comment": given["comment"]}
    if not sources:
        named = [
            name for name in ("inputs", "expected", "kept", "tag_columns", "tags", "splits") if given[name]
        ]
        if named:
            raise UserError("Name the files; without them columns and splits are those of noria.toml.")
        return body
    mapping: dict[str, Any] = {name: given[name] for name in ("expected", "group", "id") if given[name]}
    if given["inputs"]:
        mapping["input"] = _columns(given["inputs"])
    if given["kept"]:
        mapping["metadata"] = _columns(given["kept"])
    if given["tag_columns"]:
        mapping["tags"] = list(given["tag_columns"])
    body["mapping"] = mapping
    if given["splits"]:
        body["splits"] = shares_of(given["splits"])
    return body


def _columns(given: tuple[str, ...]) -> dict[str, str]:
    """`NAME=COLUMN`, or a column under its own name."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, column = text.partition("=")
        found[name] = column if equals else name
    return found


def _followed(api: Api, path: str, job: str, *, said: bool) -> Any:
    """The report of an import that goes on as a job."""
    shown = sys.stderr.isatty() and said
    while True:
        found = api.get(f"/api/jobs/{job}")
        if shown and found["done"] is not None:
            sys.stderr.write(f"\r{found['done']:,} records read")
            sys.stderr.flush()
        if found["state"] not in ("queued", "running"):
            break
        time.sleep(_LOOK)
    if shown:
        sys.stderr.write("\n")
    if found["state"] != "done":
        raise UserError(f"The import is {found['state']}: {found['message']}")
    id = found["subject"].rpartition(" ")[2]
    return next(one["report"] for one in api.get(f"{path}/imports")["items"] if one["id"] == id)


def _tell(name: str, report: Mapping[str, Any], *, every: bool) -> None:
    if report["bad"]:
        shown = report["problems"] if every else report["problems"][:_SHOWN]
        for one in shown:
            say(f"{one['file']}, line {one['line']}: {one['reason']}")
        left = report["bad"] - len(shown)
        more = f", {left:,} of them not shown" if left else ""
        say(f"{report['bad']:,} of {report['read']:,} records were left out{more}.")
    if report["repeated"]:
        say(
            f"{report['repeated']:,} records have the id of another; of those the last counts. "
            "`--id '#'` keeps records of equal content apart."
        )
    if not report["made"]:
        say(f"Nothing is new: version {report['version']} of {name} has these examples already.")
        return
    changes = ", ".join(f"{report[what]:,} {what}" for what in ("created", "patched", "deleted"))
    say(f"Version {report['version']} of {name}: {report['examples']:,} examples ({changes}).")
