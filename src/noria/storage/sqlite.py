"""Opening the collector's databases, and their schemas as a numbered list of steps.

`PRAGMA user_version` is the number of steps taken. Each step is one transaction: one that fails leaves the
file as it was, readable and writable by the version of Noria that wrote it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import apsw

from noria.errors import StateError

BUSY_MS = 5_000
WAL_BYTES = 16 << 20
"""A larger write-ahead log is cut to this when it has been checkpointed."""
Values = Sequence[Any] | Mapping[str, Any]


def open_writer(path: Path, steps: Sequence[str], *, durable: bool = False) -> apsw.Connection:
    """The one connection that writes `path`, made and migrated where needed.

    `durable`: each commit is on the disk before it returns; else it survives the death of any process, and
    after a power cut the file is as it was at some commit since the last `sync`. Raises StateError where the
    file is newer than this program, damaged, or a step fails.
    """
    try:
        # Made before SQLite does, so that its -wal and -shm get this mode too.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = apsw.Connection(str(path), statementcachesize=256)
        connection.set_busy_timeout(BUSY_MS)
        if not _version(connection):
            connection.execute("PRAGMA page_size=8192")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.execute(
            "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000; PRAGMA temp_store=MEMORY"
        )
        connection.execute(f"PRAGMA journal_size_limit={WAL_BYTES}")
        migrate(connection, steps, path=path)
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise StateError(f"{path} is damaged ({error}); move it away, or restore a backup.") from None
    except (apsw.CantOpenError, PermissionError) as error:
        raise StateError(f"{path} cannot be opened ({error}); check the folder's permissions.") from None
    return connection


def open_reader(path: Path, steps: Sequence[str]) -> apsw.Connection | None:
    """A connection that only reads, or None where the file is not there (any more) or still without schema.

    Raises StateError where the file is newer than this program, or older and not yet migrated.
    """
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, statementcachesize=256)
        connection.set_busy_timeout(BUSY_MS)
        found = _version(connection)
    except apsw.CantOpenError:
        return None
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise StateError(f"{path} is damaged ({error}); move it away, or restore a backup.") from None
    if found == 0:
        connection.close()
        return None
    _refuse_newer(found, steps, path)
    if found < len(steps):
        raise StateError(f"{path} has schema {found} and is not upgraded yet; start Noria, or wait a moment.")
    connection.execute("PRAGMA cache_size=-16384; PRAGMA mmap_size=1073741824; PRAGMA temp_store=MEMORY")
    return connection


def sync(connection: apsw.Connection) -> None:
    """Bring all that is committed to the disk.

    The log is synced here, since a checkpoint does so only where it may copy from it, which a reader of long
    ago (a backup) prevents.
    """
    try:
        log = os.open(connection.filename_wal, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # Nothing was committed since the last checkpoint, which synced.
    try:
        os.fsync(log)
    finally:
        os.close(log)
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def migrate(connection: apsw.Connection, steps: Sequence[str], *, path: Path) -> None:
    """Take the steps that the file lacks."""
    found = _version(connection)
    _refuse_newer(found, steps, path)
    for number, step in enumerate(steps[found:], start=found + 1):
        try:
            with connection:
                connection.execute(step)
                connection.execute(f"PRAGMA user_version={number}")
        except apsw.SQLError as error:
            raise StateError(
                f"{path} could not be upgraded to schema {number} ({error}); it is unchanged and "
                "the previous version of Noria can still use it."
            ) from None


def _version(connection: apsw.Connection) -> int:
    return value(connection, "PRAGMA user_version")


def _refuse_newer(found: int, steps: Sequence[str], path: Path) -> None:
    if found > len(steps):
        raise StateError(
            f"{path} has schema {found}, newer than this version knows ({len(steps)}); upgrade Noria."
        )


def rows(connection: apsw.Connection, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return connection.execute(sql, values).fetchall()


def one(connection: apsw.Connection, sql: str, values: Values = ()) -> tuple[Any, ...] | None:
    """The first row of a query."""
    return connection.execute(sql, values).fetchone()


def value(connection: apsw.Connection, sql: str, values: Values = ()) -> Any:
    """The first column of the first row; None where there is no row."""
    row = connection.execute(sql, values).fetchone()
    return row[0] if row else None
