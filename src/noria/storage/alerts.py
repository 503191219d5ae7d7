"""Rules as they stand, their events, alerts and deliveries, in noria.db."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, RowMapping, Table, delete, func, insert, select, update

from noria.access.audit import Act
from noria.core.pages import Page
from noria.errors import Conflict, NotFound
from noria.monitoring.alert import Alert, Delivery, Event, RuleState
from noria.monitoring.rule import Reading
from noria.monitoring.state import Standing
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.tables import alert_deliveries, alerts, monitor_events, monitor_rules

T = TypeVar("T", Alert, Event)
KEPT = 90 * 86_400_000
"""Milliseconds for which events, ended alerts and their deliveries are kept at least."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A rule after one more reading, with all that followed from it."""

    state: RuleState
    event: Event | None = None
    alert: Alert | None = None
    deliveries: tuple[Delivery, ...] = ()


class AlertTable:
    """Rules are checked by control alone; people acknowledge and mute."""

    def __init__(self, database: Database, log: AuditLog) -> None:
        self._database = database
        self._log = log

    def states(self, project: str | None = None) -> list[RuleState]:
        query = select(monitor_rules).order_by(monitor_rules.c.monitor, monitor_rules.c.rule)
        if project is not None:
            query = query.where(monitor_rules.c.project == project)
        with self._database.read() as connection:
            return [_state(row) for row in connection.execute(query).mappings()]

    def checked(self, changes: Sequence[Change]) -> None:
        """Keep the outcome of a round: all of it or nothing.

        A rule that was muted meanwhile stays so: `muted_ms` is written only where a round ends a mute.
        """
        with self._database.write() as connection:
            for change in changes:
                self._keep(connection, change)

    def drop(self, project: str, monitor: str, rule: str, *, now_ms: int) -> None:
        """A rule that noria.toml no longer has; its open alert ends."""
        this = _is(monitor_rules, project=project, monitor=monitor, rule=rule)
        open_ones = (*_is(alerts, project=project, monitor=monitor, rule=rule), alerts.c.closed_ms == 0)
        with self._database.write() as connection:
            connection.execute(delete(monitor_rules).where(*this))
            connection.execute(
                update(alerts).where(*open_ones).values(closed_ms=now_ms, comment="The rule was taken away.")
            )

    def mute(self, project: str, monitor: str, rule: str, until_ms: int, act: Act) -> RuleState:
        """Nobody is told until then; 0: people are told again. Raises NotFound."""
        this = _is(monitor_rules, project=project, monitor=monitor, rule=rule)
        with self._database.write() as connection:
            if not connection.execute(update(monitor_rules).where(*this).values(muted_ms=until_ms)).rowcount:
                raise NotFound(f"The monitor {monitor!r} has no rule {rule!r} that was checked yet.")
            self._log.append(connection, act)
            return _state(connection.execute(select(monitor_rules).where(*this)).mappings().one())

    def acknowledge(self, alert: Alert, act: Act) -> Alert:
        """Raises Conflict where somebody has."""
        fields = ("acknowledged_ms", "acknowledged_by", "acknowledged_name", "comment")
        values = {name: getattr(alert, name) for name in fields}
        values["comment"] = self._database.seal.text(alert.comment)
        this = (alerts.c.id == alert.id, alerts.c.acknowledged_ms == 0)
        with self._database.write() as connection:
            if not connection.execute(update(alerts).where(*this).values(values)).rowcount:
                raise Conflict("This alert has been acknowledged already.")
            self._log.append(connection, act)
            row = connection.execute(select(alerts).where(alerts.c.id == alert.id)).mappings().one()
            return self._alert(row)

    def alert(self, project: str, id: str) -> Alert | None:
        query = select(alerts).where(alerts.c.project == project, alerts.c.id == id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else self._alert(row)

    def alerts(
        self,
        project: str,
        *,
        open: bool | None = None,
        monitor: str = "",
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Alert]:
        """Newest first; None of `open`: those that have ended, too."""
        query = select(alerts).where(alerts.c.project == project).order_by(alerts.c.id.desc())
        if open is not None:
            query = query.where(alerts.c.closed_ms == 0 if open else alerts.c.closed_ms > 0)
        if monitor:
            query = query.where(alerts.c.monitor == monitor)
        if cursor:
            query = query.where(alerts.c.id < cursor)
        with self._database.read() as connection:
            found = [self._alert(row) for row in connection.execute(query.limit(limit + 1)).mappings()]
        return _page(found, limit)

    def counts(self) -> dict[str, int]:
        """Open alerts by project."""
        query = select(alerts.c.project, func.count().label("open")).where(alerts.c.closed_ms == 0)
        with self._database.read() as connection:
            return {row.project: row.open for row in connection.execute(query.group_by(alerts.c.project))}

    def events(
        self, project: str, *, monitor: str = "", cursor: str | None = None, limit: int = 50
    ) -> Page[Event]:
        """Newest first."""
        query = select(monitor_events).where(monitor_events.c.project == project)
        if monitor:
            query = query.where(monitor_events.c.monitor == monitor)
        if cursor:
            query = query.where(monitor_events.c.id < cursor)
        query = query.order_by(monitor_events.c.id.desc()).limit(limit + 1)
        with self._database.read() as connection:
            found = [_event(row) for row in connection.execute(query).mappings()]
        return _page(found, limit)

    # Deliveries.

    def add_delivery(self, delivery: Delivery, act: Act) -> None:
        """One that somebody asked for."""
        with self._database.write() as connection:
            connection.execute(insert(alert_deliveries).values(msgspec.structs.asdict(delivery)))
            self._log.append(connection, act)

    def due(self, now_ms: int, *, limit: int = 50) -> list[Delivery]:
        table = alert_deliveries.c
        query = (
            select(alert_deliveries)
            .where(table.state == "waiting", table.next_ms <= now_ms)
            .order_by(table.next_ms, table.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [Delivery(**row) for row in connection.execute(query).mappings()]

    def put_delivery(self, delivery: Delivery) -> None:
        """After an attempt."""
        values = msgspec.structs.asdict(delivery)
        with self._database.write() as connection:
            connection.execute(
                update(alert_deliveries).where(alert_deliveries.c.id == delivery.id).values(values)
            )

    def delivery(self, project: str, id: str) -> Delivery | None:
        table = alert_deliveries.c
        query = select(alert_deliveries).where(table.project == project, table.id == id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else Delivery(**row)

    def deliveries(self, project: str, alert: str) -> list[Delivery]:
        """Of an alert, oldest first."""
        table = alert_deliveries.c
        query = select(alert_deliveries).where(table.project == project, table.alert == alert)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.id)).mappings()
            return [Delivery(**row) for row in rows]

    def prune(self, before_ms: int) -> None:
        """Events, and ended alerts with their deliveries, of before."""
        with self._database.write() as connection:
            connection.execute(delete(monitor_events).where(monitor_events.c.at_ms < before_ms))
            old = (alerts.c.closed_ms > 0, alerts.c.closed_ms < before_ms)
            connection.execute(delete(alerts).where(*old))
            table = alert_deliveries.c
            connection.execute(delete(alert_deliveries).where(table.ended_ms > 0, table.ended_ms < before_ms))

    def _keep(self, connection: Connection, change: Change) -> None:
        state = change.state
        this = _is(monitor_rules, project=state.project, monitor=state.monitor, rule=state.rule)
        values: dict[str, Any] = {
            "state": state.standing.state,
            "standing": msgspec.to_builtins(state.standing),
            "reading": msgspec.to_builtins(state.reading),
            "checked_ms": state.checked_ms,
            "alert": state.alert,
        }
        if not connection.execute(update(monitor_rules).where(*this).values(values)).rowcount:
            connection.execute(
                insert(monitor_rules).values(
                    project=state.project, monitor=state.monitor, rule=state.rule, muted_ms=0, **values
                )
            )
        # The end of a mute, and only of that which was seen: a new one reaches further.
        over = (monitor_rules.c.muted_ms > 0, monitor_rules.c.muted_ms <= state.checked_ms)
        connection.execute(update(monitor_rules).where(*this, *over).values(muted_ms=0))
        if change.event is not None:
            connection.execute(insert(monitor_events).values(_built(change.event)))
        if change.alert is not None:
            self._put_alert(connection, change.alert)
        for delivery in change.deliveries:
            connection.execute(insert(alert_deliveries).values(msgspec.structs.asdict(delivery)))

    def _put_alert(self, connection: Connection, alert: Alert) -> None:
        """What people said of it stays."""
        values = _built(alert)
        changed = {name: values[name] for name in ("worst", "state", "reading", "closed_ms")}
        if not connection.execute(update(alerts).where(alerts.c.id == alert.id).values(changed)).rowcount:
            connection.execute(insert(alerts).values(values))

    def _alert(self, row: RowMapping) -> Alert:
        comment = self._database.seal.opened_text(row["comment"])
        values: dict[str, Any] = {**row, "comment": comment}
        values["reading"] = msgspec.convert(row["reading"], Reading)
        return Alert(**values)


def _state(row: RowMapping) -> RuleState:
    return RuleState(
        project=row["project"],
        monitor=row["monitor"],
        rule=row["rule"],
        standing=msgspec.convert(row["standing"], Standing),
        reading=msgspec.convert(row["reading"], Reading),
        checked_ms=row["checked_ms"],
        muted_ms=row["muted_ms"],
        alert=row["alert"],
    )


def _event(row: RowMapping) -> Event:
    values: dict[str, Any] = dict(row)
    values["reading"] = msgspec.convert(row["reading"], Reading)
    return Event(**values)


def _is(table: Table, **values: str) -> tuple[Any, ...]:
    return tuple(table.c[name] == value for name, value in values.items())


def _built(value: Alert | Event) -> dict[str, Any]:
    return {**msgspec.structs.asdict(value), "reading": msgspec.to_builtins(value.reading)}


def _page(found: list[T], limit: int) -> Page[T]:
    items = tuple(found[:limit])
    return Page(items, items[-1].id if len(found) > limit else None)
