"""Virtual keys in noria.db."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import RowMapping, insert, select, update

from noria.access.audit import Act
from noria.access.key import Key, RateLimit
from noria.access.keyring import KeyRecord
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.tables import keys

_HISTORY = ("created_ms", "created_by", "revoked_ms", "rotated_ms")


class KeyTable:
    """access.store.KeyStore, and what is published of it."""

    def __init__(self, database: Database, log: AuditLog) -> None:
        self._database = database
        self._log = log

    def keys(self, project: str | None) -> list[KeyRecord]:
        query = select(keys).order_by(keys.c.id.desc())
        if project is not None:
            query = query.where(keys.c.project == project)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def key(self, id: str) -> KeyRecord | None:
        with self._database.read() as connection:
            row = connection.execute(select(keys).where(keys.c.id == id)).mappings().first()
            return None if row is None else _record(row)

    def add_key(self, record: KeyRecord, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(insert(keys).values(_values(record)))
            self._log.append(connection, act)

    def save_key(self, record: KeyRecord, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(update(keys).where(keys.c.id == record.key.id).values(_values(record)))
            self._log.append(connection, act)

    def live(self) -> dict[str, Key]:
        """By lookup, those that are not revoked."""
        with self._database.read() as connection:
            rows = connection.execute(select(keys).where(keys.c.revoked_ms == 0)).mappings()
            return {row["lookup"]: _record(row).key for row in rows}

    def projects(self) -> set[str]:
        """Those that have a key."""
        with self._database.read() as connection:
            return set(connection.scalars(select(keys.c.project).distinct()))


def _values(record: KeyRecord) -> dict[str, Any]:
    history = {name: getattr(record, name) for name in _HISTORY}
    return {
        **msgspec.structs.asdict(record.key),
        "limits": msgspec.to_builtins(record.key.limits),
        **history,
    }


def _record(row: RowMapping) -> KeyRecord:
    values = dict(row)
    history = {name: values.pop(name) for name in _HISTORY}
    values["limits"] = msgspec.convert(values["limits"], tuple[RateLimit, ...])
    for name in ("routes", "budgets"):
        values[name] = tuple(values[name])
    return KeyRecord(key=Key(**values), **history)
