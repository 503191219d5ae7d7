"""A user's own function."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import msgspec

from noria.core.example import Example
from noria.datasets.curation.step import Changed, Drop, Outcome, Tools, Unable, Work, each
from noria.errors import ConfigError


class Map(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Applies a Python function to each example: it returns the example, another of the same id, None or a
    Drop to drop it. Its file lies beside noria.toml, or in the environment of Noria."""

    function: str
    """As `module:function`."""
    arguments: dict[str, Any] = {}
    """Given to it by name, beside the example."""
    failed: Literal["keep", "drop"] = "keep"
    """What becomes of an example for which it raises; either way that is counted and logged."""
    version: ClassVar[str] = "1"

    def open(self, tools: Tools) -> Work:
        function = self._function(str(tools.project.absolute()))

        def judge(example: Example) -> Outcome:
            try:
                found = function(example, **self.arguments)
            except (
                Exception
            ) as error:  # The function is a stranger's, and one bad example must not end the run.
                details = {"error": f"{type(error).__name__}: {error}"[:500]}
                return Drop("failed", details) if self.failed == "drop" else Unable("failed", details)
            if found is None:
                return Drop("mapped away")
            if isinstance(found, Example | Changed | Drop | Unable):
                return found
            return Unable("no example", {"returned": type(found).__name__})

        return each(judge)

    def _function(self, folder: str) -> Callable[..., Any]:
        module, _, name = self.function.partition(":")
        if folder not in sys.path:
            sys.path.insert(0, folder)
        try:
            found = importlib.import_module(module)
            for part in name.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigError(
                f"`function` must be a module:function to import; {self.function!r} is not ({error})."
            ) from None
        if not callable(found):
            raise ConfigError(f"{self.function!r} is not a function.")
        return found
