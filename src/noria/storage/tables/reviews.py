"""Review queues, their items, whose turn it is, and what was answered."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from noria.storage.tables.metadata import METADATA, Json

review_queues = Table(
    "review_queues",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("body", Json, nullable=False),
    UniqueConstraint("project", "name"),
)

review_items = Table(
    "review_items",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("queue", Text, ForeignKey("review_queues.id", ondelete="CASCADE"), nullable=False),
    Column("project", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("trace", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("rank", Float, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("full_ms", BigInteger, nullable=False),
    Column("added_ms", BigInteger, nullable=False),
    Column("content", Json, nullable=False),
    Column("settled", Json),
    UniqueConstraint("queue", "key"),
)
Index(
    "ix_review_items_next",
    review_items.c.queue, review_items.c.state, review_items.c.rank, review_items.c.number,
)  # fmt: skip
Index("ix_review_items_number", review_items.c.queue, review_items.c.number)
Index("ix_review_items_trace", review_items.c.project, review_items.c.trace)

review_turns = Table(
    "review_turns",
    METADATA,
    Column("item", Text, ForeignKey("review_items.id", ondelete="CASCADE"), primary_key=True),
    Column("reviewer", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("queue", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("assigned", Boolean, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)
Index("ix_review_turns_queue", review_turns.c.queue, review_turns.c.reviewer, review_turns.c.state)

reviews = Table(
    "reviews",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("item", Text, ForeignKey("review_items.id", ondelete="CASCADE"), nullable=False),
    Column("queue", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("reviewer_name", Text, nullable=False),
    Column("answers", Json, nullable=False),
    Column("order", Json, nullable=False),
    Column("comment", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("latest", Boolean, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
Index("ix_reviews_item", reviews.c.item)
Index("ix_reviews_reviewer", reviews.c.queue, reviews.c.reviewer, reviews.c.at_ms)

review_flags = Table(
    "review_flags",
    METADATA,
    Column("item", Text, ForeignKey("review_items.id", ondelete="CASCADE"), primary_key=True),
    Column("reviewer", Text, primary_key=True),
    Column("reviewer_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
