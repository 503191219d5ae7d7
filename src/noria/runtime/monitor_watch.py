"""Rules checked by and by: readings taken, states stepped, alerts opened and ended, people told."""

from __future__ import annotations

import logging
from collections.abc import Callable

import apsw
import msgspec

from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.errors import NoriaError
from noria.monitoring.alert import Alert, Delivery, Event, RuleState, message, told
from noria.monitoring.monitor import Monitor
from noria.monitoring.rule import Reading, Rule, State, severity
from noria.monitoring.state import NEW, Turn, step, turn
from noria.runtime.monitor_measure import Readings
from noria.storage.alerts import AlertTable, Change
from noria.storage.monitors import MonitorTable
from noria.tracing.store import SpanReader

EVERY_S = 10
"""Seconds between two readings of a rule; of a short window a fifth of it."""
Key = tuple[str, str, str]
"""Project, monitor and rule."""
_log = logging.getLogger("noria.monitors")


class Watch:
    """All rules of all monitors. For one thread."""

    def __init__(
        self,
        monitors: MonitorTable,
        alerts: AlertTable,
        *,
        spans: Callable[[], SpanReader],
        clock: Clock,
        address: Callable[[], str],
    ) -> None:
        """`address` is under which people reach the page."""
        self._monitors = monitors
        self._alerts = alerts
        self._spans = spans
        self._clock = clock
        self._address = address
        self.problems: dict[tuple[str, str], str] = {}
        """Why the rules of a monitor cannot be read, by project and name."""

    def round(self) -> list[Change]:
        """Read what is due; what came of it is kept in one transaction."""
        now = self._clock.now_ns() // 1_000_000
        states = {(one.project, one.monitor, one.rule): one for one in self._alerts.states()}
        readings = Readings(self._spans, self._monitors)
        wanted: set[Key] = set()
        changes: list[Change] = []
        for record in self._monitors.all():
            monitor = record.monitor
            for rule in monitor.rules:
                key = (monitor.project, monitor.name, rule.name)
                wanted.add(key)
                state = states.get(key) or _new(key)
                # A clock that was set back must not keep a rule from being read.
                if 0 <= now - state.checked_ms < min(EVERY_S, max(rule.window_s / 5, 1)) * 1000:
                    continue
                reading = self._read(readings, monitor, rule, now)
                if reading is not None:
                    changes.append(self._changed(monitor, rule, state, reading, now))
        if changes:
            self._alerts.checked(changes)
        for project, monitor, rule in states.keys() - wanted:
            self._alerts.drop(project, monitor, rule, now_ms=now)
        return changes

    def _read(self, readings: Readings, monitor: Monitor, rule: Rule, now: int) -> Reading | None:
        key = (monitor.project, monitor.name)
        try:
            found = readings.read(monitor, rule, now_ms=now)
        except (NoriaError, apsw.Error) as error:
            if self.problems.get(key) != str(error):
                _log.warning("Rule %s of monitor %s cannot be read: %s", rule.name, monitor.name, error)
            self.problems[key] = str(error)
            return None
        self.problems.pop(key, None)
        return found

    def _changed(self, monitor: Monitor, rule: Rule, state: RuleState, reading: Reading, now: int) -> Change:
        before, after = state.standing, step(rule, state.standing, reading, now_ms=now)
        opened = self._alerts.alert(monitor.project, state.alert) if state.alert else None
        what = turn(before.state, after.state, None if opened is None else opened.worst)
        muted = state.muted_ms > now
        if not what and opened is not None and state.muted_ms and not muted and severity(after.state) >= 1:
            # Muted until now and still over its bound: people are told as if it had opened now.
            what = "opened"
        alert = self._alert(monitor, rule, opened, after.state, what, reading, now)
        event = None
        if before.state != after.state:
            event = Event(
                id=new_id("mev"), project=monitor.project, monitor=monitor.name, rule=rule.name,
                alert="" if alert is None else alert.id, before=before.state, after=after.state,
                reading=reading, at_ms=now,
            )  # fmt: skip
        deliveries: tuple[Delivery, ...] = ()
        if alert is not None and told(what, muted=muted):
            deliveries = self._deliveries(monitor, rule, alert, what, now)
        still_open = alert is not None and not alert.closed_ms
        return Change(
            state=msgspec.structs.replace(
                state,
                standing=after,
                reading=reading,
                checked_ms=now,
                alert=alert.id if alert is not None and still_open else "",
            ),
            event=event,
            alert=alert if what else None,
            deliveries=deliveries,
        )

    def _alert(
        self, monitor: Monitor, rule: Rule, opened: Alert | None, state: State, what: Turn, reading: Reading,
        now: int,
    ) -> Alert | None:  # fmt: skip
        """The alert after the change; as it was where there is none."""
        if opened is None:
            if what != "opened":
                return None
            return Alert(
                id=new_id("alert"), project=monitor.project, monitor=monitor.name, rule=rule.name,
                worst=state, state=state, reading=reading, opened_ms=now,
            )  # fmt: skip
        if not what:
            return opened
        return msgspec.structs.replace(
            opened,
            state=state,
            reading=reading,
            worst=state if what == "worse" else opened.worst,
            closed_ms=now if what == "closed" else 0,
        )

    def _deliveries(
        self, monitor: Monitor, rule: Rule, alert: Alert, what: Turn, now: int
    ) -> tuple[Delivery, ...]:
        url = f"{self._address()}/monitor/{monitor.name}?rule={rule.name}&project={monitor.project}"
        body = message(alert, rule, what, at_ms=now, url=url)
        return tuple(
            Delivery(
                id=new_id("dlv"), project=monitor.project, alert=alert.id, channel=channel, next_ms=now,
                created_ms=now, body=body,
            )
            for channel in monitor.channels
        )  # fmt: skip


def _new(key: Key) -> RuleState:
    project, monitor, rule = key
    return RuleState(
        project=project, monitor=monitor, rule=rule, standing=NEW, reading=Reading(), checked_ms=0
    )
