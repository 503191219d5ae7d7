"""Prompts, their versions, and the labels with every move that they have made.

`tags` and `owners` are a text with a line each, and an empty one at both ends: one of them is found by LIKE.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from noria.storage.tables.metadata import METADATA, Json

prompts = Table(
    "prompts",
    METADATA,
    Column("project", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("description", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("owners", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("latest", Integer, nullable=False),
)

prompt_versions = Table(
    "prompt_versions",
    METADATA,
    Column("project", Text, primary_key=True),
    Column("prompt", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("parent", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
Index(None, prompt_versions.c.project, prompt_versions.c.prompt, prompt_versions.c.digest)

prompt_label_moves = Table(
    "prompt_label_moves",
    METADATA,
    Column("project", Text, primary_key=True),
    Column("prompt", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("moved_ms", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("gates", Json, nullable=False),
    Column("approval", Text, nullable=False),
)

prompt_labels = Table(
    "prompt_labels",
    METADATA,
    Column("project", Text, primary_key=True),
    Column("prompt", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("moved_ms", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
