"""Taking versions and datasets away: rows of the log that no version sees any more, and their bodies."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from sqlalchemy import Connection, delete, func, select, update

from noria.storage.database import Database
from noria.storage.dataset_commit import sweep
from noria.storage.example_log import BATCH, ExampleLog
from noria.storage.tables import dataset_commits as commits
from noria.storage.tables import dataset_imports as imports
from noria.storage.tables import dataset_versions as versions
from noria.storage.tables import datasets
from noria.storage.tables import example_log as log

_DEAD = "//"
"""Owner of a commit that nobody writes."""


class Removal:
    """Works in batches; what a killed process leaves undone is invisible, and done by the next removal."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log = ExampleLog(database)

    def forget(self, connection: Connection, dataset: int, number: int) -> None:
        """Take a version away. Of the newest, the commits become as if they had never ended."""
        connection.execute(delete(versions).where(versions.c.dataset == dataset, versions.c.number == number))
        left = connection.execute(
            select(func.max(versions.c.number), func.max(versions.c.commit)).where(
                versions.c.dataset == dataset
            )
        ).one()
        latest, commit = left[0] or 0, left[1] or 0
        connection.execute(update(datasets).where(datasets.c.number == dataset).values(latest=latest))
        later = commits.c.dataset == dataset, commits.c.number > commit, commits.c.touched_ms.is_(None)
        connection.execute(update(commits).where(*later).values(touched_ms=0, owner=_DEAD))

    def compact(self, dataset: int) -> None:
        """Drop every row that is the newest of its example in no version."""
        with self._database.read() as connection:
            dead = list(
                connection.scalars(
                    select(commits.c.number).where(commits.c.dataset == dataset, commits.c.owner == _DEAD)
                )
            )
            pins = sorted(connection.scalars(select(versions.c.commit).where(versions.c.dataset == dataset)))
        for number in dead:
            sweep(self._database, dataset, number)
        after = ""
        while pins:
            with self._database.write() as connection:
                query = (
                    select(log.c.example, log.c.commit)
                    .where(log.c.dataset == dataset, log.c.example > after, log.c.commit <= pins[-1])
                    .order_by(log.c.example, log.c.commit)
                    .limit(BATCH)
                )
                rows = [(row.example, row.commit) for row in connection.execute(query)]
                whole = len(rows) < BATCH
                if not whole and rows[0][0] != rows[-1][0]:
                    # The last example's rows may go on in the next page.
                    rows = [row for row in rows if row[0] != rows[-1][0]]
                unseen = [row for _, of in groupby(rows, key=lambda row: row[0]) for row in _unseen(of, pins)]
                self._log.drop(connection, dataset, unseen)
            if whole:
                return
            after = rows[-1][0]

    def finish(self, dataset: int) -> None:
        """Take all that is left of a deleted dataset."""
        after = ""
        while True:
            query = (
                select(log.c.example, log.c.commit)
                .where(log.c.dataset == dataset, log.c.example >= after)
                .order_by(log.c.example, log.c.commit)
                .limit(BATCH // 2)
            )
            with self._database.write() as connection:
                rows = [(row.example, row.commit) for row in connection.execute(query)]
                if not rows:
                    for table in (commits, imports):
                        connection.execute(delete(table).where(table.c.dataset == dataset))
                    connection.execute(delete(datasets).where(datasets.c.number == dataset))
                    return
                self._log.drop(connection, dataset, rows)
            after = rows[-1][0]


def _unseen(rows: Iterable[tuple[str, int]], pins: list[int]) -> list[tuple[str, int]]:
    """Of one example's rows, in order of commit, those that no pin has as its newest."""
    found = list(rows)
    seen = {max((row[1] for row in found if row[1] <= pin), default=0) for pin in pins}
    return [row for row in found if row[1] not in seen]
