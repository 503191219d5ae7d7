"""Datasets in noria.db, read: datasets.store.DatasetReader, and what the catalog and the page ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import and_, func, select

from noria.core.example import Example
from noria.core.pages import Page
from noria.datasets.split import ranges
from noria.datasets.store import Change, Counts, Dataset, DatasetVersion, Split
from noria.errors import NotFound
from noria.storage.audit import number_of
from noria.storage.database import Database
from noria.storage.dataset_rows import GOLDEN, as_dataset, as_version, need, row_of, version_of
from noria.storage.example_log import EVERY, PLAIN_REVISION, ExampleLog, State
from noria.storage.tables import dataset_imports as imports
from noria.storage.tables import dataset_versions as versions
from noria.storage.tables import datasets
from noria.storage.tables import example_log as log


class Revised(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of an example's history: the first version that has it."""

    version: int
    kind: str
    """create, patch or delete."""
    revision: str
    erased: bool = False
    """At a person's wish: its words are gone."""
    at_ms: int
    by: str
    by_name: str


class StoredDatasets:
    """DatasetReader."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log = ExampleLog(database)

    def dataset(self, project: str, name: str) -> Dataset | None:
        with self._database.read() as connection:
            found = row_of(connection, project, name)
            return None if found is None else as_dataset(found)

    def page(
        self, project: str, *, text: str = "", tag: str = "", cursor: str | None = None, limit: int = 50
    ) -> Page[Dataset]:
        """By name. `text` is looked for in names and descriptions."""
        query = (
            select(datasets, GOLDEN)
            .where(datasets.c.project == project, datasets.c.deleted.is_(False))
            .order_by(datasets.c.name)
        )
        if text:
            like = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            query = query.where(
                datasets.c.name.ilike(like, escape="\\") | datasets.c.description.ilike(like, escape="\\")
            )
        if cursor:
            query = query.where(datasets.c.name > cursor)
        found: list[Dataset] = []
        with self._database.read() as connection:
            for row in connection.execute(query).mappings():
                one = as_dataset(row)
                if not tag or tag in one.tags:
                    found.append(one)
                if len(found) > limit:
                    break
        items = tuple(found[:limit])
        return Page(items, items[-1].name if len(found) > limit else None)

    def version(self, project: str, name: str, number: int | None = None) -> DatasetVersion | None:
        with self._database.read() as connection:
            found = row_of(connection, project, name)
            return None if found is None else version_of(connection, found, number or found["latest"])

    def golden(self, project: str, name: str) -> DatasetVersion | None:
        with self._database.read() as connection:
            found = row_of(connection, project, name)
            if found is None or found["golden"] is None:
                return None
            return version_of(connection, found, found["golden"])

    def versions(
        self, project: str, name: str, *, cursor: str | None = None, limit: int = 50
    ) -> Page[DatasetVersion]:
        """Newest first."""
        with self._database.read() as connection:
            head = need(connection, project, name)
            query = (
                select(versions)
                .where(versions.c.dataset == head["number"])
                .order_by(versions.c.number.desc())
                .limit(limit + 1)
            )
            if cursor:
                query = query.where(versions.c.number < number_of(cursor))
            found = [as_version(head, row) for row in connection.execute(query).mappings()]
        items = tuple(found[:limit])
        return Page(items, str(items[-1].number) if len(found) > limit else None)

    def made_by(self, project: str, name: str, kind: str, id: str) -> DatasetVersion | None:
        """The version whose lineage says under `kind` (such as "build") that `id` made it: so that who was
        killed right behind a commit does not make another."""
        with self._database.read() as connection:
            head = row_of(connection, project, name)
            if head is None:
                return None
            query = (
                select(versions)
                .where(versions.c.dataset == head["number"])
                .order_by(versions.c.number.desc())
            )
            for row in connection.execute(query).mappings():
                if row["lineage"].get(kind) == id:
                    return as_version(head, row)
        return None

    def examples(self, version: DatasetVersion, *, split: Split = "", after: str = "") -> Iterator[Example]:
        return self._log.examples(self._state(version), buckets=_buckets(version, split), after=after)

    def example(self, version: DatasetVersion, id: str) -> Example | None:
        """As it is in that version."""
        return self._log.some(self._state(version), [id]).get(id)

    def history(self, project: str, name: str, id: str) -> list[Revised]:
        """All revisions of an example, newest first."""
        with self._database.read() as connection:
            head = need(connection, project, name)
            later = versions.alias("later")
            first = (
                select(func.min(later.c.number))
                .where(later.c.dataset == log.c.dataset, later.c.commit >= log.c.commit)
                .correlate(log)
                .scalar_subquery()
            )
            query = (
                select(log.c.revision, versions)
                .select_from(log)
                .join(versions, and_(versions.c.dataset == log.c.dataset, versions.c.number == first))
                .where(log.c.dataset == head["number"], log.c.example == id)
                .order_by(log.c.commit)
            )
            found: list[Revised] = []
            there = False
            for row in connection.execute(query).mappings():
                kind = "delete" if row["revision"] is None else "patch" if there else "create"
                there = row["revision"] is not None
                found.append(
                    Revised(
                        version=row["number"],
                        kind=kind,
                        revision="sha256:" + row["revision"][-PLAIN_REVISION:].hex() if there else "",
                        erased=there and len(row["revision"]) > PLAIN_REVISION,
                        at_ms=row["created_ms"],
                        by=row["by"],
                        by_name=row["by_name"],
                    )
                )
        return found[::-1]

    def diff(self, older: DatasetVersion, newer: DatasetVersion, *, after: str = "") -> Iterator[Change]:
        """What differs between two versions of one dataset, in order of id, from behind the id `after`."""
        a, b = self._state(older), self._state(newer)
        low, high = (a, b) if a.commit <= b.commit else (b, a)
        for ids in self._log.touched(low, high, after=after):
            before, now = self._log.some(a, ids), self._log.some(b, ids)
            for id in ids:
                change = _change(id, before.get(id), now.get(id))
                if change is not None:
                    yield change

    def counted(self, older: DatasetVersion, newer: DatasetVersion) -> Counts:
        """How many examples were created, patched and deleted."""
        a, b = self._state(older), self._state(newer)
        low, high = (a, b) if a.commit <= b.commit else (b, a)
        counts: Counts = {"create": 0, "patch": 0, "delete": 0}
        for ids in self._log.touched(low, high):
            before, now = self._log.revisions(a, ids), self._log.revisions(b, ids)
            for id in ids:
                if before.get(id) != now.get(id):
                    counts["create" if id not in before else "patch" if id in now else "delete"] += 1
        return counts

    def imports(self, project: str, name: str, *, limit: int = 50) -> list[tuple[str, int, dict[str, Any]]]:
        """(id, at, report), newest first."""
        with self._database.read() as connection:
            head = need(connection, project, name)
            query = (
                select(imports)
                .where(imports.c.dataset == head["number"])
                .order_by(imports.c.id.desc())
                .limit(limit)
            )
            opened = self._database.seal.opened_json
            return [(row.id, row.created_ms, opened(row.report)) for row in connection.execute(query)]

    def _state(self, version: DatasetVersion) -> State:
        query = (
            select(versions.c.dataset, versions.c.commit)
            .join(datasets, datasets.c.number == versions.c.dataset)
            .where(datasets.c.id == version.dataset, versions.c.number == version.number)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound(f"Version {version.number} of this dataset was deleted.")
        return State(row.dataset, row.commit)


def _buckets(version: DatasetVersion, split: Split) -> tuple[int, int]:
    if not split:
        return EVERY
    found = ranges(version.shares).get(split)
    if found is None:
        known = ", ".join(version.shares) or "none"
        raise NotFound(f"Version {version.number} has no split {split!r} (it has {known}).", param="split")
    return found


def _change(id: str, before: Example | None, after: Example | None) -> Change | None:
    if before is None:
        return None if after is None else Change(kind="create", example=id, after=after)
    if after is None:
        return Change(kind="delete", example=id, before=before)
    if before.revision == after.revision:
        return None
    return Change(kind="patch", example=id, before=before, after=after)
