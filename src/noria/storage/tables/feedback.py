"""Feedback as it stands, and what each was before it was revised."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text

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
    Column("session", Text, nullable=False),
    Column("episode", Text, nullable=False),
    Column("given", Text),
    Column("source", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("metadata", Json, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("revised_ms", BigInteger, nullable=False),
    Column("retracted", Boolean, nullable=False),
    # The value as a number and as a word, to be compared in SQL.
    Column("number", Float),
    Column("word", Text),
)
Index(None, feedback.c.project, feedback.c.trace)
Index("ix_feedback_created", feedback.c.project, feedback.c.created_ms)
Index("ix_feedback_session", feedback.c.project, feedback.c.session)
Index("uq_feedback_given", feedback.c.project, feedback.c.given, unique=True)

feedback_history = Table(
    "feedback_history",
    METADATA,
    Column("id", Text, ForeignKey("feedback.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("body", Json, nullable=False),
)
