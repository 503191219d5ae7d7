"""Noria's spans for other backends, over OTLP."""

from noria.exporters.otlp import encode
from noria.exporters.post import Posted, Poster
from noria.exporters.target import Target

__all__ = ["Posted", "Poster", "Target", "encode"]
