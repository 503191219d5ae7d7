"""Feedback in noria.db."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, insert, select

from noria.access.audit import Act
from noria.feedback.feedback import Feedback
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.tables import feedback as table


class FeedbackTable:
    """feedback.FeedbackStore."""

    def __init__(self, database: Database, log: AuditLog) -> None:
        self._database = database
        self._log = log

    def add(self, feedback: Feedback) -> None:
        with self._database.write() as connection:
            connection.execute(insert(table).values(msgspec.structs.asdict(feedback)))

    def of_trace(self, project: str, trace: str) -> list[Feedback]:
        query = select(table).where(table.c.project == project, table.c.trace == trace)
        with self._database.read() as connection:
            return [Feedback(**row) for row in connection.execute(query.order_by(table.c.id)).mappings()]

    def record_erasure(self, act: Act, *, by_user: str) -> None:
        """Delete what the erased person has said, and record the erasure."""
        with self._database.write() as connection:
            connection.execute(delete(table).where(table.c.project == act.project, table.c.by == by_user))
            self._log.append(connection, act)
