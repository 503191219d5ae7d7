"""Options that many commands share: which Noria is spoken to, and how times and sizes are given."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from noria.errors import UserError

Command = Callable[..., Any]

config_option: Callable[[Command], Command] = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    envvar="NORIA_CONFIG",
    default=Path("noria.toml"),
    show_default=True,
    help="The noria.toml of the Noria that is meant.",
)
project_option: Callable[[Command], Command] = click.option(
    "--project",
    envvar="NORIA_PROJECT",
    default="default",
    show_default=True,
    help="The project that the command is about.",
)


def with_api(command: Command) -> Command:
    """Give the command an Api as its first argument, and the options that choose it."""

    @functools.wraps(command)
    def run(*arguments: Any, path: Path, project: str, **options: Any) -> Any:
        from noria.cli.alone import reach

        with reach(path, project=project) as api:
            return command(api, *arguments, **options)

    return config_option(project_option(run))


def window_options(start: str) -> Callable[[Command], Command]:
    """`--from` and `--to`, by default from `start` until now."""

    def add(command: Command) -> Command:
        since = click.option(
            "--from",
            "start",
            default=start,
            show_default=True,
            help="ISO 8601 time, or before now: -15m, -1h, -7d.",
        )
        until = click.option("--to", "end", default="now", show_default=True, help="Likewise.")
        return since(until(command))

    return add


def window(start: str, end: str) -> dict[str, str]:
    """The query of a window: a span of time without its sign is one before now, too."""
    found = {"from": start, "to": end}
    return {
        name: f"-{text}" if text[:1].isdigit() and text[-1:] in "smhdw" else text
        for name, text in found.items()
    }


def seconds_of(text: str) -> int:
    """Whole seconds of "30m", "12h" or "30d". Raises UserError."""
    from noria.config.units import seconds

    try:
        return int(seconds(text))
    except ValueError as error:
        raise UserError(f"A span of time {error}.") from None


def pairs(given: tuple[str, ...], *, what: str) -> dict[str, str]:
    """`NAME=VALUE` options as a mapping. Raises UserError."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UserError(f"{what} is given as NAME=VALUE, which {text!r} is not.")
        found[name] = value
    return found
