"""Monitors: where they stand in the spans, their scores, rules, events, alerts and deliveries.

Costs are int64 pico-dollars.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table, Text

from noria.storage.tables.metadata import METADATA, Json

monitors = Table(
    "monitors",
    METADATA,
    Column("project", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("spec", Json, nullable=False),
    Column("added_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("removed_ms", BigInteger, nullable=False),
    Column("positions", Json, nullable=False),
    Column("looked_ms", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
)

monitor_scores = Table(
    "monitor_scores",
    METADATA,
    Column("project", Text, primary_key=True),
    Column("trace", Text, primary_key=True),
    Column("span", Text, primary_key=True),
    Column("monitor", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("value", Float),
    Column("word", Text),
    Column("reason", Text, nullable=False),
    Column("judged_by", Text, nullable=False),
    Column("cost_pico", BigInteger),
    Column("at_ms", BigInteger, nullable=False),
    Column("judged_ms", BigInteger, nullable=False),
)
Index(None, monitor_scores.c.project, monitor_scores.c.monitor, monitor_scores.c.name, monitor_scores.c.at_ms)
Index(None, monitor_scores.c.project, monitor_scores.c.monitor, monitor_scores.c.judged_ms)

monitor_rules = Table(
    "monitor_rules",
    METADATA,
    Column("project", Text, primary_key=True),
    Column("monitor", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("standing", Json, nullable=False),
    Column("reading", Json, nullable=False),
    Column("checked_ms", BigInteger, nullable=False),
    Column("muted_ms", BigInteger, nullable=False),
    Column("alert", Text, nullable=False),
)

monitor_events = Table(
    "monitor_events",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("monitor", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("alert", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("reading", Json, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
Index(None, monitor_events.c.project, monitor_events.c.monitor, monitor_events.c.at_ms)

alerts = Table(
    "alerts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("monitor", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("worst", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reading", Json, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger, nullable=False),
    Column("acknowledged_ms", BigInteger, nullable=False),
    Column("acknowledged_by", Text, nullable=False),
    Column("acknowledged_name", Text, nullable=False),
    Column("comment", Text, nullable=False),
)
Index(None, alerts.c.project, alerts.c.closed_ms, alerts.c.id)

alert_deliveries = Table(
    "alert_deliveries",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("alert", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
    Column("body", Text, nullable=False),
)
Index(None, alert_deliveries.c.state, alert_deliveries.c.next_ms)
Index(None, alert_deliveries.c.alert)
