"""Config versions in noria.db: only ever added."""

from __future__ import annotations

import msgspec
from sqlalchemy import RowMapping, func, insert, select

from noria.access.audit import Act
from noria.access.key import Budget
from noria.core.clock import Clock
from noria.core.pages import Page
from noria.errors import Conflict
from noria.gateway.snapshot import Snapshot
from noria.storage.audit import AuditLog, number_of
from noria.storage.budgets import BudgetTable
from noria.storage.database import Database
from noria.storage.tables import config_versions as versions

_encode = msgspec.msgpack.Encoder().encode
_snapshot = msgspec.msgpack.Decoder(Snapshot)
_budgets = msgspec.msgpack.Decoder(dict[str, Budget])
_HEAD = (
    versions.c.number, versions.c.digest, versions.c.comment, versions.c.by, versions.c.by_name,
    versions.c.created_ms, versions.c.rolled_back_to,
)  # fmt: skip


class ConfigVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable version. `rolled_back_to` is the version that it repeats, 0: none."""

    number: int
    digest: str
    comment: str
    by: str
    by_name: str
    created_ms: int
    rolled_back_to: int = 0


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a version holds."""

    files: dict[str, str]
    """Texts by path relative to the folder of noria.toml."""
    snapshot: bytes
    """msgpack of a Snapshot of format `format`."""
    format: int
    budgets: dict[str, Budget]

    @classmethod
    def of(cls, files: dict[str, str], snapshot: Snapshot, budgets: dict[str, Budget]) -> Content:
        return cls(files=files, snapshot=_encode(snapshot), format=snapshot.format, budgets=budgets)

    def compiled(self) -> Snapshot:
        return _snapshot.decode(self.snapshot)


class VersionTable:
    """Versions by number, 1, 2, 3, …; the last is the one that runs."""

    def __init__(self, database: Database, log: AuditLog, budgets: BudgetTable, clock: Clock) -> None:
        self._database = database
        self._log = log
        self._budgets = budgets
        self._clock = clock

    def current(self) -> ConfigVersion | None:
        with self._database.read() as connection:
            row = (
                connection.execute(select(*_HEAD).order_by(versions.c.number.desc()).limit(1))
                .mappings()
                .first()
            )
            return None if row is None else _version(row)

    def get(self, number: int) -> ConfigVersion | None:
        with self._database.read() as connection:
            row = connection.execute(select(*_HEAD).where(versions.c.number == number)).mappings().first()
            return None if row is None else _version(row)

    def content(self, number: int) -> Content | None:
        query = select(versions.c.files, versions.c.snapshot, versions.c.format, versions.c.budgets).where(
            versions.c.number == number
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Content(
            files=row.files, snapshot=row.snapshot, format=row.format, budgets=_budgets.decode(row.budgets)
        )

    def page(self, cursor: str | None, *, limit: int) -> Page[ConfigVersion]:
        """Newest first."""
        query = select(*_HEAD).order_by(versions.c.number.desc()).limit(limit + 1)
        if cursor:
            query = query.where(versions.c.number < number_of(cursor))
        with self._database.read() as connection:
            found = [_version(row) for row in connection.execute(query).mappings()]
        items = tuple(found[:limit])
        return Page(items, str(items[-1].number) if len(found) > limit else None)

    def between(self, start_ms: int, end_ms: int) -> list[ConfigVersion]:
        """Those made in the window, oldest first, the last 200."""
        query = (
            select(*_HEAD)
            .where(versions.c.created_ms >= start_ms, versions.c.created_ms < end_ms)
            .order_by(versions.c.number.desc())
            .limit(200)
        )
        with self._database.read() as connection:
            return [_version(row) for row in connection.execute(query).mappings()][::-1]

    def add(
        self, content: Content, act: Act, *, digest: str, comment: str, rolled_back_to: int, after: int
    ) -> ConfigVersion:
        """One transaction: version, budgets, event. Raises Conflict unless the last is `after`."""
        with self._database.write() as connection:
            last: int = connection.scalar(select(func.max(versions.c.number))) or 0
            if last != after:
                raise Conflict(
                    f"Version {last} has been applied meanwhile; plan again.", code="version_moved"
                )
            version = ConfigVersion(
                number=last + 1,
                digest=digest,
                comment=comment,
                by=act.by.id,
                by_name=act.by.name,
                created_ms=self._clock.now_ns() // 1_000_000,
                rolled_back_to=rolled_back_to,
            )
            connection.execute(
                insert(versions).values(
                    **msgspec.structs.asdict(version),
                    files=content.files,
                    format=content.format,
                    snapshot=content.snapshot,
                    budgets=_encode(content.budgets),
                )
            )
            self._budgets.replace_config(connection, content.budgets)
            self._log.append(connection, act)
            return version


def _version(row: RowMapping) -> ConfigVersion:
    return ConfigVersion(**row)
