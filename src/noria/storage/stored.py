"""`stored.db`: responses and chat completions that callers may fetch again, each within its project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from noria.errors import InvalidRequest, StateError
from noria.storage.sqlite import one, open_reader, open_writer, rows, sync
from noria.tracing.record import KEPT_ANSWER, Stored
from noria.tracing.store import Cipher

_FIRST = """
CREATE TABLE cursors (
  writer TEXT NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY (writer, segment)
) WITHOUT ROWID;
CREATE TABLE objects (
  id TEXT NOT NULL, project TEXT NOT NULL, kind TEXT NOT NULL, key TEXT, at INTEGER, model TEXT,
  provider TEXT, trace BLOB, deleted INTEGER, metadata TEXT, sealed INTEGER, body BLOB, input BLOB,
  PRIMARY KEY (project, id)
);
CREATE INDEX objects_list ON objects (project, kind, at, id) WHERE deleted = 0;
CREATE INDEX objects_trace ON objects (trace);
"""
_BY_ID = "CREATE INDEX objects_id ON objects (id)"
STEPS = (_FIRST, _BY_ID)
MAX_LIMIT = 100
_COLUMNS = "id, kind, project, key, at, body, input, model, trace, metadata, provider, deleted, sealed"
_encode = msgspec.json.Encoder(order="sorted").encode
_metadata = msgspec.json.Decoder(dict[str, str]).decode


class StoredWriter:
    """The only writer; use from one thread."""

    def __init__(self, path: Path, *, cipher: Cipher | None = None, durable: bool = False) -> None:
        self._connection = open_writer(path, STEPS, durable=durable)
        self._cipher = cipher

    def close(self) -> None:
        self._connection.close()

    def sync(self) -> None:
        """Bring all that is committed to the disk."""
        sync(self._connection)

    def cursors(self) -> dict[tuple[str, int], int]:
        """Offset by writer and segment."""
        found = rows(self._connection, "SELECT writer, segment, offset FROM cursors")
        return {(writer, segment): offset for writer, segment, offset in found}

    def write(self, records: Sequence[Stored], cursors: Mapping[tuple[str, int], int]) -> None:
        """One transaction. A later record of an id takes an earlier one's place, unless that was deleted."""
        with self._connection:
            for record in records:
                self._put(record)
            marks = [(writer, segment, offset) for (writer, segment), offset in cursors.items()]
            self._connection.executemany("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)", marks)

    def forget(self, writer: str, segment: int) -> None:
        """The segment is gone."""
        self._connection.execute("DELETE FROM cursors WHERE writer = ? AND segment = ?", (writer, segment))

    def delete(self, project: str, id: str, kind: str) -> bool:
        """Whether there was one. Its id stays, so that a record still on its way does not bring it back."""
        row = one(
            self._connection,
            "UPDATE objects SET deleted = 1, body = x'', input = x'', metadata = '{}'"
            " WHERE project = ? AND id = ? AND kind = ? AND deleted = 0 RETURNING id",
            (project, id, kind),
        )
        return row is not None

    def set_metadata(self, project: str, id: str, metadata: Mapping[str, str]) -> bool:
        """Replace the metadata, in the object too; whether there is one."""
        found = _one(self._connection, self._cipher, project, id)
        if found is None:
            return False
        body = msgspec.json.decode(found.body, type=dict[str, Any])
        body["metadata"] = dict(metadata)
        self._put(msgspec.structs.replace(found, body=msgspec.json.encode(body), metadata=dict(metadata)))
        return True

    def erase(self, traces: Sequence[bytes]) -> int:
        """Delete what the calls of these traces have stored; how many."""
        connection = self._connection
        connection.execute("PRAGMA secure_delete=ON")
        count = 0
        with connection:
            for trace in traces:
                count += len(rows(connection, "DELETE FROM objects WHERE trace = ? RETURNING id", (trace,)))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA secure_delete=OFF")
        return count

    def prune(self, *, now: int, keep_days: int = 7) -> None:
        """Delete answers that were kept for idempotency keys, once they are so old; `now` is in ns."""
        before = now - keep_days * 86_400_000_000_000
        old = rows(
            self._connection,
            "SELECT project, id FROM objects WHERE kind = ? AND at < ? AND deleted = 0 LIMIT 1000",
            (KEPT_ANSWER, before),
        )
        if old:
            with self._connection:
                self._connection.executemany("DELETE FROM objects WHERE project = ? AND id = ?", old)

    def _put(self, record: Stored) -> None:
        seal = self._cipher.encrypt if self._cipher is not None else bytes
        self._connection.execute(
            "INSERT INTO objects VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
            " ON CONFLICT (project, id) DO UPDATE SET kind = ?3, key = ?4, at = ?5, model = ?6,"
            " provider = ?7, trace = ?8, deleted = ?9, metadata = ?10, sealed = ?11, body = ?12,"
            " input = ?13 WHERE deleted = 0",
            (
                record.id,
                record.project,
                record.kind,
                record.key,
                record.at,
                record.model,
                record.provider,
                record.trace,
                record.deleted,
                _encode(record.metadata).decode(),
                self._cipher is not None and not record.deleted,
                b"" if record.deleted else seal(record.body),
                b"" if record.deleted else seal(record.input),
            ),
        )


class StoredReader:
    """Any thread, any process."""

    def __init__(self, path: Path, *, cipher: Cipher | None = None) -> None:
        self._path = path
        self._cipher = cipher

    def get(self, project: str, id: str) -> Stored | None:
        """One object; None where it is unknown, deleted or another project's."""
        connection = open_reader(self._path, STEPS)
        if connection is None:
            return None
        try:
            return _one(connection, self._cipher, project, id)
        finally:
            connection.close()

    def known(self, id: str) -> bool:
        """Whether any project has, or had, an object of that id."""
        connection = open_reader(self._path, STEPS)
        if connection is None:
            return False
        try:
            return one(connection, "SELECT 1 FROM objects WHERE id = ?", (id,)) is not None
        finally:
            connection.close()

    def list(
        self,
        project: str,
        kind: str,
        *,
        after: str | None = None,
        limit: int = 20,
        order: str = "asc",
        model: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> tuple[list[Stored], bool]:
        """Objects by time, and whether more follow. Raises InvalidRequest where `after` is none of them."""
        clause = "project = ? AND kind = ? AND deleted = 0"
        values: list[object] = [project, kind]
        direction, sign = ("DESC", "<") if order == "desc" else ("ASC", ">")
        connection = open_reader(self._path, STEPS)
        if connection is None:
            return [], False
        try:
            if after is not None:
                row = one(connection, "SELECT at FROM objects WHERE project = ? AND id = ?", (project, after))
                if row is None:
                    raise InvalidRequest("`after` is the id of no object here; start without.", param="after")
                clause += f" AND (at, id) {sign} (?, ?)"
                values += [row[0], after]
            if model is not None:
                clause += " AND model = ?"
                values.append(model)
            for name, wanted in (metadata or {}).items():
                if '"' in name:
                    raise InvalidRequest('A metadata name must not contain `"`.', param="metadata")
                clause += " AND json_extract(metadata, ?) = ?"
                values += [f'$."{name}"', wanted]
            limit = max(1, min(limit, MAX_LIMIT))
            found = rows(
                connection,
                f"SELECT {_COLUMNS} FROM objects WHERE {clause}"
                f" ORDER BY at {direction}, id {direction} LIMIT {limit + 1}",
                values,
            )
            return [_opened(row, self._cipher) for row in found[:limit]], len(found) > limit
        finally:
            connection.close()


def _one(connection: Any, cipher: Cipher | None, project: str, id: str) -> Stored | None:
    row = one(
        connection,
        f"SELECT {_COLUMNS} FROM objects WHERE project = ? AND id = ? AND deleted = 0",
        (project, id),
    )
    return _opened(row, cipher) if row is not None else None


def _opened(row: tuple[Any, ...], cipher: Cipher | None) -> Stored:
    id, kind, project, key, at, body, input, model, trace, metadata, provider, deleted, sealed = row
    if sealed:
        if cipher is None:
            raise StateError("A stored answer is encrypted; give Noria its encryption key.")
        body, input = cipher.decrypt(body), cipher.decrypt(input)
    return Stored(
        id=id,
        kind=kind,
        project=project,
        key=key,
        at=at,
        body=body,
        input=input,
        model=model,
        trace=trace,
        metadata=_metadata(metadata),
        provider=provider,
        deleted=bool(deleted),
    )
