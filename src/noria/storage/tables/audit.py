"""The audit log. Triggers made by its migration refuse every change of a row that is there."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from noria.storage.tables.metadata import METADATA

audit_events = Table(
    "audit_events",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("project", Text, nullable=False),
    # Text and not JSON: the hash is over these very bytes.
    Column("details", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
)
Index(None, audit_events.c.act)
Index(None, audit_events.c.subject)
Index(None, audit_events.c.actor)
