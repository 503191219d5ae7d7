"""noria.toml from what other gateways' users have; what cannot be carried over is listed, with a reason."""

from noria.config.importers.draft import Converted, Lost
from noria.config.importers.litellm import from_litellm
from noria.config.importers.tensorzero import from_tensorzero

__all__ = ["Converted", "Lost", "from_litellm", "from_tensorzero"]
