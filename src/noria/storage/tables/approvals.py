"""Approvals."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from noria.storage.tables.metadata import METADATA, Json

approvals = Table(
    "approvals",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("details", Json, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_by_name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_by_name", Text, nullable=False),
    Column("decided_ms", BigInteger, nullable=False),
    Column("comment", Text, nullable=False),
)
Index(None, approvals.c.project, approvals.c.state)
