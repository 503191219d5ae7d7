"""Doctor: whether each database is whole, and of a schema that this program reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import apsw

from noria.runtime.finding import Finding
from noria.storage import ledger, stored
from noria.storage.database import REVISION
from noria.storage.home import Home
from noria.storage.spans import schema as spans

_OLDER = "`noria up` brings it up to date."
_NEWER = "Install the newer Noria that wrote it, or restore a backup of this version."


def databases(home: Home, report: Callable[[str], None]) -> Iterator[Finding]:
    """Each with the SQLite library that writes it."""
    found: list[Finding] = []
    for name in ("noria.db", "jobs.db"):
        if (path := home.folder / name).exists():
            report(f"databases: {name}")
            found += _controls(path)
    places: list[tuple[Path, Sequence[str]]] = [
        (home.folder / "ledger.db", ledger.STEPS),
        (home.folder / "stored.db", stored.STEPS),
        *((path, spans.STEPS) for path in sorted((home.folder / "spans").glob("*.db"))),
    ]
    count = 0
    for path, steps in places:
        if path.exists():
            report(f"databases: {path.relative_to(home.folder)}")
            found += _collectors(path, steps)
            count += 1
    yield from found
    if not any(one.level == "wrong" for one in found) and (home.folder / "noria.db").exists():
        yield Finding("databases", "ok", "Every database is whole.")


def _controls(path: Path) -> Iterator[Finding]:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=10)
    try:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            yield _damaged(path, verdict)
        elif path.name == "noria.db":
            yield from _revision(connection, path)
    except sqlite3.DatabaseError as error:
        yield _damaged(path, str(error))
    finally:
        connection.close()


def _revision(connection: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if "alembic_version" not in tables:
        return
    revision = str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    if revision != REVISION:
        # Revisions are numbered in their order.
        older = revision < REVISION
        yield Finding(
            "databases",
            "note" if older else "wrong",
            f"{path} has schema {revision}, {'older' if older else 'newer'} than this program's {REVISION}.",
            _OLDER if older else _NEWER,
        )


def _collectors(path: Path, steps: Sequence[str]) -> Iterator[Finding]:
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.CantOpenError:
        return  # Deleted by retention just now.
    try:
        connection.set_busy_timeout(10_000)
        version = int(str(connection.execute("PRAGMA user_version").fetchall()[0][0]))
        if version > len(steps):
            yield Finding(
                "databases",
                "wrong",
                f"{path} has schema {version}, newer than this program's {len(steps)}.",
                _NEWER,
            )
            return
        verdict = str(connection.execute("PRAGMA quick_check(1)").fetchall()[0][0])
        if verdict != "ok":
            yield _damaged(path, verdict)
        elif version < len(steps):
            yield Finding(
                "databases",
                "note",
                f"{path} has schema {version}, older than this program's {len(steps)}.",
                _OLDER,
            )
    except apsw.Error as error:
        yield _damaged(path, str(error))
    finally:
        connection.close()


def _damaged(path: Path, how: str) -> Finding:
    return Finding(
        "databases",
        "wrong",
        f"{path} is damaged: {how.splitlines()[0]}.",
        "Stop Noria, and `noria restore` a backup; without one, move the file away and start again.",
    )
