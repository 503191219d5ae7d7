"""Feedback in noria.db."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, insert, select

from noria.feedback.feedback import Feedback
from noria.storage.database import Database
from noria.storage.tables import feedback as table


class FeedbackTable:
    """feedback.FeedbackStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, feedback: Feedback) -> None:
        with self._database.write() as connection:
            connection.execute(insert(table).values(msgspec.structs.asdict(feedback)))

    def of_trace(self, project: str, trace: str) -> list[Feedback]:
        query = select(table).where(table.c.project == project, table.c.trace == trace)
        with self._database.read() as connection:
            return [Feedback(**row) for row in connection.execute(query.order_by(table.c.id)).mappings()]

    def erase(self, project: str, traces: Sequence[str]) -> None:
        """Delete what was said about these traces."""
        with self._database.write() as connection:
            for start in range(0, len(traces), 500):
                chosen = table.c.trace.in_(traces[start : start + 500])
                connection.execute(delete(table).where(table.c.project == project, chosen))
