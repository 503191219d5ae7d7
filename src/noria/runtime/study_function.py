"""Objective "function": a Python callable from the folder of noria.toml."""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from noria.errors import ConfigError
from noria.studies.objective import Objective, Place


@asynccontextmanager
async def function_objective(place: Place, arguments: dict[str, Any]) -> AsyncGenerator[Objective]:
    """Entry point `objective.function`: `async def function(values, trial) -> float`."""
    sys.path.insert(0, place.folder)
    named = str(arguments.get("function", ""))
    module, _, name = named.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"The function {named!r} cannot be loaded ({error}).") from error
    if not inspect.iscoroutinefunction(found):
        raise ConfigError(f"The function {named!r} must be an `async def` that takes values and trial.")
    yield found
