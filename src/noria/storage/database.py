"""noria.db: the relational store, on SQLite (one writer: control) or PostgreSQL.

Opening checks the schema: one that is older is migrated in one transaction, after a copy has been made; one
that is newer than the program is refused; a migration that fails leaves everything as it was and says so.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from noria.errors import Conflict, StateError, Unavailable
from noria.storage.seal import PLAIN, Seal

REVISION = "0010"
"""The newest revision: what this program reads and writes."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_SCRUB = 5.0
"""Seconds for which readers are waited for."""
_LOCK = 0x6E6F7269  # Advisory lock of PostgreSQL: "nori".


class Database:
    """Transactions on one database. `read` may run in several threads; `write` is one at a time."""

    def __init__(self, engine: Engine, *, file: Path | None = None, seal: Seal = PLAIN) -> None:
        self.engine = engine
        self.seal = seal
        """For what people wrote; see storage.seal."""
        self.file = file
        """The SQLite file, or None on PostgreSQL."""

    @classmethod
    def open(cls, where: Path | str, *, seal: Seal = PLAIN) -> Database:
        """A SQLite file, or a `postgresql://` URL; made or migrated as needed.

        Raises StateError where it cannot be used: newer than the program, damaged, or not migratable.
        """
        database = cls.unchecked(where, seal=seal)
        try:
            database.migrate()
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def unchecked(cls, where: Path | str, *, seal: Seal = PLAIN) -> Database:
        """As it is, without a look at its schema."""
        if isinstance(where, str):
            url = where.replace("postgresql://", "postgresql+psycopg://", 1)
            return cls(create_engine(url, pool_pre_ping=True), seal=seal)
        where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        where.touch(mode=0o600)
        engine = create_engine(
            f"sqlite:///{where}", connect_args={"check_same_thread": False, "timeout": 10.0}
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return cls(engine, file=where, seal=seal)

    def close(self) -> None:
        self.engine.dispose()

    @property
    def postgres(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A consistent view."""
        with _told(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """One transaction, alone; commits at the end of the block, or nothing of it happened."""
        with _told(), self.engine.connect() as connection:
            connection = connection.execution_options(noria_write=True)
            with connection.begin():
                if self.postgres:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                yield connection

    def revision(self) -> str | None:
        """The schema's revision; None: there is no schema yet."""
        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.scalar(text("SELECT version_num FROM alembic_version"))

    def migrate(self, *, migrations: Path = _MIGRATIONS, target: str = REVISION) -> Path | None:
        """Bring the schema to `target`; the path of the copy that was made before, if any.

        Alembic is imported only where there is something to do.
        """
        try:
            before = self.revision()
        except DBAPIError as error:
            raise StateError(
                f"The database {self._name} cannot be read ({error.orig}); restore it from a backup."
            ) from None
        if before == target:
            return None
        from noria.storage.migration import known, upgrade

        if before is not None and before not in known(migrations):
            raise StateError(
                f"The database {self._name} was written by a newer Noria (schema {before}, this program "
                f"knows up to {target}); install that version or restore an older backup."
            )
        copy = self._copy(before) if before is not None else None
        try:
            with self._unlinked(), self.write() as connection:
                upgrade(connection, migrations, target)
        except (SQLAlchemyError, sqlite3.Error) as error:
            kept = f" A copy is at {copy}." if copy else ""
            raise StateError(
                f"The database {self._name} could not be brought from schema {before or 'nothing'} to "
                f"{target}: {error}. Nothing was changed, and the version of Noria that wrote it can go on "
                f"using it.{kept}"
            ) from error
        return copy

    def backup(self, to: Path) -> None:
        """A consistent copy of the SQLite file, while it is in use."""
        with self.engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            raw.execute("VACUUM INTO ?", (str(to),))
        to.chmod(0o600)

    def scrub(self) -> bool:
        """Bring what was deleted out of the write-ahead log too; False: somebody reads, so that it stays
        there until the log is written from its beginning again. PostgreSQL's VACUUM does it there."""
        if self.postgres:
            return True
        until = time.monotonic() + _SCRUB
        while True:
            with self.engine.connect() as connection:
                raw: Any = connection.connection.dbapi_connection
                busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy or time.monotonic() > until:
                return not busy
            time.sleep(0.05)

    @contextmanager
    def _unlinked(self) -> Generator[None]:
        """Foreign keys are not enforced within: a table made anew must not empty those that refer to it."""
        if self.postgres:
            yield
            return
        event.listen(self.engine, "connect", _no_foreign_keys)
        self.engine.dispose()
        try:
            yield
        finally:
            event.remove(self.engine, "connect", _no_foreign_keys)
            self.engine.dispose()

    @property
    def _name(self) -> str:
        return str(self.file) if self.file else self.engine.url.render_as_string(hide_password=True)

    def _copy(self, revision: str) -> Path | None:
        if self.file is None:
            return None
        copy = self.file.with_name(f"{self.file.stem}-before-{REVISION}-from-{revision}.db")
        copy.unlink(missing_ok=True)
        self.backup(copy)
        return copy


@contextmanager
def _told() -> Generator[None]:
    """The store's failures as sentences."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig)
        if "database is locked" in said:
            raise Unavailable("The database is busy; try again.", retry_after=1.0) from error
        if "disk is full" in said or "No space left" in said:
            raise Unavailable("The disk is full; make room, nothing was changed.") from error
        if "UNIQUE constraint" in said or "duplicate key" in said:
            raise Conflict("Something of this name exists already.") from error
        raise


def _prepare(connection: Any, record: object) -> None:
    # Transactions are begun by `_begin`: the module's own way begins them too late for DDL and reads.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")
    # What is deleted is overwritten: a person's words must not stay in free pages.
    connection.execute("PRAGMA secure_delete=ON")


def _no_foreign_keys(connection: Any, record: object) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("noria_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
