"""Rows of datasets and versions, found and made into values; whoever asks has the transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, select

from noria.datasets.store import Dataset, DatasetVersion
from noria.errors import NotFound
from noria.storage.example_log import ERASED
from noria.storage.tables import dataset_versions as versions
from noria.storage.tables import datasets

GOLDEN = (
    select(func.max(versions.c.number))
    .where(versions.c.dataset == datasets.c.number, versions.c.golden != "")
    .scalar_subquery()
    .label("golden")
)


def row_of(connection: Connection, project: str, name: str) -> RowMapping | None:
    chosen = datasets.c.project == project, datasets.c.name == name, datasets.c.deleted.is_(False)
    return connection.execute(select(datasets, GOLDEN).where(*chosen)).mappings().first()


def need(connection: Connection, project: str, name: str) -> RowMapping:
    found = row_of(connection, project, name)
    if found is None:
        raise NotFound(f"There is no dataset called {name!r} in project {project!r}.")
    return found


def need_number(connection: Connection, number: int) -> RowMapping:
    chosen = datasets.c.number == number, datasets.c.deleted.is_(False)
    found = connection.execute(select(datasets).where(*chosen)).mappings().first()
    if found is None:
        raise NotFound("The dataset was deleted meanwhile.")
    return found


def is_version(head: RowMapping, number: int) -> ColumnElement[bool]:
    return and_(versions.c.dataset == head["number"], versions.c.number == number)


def version_of(connection: Connection, head: RowMapping, number: int) -> DatasetVersion | None:
    row = connection.execute(select(versions).where(is_version(head, number))).mappings().first()
    return None if row is None else as_version(head, row)


def need_version(connection: Connection, head: RowMapping, number: int) -> DatasetVersion:
    found = version_of(connection, head, number)
    if found is None:
        raise NotFound(f"The dataset {head['name']!r} has no version {number}.")
    return found


def as_version(head: RowMapping, row: RowMapping) -> DatasetVersion:
    values: dict[str, Any] = {
        name: row[name] for name in DatasetVersion.__struct_fields__ if name != "erased"
    }
    values["dataset"] = head["id"]
    values["shares"] = dict(row["shares"])
    values["erased"] = row["lineage"].get(ERASED, 0)
    return DatasetVersion(**values)


def as_dataset(row: RowMapping) -> Dataset:
    values: dict[str, Any] = {name: row[name] for name in Dataset.__struct_fields__}
    values["tags"] = tuple(row["tags"])
    values["golden"] = row["golden"] or 0
    return Dataset(**values)
