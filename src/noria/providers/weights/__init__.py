"""Weights on this machine: `pull`, `find`, `listed`, `remove`."""

from noria.providers.weights.cache import Stored, find, listed, remove
from noria.providers.weights.f16 import export_f16
from noria.providers.weights.fetch import Progress
from noria.providers.weights.pull import pull

__all__ = ["Progress", "Stored", "export_f16", "find", "listed", "pull", "remove"]
