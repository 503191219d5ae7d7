"""Studies and their trials. Costs are int64 pico-dollars."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from noria.storage.tables.metadata import METADATA, Json

studies = Table(
    "studies",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("spec", Json, nullable=False),
    Column("progress", Json, nullable=False),
    Column("job", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=False),
)
Index(None, studies.c.project, studies.c.name)

study_trials = Table(
    "study_trials",
    METADATA,
    Column("study", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("cost_pico", BigInteger),
    Column("body", LargeBinary, nullable=False),
)
