"""Examples erased at a person's wish, out of every version that has them.

What stays of one is a tombstone: its row of the log with the digest of the revision that it was, so that the
digest of a version can still be computed. The newest state of a dataset is given a version without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, func, select, tuple_, update

from noria.core.example import Example
from noria.storage.database import Database
from noria.storage.example_log import BATCH, ERASED, PLAIN_REVISION, Codec, State, release
from noria.storage.tables import dataset_versions as versions
from noria.storage.tables import datasets
from noria.storage.tables import example_bodies as bodies
from noria.storage.tables import example_log as log

_PAGE = BATCH // 2


class ExampleErasure:
    """Of one project's datasets."""

    def __init__(self, database: Database, project: str) -> None:
        self._database = database
        self._project = project

    def bury(self, matches: Callable[[Example], bool]) -> dict[int, set[str]]:
        """Make tombstones of all revisions of every example of which one matches, also of those that a
        commit is writing now; the ids of the examples, by number of the dataset."""
        buried: dict[int, set[str]] = {}
        for number in self._numbers():
            for found in self._pages(number, matches):
                if found:
                    self._mark(number, found)
                    buried.setdefault(number, set()).update(found)
        return buried

    def left(self) -> Iterator[tuple[RowMapping, list[str]]]:
        """Datasets whose newest version has tombstones, and the ids of these examples."""
        for head in self._heads():
            with self._database.read() as connection:
                commit = connection.scalar(
                    select(versions.c.commit).where(
                        versions.c.dataset == head["number"], versions.c.number == head["latest"]
                    )
                )
                if commit is None:
                    continue
                query = State(head["number"], commit).rows(log.c.example)
                ids = list(connection.scalars(query.where(_is_tombstone())))
            if ids:
                yield head, ids

    def count(self) -> None:
        """Note with every version how many of its examples are tombstones."""
        for head in self._heads():
            with self._database.read() as connection:
                chosen = versions.c.dataset == head["number"]
                found = connection.execute(select(versions).where(chosen)).mappings().all()
                tombs = select(log.c.example).where(log.c.dataset == head["number"], _is_tombstone())
                if connection.execute(tombs.limit(1)).first() is None:
                    continue
            for row in found:
                self._note(head["number"], row)

    def _note(self, dataset: int, row: RowMapping) -> None:
        query = State(dataset, row["commit"]).rows(func.count()).where(_is_tombstone())
        with self._database.write() as connection:
            count = connection.scalar(query) or 0
            if count != row["lineage"].get(ERASED, 0):
                this = and_(versions.c.dataset == dataset, versions.c.number == row["number"])
                lineage = {**row["lineage"], ERASED: count}
                connection.execute(update(versions).where(this).values(lineage=lineage))

    def _pages(self, dataset: int, matches: Callable[[Example], bool]) -> Iterator[list[str]]:
        """Examples of which a revision matches, in pages; each is read whole before it is given."""
        codec = Codec(self._database.seal)
        after = ("", 0)
        query = (
            select(log.c.example, log.c.commit, bodies.c.body)
            .join(bodies, bodies.c.revision == log.c.revision)
            .where(log.c.dataset == dataset)
            .order_by(log.c.example, log.c.commit)
            .limit(_PAGE)
        )
        while True:
            with self._database.read() as connection:
                rows = connection.execute(query.where(tuple_(log.c.example, log.c.commit) > after)).all()
            found = (row.example for row in rows if matches(codec.unpack(row.example, row.body)))
            yield sorted(set(found))
            if len(rows) < _PAGE:
                return
            after = (rows[-1].example, rows[-1].commit)

    def _mark(self, dataset: int, examples: list[str]) -> None:
        these = and_(log.c.dataset == dataset, log.c.example.in_(examples))
        living = and_(these, func.length(log.c.revision) == PLAIN_REVISION)
        this = and_(log.c.dataset == dataset, log.c.example == bindparam("e"), log.c.commit == bindparam("c"))
        with self._database.write() as connection:
            rows = connection.execute(select(log.c.example, log.c.commit, log.c.revision).where(living)).all()
            for row in rows:
                connection.execute(
                    update(log).where(this).values(revision=tombstone(row.revision)),
                    {"e": row.example, "c": row.commit},
                )
            release(connection, [row.revision for row in rows])

    def _numbers(self) -> list[int]:
        """Of datasets, those that are being deleted too."""
        with self._database.read() as connection:
            return list(
                connection.scalars(select(datasets.c.number).where(datasets.c.project == self._project))
            )

    def _heads(self) -> list[RowMapping]:
        chosen = datasets.c.project == self._project, datasets.c.deleted.is_(False)
        with self._database.read() as connection:
            return list(connection.execute(select(datasets).where(*chosen)).mappings())


def tombstone(revision: bytes) -> bytes:
    """In place of a revision: no body has that name, and the digest is still there."""
    return b"\0" + revision


def _is_tombstone() -> ColumnElement[bool]:
    return func.length(log.c.revision) > PLAIN_REVISION
