"""Jobs in noria.db, as people see them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from sqlalchemy import insert, select, update

from noria.access.audit import Act
from noria.core.clock import Clock
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.tables import jobs

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Long work. `done` of `total` is in `unit`; None: not known yet."""

    id: str
    project: str
    kind: str
    """Such as "weights.pull"."""
    subject: str
    arguments: dict[str, Any] = {}
    state: State = "queued"
    done: int | None = None
    total: int | None = None
    unit: str = ""
    message: str = ""
    """What it is doing, or why it failed."""
    by: str
    created_ms: int
    updated_ms: int


class JobTable:
    """Jobs by id. One that has ended stays as it ended."""

    def __init__(self, database: Database, log: AuditLog, clock: Clock) -> None:
        self._database = database
        self._log = log
        self._clock = clock

    def add(self, job: Job, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(insert(jobs).values(msgspec.structs.asdict(job)))
            self._log.append(connection, act)

    def update(self, id: str, **fields: Any) -> bool:
        """False, and nothing changed: it has ended."""
        fields["updated_ms"] = self._clock.now_ns() // 1_000_000
        with self._database.write() as connection:
            query = update(jobs).where(jobs.c.id == id, jobs.c.state.not_in(ENDED))
            return bool(connection.execute(query.values(fields)).rowcount)

    def cancel(self, id: str, act: Act) -> bool:
        """False, and nothing changed: it has ended."""
        now = self._clock.now_ns() // 1_000_000
        with self._database.write() as connection:
            query = update(jobs).where(jobs.c.id == id, jobs.c.state.not_in(ENDED))
            if not connection.execute(query.values(state="cancelled", updated_ms=now)).rowcount:
                return False
            self._log.append(connection, act)
            return True

    def get(self, id: str) -> Job | None:
        with self._database.read() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == id)).mappings().first()
            return None if row is None else Job(**row)

    def all(self, project: str, *, limit: int = 200) -> list[Job]:
        """Newest first."""
        query = select(jobs).where(jobs.c.project == project).order_by(jobs.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [Job(**row) for row in connection.execute(query).mappings()]

    def open(self) -> list[Job]:
        """Those that have not ended, oldest first, of all projects."""
        query = select(jobs).where(jobs.c.state.not_in(ENDED)).order_by(jobs.c.id)
        with self._database.read() as connection:
            return [Job(**row) for row in connection.execute(query).mappings()]
