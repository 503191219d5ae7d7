"""All scorers that are installed, and what each takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import msgspec

from noria import hooks
from noria.scoring.resolve import KIND, asks_models, parameters_of, types


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    type: str
    """As Python writes it."""
    required: bool
    default: Any = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One type of scorer."""

    type: str
    about: str
    """Its first sentence."""
    parameters: tuple[Parameter, ...]
    calls_models: bool


def catalogue() -> list[Entry]:
    """By type."""
    return [_entry(type) for type in types()]


def _entry(type: str) -> Entry:
    factory: Callable[..., Any] = hooks.load(KIND, type)
    words = inspect.getdoc(factory) or ""
    parameters = tuple(
        Parameter(
            name=name,
            type=str(one.annotation) if one.annotation is not inspect.Parameter.empty else "any",
            required=one.default is inspect.Parameter.empty,
            default=None if one.default is inspect.Parameter.empty else msgspec.to_builtins(one.default),
        )
        for name, one in parameters_of(factory).items()
    )
    return Entry(
        type=type,
        about=words.partition("\n\n")[0].replace("\n", " "),
        parameters=parameters,
        calls_models=asks_models(type),
    )
