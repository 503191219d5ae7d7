"""Approvals in noria.db."""

from __future__ import annotations

import msgspec
from sqlalchemy import insert, select, update

from noria.access.approval import Approval
from noria.access.audit import Act
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.tables import approvals


class ApprovalTable:
    """access.store.ApprovalStore."""

    def __init__(self, database: Database, log: AuditLog) -> None:
        self._database = database
        self._log = log

    def approvals(self, project: str, *, limit: int) -> list[Approval]:
        query = select(approvals).where(approvals.c.project == project)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(approvals.c.id.desc()).limit(limit)).mappings()
            return [Approval(**row) for row in rows]

    def approval(self, project: str, id: str) -> Approval | None:
        query = select(approvals).where(approvals.c.project == project, approvals.c.id == id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else Approval(**row)

    def add_approval(self, approval: Approval, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(insert(approvals).values(msgspec.structs.asdict(approval)))
            self._log.append(connection, act)

    def decide_approval(self, approval: Approval, act: Act) -> bool:
        with self._database.write() as connection:
            changed = connection.execute(
                update(approvals)
                .where(approvals.c.id == approval.id, approvals.c.state == "open")
                .values(msgspec.structs.asdict(approval))
            )
            if not changed.rowcount:
                return False
            self._log.append(connection, act)
            return True
