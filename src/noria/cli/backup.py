"""`noria backup` and `noria restore`: everything, taken while it runs, and brought back."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from noria.cli.options import config_option
from noria.cli.output import json_option, print_json, say
from noria.cli.quantities import duration, size

if TYPE_CHECKING:
    from noria.storage.backup_archive import Manifest


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@json_option
def backup(file: Path, path: Path, as_json: bool) -> None:
    """Copy everything to FILE, while it runs: an archive where it ends in .tar.zst, else a folder.

    It holds the databases, what the spool has not given up yet, blobs, noria.toml, and the secret under
    which keys are hashed: it is as secret as the state folder. Weights, logs and the secrets that noria.toml
    refers to are not in it.
    """
    from noria.runtime.backup import back_up

    begun = time.monotonic()
    manifest = back_up(path, file, report=_report)
    _tell(manifest, file, as_json=as_json)
    took = duration((time.monotonic() - begun) * 1000)
    say(f"Backed up to {file} in {took}; keep it as secret as the state.")
    for words in manifest.left_out:
        say(f"not in it: {words}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--to", "target", type=click.Path(path_type=Path), required=True, help="A folder that is new or empty."
)
@json_option
def restore(file: Path, target: Path, as_json: bool) -> None:
    """Verify the backup FILE and bring it back as a folder from which `noria up` starts."""
    from noria.runtime.backup import restore as bring_back

    manifest = bring_back(file, target)
    _tell(manifest, target, as_json=as_json)
    say(f"Restored to {target}; start it with `cd {target} && noria up`.")
    if os.environ.get("NORIA_HOME"):
        say("Unset NORIA_HOME first: the restored state is in .noria beside noria.toml.")


def _report(what: str) -> None:
    if sys.stderr.isatty():
        say(click.style(f"  {what}", dim=True))


def _tell(manifest: Manifest, place: Path, *, as_json: bool) -> None:
    import msgspec

    if as_json:
        print_json({"path": str(place), **msgspec.to_builtins(manifest)})
        return
    calls = sum(
        (file.rows or {}).get("spans", 0) for file in manifest.files if file.name.startswith("state/spans/")
    )
    versions = manifest.rows("noria.db").get("config_versions", 0)
    segments = sum(file.name.endswith(".seg") for file in manifest.files)
    click.echo(
        f"{len(manifest.files)} files, {size(manifest.size)}: {calls:,} spans, {versions} config versions, "
        f"{segments} spool segments; of {manifest.begun}, schema {manifest.schema}"
    )
