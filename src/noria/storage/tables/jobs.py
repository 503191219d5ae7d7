"""Jobs as people see them; jobs.db holds what resumes them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from noria.storage.tables.metadata import METADATA, Json

jobs = Table(
    "jobs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("arguments", Json, nullable=False),
    Column("state", Text, nullable=False),
    Column("done", BigInteger),
    Column("total", BigInteger),
    Column("unit", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)
Index(None, jobs.c.project, jobs.c.state)
