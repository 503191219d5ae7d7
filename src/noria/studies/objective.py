"""What an objective is: `objective.<type>` makes one where a study runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import msgspec

from noria.studies.parameter import Values
from noria.studies.trial import Outcome, Trial

Objective = Callable[[Values, Trial], Awaitable[float | Outcome]]
"""Raises NoriaError where nothing can be measured: the trial has failed, the study goes on."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a study runs."""

    home: str
    """The data folder."""
    folder: str
    """noria.toml's."""
    project: str
    study: str
    """Its id."""
    by: str
    by_name: str


class Factory(Protocol):
    """Entry point `objective.<type>`. Raises ConfigError where the arguments are wrong."""

    def __call__(self, place: Place, arguments: dict[str, Any]) -> AbstractAsyncContextManager[Objective]: ...
