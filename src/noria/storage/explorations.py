"""Explorations in noria.db: each is the job that carries it out, and the EvalRuns that its arms are.

What it is to do is in the job's arguments, so that a job that goes on after a kill has all that it needs. One
that was stopped goes on as another job of the same subject; the newest is how it stands.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import RowMapping, func, select

from noria.core.pages import Page
from noria.errors import StateError
from noria.evals.explore.exploration import Exploration, ExploreSpec, State
from noria.storage.database import Database
from noria.storage.tables import jobs

KIND = "explore.run"
_STATES: dict[str, State] = {
    "queued": "queued",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "cancelled": "stopped",
}


class ExplorationTable:
    """Reads; runtime.jobs writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, project: str, id: str) -> Exploration | None:
        query = (
            select(jobs)
            .where(jobs.c.project == project, jobs.c.kind == KIND, jobs.c.subject == id)
            .order_by(jobs.c.id.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else _exploration(row)

    def all(
        self, project: str, *, prefix: str = "", cursor: str | None = None, limit: int = 50
    ) -> Page[Exploration]:
        """Newest first; of those whose ids begin with `prefix`."""
        newest = (
            select(func.max(jobs.c.id))
            .where(jobs.c.project == project, jobs.c.kind == KIND)
            .group_by(jobs.c.subject)
            .order_by(jobs.c.subject.desc())
        )
        if prefix:
            newest = newest.where(jobs.c.subject.startswith(prefix, autoescape=True))
        if cursor is not None:
            newest = newest.where(jobs.c.subject < cursor)
        query = (
            select(jobs).where(jobs.c.id.in_(newest.limit(limit + 1).scalar_subquery()))
            .order_by(jobs.c.subject.desc())
        )  # fmt: skip
        with self._database.read() as connection:
            found = [_exploration(row) for row in connection.execute(query).mappings()]
        more = len(found) > limit
        return Page(items=tuple(found[:limit]), next=found[limit - 1].id if more else None)


def arguments_of(one: Exploration) -> dict[str, Any]:
    """What a job keeps of it."""
    return {
        "exploration": one.id,
        "project": one.project,
        "spec": msgspec.to_builtins(one.spec),
        "by": one.by,
        "by_name": one.by_name,
        "created_ms": one.created_ms,
    }


def exploration_of(arguments: dict[str, Any]) -> Exploration:
    """The inverse of `arguments_of`. Raises StateError for what another version has written."""
    try:
        spec = msgspec.convert(arguments["spec"], ExploreSpec, strict=False)
    except (KeyError, msgspec.ValidationError) as error:
        raise StateError(
            f"The exploration was begun by another version of Noria ({error}); begin it again."
        ) from None
    return Exploration(
        id=arguments["exploration"],
        project=arguments["project"],
        spec=spec,
        by=arguments["by"],
        by_name=arguments["by_name"],
        created_ms=arguments["created_ms"],
    )


def _exploration(row: RowMapping) -> Exploration:
    return msgspec.structs.replace(
        exploration_of(row["arguments"]),
        state=_STATES[row["state"]],
        message=row["message"],
        job=row["id"],
        updated_ms=row["updated_ms"],
    )
