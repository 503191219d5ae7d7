"""Optimizations in noria.db. What one has asked for is written before anything is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import RowMapping, func, insert, select, update

from noria.access.audit import Act
from noria.core.pages import Page
from noria.evals.answer import ERASED
from noria.evals.optimize.optimization import Optimization, OptimizeSpec, Result, Tried
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.tables import optimization_answers, optimizations

_encode = msgspec.msgpack.Encoder().encode
_tried = msgspec.msgpack.Decoder(Tried)
_PART = 500
"""Names in one query."""


class OptimizationTable:
    """What runtime.optimize needs."""

    def __init__(self, database: Database, log: AuditLog) -> None:
        self._database = database
        self._log = log

    def add(self, one: Optimization, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(insert(optimizations).values(**_values(one)))
            self._log.append(connection, act)

    def save(self, one: Optimization, act: Act | None = None, *, unless: Sequence[str] = ()) -> bool:
        """State, message, job and result; False, and nothing changed, where its state is one of `unless`."""
        values = {name: value for name, value in _values(one).items() if name not in ("id", "spec")}
        with self._database.write() as connection:
            found = connection.execute(
                update(optimizations)
                .where(optimizations.c.id == one.id, optimizations.c.state.not_in(unless))
                .values(**values)
            )
            if not found.rowcount:
                return False
            if act is not None:
                self._log.append(connection, act)
            return True

    def note_job(self, id: str, job: str) -> None:
        with self._database.write() as connection:
            connection.execute(update(optimizations).where(optimizations.c.id == id).values(job=job))

    def get(self, project: str, id: str) -> Optimization | None:
        with self._database.read() as connection:
            row = connection.execute(
                select(optimizations).where(optimizations.c.project == project, optimizations.c.id == id)
            ).mappings()
            found = row.first()
            return None if found is None else _optimization(found)

    def all(self, project: str, *, prompt: str = "", cursor: str | None, limit: int) -> Page[Optimization]:
        """Newest first."""
        query = select(optimizations).where(optimizations.c.project == project)
        if prompt:
            query = query.where(optimizations.c.prompt == prompt)
        if cursor is not None:
            query = query.where(optimizations.c.id < cursor)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(optimizations.c.id.desc()).limit(limit + 1)).mappings()
            found = [_optimization(row) for row in rows]
        more = len(found) > limit
        return Page(items=tuple(found[:limit]), next=found[limit - 1].id if more else None)

    def tried(self, id: str, candidate: str, examples: Sequence[str]) -> dict[str, Tried]:
        """What is known of a candidate, by example."""
        found: dict[str, Tried] = {}
        table = optimization_answers.c
        with self._database.read() as connection:
            for start in range(0, len(examples), _PART):
                rows = connection.execute(
                    select(table.example, table.body).where(
                        table.optimization == id,
                        table.candidate == candidate,
                        table.example.in_(examples[start : start + _PART]),
                    )
                )
                found |= {example: _tried.decode(self._database.seal.opened(body)) for example, body in rows}
        return found

    def spent(self, id: str) -> tuple[int, Decimal, int]:
        """Answers that were asked for so far, dollars, and calls of unknown cost."""
        answers, cost, unknown = 0, Decimal(0), 0
        query = select(optimization_answers.c.body).where(optimization_answers.c.optimization == id)
        with self._database.read() as connection:
            for (body,) in connection.execute(query):
                one = _tried.decode(self._database.seal.opened(body))
                answers += 1
                cost += one.cost or Decimal(0)
                unknown += bool(one.trace) and one.cost is None
        return answers, cost, unknown

    def keep(self, id: str, candidate: str, example: str, tried: Tried) -> None:
        """Once: what is there already stays."""
        values = {"optimization": id, "candidate": candidate, "example": example}
        with self._database.write() as connection:
            known = connection.scalar(
                select(func.count())
                .select_from(optimization_answers)
                .where(*(optimization_answers.c[name] == value for name, value in values.items()))
            )
            if not known:
                connection.execute(
                    insert(optimization_answers).values(
                        **values, body=self._database.seal.bytes(_encode(tried))
                    )
                )

    def erase(self, project: str, examples: set[str]) -> int:
        """Take away what was answered of these examples, and said of it; the values stay. How many."""
        count = 0
        table = optimization_answers
        theirs = select(optimizations.c.id).where(optimizations.c.project == project)
        ordered = sorted(examples)
        for start in range(0, len(ordered), _PART):
            these = table.c.optimization.in_(theirs), table.c.example.in_(ordered[start : start + _PART])
            with self._database.write() as connection:
                for row in connection.execute(select(table).where(*these)).all():
                    tried = _tried.decode(self._database.seal.opened(row.body))
                    left = msgspec.structs.replace(
                        tried, text="", feedback="", failed=ERASED if tried.failed else ""
                    )
                    this = (
                        table.c.optimization == row.optimization,
                        table.c.candidate == row.candidate,
                        table.c.example == row.example,
                    )
                    body = self._database.seal.bytes(_encode(left))
                    connection.execute(update(table).where(*this).values(body=body))
                    count += 1
        return count


def _values(one: Optimization) -> dict[str, Any]:
    return {
        "id": one.id,
        "project": one.project,
        "prompt": one.spec.prompt,
        "state": one.state,
        "message": one.message,
        "job": one.job,
        "spec": msgspec.to_builtins(one.spec),
        "result": None if one.result is None else msgspec.to_builtins(one.result),
        "by": one.by,
        "by_name": one.by_name,
        "created_ms": one.created_ms,
        "ended_ms": one.ended_ms,
    }


def _optimization(row: RowMapping) -> Optimization:
    values = {name: row[name] for name in Optimization.__struct_fields__ if name not in ("spec", "result")}
    result = row["result"]
    return Optimization(
        **values,
        spec=msgspec.convert(row["spec"], OptimizeSpec, strict=False),
        result=None if result is None else msgspec.convert(result, Result, strict=False),
    )
