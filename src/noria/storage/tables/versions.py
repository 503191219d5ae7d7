"""Config versions, immutable; the highest number is the one that runs."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from noria.storage.tables.metadata import METADATA, Json

config_versions = Table(
    "config_versions",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("rolled_back_to", Integer, nullable=False),
    Column("files", Json, nullable=False),
    Column("format", Integer, nullable=False),
    # msgpack of gateway.snapshot.Snapshot, and of the budgets by name.
    Column("snapshot", LargeBinary, nullable=False),
    Column("budgets", LargeBinary, nullable=False),
)
