"""EvalRuns, their examples, answers and judgements. Costs are int64 pico-dollars."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text

from noria.storage.tables.metadata import METADATA, Json

eval_runs = Table(
    "eval_runs",
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
Index(None, eval_runs.c.project, eval_runs.c.name)

eval_examples = Table(
    "eval_examples",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("example", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

eval_answers = Table(
    "eval_answers",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("example", Text, primary_key=True),
    Column("repeat", Integer, primary_key=True, autoincrement=False),
    Column("project", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("failed", Boolean, nullable=False),
    Column("reused", Boolean, nullable=False),
    Column("cost_pico", BigInteger),
    Column("body", LargeBinary, nullable=False),
)
Index(None, eval_answers.c.project, eval_answers.c.key)

eval_judgements = Table(
    "eval_judgements",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("example", Text, primary_key=True),
    Column("repeat", Integer, primary_key=True, autoincrement=False),
    Column("scorer", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("reused", Boolean, nullable=False),
    Column("scores", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("cost_pico", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index(None, eval_judgements.c.project, eval_judgements.c.key)
