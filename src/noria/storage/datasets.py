"""Datasets in noria.db: datasets.store.DatasetStore, and what the catalog and the page ask for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, and_, delete, func, insert, select, update

from noria.access.audit import Act
from noria.core.author import Author
from noria.core.clock import Clock
from noria.core.example import Example
from noria.core.ids import new_id
from noria.core.pages import Page
from noria.datasets.schema import ExampleShape, Schema, checker
from noria.datasets.split import Shares, ranges, split_of
from noria.datasets.store import Change, Dataset, DatasetVersion, Split
from noria.errors import Conflict, NotFound
from noria.storage.audit import AuditLog, number_of
from noria.storage.database import Database
from noria.storage.dataset_commit import Commit
from noria.storage.dataset_removal import Removal
from noria.storage.example_log import EVERY, ExampleLog, State
from noria.storage.tables import dataset_imports as imports
from noria.storage.tables import dataset_versions as versions
from noria.storage.tables import datasets
from noria.storage.tables import example_log as log

_GOLDEN = (
    select(func.max(versions.c.number))
    .where(versions.c.dataset == datasets.c.number, versions.c.golden != "")
    .scalar_subquery()
    .label("golden")
)


class Revised(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of an example's history: the first version that has it."""

    version: int
    kind: str
    """create, patch or delete."""
    revision: str
    at_ms: int
    by: str
    by_name: str


class DatasetTable:
    """DatasetStore. May be opened by control and by the child process of a job at once."""

    def __init__(self, database: Database, audit: AuditLog, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._log = ExampleLog(database)
        self._removal = Removal(database)

    def dataset(self, project: str, name: str) -> Dataset | None:
        with self._database.read() as connection:
            found = _row(connection, project, name)
            return None if found is None else _dataset(found)

    def page(
        self, project: str, *, text: str = "", tag: str = "", cursor: str | None = None, limit: int = 50
    ) -> Page[Dataset]:
        """By name. `text` is looked for in names and descriptions."""
        query = (
            select(datasets, _GOLDEN)
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
                one = _dataset(row)
                if not tag or tag in one.tags:
                    found.append(one)
                if len(found) > limit:
                    break
        items = tuple(found[:limit])
        return Page(items, items[-1].name if len(found) > limit else None)

    def version(self, project: str, name: str, number: int | None = None) -> DatasetVersion | None:
        with self._database.read() as connection:
            found = _row(connection, project, name)
            return None if found is None else _version(connection, found, number or found["latest"])

    def golden(self, project: str, name: str) -> DatasetVersion | None:
        with self._database.read() as connection:
            found = _row(connection, project, name)
            if found is None or found["golden"] is None:
                return None
            return _version(connection, found, found["golden"])

    def versions(
        self, project: str, name: str, *, cursor: str | None = None, limit: int = 50
    ) -> Page[DatasetVersion]:
        """Newest first."""
        with self._database.read() as connection:
            head = _need(connection, project, name)
            query = (
                select(versions)
                .where(versions.c.dataset == head["number"])
                .order_by(versions.c.number.desc())
                .limit(limit + 1)
            )
            if cursor:
                query = query.where(versions.c.number < number_of(cursor))
            found = [_as_version(head, row) for row in connection.execute(query).mappings()]
        items = tuple(found[:limit])
        return Page(items, str(items[-1].number) if len(found) > limit else None)

    def examples(self, version: DatasetVersion, *, split: Split = "", after: str = "") -> Iterator[Example]:
        return self._log.examples(self._state(version), buckets=_buckets(version, split), after=after)

    def example(self, version: DatasetVersion, id: str) -> Example | None:
        """As it is in that version."""
        return self._log.some(self._state(version), [id]).get(id)

    def history(self, project: str, name: str, id: str) -> list[Revised]:
        """All revisions of an example, newest first."""
        with self._database.read() as connection:
            head = _need(connection, project, name)
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
                        revision="sha256:" + row["revision"].hex() if there else "",
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

    def counted(self, older: DatasetVersion, newer: DatasetVersion) -> dict[str, int]:
        """How many examples were created, patched and deleted."""
        a, b = self._state(older), self._state(newer)
        low, high = (a, b) if a.commit <= b.commit else (b, a)
        counts = {"create": 0, "patch": 0, "delete": 0}
        for ids in self._log.touched(low, high):
            before, now = self._log.revisions(a, ids), self._log.revisions(b, ids)
            for id in ids:
                if before.get(id) != now.get(id):
                    counts["create" if id not in before else "patch" if id in now else "delete"] += 1
        return counts

    def create(self, dataset: Dataset, *, by: Author) -> Dataset:
        if dataset.schema:
            checker(dataset.schema)
        made = msgspec.structs.replace(
            dataset, id=dataset.id or new_id("ds"), created_ms=self._now(), latest=0, golden=0
        )
        values = {
            "id": made.id,
            "project": made.project,
            "name": made.name,
            "description": made.description,
            "tags": list(made.tags),
            "schema": made.schema,
            "created_ms": made.created_ms,
            "latest": 0,
            "versions": 0,
            "deleted": False,
        }
        act = _act("create", made.project, made.name, by)
        with self._database.write() as connection:
            if _row(connection, made.project, made.name) is not None:
                raise Conflict(f"There is a dataset called {made.name!r} already.", param="name")
            connection.execute(insert(datasets).values(values))
            self._audit.append(connection, act)
        return made

    def patch(
        self,
        project: str,
        name: str,
        *,
        description: str | None = None,
        tags: tuple[str, ...] | None = None,
        schema: Schema | None = None,
        by: Author,
    ) -> Dataset:
        """Change what is not None. Raises InvalidRequest where the newest version breaks the schema."""
        newest = self.version(project, name) if schema else None
        if schema:
            check = checker(schema)
            for example in self.examples(newest) if newest else ():
                check(example)
        values: dict[str, Any] = {"description": description, "schema": schema}
        values["tags"] = None if tags is None else list(tags)
        values = {field: value for field, value in values.items() if value is not None}
        act = _act("patch", project, name, by, fields=sorted(values))
        with self._database.write() as connection:
            head = _need(connection, project, name)
            if schema and head["latest"] != (newest.number if newest else 0):
                raise Conflict("A version was made while the schema was checked; try again.")
            if values:
                connection.execute(update(datasets).where(datasets.c.number == head["number"]).values(values))
                self._audit.append(connection, act)
            return _dataset(_need(connection, project, name))

    def commit(
        self,
        project: str,
        name: str,
        examples: Iterable[Example],
        *,
        removed: Iterable[str] = (),
        replace: bool = False,
        splits: dict[str, float] | None = None,
        comment: str = "",
        lineage: dict[str, Any] | None = None,
        by: Author,
    ) -> DatasetVersion:
        if splits:
            ranges(splits)
        with self._database.read() as connection:
            head = _need(connection, project, name)
        writing = Commit(self._database, self._clock, head["number"], replace=replace)
        try:
            with self._database.read() as connection:
                head = _need(connection, project, name)
                last = _version(connection, head, head["latest"])
            check = checker(head["schema"]) if head["schema"] else None
            shape = ExampleShape(None if replace or last is None or head["schema"] else last.schema)
            for example in examples:
                if check is None:
                    shape.add(example)
                else:
                    check(example)
                writing.add(example)
            writing.remove(removed)
            if replace:
                writing.remove_unseen()
            shares = splits if splits is not None else last.shares if last else {}
            if last is not None and not writing.changed and list(shares.items()) == list(last.shares.items()):
                return last
            digest, count, counts = self._summed(writing.after, shares)
            made = DatasetVersion(
                dataset=head["id"],
                number=head["versions"] + 1,
                digest=digest,
                examples=count,
                schema=head["schema"] or shape.schema(),
                splits=counts,
                shares=dict(shares),
                lineage=lineage or {},
                comment=comment,
                by=by.id,
                by_name=by.name,
                created_ms=self._now(),
            )
            details = {"version": made.number, "digest": digest, "examples": count, "comment": comment}
            act = _act("commit", project, name, by, **details)
            with self._database.write() as connection:
                self._add(connection, head, made, writing)
                self._audit.append(connection, act)
            return made
        finally:
            writing.close()

    def sign(self, project: str, name: str, number: int, *, comment: str = "", by: Author) -> DatasetVersion:
        """Sign a version off as a golden set, for good. Raises Conflict where it is signed already."""
        act = _act("sign", project, name, by, version=number, comment=comment)
        with self._database.write() as connection:
            head = _need(connection, project, name)
            found = _need_version(connection, head, number)
            if found.golden:
                raise Conflict(f"Version {number} was signed off by {found.golden_name} already.")
            signed = {"golden": by.id, "golden_name": by.name, "golden_ms": self._now()}
            connection.execute(update(versions).where(_is(head, number)).values(signed))
            self._audit.append(connection, act)
            return _need_version(connection, head, number)

    def delete_version(self, project: str, name: str, number: int, *, by: Author) -> None:
        """With the revisions that no other version has. Raises Conflict for a golden one."""
        act = _act("delete_version", project, name, by, version=number)
        with self._database.write() as connection:
            head = _need(connection, project, name)
            if _need_version(connection, head, number).golden:
                raise Conflict(f"Version {number} of {name!r} is a golden set; it can never be deleted.")
            self._removal.forget(connection, head["number"], number)
            self._audit.append(connection, act)
        self._removal.compact(head["number"])

    def delete(self, project: str, name: str, *, by: Author) -> None:
        """With all versions and examples. Raises Conflict where one of them is golden."""
        act = _act("delete", project, name, by)
        with self._database.write() as connection:
            head = _need(connection, project, name)
            if head["golden"]:
                raise Conflict(f"Version {head['golden']} of {name!r} is a golden set, so the dataset stays.")
            gone = {"name": head["id"], "deleted": True}
            connection.execute(update(datasets).where(datasets.c.number == head["number"]).values(gone))
            connection.execute(delete(versions).where(versions.c.dataset == head["number"]))
            self._audit.append(connection, act)
        self.tidy()

    def tidy(self) -> None:
        """Go on with deletions that a killed process has begun."""
        with self._database.read() as connection:
            left = list(connection.scalars(select(datasets.c.number).where(datasets.c.deleted.is_(True))))
        for number in left:
            self._removal.finish(number)

    def add_import(self, project: str, name: str, id: str, report: dict[str, Any]) -> None:
        """Keep what an import has said, for those who were not there."""
        with self._database.write() as connection:
            head = _need(connection, project, name)
            values = {"id": id, "dataset": head["number"], "created_ms": self._now(), "report": report}
            connection.execute(delete(imports).where(imports.c.id == id))
            connection.execute(insert(imports).values(values))

    def imports(self, project: str, name: str, *, limit: int = 50) -> list[tuple[str, int, dict[str, Any]]]:
        """(id, at, report), newest first."""
        with self._database.read() as connection:
            head = _need(connection, project, name)
            query = (
                select(imports)
                .where(imports.c.dataset == head["number"])
                .order_by(imports.c.id.desc())
                .limit(limit)
            )
            return [(row.id, row.created_ms, row.report) for row in connection.execute(query)]

    def _add(self, connection: Connection, head: RowMapping, made: DatasetVersion, writing: Commit) -> None:
        now = _need_number(connection, head["number"])
        if now["schema"] != head["schema"]:
            raise Conflict("The dataset's schema was changed while this was written; run it again.")
        values = {name: getattr(made, name) for name in DatasetVersion.__struct_fields__}
        values |= {"dataset": head["number"], "commit": writing.number, "shares": list(made.shares.items())}
        connection.execute(insert(versions).values(values))
        latest = {"latest": made.number, "versions": made.number}
        connection.execute(update(datasets).where(datasets.c.number == head["number"]).values(latest))
        writing.sealed(connection)

    def _summed(self, state: State, shares: Shares) -> tuple[str, int, dict[str, int]]:
        """(digest, number of examples, number in each split)."""
        places = ranges(shares)
        counts = dict.fromkeys(places, 0)
        total = hashlib.sha256(msgspec.json.encode(list(shares.items())))
        number = 0
        for id, revision, at in self._log.entries(state):
            name = id.encode()
            total.update(len(name).to_bytes(4, "big") + name + revision)
            number += 1
            if places:
                counts[split_of(at, places)] += 1
        return "sha256:" + total.hexdigest(), number, counts

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

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


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


def _act(act: str, project: str, name: str, by: Author, **details: Any) -> Act:
    return Act(by=by, act=f"dataset.{act}", subject=name, project=project, details=details)


def _row(connection: Connection, project: str, name: str) -> RowMapping | None:
    chosen = datasets.c.project == project, datasets.c.name == name, datasets.c.deleted.is_(False)
    return connection.execute(select(datasets, _GOLDEN).where(*chosen)).mappings().first()


def _need(connection: Connection, project: str, name: str) -> RowMapping:
    found = _row(connection, project, name)
    if found is None:
        raise NotFound(f"There is no dataset called {name!r} in project {project!r}.")
    return found


def _need_number(connection: Connection, number: int) -> RowMapping:
    chosen = datasets.c.number == number, datasets.c.deleted.is_(False)
    found = connection.execute(select(datasets).where(*chosen)).mappings().first()
    if found is None:
        raise NotFound("The dataset was deleted meanwhile.")
    return found


def _is(head: RowMapping, number: int) -> Any:
    return and_(versions.c.dataset == head["number"], versions.c.number == number)


def _version(connection: Connection, head: RowMapping, number: int) -> DatasetVersion | None:
    row = connection.execute(select(versions).where(_is(head, number))).mappings().first()
    return None if row is None else _as_version(head, row)


def _need_version(connection: Connection, head: RowMapping, number: int) -> DatasetVersion:
    found = _version(connection, head, number)
    if found is None:
        raise NotFound(f"The dataset {head['name']!r} has no version {number}.")
    return found


def _as_version(head: RowMapping, row: RowMapping) -> DatasetVersion:
    values = {name: row[name] for name in DatasetVersion.__struct_fields__}
    return DatasetVersion(**{**values, "dataset": head["id"], "shares": dict(row["shares"])})


def _dataset(row: RowMapping) -> Dataset:
    values = {name: row[name] for name in Dataset.__struct_fields__}
    return Dataset(**{**values, "tags": tuple(row["tags"]), "golden": row["golden"] or 0})
