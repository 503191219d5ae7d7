"""Virtual keys and budgets."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, LargeBinary, Table, Text

from noria.storage.tables.metadata import METADATA, Json

keys = Table(
    "keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("lookup", Text, nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("routes", Json, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("tags", Json, nullable=False),
    Column("limits", Json, nullable=False),
    Column("budgets", Json, nullable=False),
    Column("capture", Text),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("previous_until", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("revoked_ms", BigInteger, nullable=False),
    Column("rotated_ms", BigInteger, nullable=False),
)
Index(None, keys.c.project)

budgets = Table(
    "budgets",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("amount_nano", BigInteger, nullable=False),
    Column("window", Text, nullable=False),
    Column("hard", Boolean, nullable=False),
    Column("warn_share", Float, nullable=False),
    Column("source", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
