"""`noria init`, `noria check`, `noria import` and `noria schema`: what needs no running Noria."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from noria.cli.output import json_option, print_json, say
from noria.config.compile import compile_snapshot
from noria.config.importers import Converted, from_litellm, from_tensorzero
from noria.config.lacking import lacking
from noria.config.load import FILE, Checked
from noria.config.load import check as check_files
from noria.config.mistake import Mistake
from noria.config.schema import json_schema
from noria.config.template import template
from noria.errors import ConfigError, UserError
from noria.models.price import Price

_config = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path(FILE),
    show_default=True,
    help="The root noria.toml, or its folder.",
)
_force = click.option("--force", is_flag=True, help="Write over a file that is there.")


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path(FILE))
@_force
def init(path: Path, force: bool) -> None:
    """Write a commented noria.toml that works, and the schema by which editors check it."""
    path = path / FILE if path.is_dir() else path
    _write(path, template(), force=force)
    state = path.absolute().parent / ".noria"
    state.mkdir(mode=0o700, exist_ok=True)
    (state / "noria.schema.json").write_text(_schema_text(), encoding="utf-8")
    (state / ".gitignore").write_text("*\n", encoding="utf-8")
    say(f"Wrote {path}; `noria up` starts it.")


@click.command()
@_config
@json_option
def check(path: Path, as_json: bool) -> None:
    """Validate noria.toml and all that it includes. Exit code 1 where there are mistakes."""
    checked = check_files(path)
    root = checked.sources[0].path if checked.sources else path
    folder = root.absolute().parent
    mistakes = checked.mistakes or _unpriced(checked, folder)
    warnings = (
        [] if checked.config is None else lacking(checked.config, folder=folder, environment=os.environ)
    )
    digest = None if mistakes or checked.config is None else checked.config.digest
    if as_json:
        listed = [{"file": one.file, "line": one.line or None, "message": one.message} for one in mistakes]
        print_json({"ok": not mistakes, "digest": digest, "mistakes": listed, "warnings": warnings})
    else:
        for mistake in mistakes:
            click.echo(str(mistake))
        for warning in warnings:
            say(f"warning: {warning}")
        say(_verdict(checked, mistakes))
    if mistakes:
        raise click.exceptions.Exit(1)


@click.group("import")
def import_group() -> None:
    """Convert another project's configuration to noria.toml."""


@import_group.command("litellm")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write here instead of to stdout.")
@_force
@json_option
def import_litellm(file: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Convert LiteLLM's config.yaml; what could not be carried over is listed on stderr."""
    _convert(file, output, force=force, as_json=as_json, converter=from_litellm)


@import_group.command("tensorzero")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write here instead of to stdout.")
@_force
@json_option
def import_tensorzero(file: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Convert TensorZero's tensorzero.toml; what could not be carried over is listed on stderr."""
    _convert(file, output, force=force, as_json=as_json, converter=from_tensorzero)


@click.command()
def schema() -> None:
    """Print the JSON Schema of noria.toml."""
    print_json(json_schema())


def _schema_text() -> str:
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str, *, force: bool) -> None:
    if path.exists() and not force:
        raise UserError(f"{path} exists already; name another file, or say --force to write over it.")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from None


def _unpriced(checked: Checked, folder: Path) -> list[Mistake]:
    """What only shows when prices are looked up: a model without one where money is limited."""
    from noria.providers.prices import list_price

    def price(name: str, kind: str) -> Price | None:
        return list_price(kind, name)

    if checked.config is None:
        return []
    try:
        compile_snapshot(checked.config, folder=folder, card=lambda name, kind: None, price=price)
    except ConfigError as error:
        return [Mistake(checked.sources[0].shown, 0, line) for line in str(error).splitlines()]
    return []


def _verdict(checked: Checked, mistakes: list[Mistake]) -> str:
    if mistakes:
        return f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}; nothing was changed."
    assert checked.config is not None
    counts = {
        "route": len(checked.config.routes),
        "provider": len(checked.config.providers),
        "engine": len(checked.config.engines),
    }
    said = ", ".join(f"{number} {noun}{'' if number == 1 else 's'}" for noun, number in counts.items())
    return f"Valid: {said}; {checked.config.digest}."


def _convert(
    file: Path, output: Path | None, *, force: bool, as_json: bool, converter: Callable[..., Converted]
) -> None:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read: {error}.") from None
    converted = converter(text, environment=os.environ)
    if output is not None:
        _write(output, converted.text, force=force)
    if as_json:
        value: dict[str, Any] = {"lost": [{"path": one.path, "reason": one.reason} for one in converted.lost]}
        print_json({"toml": converted.text, **value} if output is None else value)
    else:
        if output is None:
            click.echo(converted.text, nl=False)
        for one in converted.lost:
            say(f"not carried over: {one.path}: {one.reason}")
    place = f" into {output}" if output is not None else ""
    say(f"Converted {file}{place}; {len(converted.lost)} things were not carried over as they were.")
