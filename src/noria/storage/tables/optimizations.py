"""Optimizations of prompts, and every answer that one has asked for."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from noria.storage.tables.metadata import METADATA, Json

optimizations = Table(
    "optimizations",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("spec", Json, nullable=False),
    Column("result", Json),
    Column("by", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=False),
)
Index(None, optimizations.c.project, optimizations.c.prompt)

optimization_answers = Table(
    "optimization_answers",
    METADATA,
    Column("optimization", Text, primary_key=True),
    Column("candidate", Text, primary_key=True),
    Column("example", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
