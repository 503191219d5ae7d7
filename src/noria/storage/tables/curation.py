"""Builds of datasets, and the vault of personal data that was replaced by tokens."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from noria.storage.tables.metadata import METADATA, Json

curation_runs = Table(
    "curation_runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("source", Json, nullable=False),
    Column("steps", Json, nullable=False),
    Column("workers", Integer, nullable=False),
    Column("job", Text, nullable=False),
    Column("given", BigInteger),
    Column("left", BigInteger),
    Column("counts", Json, nullable=False),
    Column("version", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=False),
)
Index(None, curation_runs.c.project, curation_runs.c.dataset)

curation_tokens = Table(
    "curation_tokens",
    METADATA,
    Column("project", Text, primary_key=True),
    Column("token", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
