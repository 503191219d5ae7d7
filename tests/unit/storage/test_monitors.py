"""Monitors and alerts in noria.db, on both engines: positions with scores, rounds, people's words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from noria.access.audit import Act
from noria.access.role import SYSTEM
from noria.core.clock import SystemClock
from noria.errors import Conflict, NotFound
from noria.monitoring.alert import Alert, Delivery, Event, RuleState
from noria.monitoring.monitor import Monitor
from noria.monitoring.rule import Reading
from noria.monitoring.score import SpanScore
from noria.monitoring.state import Standing
from noria.scoring.scorer import ScorerSpec
from noria.storage.alerts import AlertTable, Change
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.monitors import MonitorTable

TODAY = date(2026, 5, 1)
ONE = Monitor(project="p", name="m", scorers=(ScorerSpec(type="refusal"),))
ACT = Act(by=SYSTEM, act="test.act", subject="s")


def score(number: int, **values: Any) -> SpanScore:
    found = SpanScore(
        project="p", monitor="m", trace=f"{number:032x}", span=f"{number:016x}", name="refusal", version="1",
        state="scored", value=float(number % 2), at_ms=1000 + number, judged_ms=5000, judged_by="j",
        cost=Decimal("0.000001"),
    )  # fmt: skip
    return msgspec.structs.replace(found, **values)


@pytest.fixture
def monitors(database: Database) -> MonitorTable:
    found = MonitorTable(database)
    found.sync([ONE], positions={TODAY: 7}, now_ms=100)
    return found


def test_what_is_new_begins_behind_what_there_is(monitors: MonitorTable) -> None:
    record = monitors.get("p", "m")
    assert record is not None and record.positions == {TODAY: 7} and record.monitor == ONE
    changed = msgspec.structs.replace(ONE, share=0.5)
    other = msgspec.structs.replace(ONE, name="n")
    monitors.sync([changed, other], positions={TODAY: 9}, now_ms=200)
    record, second = monitors.all("p")
    assert (record.added_ms, record.changed_ms, record.positions) == (100, 200, {TODAY: 7})
    assert second.positions == {TODAY: 9}
    monitors.sync([], positions={}, now_ms=300)
    assert monitors.all() == []
    monitors.sync([ONE], positions={TODAY: 20}, now_ms=400)
    record = monitors.get("p", "m")
    assert record is not None and (record.added_ms, record.positions) == (400, {TODAY: 20})


def test_scores_and_the_position_are_one(monitors: MonitorTable) -> None:
    monitors.looked(ONE, TODAY, 9, [score(1), score(2)], now_ms=50)
    with pytest.raises(Conflict):
        monitors.looked(ONE, TODAY, 12, [score(3), score(2)], now_ms=60)
    record = monitors.get("p", "m")
    assert record is not None and record.positions == {TODAY: 9}
    assert monitors.of_trace("p", f"{3:032x}") == []
    spans = [(f"{number:032x}", f"{number:016x}") for number in (1, 2, 3)]
    assert monitors.known(ONE, spans) == set(spans[:2])
    assert monitors.of_trace("p", spans[0][0]) == [score(1)]
    assert monitors.spent_since(ONE, 0) == Decimal("0.000002") and monitors.spent_since(ONE, 5000) == 0
    assert monitors.judged_since(ONE, 0) == [5000, 5000]
    assert monitors.outcomes("p", since_ms=0) == {"m": {"scored": 2}}


def test_moments_are_exact_also_far_from_zero(monitors: MonitorTable) -> None:
    values = [1e6 + number * 0.25 for number in range(8)]
    rows = [score(number, value=value) for number, value in enumerate(values)]
    rows += [score(8, state="failed", value=None), score(9, state="limited", value=None)]
    monitors.looked(ONE, TODAY, 9, rows, now_ms=50)
    [first, second, third] = monitors.moments("p", "m", "refusal", start_ms=1000, end_ms=1010, step_ms=4)
    assert (first.step, first.n, second.n, third.n, third.failed) == (0, 4, 4, 0, 1)
    assert third.mean is None
    mean = sum(values[:4]) / 4
    assert first.mean == pytest.approx(mean, rel=1e-15)
    assert first.squares == pytest.approx(sum((value - mean) ** 2 for value in values[:4]), rel=1e-9)
    assert second.squares == pytest.approx(first.squares, rel=1e-9)
    assert monitors.moments("p", "m", "other", start_ms=0, end_ms=9, step_ms=1) == []


def test_old_scores_and_erased_ones_go(monitors: MonitorTable) -> None:
    monitors.looked(ONE, TODAY, 9, [score(number) for number in range(1200)], now_ms=50)
    monitors.erase("p", [f"{number:032x}" for number in range(600)])
    assert monitors.prune(1000 + 900) == 300
    assert len(monitors.known(ONE, [(f"{number:032x}", f"{number:016x}") for number in range(1200)])) == 300


def change(state: str, *, alert: Alert | None = None, **values: Any) -> Change:
    standing = Standing(state=state, since_ms=1)  # pyright: ignore[reportArgumentType]
    rule = RuleState(
        project="p", monitor="m", rule="r", standing=standing, reading=Reading(value=0.5, n=9), checked_ms=10,
        alert="" if alert is None or alert.closed_ms else alert.id,
    )  # fmt: skip
    return Change(state=rule, alert=alert, **values)


def alert_of(**values: Any) -> Alert:
    found = Alert(
        id="alert_1", project="p", monitor="m", rule="r", worst="alert", state="alert",
        reading=Reading(value=0.5, n=9), opened_ms=10,
    )  # fmt: skip
    return msgspec.structs.replace(found, **values)


@pytest.fixture
def alerts(database: Database) -> AlertTable:
    return AlertTable(database, AuditLog(database, SystemClock()))


def test_a_round_is_kept_whole_and_what_people_said_stays(alerts: AlertTable) -> None:
    event = Event(
        id="mev_1", project="p", monitor="m", rule="r", alert="alert_1", before="ok", after="alert",
        reading=Reading(value=0.5, n=9), at_ms=10,
    )  # fmt: skip
    delivery = Delivery(id="dlv_1", project="p", alert="alert_1", channel="c", next_ms=10, body="{}")
    alerts.checked([change("alert", alert=alert_of(), event=event, deliveries=(delivery,))])
    assert alerts.alerts("p", open=True).items == (alert_of(),)
    assert alerts.counts() == {"p": 1}
    assert alerts.events("p", monitor="m").items == (event,)
    assert alerts.due(10) == [delivery] and alerts.due(9) == []
    taken = alert_of(acknowledged_ms=11, acknowledged_by="u", acknowledged_name="Ada", comment="mine")
    assert alerts.acknowledge(taken, ACT) == taken
    with pytest.raises(Conflict):
        alerts.acknowledge(taken, ACT)
    closed = alert_of(state="ok", closed_ms=20)
    alerts.checked([change("ok", alert=closed)])
    [past] = alerts.alerts("p", open=False).items
    assert (past.comment, past.closed_ms, past.acknowledged_name) == ("mine", 20, "Ada")
    assert alerts.states("p")[0].alert == ""
    alerts.put_delivery(delivery.sent(at_ms=30))
    assert alerts.due(10**6) == [] and alerts.deliveries("p", "alert_1")[0].state == "sent"
    alerts.prune(40)
    assert alerts.alerts("p").items == () == alerts.events("p").items
    assert alerts.deliveries("p", "alert_1") == []


def test_a_mute_outlives_a_round_that_began_before_it(alerts: AlertTable) -> None:
    with pytest.raises(NotFound):
        alerts.mute("p", "m", "r", 99, ACT)
    alerts.checked([change("ok")])
    assert alerts.mute("p", "m", "r", 99, ACT).muted_ms == 99
    alerts.checked([change("ok")])
    assert alerts.states()[0].muted_ms == 99
    over = change("ok")
    over = msgspec.structs.replace(over, state=msgspec.structs.replace(over.state, checked_ms=100))
    alerts.checked([over])
    assert alerts.states()[0].muted_ms == 0


def test_a_rule_that_is_gone_ends_its_alert(alerts: AlertTable) -> None:
    alerts.checked([change("alert", alert=alert_of())])
    alerts.drop("p", "m", "r", now_ms=50)
    [past] = alerts.alerts("p").items
    assert (past.closed_ms, past.comment) == (50, "The rule was taken away.") and alerts.states() == []
