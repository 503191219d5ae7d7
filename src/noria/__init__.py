"""Noria: a self-hosted LLMOps platform."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from noria.client import AsyncNoria, Noria, about
    from noria.client.instrument import instrument
    from noria.client.traced import trace

__version__ = "0.1.0"

__all__ = ["AsyncNoria", "Noria", "__version__", "about", "instrument", "trace"]

_HOMES = {
    "AsyncNoria": "noria.client",
    "Noria": "noria.client",
    "about": "noria.client.about",
    "instrument": "noria.client.instrument",
    "trace": "noria.client.traced",
}
"""Imported when first asked for: `import noria` stays light."""


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'noria' has no attribute {name!r}")
    return getattr(import_module(home), name)
