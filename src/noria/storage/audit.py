"""The audit log in noria.db."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, insert, select

from noria.access.audit import GENESIS, Act, AuditEvent, Verdict, record, verify
from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.core.pages import Page
from noria.errors import InvalidRequest
from noria.storage.database import Database
from noria.storage.tables import audit_events

_FIELDS = AuditEvent.__struct_fields__


class AuditLog:
    """Appends within a store's own transaction, and reads."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def append(self, connection: Connection, act: Act) -> AuditEvent:
        """Record `act` in the transaction of `connection`, which is the only one that writes."""
        last = connection.execute(
            select(audit_events.c.number, audit_events.c.hash).order_by(audit_events.c.number.desc()).limit(1)
        ).first()
        event = record(
            act,
            number=last.number + 1 if last else 1,
            previous=last.hash if last else GENESIS,
            id=new_id("evt"),
            at_ms=self._clock.now_ns() // 1_000_000,
        )
        values: dict[str, Any] = msgspec.structs.asdict(event)
        values["details"] = msgspec.json.encode(event.details, order="deterministic").decode()
        connection.execute(insert(audit_events).values(values))
        return event

    def page(
        self,
        *,
        act: str = "",
        actor: str = "",
        subject: str = "",
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[AuditEvent]:
        """Newest first. An `act` that ends with a dot stands for all that begin so."""
        query = select(audit_events).order_by(audit_events.c.number.desc()).limit(limit + 1)
        if act.endswith("."):
            query = query.where(audit_events.c.act.startswith(act, autoescape=True))
        elif act:
            query = query.where(audit_events.c.act == act)
        if actor:
            query = query.where(audit_events.c.actor == actor)
        if subject:
            query = query.where(audit_events.c.subject == subject)
        if cursor:
            query = query.where(audit_events.c.number < number_of(cursor))
        with self._database.read() as connection:
            found = [_event(row) for row in connection.execute(query).mappings()]
        items = tuple(found[:limit])
        return Page(items, str(items[-1].number) if len(found) > limit else None)

    def verify(self) -> Verdict:
        """Recompute the whole chain."""
        with self._database.read() as connection:
            return verify(self._all(connection))

    def _all(self, connection: Connection) -> Iterator[AuditEvent]:
        query = select(audit_events).order_by(audit_events.c.number)
        for row in connection.execution_options(yield_per=1000).execute(query).mappings():
            yield _event(row)


def number_of(cursor: str) -> int:
    """Cursors over numbered rows are the last number."""
    if not cursor.isdecimal() or len(cursor) > 18:
        raise InvalidRequest("`cursor` must be one that the API has given.", param="cursor")
    return int(cursor)


def _event(row: RowMapping) -> AuditEvent:
    values = {name: row[name] for name in _FIELDS}
    values["details"] = msgspec.json.decode(row["details"])
    return AuditEvent(**values)
