"""Datasets in noria.db: datasets.store.DatasetStore."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from noria.access.audit import Act
from noria.core.author import Author
from noria.core.clock import Clock
from noria.core.example import Example
from noria.core.ids import new_id
from noria.datasets.schema import ExampleShape, Schema, checker
from noria.datasets.split import Shares, ranges, split_of
from noria.datasets.store import Dataset, DatasetVersion
from noria.errors import Conflict
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.dataset_commit import Commit
from noria.storage.dataset_erasure import ExampleErasure
from noria.storage.dataset_reader import StoredDatasets
from noria.storage.dataset_removal import Removal
from noria.storage.dataset_rows import (
    as_dataset,
    is_version,
    need,
    need_number,
    need_version,
    row_of,
    version_of,
)
from noria.storage.example_log import State
from noria.storage.tables import dataset_imports as imports
from noria.storage.tables import dataset_versions as versions
from noria.storage.tables import datasets


class DatasetTable(StoredDatasets):
    """DatasetStore. May be opened by control and by the child process of a job at once."""

    def __init__(self, database: Database, audit: AuditLog, clock: Clock) -> None:
        super().__init__(database)
        self._audit = audit
        self._clock = clock
        self._removal = Removal(database)

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
            if row_of(connection, made.project, made.name) is not None:
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
            head = need(connection, project, name)
            if schema and head["latest"] != (newest.number if newest else 0):
                raise Conflict("A version was made while the schema was checked; try again.")
            if values:
                connection.execute(update(datasets).where(datasets.c.number == head["number"]).values(values))
                self._audit.append(connection, act)
            return as_dataset(need(connection, project, name))

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
        base: int | None = None,
        by: Author,
    ) -> DatasetVersion:
        """`base`: the number of the newest version that was read before; raises Conflict with the code
        "changed" where there is another by now."""
        if splits:
            ranges(splits)
        with self._database.read() as connection:
            head = need(connection, project, name)
        writing = Commit(self._database, self._clock, head["number"], replace=replace)
        try:
            with self._database.read() as connection:
                head = need(connection, project, name)
                last = version_of(connection, head, head["latest"])
            if base is not None and head["latest"] != base:
                raise Conflict("The dataset was changed meanwhile; read it again.", code="changed")
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
            head = need(connection, project, name)
            found = need_version(connection, head, number)
            if found.golden:
                raise Conflict(f"Version {number} was signed off by {found.golden_name} already.")
            signed = {"golden": by.id, "golden_name": by.name, "golden_ms": self._now()}
            connection.execute(update(versions).where(is_version(head, number)).values(signed))
            self._audit.append(connection, act)
            return need_version(connection, head, number)

    def delete_version(self, project: str, name: str, number: int, *, by: Author) -> None:
        """With the revisions that no other version has. Raises Conflict for a golden one."""
        act = _act("delete_version", project, name, by, version=number)
        with self._database.write() as connection:
            head = need(connection, project, name)
            if need_version(connection, head, number).golden:
                raise Conflict(f"Version {number} of {name!r} is a golden set; it can never be deleted.")
            self._removal.forget(connection, head["number"], number)
            self._audit.append(connection, act)
        self._removal.compact(head["number"])

    def delete(self, project: str, name: str, *, by: Author) -> None:
        """With all versions and examples. Raises Conflict where one of them is golden."""
        act = _act("delete", project, name, by)
        with self._database.write() as connection:
            head = need(connection, project, name)
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

    def erase(self, project: str, matches: Callable[[Example], bool], *, by: Author) -> dict[str, int]:
        """Erase every example of which a revision matches, out of all versions; how many of each dataset.

        A version's digest still holds, with the digests of what was erased in it. The newest version is
        followed by one without them. Run again after a failure, it goes on. Raises Conflict where a commit
        of a dataset is under way; what is erased stays so.
        """
        erasure = ExampleErasure(self._database, project)
        buried = erasure.bury(matches)
        erasure.count()
        for head, ids in erasure.left():
            self.commit(
                project,
                head["name"],
                (),
                removed=ids,
                comment=f"{len(ids)} examples erased at a person's wish",
                lineage={"erasure": len(ids)},
                by=by,
            )
        with self._database.read() as connection:
            named = select(datasets.c.number, datasets.c.name).where(datasets.c.number.in_(buried))
            return {name: len(buried[number]) for number, name in connection.execute(named)}

    def verify(self, version: DatasetVersion) -> bool:
        """Whether the examples' ids and revisions, those of erased ones too, make the version's digest, and
        every body that is still there its revision."""
        state = self._state(version)
        return self._summed(state, version.shares)[0] == version.digest and all(self._log.whole(state))

    def add_import(self, project: str, name: str, id: str, report: dict[str, Any]) -> None:
        """Keep what an import has said, for those who were not there."""
        with self._database.write() as connection:
            head = need(connection, project, name)
            sealed = self._database.seal.json(report)
            values = {"id": id, "dataset": head["number"], "created_ms": self._now(), "report": sealed}
            connection.execute(delete(imports).where(imports.c.id == id))
            connection.execute(insert(imports).values(values))

    def _add(self, connection: Connection, head: RowMapping, made: DatasetVersion, writing: Commit) -> None:
        now = need_number(connection, head["number"])
        if now["schema"] != head["schema"]:
            raise Conflict("The dataset's schema was changed while this was written; run it again.")
        values = {name: getattr(made, name) for name in DatasetVersion.__struct_fields__ if name != "erased"}
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

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


def _act(act: str, project: str, name: str, by: Author, **details: Any) -> Act:
    return Act(by=by, act=f"dataset.{act}", subject=name, project=project, details=details)
