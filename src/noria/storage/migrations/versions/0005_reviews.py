"""Tables of reviews; feedback on sessions and episodes, revised and retracted."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _json() -> sa.JSON:
    return sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def _text(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False, **more)


def _whole(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=False, **more)


def _count(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False, **more)


def _yes(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False, **more)


def upgrade() -> None:
    _feedback()
    _queues()
    _work()


def _feedback() -> None:
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.add_column(_text("session", server_default=""))
        batch_op.add_column(_text("episode", server_default=""))
        batch_op.add_column(sa.Column("given", sa.Text(), nullable=True))
        batch_op.add_column(_text("source", server_default="person"))
        batch_op.add_column(_text("user", server_default=""))
        batch_op.add_column(sa.Column("metadata", _json(), nullable=False, server_default="{}"))
        batch_op.add_column(_count("revision", server_default="1"))
        batch_op.add_column(_whole("revised_ms", server_default="0"))
        batch_op.add_column(_yes("retracted", server_default=sa.false()))
        batch_op.add_column(sa.Column("number", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("word", sa.Text(), nullable=True))
        batch_op.create_index("ix_feedback_created", ["project", "created_ms"])
        batch_op.create_index("ix_feedback_session", ["project", "session"])
        batch_op.create_index("uq_feedback_given", ["project", "given"], unique=True)
    _values()
    op.create_table(
        "feedback_history",
        _text("id"),
        _count("revision"),
        sa.Column("body", _json(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["feedback.id"], name=op.f("fk_feedback_history_id_feedback"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", "revision", name=op.f("pk_feedback_history")),
    )


def _values() -> None:
    """What was said before, as numbers and words: thumbs, scores, choices."""
    if op.get_bind().dialect.name == "sqlite":
        kind, number, word = "json_type(value)", "json_extract(value, '$')", "json_extract(value, '$')"
        is_number, is_text, is_true = "IN ('integer', 'real')", "= 'text'", "json_type(value) = 'true'"
        is_thumb = "IN ('true', 'false')"
    else:
        kind, number, word = "jsonb_typeof(value)", "(value #>> '{}')::float8", "value #>> '{}'"
        is_number, is_text, is_true = "= 'number'", "= 'string'", "value = 'true'::jsonb"
        is_thumb = "= 'boolean'"
    op.execute(f"UPDATE feedback SET number = {number} WHERE kind = 'score' AND {kind} {is_number}")
    op.execute(f"UPDATE feedback SET word = {word} WHERE kind = 'choice' AND {kind} {is_text}")
    op.execute(
        f"UPDATE feedback SET number = CASE WHEN {is_true} THEN 1 ELSE 0 END, "
        f"word = CASE WHEN {is_true} THEN 'up' ELSE 'down' END WHERE kind = 'thumb' AND {kind} {is_thumb}"
    )


def _queues() -> None:
    op.create_table(
        "review_queues",
        _text("id"),
        _text("project"),
        _text("name"),
        _yes("closed"),
        sa.Column("body", _json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_queues")),
        sa.UniqueConstraint("project", "name", name=op.f("uq_review_queues_project_name")),
    )
    op.create_table(
        "review_items",
        _text("id"),
        _text("queue"),
        _text("project"),
        _whole("number"),
        _text("key"),
        _text("trace"),
        _text("state"),
        sa.Column("rank", sa.Float(), nullable=False),
        _count("wanted"),
        _count("answered"),
        _whole("full_ms"),
        _whole("added_ms"),
        sa.Column("content", _json(), nullable=False),
        sa.Column("settled", _json(), nullable=True),
        sa.ForeignKeyConstraint(
            ["queue"], ["review_queues.id"], name=op.f("fk_review_items_queue_review_queues"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_items")),
        sa.UniqueConstraint("queue", "key", name=op.f("uq_review_items_queue_key")),
    )  # fmt: skip
    with op.batch_alter_table("review_items", schema=None) as batch_op:
        batch_op.create_index("ix_review_items_next", ["queue", "state", "rank", "number"])
        batch_op.create_index("ix_review_items_number", ["queue", "number"])
        batch_op.create_index("ix_review_items_trace", ["project", "trace"])


def _of_item(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_item_review_items")
    return sa.ForeignKeyConstraint(["item"], ["review_items.id"], name=name, ondelete="CASCADE")


def _work() -> None:
    op.create_table(
        "review_turns",
        _text("item"),
        _text("reviewer"),
        _text("part"),
        _text("queue"),
        _text("name"),
        _text("state"),
        _yes("assigned"),
        _whole("since_ms"),
        _whole("until_ms"),
        _text("reason"),
        _of_item("review_turns"),
        sa.PrimaryKeyConstraint("item", "reviewer", "part", name=op.f("pk_review_turns")),
    )
    with op.batch_alter_table("review_turns", schema=None) as batch_op:
        batch_op.create_index("ix_review_turns_queue", ["queue", "reviewer", "state"])
    op.create_table(
        "reviews",
        _text("id"),
        _count("revision"),
        _text("item"),
        _text("queue"),
        _text("part"),
        _text("reviewer"),
        _text("reviewer_name"),
        sa.Column("answers", _json(), nullable=False),
        sa.Column("order", _json(), nullable=False),
        _text("comment"),
        sa.Column("seconds", sa.Float(), nullable=False),
        _yes("withdrawn"),
        _yes("latest"),
        _whole("at_ms"),
        _of_item("reviews"),
        sa.PrimaryKeyConstraint("id", "revision", name=op.f("pk_reviews")),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index("ix_reviews_item", ["item"])
        batch_op.create_index("ix_reviews_reviewer", ["queue", "reviewer", "at_ms"])
    op.create_table(
        "review_flags",
        _text("item"),
        _text("reviewer"),
        _text("reviewer_name"),
        _text("reason"),
        _whole("at_ms"),
        _of_item("review_flags"),
        sa.PrimaryKeyConstraint("item", "reviewer", name=op.f("pk_review_flags")),
    )
