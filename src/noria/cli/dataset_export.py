"""`noria dataset export`: a dataset as a file."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import click

from noria.cli.api import Api
from noria.cli.dataset import split_option, version_option
from noria.cli.options import with_api
from noria.cli.output import say

_PLAIN = ("jsonl", "csv", "parquet")
"""Formats that can hold every example."""
_FORMATS = click.Choice([*_PLAIN, "chat", "prompt-completion", "preference", "unpaired", "eval"])


@click.command("export")
@click.argument("name")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "format",
    type=_FORMATS,
    help="Left out: as the file's name ends, else jsonl.",
)
@version_option
@split_option
@click.option(
    "--text", default="", help="The field of the input that is the prompt, where there are several."
)
@with_api
def export_dataset(
    api: Api, name: str, file: Path | None, format: str | None, version: str, split: str, text: str
) -> None:
    """Write the examples of NAME to FILE, or to stdout.

    jsonl, csv and parquet hold all and come back equal. chat is what OpenAI's fine-tuning reads; trainers
    such as TRL read prompt-completion, preference and unpaired; eval is the form of Inspect's samples.
    Examples that such a format cannot hold are left out, with their reasons on stderr.
    """
    ending = file.suffix.removeprefix(".") if file else ""
    chosen = format or (ending if ending in _PLAIN else "jsonl")
    asked = {"format": chosen, "version": version, "split": split, "text": text}
    path = f"/api/datasets/{quote(name, safe='')}/export"
    chunks = api.chunks(path, **asked)
    if file is None:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    else:
        # Whole or not at all.
        descriptor, aside = tempfile.mkstemp(prefix=file.name, dir=file.absolute().parent)
        try:
            with os.fdopen(descriptor, "wb") as out:
                for chunk in chunks:
                    out.write(chunk)
            Path(aside).replace(file)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
    if chosen not in _PLAIN:
        _tell(api, path, asked)


def _tell(api: Api, path: str, asked: dict[str, str]) -> None:
    left = api.get(f"{path}/check", **asked)
    for reason, count in left["reasons"].items():
        say(f"{count:,} examples were left out (such as {left['example'][reason]}): {reason}")
    say(f"{left['written']:,} examples were written as {left['rows']:,} rows.")
