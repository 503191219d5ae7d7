"""Feedback in noria.db."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, RowMapping, delete, func, insert, or_, select, update

from noria.feedback.feedback import Feedback, Said, Sought, number_of, word_of
from noria.storage.database import Database
from noria.storage.seal import Seal
from noria.storage.tables import feedback as table
from noria.storage.tables import feedback_history as history

_FIELDS = Feedback.__struct_fields__
_MOST_WORDS = 1_000
"""Different words that are counted, the most frequent ones."""


class FeedbackTable:
    """feedback.FeedbackStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seal = database.seal

    def add(self, feedback: Feedback) -> Feedback:
        with self._database.write() as connection:
            if feedback.given is not None:
                chosen = (table.c.project == feedback.project) & (table.c.given == feedback.given)
                row = connection.execute(select(table).where(chosen)).mappings().first()
                if row is not None:
                    return _feedback(row, self._seal)
            connection.execute(insert(table).values(_values(feedback, self._seal)))
        return feedback

    def revise(self, feedback: Feedback) -> bool:
        with self._database.write() as connection:
            chosen = (table.c.id == feedback.id) & (table.c.revision == feedback.revision - 1)
            row = connection.execute(select(table).where(chosen)).mappings().first()
            if row is None:
                return False
            before = _feedback(row, self._seal)
            connection.execute(
                insert(history).values(
                    id=before.id, revision=before.revision, body=self._seal.json(msgspec.to_builtins(before))
                )
            )
            connection.execute(
                update(table).where(table.c.id == feedback.id).values(_values(feedback, self._seal))
            )
        return True

    def one(self, project: str, id: str) -> Feedback | None:
        named = or_(table.c.id == id, table.c.given == id)
        query = select(table).where(table.c.project == project, named).order_by(table.c.id != id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else _feedback(row, self._seal)

    def history(self, feedback: Feedback) -> list[Feedback]:
        query = select(history.c.body).where(history.c.id == feedback.id).order_by(history.c.revision)
        with self._database.read() as connection:
            return [
                msgspec.convert(self._seal.opened_json(body), Feedback) for body in connection.scalars(query)
            ]

    def of_trace(self, project: str, trace: str) -> list[Feedback]:
        chosen = (table.c.project == project, table.c.trace == trace, ~table.c.retracted)
        with self._database.read() as connection:
            rows = connection.execute(select(table).where(*chosen).order_by(table.c.id)).mappings()
            return [_feedback(row, self._seal) for row in rows]

    def page(self, project: str, sought: Sought, *, after: str | None, limit: int) -> list[Feedback]:
        query = select(table).where(*_chosen(project, sought))
        if after is not None:
            query = query.where(table.c.id < after)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.c.id.desc()).limit(limit)).mappings()
            return [_feedback(row, self._seal) for row in rows]

    def said(self, project: str, sought: Sought) -> Sequence[Said]:
        chosen = _chosen(project, sought)
        by = (table.c.kind, table.c.name)
        totals = select(
            *by,
            func.count().label("count"),
            func.avg(table.c.number).label("mean"),
            func.avg(table.c.number * table.c.number).label("square"),
        )
        words = (
            select(*by, table.c.word, func.count().label("count"))
            .where(*chosen, table.c.word.is_not(None))
            .group_by(*by, table.c.word)
            .order_by(func.count().desc())
            .limit(_MOST_WORDS)
        )
        counted: dict[tuple[str, str], dict[str, int]] = {}
        with self._database.read() as connection:
            for row in connection.execute(words).mappings():
                counted.setdefault((row["kind"], row["name"]), {})[row["word"]] = row["count"]
            rows = connection.execute(totals.where(*chosen).group_by(*by)).mappings()
            return [Said(**row, words=counted.get((row["kind"], row["name"]), {})) for row in rows]

    def traces(self, project: str, condition: Sequence[ColumnElement[bool]], *, limit: int) -> list[str]:
        """Ids of the traces of which something was said, those last spoken of first."""
        newest = func.max(table.c.created_ms)
        query = (
            select(table.c.trace)
            .where(table.c.project == project, table.c.trace != "", ~table.c.retracted, *condition)
            .group_by(table.c.trace)
            .order_by(newest.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def erase(
        self, project: str, traces: Sequence[str], *, sessions: Sequence[str] = (), user: str = ""
    ) -> int:
        """Delete what was said about these traces and sessions, and what the application's `user` said; how
        many there were, their earlier revisions not counted."""
        count = 0
        chosen: list[ColumnElement[bool]] = [table.c.user == user] if user else []
        for column, values in ((table.c.trace, traces), (table.c.session, sessions)):
            chosen += [column.in_(values[start : start + 500]) for start in range(0, len(values), 500)]
        for part in chosen:
            with self._database.write() as connection:
                count += connection.execute(delete(table).where(table.c.project == project, part)).rowcount
        return count


def _chosen(project: str, sought: Sought) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [table.c.project == project]
    for name in ("trace", "session", "episode", "kind", "name", "user", "by"):
        value = getattr(sought, name)
        if value:
            found.append(table.c[name] == value)
    if sought.start_ms is not None:
        found.append(table.c.created_ms >= sought.start_ms)
    if sought.end_ms is not None:
        found.append(table.c.created_ms < sought.end_ms)
    if sought.retracted is not None:
        found.append(table.c.retracted if sought.retracted else ~table.c.retracted)
    return found


def _values(feedback: Feedback, seal: Seal) -> dict[str, Any]:
    number, word = number_of(feedback.kind, feedback.value), word_of(feedback.kind, feedback.value)
    counted = number is not None or word is not None
    return {
        **msgspec.structs.asdict(feedback),
        # What is counted and compared in SQL stands plain beside it anyway.
        "value": feedback.value if counted else seal.json(feedback.value),
        "comment": seal.text(feedback.comment),
        "metadata": seal.json(feedback.metadata) if feedback.metadata else {},
        "number": number,
        "word": word,
    }


def _feedback(row: RowMapping, seal: Seal) -> Feedback:
    values = {name: row[name] for name in _FIELDS}
    if row["number"] is None and row["word"] is None:
        values["value"] = seal.opened_json(row["value"])
    values["comment"] = seal.opened_text(row["comment"])
    values["metadata"] = seal.opened_json(row["metadata"])
    return Feedback(**values)
