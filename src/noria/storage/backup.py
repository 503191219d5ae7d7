"""Everything in a state folder as of one moment, copied while all processes go on writing.

The hazard: a record is first in a spool segment, then in a day of spans, stored.db and ledger.db, each with
its own cursor; when all have passed a segment the collector unlinks it, and then forgets its cursors. Copies
taken at different times could miss a record, or hold it twice. The order that they are taken in:

1. Every segment is opened. An open file stays readable when it is unlinked, so nothing can get away.
2. A read transaction is begun on every database (ledger first, spans last, as the collector commits them the
   other way round). From here on they are as of one moment, however long the copying takes: they are in WAL
   mode, where a reader holds nobody up.
3. The segments are listed again. Where one that was opened has gone meanwhile, it is not known whether the
   databases saw it whole, so 1 and 2 are repeated; they take milliseconds, and a segment lasts for seconds.
   Else each listed segment stands where the cursors say, and each unlisted one is in the databases.
4. The databases are copied, then the listed segments up to their last whole record, then the counters. What
   a segment got since 2 comes along: a longer spool is a spool, and so is one without its later segments.

Restored, it is what a power cut at 4 would have left, which every start can deal with: the collector goes on
from its cursors, so that each record accepted before 2 is there exactly once, and calls that were under way
are settled at their bound and marked unconfirmed. The counters come last, so that money may be counted too
much by what was under way, and never too little.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import apsw

from noria.errors import StateError
from noria.storage.home import Home
from noria.storage.segment import HEADER, frames, read_head
from noria.storage.snapshots import Snapshots
from noria.storage.sqlite import rows, value

TRIES = 200
"""How often the moment is looked for; each try takes milliseconds."""
_COUNTED = (
    "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'"
    " ORDER BY name"
)
Report = Callable[[str], None]
"""Is told what is being copied."""
Rows = dict[str, int]
"""Rows by table."""


class Sink(Protocol):
    """Where copies go."""

    def put(self, name: str, file: Path, *, rows: Rows | None = None) -> None:
        """Take over the file at `file`, as `name`."""
        ...

    def scratch(self) -> Path:
        """A path for a file that is to be put."""
        ...


class Pinned(Protocol):
    """A database as of the moment when it was pinned."""

    def copy(self, to: Path) -> Rows: ...

    def close(self) -> None: ...


class _Collectors:
    """A database that the collector writes, through the collector's SQLite library."""

    def __init__(self, path: Path) -> None:
        try:
            self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            self._connection.set_busy_timeout(10_000)
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        except apsw.CantOpenError:
            raise FileNotFoundError(path) from None
        except (apsw.NotADBError, apsw.CorruptError) as error:
            raise StateError(f"{path} is damaged ({error}); `noria doctor` looks into it.") from None

    def copy(self, to: Path) -> Rows:
        copied = apsw.Connection(str(to))
        with copied.backup("main", self._connection, "main") as backup:
            backup.step(-1)
        copied.close()
        return _apsw_rows(self._connection)

    def close(self) -> None:
        self._connection.close()


class _Controls:
    """A database that control writes, through the standard library's SQLite."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(path)
        try:
            self._connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None, timeout=10
            )
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        except sqlite3.DatabaseError as error:
            raise StateError(f"{path} is damaged ({error}); `noria doctor` looks into it.") from None

    def copy(self, to: Path) -> Rows:
        with sqlite3.connect(to) as copied:
            self._connection.backup(copied)
        copied.close()
        tables = [name for (name,) in self._connection.execute(_COUNTED)]
        return {name: self._connection.execute(_count(name)).fetchone()[0] for name in tables}

    def close(self) -> None:
        self._connection.close()


class Moment:
    """The databases pinned, and the segments that go with them held open."""

    def __init__(self, databases: dict[str, Pinned], segments: dict[Path, int]) -> None:
        self.databases = databases
        """By name within the backup."""
        self.segments = segments
        """Open descriptors, by path relative to the spool."""


@contextmanager
def hold(home: Home) -> Generator[Moment]:
    """Steps 1 to 3. Raises StateError where the state changes too fast for it, or a database is damaged."""
    with ExitStack() as files:
        opened: dict[Path, int] = {}
        for _ in range(TRIES):
            _open_segments(home.spool, opened, files)
            pins = ExitStack()
            try:
                databases = _pin(home, pins)
                present = _segments(home.spool)
            except FileNotFoundError:  # A day was deleted between being listed and being opened.
                pins.close()
                continue
            if present == opened.keys() and _days(home) == {name for name in databases if "/" in name}:
                with pins:
                    yield Moment(databases, opened)
                return
            pins.close()
            for path in opened.keys() - present:
                del opened[path]
        raise StateError(
            f"{home.folder} changes too fast for a backup; try again when there is less traffic."
        )


def copy_state(home: Home, sink: Sink, *, blobs: Path | None, report: Report) -> None:
    """Put a copy of all state into `sink`; `blobs` is their folder, None where they are elsewhere."""
    with hold(home) as moment:
        for name, pinned in moment.databases.items():
            report(name)
            file = sink.scratch()
            sink.put(name, file, rows=pinned.copy(file))
            pinned.close()
        report("spool")
        for path, descriptor in sorted(moment.segments.items()):
            _put(sink, f"spool/{path}", _whole_records(descriptor))
        for lock in sorted(home.spool.glob("*/lock")):
            # Holds the number of the writer's last segment: numbers are never used again.
            _put(sink, f"spool/{lock.relative_to(home.spool)}", lock.read_bytes())
    _copy_counters(home, sink)
    _copy_snapshots(home, sink)
    if (home.folder / "secret").exists():
        _put(sink, "secret", home.pepper())
    if blobs is not None:
        report("blobs")
        for path in sorted(blobs.glob("sha256/??/*")):
            if not path.name.startswith("."):
                file = sink.scratch()
                shutil.copyfile(path, file)
                sink.put(f"blobs/{path.relative_to(blobs)}", file)


def count_rows(path: Path) -> Rows:
    """Of a copied database that nobody writes, without touching it."""
    where = f"file:{quote(str(path))}?immutable=1"
    connection = apsw.Connection(where, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    try:
        return _apsw_rows(connection)
    finally:
        connection.close()


def _apsw_rows(connection: apsw.Connection) -> Rows:
    tables = [name for (name,) in rows(connection, _COUNTED)]
    return {name: value(connection, _count(name)) for name in tables}


def _pin(home: Home, pins: ExitStack) -> dict[str, Pinned]:
    found: dict[str, Pinned] = {}
    places = [("ledger.db", home.ledger), ("stored.db", home.stored)]
    places += [(name, home.folder / name) for name in sorted(_days(home))]
    for name, path in places:
        if path.exists():
            found[name] = _Collectors(path)
            pins.callback(found[name].close)
    for name, path in (("noria.db", home.database), ("jobs.db", home.jobs)):
        if path.exists():
            found[name] = _Controls(path)
            pins.callback(found[name].close)
    # jobs.db, small and first to be copied, is the one whose writer a reader could hold up.
    return dict(sorted(found.items(), key=lambda item: item[0] != "jobs.db"))


def _days(home: Home) -> set[str]:
    return {f"spans/{path.name}" for path in home.spans.glob("*.db")}


def _segments(spool: Path) -> set[Path]:
    return {path.relative_to(spool) for path in spool.glob("*/*.seg")}


def _open_segments(spool: Path, opened: dict[Path, int], files: ExitStack) -> None:
    for path in _segments(spool) - opened.keys():
        try:
            opened[path] = os.open(spool / path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        files.callback(os.close, opened[path])


def _whole_records(descriptor: int) -> bytes:
    """A segment up to its last whole record; b"" of one that never began."""
    data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    head = read_head(data)
    if head is None or not head.day:
        return b""
    end = HEADER
    for behind, payload in frames(data[HEADER:]):
        if payload is None:
            break
        end = HEADER + behind
    return data[:end]


def _copy_counters(home: Home, sink: Sink) -> None:
    """The slots' owners last, and the same before and after: a column must not lose its owner."""
    slots = home.counters / "slots"
    if not slots.exists():
        return
    for _ in range(TRIES):
        before = slots.read_bytes()
        copies = {path.name: path.read_bytes() for path in home.counters.iterdir() if path != slots}
        if slots.read_bytes() == before:
            break
    else:
        raise StateError("Processes come and go too fast for a backup; see the logs, and try again.")
    for name, data in sorted({**copies, "slots": before}.items()):
        _put(sink, f"counters/{name}", data)


def _copy_snapshots(home: Home, sink: Sink) -> None:
    """What is served now, published anew: the file with the generation also names living processes."""
    if not (home.snapshots / "generation").exists():
        return
    try:
        config, live = Snapshots(home.snapshots).current()
    except StateError:
        return  # Nothing was published yet, or by another version: control publishes again when it starts.
    folder = sink.scratch()
    Snapshots(folder).publish(config=config, live=live)
    for path in sorted(folder.iterdir()):
        sink.put(f"snapshots/{path.name}", path)
    folder.rmdir()


def _put(sink: Sink, name: str, data: bytes) -> None:
    if data or not name.endswith(".seg"):
        file = sink.scratch()
        file.write_bytes(data)
        sink.put(name, file)


def _count(table: str) -> str:
    return 'SELECT count(*) FROM "' + table.replace('"', '""') + '"'
