"""One commit of a dataset: its rows are written in batches, seen by nobody until its version is there.

A commit is open until then. Who opens one where another is open waits for it, or, where whoever wrote that is
dead, takes its rows away: so an import that was killed is simply run again.
"""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
import time
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from noria.core.clock import Clock
from noria.core.example import Example
from noria.datasets.split import bucket
from noria.errors import Conflict
from noria.storage.database import Database
from noria.storage.example_log import BATCH, Codec, Entry, ExampleLog, Packed, State, append, put
from noria.storage.tables import dataset_commits as commits
from noria.storage.tables import dataset_versions as versions
from noria.storage.tables import example_log as log

_BATCH_BYTES = 8 << 20
_WAIT = 5.0
"""Seconds for which a commit waits for another to end."""
_SILENT_MS = 60_000
"""A writer of another process that has said nothing for so long counts as dead."""
_HOST = socket.gethostname()
_WORD = secrets.token_hex(8)
"""Of this process: ids of processes are used again."""
_living: set[int] = set()
"""Commits that this process is writing."""


class Commit:
    """Writes the rows of one commit. `close` takes them away again unless `sealed` was said."""

    def __init__(self, database: Database, clock: Clock, dataset: int, *, replace: bool) -> None:
        """Raises Conflict while another is under way."""
        self._database = database
        self._clock = clock
        self._log = ExampleLog(database)
        self._codec = Codec(database.seal)
        self._rows: dict[str, tuple[Packed, int]] = {}
        self._size = 0
        self.dataset = dataset
        self.base, self.number = self._open()
        self.changed = 0
        """Rows that were written."""
        self._seen = _Seen() if replace else None

    @property
    def before(self) -> State:
        """The dataset as the commit found it."""
        return State(self.dataset, self.base)

    @property
    def after(self) -> State:
        """The dataset with what was written so far."""
        return State(self.dataset, self.number, own=self.number)

    def add(self, example: Example) -> None:
        """Create or revise; of one id the last counts."""
        packed = self._codec.pack(example)
        self._rows[example.id] = (packed, bucket(example))
        self._size += len(packed.body)
        if len(self._rows) >= BATCH or self._size >= _BATCH_BYTES:
            self.flush()

    def remove(self, ids: Iterable[str]) -> None:
        """Delete; ids that are not there are passed over."""
        self.flush()
        part: list[str] = []
        for id in ids:
            part.append(id)
            if len(part) == BATCH // 2:
                self._remove(part)
                part = []
        self._remove(part)

    def remove_unseen(self) -> None:
        """Delete all that was not added."""
        self.flush()
        assert self._seen is not None, "only a commit that replaces knows what it has seen"
        self.remove(self._seen.lacking(self._log.entries(self.before)))

    def flush(self) -> None:
        """Write what is held back."""
        if not self._rows:
            return
        rows, self._rows, self._size = self._rows, {}, 0
        if self._seen is not None:
            self._seen.add(rows)
        with self._database.write() as connection:
            self._touch(connection)
            own, there = self._known(connection, list(rows))
            # Said twice in one commit: the row that was written before gives way.
            self._log.drop(connection, self.dataset, [(id, self.number) for id in rows if id in own])
            fresh = {id: row for id, row in rows.items() if there.get(id) != row[0].revision}
            put(connection, (packed for packed, _ in fresh.values()), anew=self._database.seal.wanted)
            append(connection, [self._row(id, packed.revision, at) for id, (packed, at) in fresh.items()])
        self.changed += len(fresh) - len(own)

    def _remove(self, ids: list[str]) -> None:
        if not ids:
            return
        with self._database.write() as connection:
            self._touch(connection)
            own, there = self._known(connection, ids)
            self._log.drop(connection, self.dataset, [(id, self.number) for id in set(ids) if id in own])
            rows = [self._row(id, None, 0) for id in set(ids) if id in there]
            append(connection, rows)
        self.changed += len(rows) - len(own)

    def _row(self, id: str, revision: bytes | None, bucket: int) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "example": id,
            "commit": self.number,
            "revision": revision,
            "bucket": bucket,
        }

    def _known(self, connection: Connection, ids: list[str]) -> tuple[set[str], dict[str, bytes]]:
        """Which ids the commit has rows of, and the revisions that they had before it."""
        own = set(
            connection.scalars(
                select(log.c.example).where(
                    log.c.dataset == self.dataset, log.c.commit == self.number, log.c.example.in_(ids)
                )
            )
        )
        query = self.before.rows(log.c.example, log.c.revision).where(
            log.c.example.in_(ids), log.c.revision.is_not(None)
        )
        return own, {row.example: row.revision for row in connection.execute(query)}

    def sealed(self, connection: Connection) -> None:
        """From the end of this transaction on, everybody sees the rows."""
        self._touch(connection)
        connection.execute(update(commits).where(commits.c.number == self.number).values(touched_ms=None))

    def close(self) -> None:
        """Let go; what was not sealed is taken away."""
        _living.discard(self.number)
        if self._seen is not None:
            self._seen.close()
        with self._database.read() as connection:
            open = commits.c.number == self.number, commits.c.touched_ms.is_not(None)
            left = connection.scalar(select(commits.c.number).where(*open))
        if left is not None:
            sweep(self._database, self.dataset, left)

    def _touch(self, connection: Connection) -> None:
        mine = commits.c.number == self.number, commits.c.touched_ms.is_not(None)
        if not connection.execute(update(commits).where(*mine).values(touched_ms=self._now())).rowcount:
            raise Conflict(
                "Nothing came of this commit for a minute, and another one took its place; run it again."
            )

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000

    def _open(self) -> tuple[int, int]:
        """(the commit of the newest version, one's own)."""
        until = time.monotonic() + _WAIT
        while True:
            with self._database.write() as connection:
                others = list(connection.execute(select(commits).where(*self._open_ones())))
                if not any(_alive(row.number, row.owner, self._now() - row.touched_ms) for row in others):
                    opened = self._begun(connection)
                    break
            if time.monotonic() > until:
                raise Conflict(
                    "Another commit of this dataset is under way; try again when it is done.",
                    code="busy",
                    retry_after=5.0,
                )
            time.sleep(0.05)
        for row in others:
            sweep(self._database, self.dataset, row.number)
        return opened

    def _begun(self, connection: Connection) -> tuple[int, int]:
        owner = f"{_HOST}/{os.getpid()}/{_WORD}"
        values = {"dataset": self.dataset, "touched_ms": self._now(), "owner": owner}
        made = connection.execute(insert(commits).values(values)).inserted_primary_key
        assert made is not None, "one row was inserted"
        # Before others can see it.
        _living.add(made[0])
        newest = select(func.max(versions.c.commit)).where(versions.c.dataset == self.dataset)
        return connection.scalar(newest) or 0, made[0]

    def _open_ones(self) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return commits.c.dataset == self.dataset, commits.c.touched_ms.is_not(None)


def sweep(database: Database, dataset: int, commit: int) -> None:
    """Take away the rows of an open commit, in batches, and then the commit."""
    examples = ExampleLog(database)
    after = ""
    while True:
        query = (
            select(log.c.example)
            .where(log.c.dataset == dataset, log.c.commit == commit, log.c.example > after)
            .order_by(log.c.example)
            .limit(BATCH // 2)
        )
        with database.write() as connection:
            ids = list(connection.scalars(query))
            examples.drop(connection, dataset, [(id, commit) for id in ids])
            if not ids:
                connection.execute(delete(commits).where(commits.c.number == commit))
                return
        after = ids[-1]


def _alive(number: int, owner: str, silent_ms: int) -> bool:
    host, process, word = owner.split("/")
    if word == _WORD:
        return number in _living
    if silent_ms > _SILENT_MS:
        return False
    if host != _HOST:
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # A process id that is now one's own was somebody else's before.
    return int(process) != os.getpid()


class _Seen:
    """The ids that were added, on disk, in order."""

    def __init__(self) -> None:
        # "" is a temporary file that the library deletes.
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._file.execute("CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID")

    def add(self, ids: Iterable[str]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany("INSERT OR IGNORE INTO seen VALUES (?)", ((id,) for id in ids))
        self._file.execute("COMMIT")

    def lacking(self, entries: Iterator[Entry]) -> Iterator[str]:
        """The ids of `entries`, which are in order, that were not added."""
        seen = self._file.execute("SELECT id FROM seen ORDER BY id")
        row = seen.fetchone()
        for entry in entries:
            while row is not None and row[0] < entry.example:
                row = seen.fetchone()
            if row is None or row[0] != entry.example:
                yield entry.example

    def close(self) -> None:
        self._file.close()
