"""Datasets: their versions, and the log of revisions that the versions pin.

A commit writes rows of the log under a number of its own; a version pins the highest number that it sees. The
rows of a commit that has not ended (or was killed) are seen by nobody, since its number is listed as open.
Bodies are shared by all datasets and counted: one that no row of the log names any more is deleted.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from noria.storage.tables.metadata import METADATA, Json

_Id = Text().with_variant(Text(collation="C"), "postgresql")
"""Ordered by code points on both engines."""

datasets = Table(
    "datasets",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("project", Text, nullable=False),
    # The id, once it is being deleted: the name is free again before the examples are gone.
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("tags", Json, nullable=False),
    Column("schema", Json, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("latest", Integer, nullable=False),
    # Of versions there were: a number is never used twice.
    Column("versions", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    UniqueConstraint("project", "name"),
)

dataset_commits = Table(
    "dataset_commits",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("dataset", Integer, nullable=False),
    # Open until its version is there; null afterwards.
    Column("touched_ms", BigInteger),
    # Host, process and a word of that process: whether whoever writes it lives.
    Column("owner", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index(None, dataset_commits.c.dataset, dataset_commits.c.touched_ms)

dataset_versions = Table(
    "dataset_versions",
    METADATA,
    Column("dataset", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("commit", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("examples", BigInteger, nullable=False),
    Column("schema", Json, nullable=False),
    Column("splits", Json, nullable=False),
    # Pairs, since JSONB does not keep the order of names.
    Column("shares", Json, nullable=False),
    Column("lineage", Json, nullable=False),
    Column("comment", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("golden", Text, nullable=False),
    Column("golden_name", Text, nullable=False),
    Column("golden_ms", BigInteger, nullable=False),
)

example_log = Table(
    "example_log",
    METADATA,
    Column("dataset", Integer, primary_key=True, autoincrement=False),
    Column("example", _Id, primary_key=True),
    Column("commit", Integer, primary_key=True, autoincrement=False),
    # Null: deleted.
    Column("revision", LargeBinary),
    # Where the example falls among the splits: the first 32 bits of a hash.
    Column("bucket", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

example_bodies = Table(
    "example_bodies",
    METADATA,
    Column("revision", LargeBinary, primary_key=True),
    # JSON of the Example without its id, zstd; sealed where payloads are encrypted.
    Column("body", LargeBinary, nullable=False),
    # Rows of the log that name it.
    Column("uses", BigInteger, nullable=False),
)

dataset_imports = Table(
    "dataset_imports",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("dataset", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("report", Json, nullable=False),
)
Index(None, dataset_imports.c.dataset)
