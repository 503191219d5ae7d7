"""Spans in SQLite: a file a day, one writer, any number of readers."""

from noria.storage.spans.reader import SpanStore
from noria.storage.spans.writer import SpanWriter, day_of

__all__ = ["SpanStore", "SpanWriter", "day_of"]
