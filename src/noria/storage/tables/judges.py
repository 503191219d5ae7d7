"""Calibrations of judges, and the verdicts that they are made of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text

from noria.storage.tables.metadata import METADATA

judge_calibrations = Table(
    "judge_calibrations",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("judge", Text, nullable=False),
    Column("identity", Text, nullable=False),
    # JSON as text: what a model has said may hold characters that JSONB refuses.
    Column("spec", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("split", Text, nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("threshold", Float),
    Column("reading", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("measured", Text),
    Column("by", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=False),
)
Index(None, judge_calibrations.c.project, judge_calibrations.c.judge)

judge_verdicts = Table(
    "judge_verdicts",
    METADATA,
    Column("calibration", Text, ForeignKey("judge_calibrations.id", ondelete="CASCADE"), primary_key=True),
    Column("example", Text, primary_key=True),
    Column("repeat", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
