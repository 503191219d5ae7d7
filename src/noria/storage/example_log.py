"""The log of examples' revisions: states as of a commit, in pages; rows written in batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import zstandard
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from noria.core.example import Example
from noria.storage.database import Database
from noria.storage.seal import Seal
from noria.storage.tables import dataset_commits as commits
from noria.storage.tables import example_bodies as bodies
from noria.storage.tables import example_log as log

BATCH = 1000
"""Rows of one transaction."""
_PAGE = 5_000
"""Entries without bodies that are read at once."""
_PAGE_BYTES = 8 << 20
"""Bodies, compressed, that are read at once."""
_MOST_BODY = 256 << 20
ERASED = "erased"
"""In the lineage of a version: how many of its examples were erased at a person's wish."""
PLAIN_REVISION = 32
"""Bytes of a revision; a tombstone is longer and ends with the revision that it was."""
EVERY = (0, 1 << 32)
"""All buckets."""

_canonical = msgspec.json.Encoder(order="deterministic").encode
_example = msgspec.json.Decoder(Example).decode


class Entry(NamedTuple):
    """One example in a state."""

    example: str
    revision: bytes
    bucket: int


class State(NamedTuple):
    """A dataset as of a commit. `own` is an open commit that is seen all the same; 0: none."""

    dataset: int
    commit: int
    own: int = 0

    def visible(self, table: FromClause) -> ColumnElement[bool]:
        """The rows of the log that count."""
        hidden = select(commits.c.number).where(
            commits.c.dataset == self.dataset,
            commits.c.touched_ms.is_not(None),
            commits.c.number != self.own,
        )
        return and_(
            table.c.dataset == self.dataset, table.c.commit <= self.commit, table.c.commit.not_in(hidden)
        )

    def rows(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """The newest row of each example, those of deletions too."""
        later = log.alias("later")
        newer = exists().where(
            self.visible(later), later.c.example == log.c.example, later.c.commit > log.c.commit
        )
        return select(*columns).select_from(log).where(self.visible(log), ~newer)


class Packed(NamedTuple):
    """A revision as it is stored."""

    revision: bytes
    body: bytes


class Codec:
    """Examples to bodies and back. Not for several threads at once."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._compress = zstandard.ZstdCompressor(level=3).compress
        self._decompress = zstandard.ZstdDecompressor().decompress

    def pack(self, example: Example) -> Packed:
        """The revision is that of `Example.revision`, as bytes."""
        values = msgspec.to_builtins(example)
        del values["id"]
        text = _canonical(values)
        return Packed(hashlib.sha256(text).digest(), self._seal.bytes(self._compress(text)))

    def unpack(self, id: str, body: bytes) -> Example:
        text = self._decompress(self._seal.opened(body), max_output_size=_MOST_BODY)
        return _example(b'{"id":' + msgspec.json.encode(id) + b"," + text[1:])


class ExampleLog:
    """Reads states, and changes the log within transactions of the caller."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self, state: State, *, after: str = "") -> Iterator[Entry]:
        """All examples of a state in order of id, without their bodies; of one that was erased, the
        revision that it was."""
        query = (
            state.rows(log.c.example, log.c.revision, log.c.bucket)
            .where(log.c.revision.is_not(None), log.c.example > bindparam("after"))
            .order_by(log.c.example)
            .limit(_PAGE)
        )
        while True:
            with self._database.read() as connection:
                page = [
                    Entry(row.example, row.revision[-PLAIN_REVISION:], row.bucket)
                    for row in connection.execute(query, {"after": after})
                ]
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].example

    def examples(
        self, state: State, *, buckets: tuple[int, int] = EVERY, after: str = ""
    ) -> Iterator[Example]:
        """The examples of a state whose bucket is in the range, in order of id."""
        codec = Codec(self._database.seal)
        query = (
            state.rows(log.c.example, bodies.c.body)
            .join(bodies, bodies.c.revision == log.c.revision)
            .where(log.c.example > bindparam("after"))
            .order_by(log.c.example)
            .limit(BATCH)
        )
        if buckets != EVERY:
            query = query.where(log.c.bucket >= buckets[0], log.c.bucket < buckets[1])
        while True:
            page, whole = self._page(query, after)
            for id, body in page:
                yield codec.unpack(id, body)
            if whole and len(page) < BATCH:
                return
            after = page[-1][0]

    def whole(self, state: State) -> Iterator[bool]:
        """Of each example that was not erased, whether its body is there and is what its revision says."""
        seal, decompress = self._database.seal, zstandard.ZstdDecompressor().decompress
        query = (
            state.rows(log.c.example, log.c.revision, bodies.c.body)
            .join(bodies, bodies.c.revision == log.c.revision, isouter=True)
            .where(func.length(log.c.revision) == PLAIN_REVISION, log.c.example > bindparam("after"))
            .order_by(log.c.example)
            .limit(BATCH)
        )
        after = ""
        while True:
            with self._database.read() as connection:
                page = connection.execute(query, {"after": after}).all()
            for row in page:
                packed = b"" if row.body is None else seal.opened(row.body)
                text = decompress(packed, max_output_size=_MOST_BODY) if packed else b""
                yield hashlib.sha256(text).digest() == row.revision
            if len(page) < BATCH:
                return
            after = page[-1].example

    def _page(self, query: Select[Any], after: str) -> tuple[list[tuple[str, bytes]], bool]:
        """Rows until they are many or large; False: it was cut because they are large."""
        page: list[tuple[str, bytes]] = []
        size = 0
        with self._database.read() as connection:
            for row in connection.execute(query, {"after": after}):
                page.append((row.example, row.body))
                size += len(row.body)
                if size > _PAGE_BYTES:
                    return page, False
        return page, True

    def some(self, state: State, ids: Sequence[str]) -> dict[str, Example]:
        """Those of `ids` (at most BATCH) that are in the state."""
        codec = Codec(self._database.seal)
        query = (
            state.rows(log.c.example, bodies.c.body)
            .join(bodies, bodies.c.revision == log.c.revision)
            .where(log.c.example.in_(ids))
        )
        with self._database.read() as connection:
            found = connection.execute(query)
            return {row.example: codec.unpack(row.example, row.body) for row in found}

    def touched(self, older: State, newer: State, *, after: str = "") -> Iterator[list[str]]:
        """Ids of the examples that have a row between two states of a dataset, in order, in pages."""
        query = (
            select(log.c.example)
            .distinct()
            .where(newer.visible(log), log.c.commit > older.commit, log.c.example > bindparam("after"))
            .order_by(log.c.example)
            .limit(BATCH // 2)
        )
        while True:
            with self._database.read() as connection:
                page = list(connection.scalars(query, {"after": after}))
            if page:
                yield page
            if len(page) < BATCH // 2:
                return
            after = page[-1]

    def revisions(self, state: State, ids: Sequence[str]) -> dict[str, bytes]:
        """Of those of `ids` that are in the state."""
        query = state.rows(log.c.example, log.c.revision).where(
            log.c.example.in_(ids), log.c.revision.is_not(None)
        )
        with self._database.read() as connection:
            return {row.example: row.revision for row in connection.execute(query)}

    def drop(self, connection: Connection, dataset: int, rows: Sequence[tuple[str, int]]) -> None:
        """Remove rows, given as (example, commit), and the bodies that nobody names any more."""
        if not rows:
            return
        gone = [{"x": example, "c": commit} for example, commit in rows]
        chosen = and_(
            log.c.dataset == dataset, log.c.example == bindparam("x"), log.c.commit == bindparam("c")
        )
        named: list[bytes] = []
        for start in range(0, len(rows), BATCH // 2):
            part = rows[start : start + BATCH // 2]
            found = connection.execute(
                select(log.c.example, log.c.commit, log.c.revision).where(
                    log.c.dataset == dataset,
                    log.c.example.in_([example for example, _ in part]),
                    log.c.commit.in_({commit for _, commit in part}),
                )
            )
            wanted = set(part)
            named += [row.revision for row in found if row.revision and (row.example, row.commit) in wanted]
        connection.execute(delete(log).where(chosen), gone)
        release(connection, named)


def put(connection: Connection, packed: Iterable[Packed], *, anew: bool) -> None:
    """Keep bodies, each once, and count one more use of each; `anew`: as they are written now."""
    rows = [{"revision": one.revision, "body": one.body, "uses": 1} for one in packed]
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as upsert
    else:
        from sqlalchemy.dialects.sqlite import insert as upsert
    query = upsert(bodies)
    changes: dict[str, Any] = {"uses": bodies.c.uses + 1}
    if anew:
        changes["body"] = query.excluded.body
    counted = query.on_conflict_do_update(index_elements=[bodies.c.revision], set_=changes)
    connection.execute(counted, rows)


def release(connection: Connection, revisions: Sequence[bytes]) -> None:
    """Count one use less of each, and delete what has none left."""
    if not revisions:
        return
    less = update(bodies).where(bodies.c.revision == bindparam("r")).values(uses=bodies.c.uses - 1)
    connection.execute(less, [{"r": revision} for revision in revisions])
    for start in range(0, len(revisions), BATCH):
        part = set(revisions[start : start + BATCH])
        connection.execute(delete(bodies).where(bodies.c.revision.in_(part), bodies.c.uses <= 0))


def append(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add rows to the log."""
    if rows:
        connection.execute(insert(log), rows)
