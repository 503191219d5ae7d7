"""Feedback on traces and spans."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from noria.storage.tables.metadata import METADATA, Json

feedback = Table(
    "feedback",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("trace", Text, nullable=False),
    Column("span", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Json),
    Column("comment", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
Index(None, feedback.c.project, feedback.c.trace)
