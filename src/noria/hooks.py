"""Extension points: entry points of the one group `noria`, named `<kind>.<type>`.

A distribution adds a provider by declaring, in its pyproject.toml:

    [project.entry-points.noria]
    "provider.acme" = "acme_noria:AcmeDialect"

Noria's own parts are declared in the same way, so that a stranger's plugin and a built-in are equal.
Each area owns the Protocol of its hook kind; this module only finds and loads.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from noria.errors import ConfigError

GROUP = "noria"


@cache
def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def names(kind: str) -> list[str]:
    """The types installed for `kind`, sorted."""
    prefix = kind + "."
    return sorted(name.removeprefix(prefix) for name in _found() if name.startswith(prefix))


def load(kind: str, type: str) -> Any:
    """The object registered as `<kind>.<type>`; ConfigError names what is installed otherwise."""
    point = _found().get(f"{kind}.{type}")
    if point is None:
        known = ", ".join(names(kind)) or "none"
        raise ConfigError(f"No {kind} of type {type!r} is installed (installed: {known}).")
    return point.load()
