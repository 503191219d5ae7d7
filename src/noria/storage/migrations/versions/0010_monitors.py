"""Tables of monitors and alerts."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _json(name: str) -> sa.Column[Any]:
    kind = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
    return sa.Column(name, kind, nullable=False)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _index(table: str, *columns: str) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.create_index(batch_op.f(f"ix_{table}_{'_'.join(columns)}"), list(columns), unique=False)


def upgrade() -> None:
    op.create_table(
        "monitors",
        _text("project"),
        _text("name"),
        _text("digest"),
        _json("spec"),
        _whole("added_ms"),
        _whole("changed_ms"),
        _whole("removed_ms"),
        _json("positions"),
        _whole("looked_ms"),
        _text("problem"),
        _key("monitors", "project", "name"),
    )
    op.create_table(
        "monitor_scores",
        _text("project"),
        _text("trace"),
        _text("span"),
        _text("monitor"),
        _text("name"),
        _text("version"),
        _text("state"),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("word", sa.Text(), nullable=True),
        _text("reason"),
        _text("judged_by"),
        sa.Column("cost_pico", sa.BigInteger(), nullable=True),
        _whole("at_ms"),
        _whole("judged_ms"),
        _key("monitor_scores", "project", "trace", "span", "monitor", "name", "version"),
    )
    _index("monitor_scores", "project", "monitor", "name", "at_ms")
    _index("monitor_scores", "project", "monitor", "judged_ms")
    op.create_table(
        "monitor_rules",
        _text("project"),
        _text("monitor"),
        _text("rule"),
        _text("state"),
        _json("standing"),
        _json("reading"),
        _whole("checked_ms"),
        _whole("muted_ms"),
        _text("alert"),
        _key("monitor_rules", "project", "monitor", "rule"),
    )
    op.create_table(
        "monitor_events",
        _text("id"),
        _text("project"),
        _text("monitor"),
        _text("rule"),
        _text("alert"),
        _text("before"),
        _text("after"),
        _json("reading"),
        _whole("at_ms"),
        _key("monitor_events", "id"),
    )
    _index("monitor_events", "project", "monitor", "at_ms")
    _alerts()


def _alerts() -> None:
    op.create_table(
        "alerts",
        _text("id"),
        _text("project"),
        _text("monitor"),
        _text("rule"),
        _text("worst"),
        _text("state"),
        _json("reading"),
        _whole("opened_ms"),
        _whole("closed_ms"),
        _whole("acknowledged_ms"),
        _text("acknowledged_by"),
        _text("acknowledged_name"),
        _text("comment"),
        _key("alerts", "id"),
    )
    _index("alerts", "project", "closed_ms", "id")
    op.create_table(
        "alert_deliveries",
        _text("id"),
        _text("project"),
        _text("alert"),
        _text("channel"),
        _text("state"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _whole("next_ms"),
        _whole("created_ms"),
        _whole("ended_ms"),
        _text("problem"),
        _text("body"),
        _key("alert_deliveries", "id"),
    )
    _index("alert_deliveries", "state", "next_ms")
    _index("alert_deliveries", "alert")
