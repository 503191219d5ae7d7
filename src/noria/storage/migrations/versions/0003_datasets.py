"""Tables of datasets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _json() -> sa.JSON:
    return sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")


def upgrade() -> None:
    op.create_table(
        "datasets",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("tags", _json(), nullable=False),
        sa.Column("schema", _json(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("latest", sa.Integer(), nullable=False),
        sa.Column("versions", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_datasets")),
        sa.UniqueConstraint("id", name=op.f("uq_datasets_id")),
        sa.UniqueConstraint("project", "name", name=op.f("uq_datasets_project_name")),
    )
    op.create_table(
        "dataset_commits",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.Integer(), nullable=False),
        sa.Column("touched_ms", sa.BigInteger(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_dataset_commits")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("dataset_commits", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_dataset_commits_dataset_touched_ms"), ["dataset", "touched_ms"], unique=False
        )
    op.create_table(
        "dataset_versions",
        sa.Column("dataset", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("commit", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("examples", sa.BigInteger(), nullable=False),
        sa.Column("schema", _json(), nullable=False),
        sa.Column("splits", _json(), nullable=False),
        sa.Column("shares", _json(), nullable=False),
        sa.Column("lineage", _json(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("golden", sa.Text(), nullable=False),
        sa.Column("golden_name", sa.Text(), nullable=False),
        sa.Column("golden_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "number", name=op.f("pk_dataset_versions")),
    )
    op.create_table(
        "example_log",
        sa.Column("dataset", sa.Integer(), autoincrement=False, nullable=False),
        # Ordered by code points on both engines.
        sa.Column("example", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("commit", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.LargeBinary(), nullable=True),
        sa.Column("bucket", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "example", "commit", name=op.f("pk_example_log")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "example_bodies",
        sa.Column("revision", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_example_bodies")),
    )
    op.create_table(
        "dataset_imports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("report", _json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_imports")),
    )
    with op.batch_alter_table("dataset_imports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dataset_imports_dataset"), ["dataset"], unique=False)
