"""Builds of datasets in noria.db, and the vault of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import RowMapping, delete, insert, select, update

from noria.access.audit import Act
from noria.core.pages import Page
from noria.datasets.curation.build import Build
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.tables import curation_runs as runs
from noria.storage.tables import curation_tokens as vault

_BATCH = 500
_STRUCTS = ("source", "steps", "counts")


class CurationTable:
    """Builds by id, and tokens by project."""

    def __init__(self, database: Database, log: AuditLog) -> None:
        self._database = database
        self._log = log

    def add(self, build: Build, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(insert(runs).values(_values(build)))
            self._log.append(connection, act)

    def save(self, build: Build) -> None:
        """All but the job."""
        values = {name: value for name, value in _values(build).items() if name != "job"}
        with self._database.write() as connection:
            connection.execute(update(runs).where(runs.c.id == build.id).values(values))

    def save_job(self, build: Build) -> None:
        """Alone, since the child may have written the rest by now."""
        with self._database.write() as connection:
            connection.execute(update(runs).where(runs.c.id == build.id).values(job=build.job))

    def get(self, project: str, id: str) -> Build | None:
        query = select(runs).where(runs.c.project == project, runs.c.id == id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else _build(row)

    def page(
        self, project: str, *, dataset: str = "", cursor: str | None = None, limit: int = 50
    ) -> Page[Build]:
        """Newest first."""
        query = select(runs).where(runs.c.project == project).order_by(runs.c.id.desc()).limit(limit + 1)
        if dataset:
            query = query.where(runs.c.dataset == dataset)
        if cursor:
            query = query.where(runs.c.id < cursor)
        with self._database.read() as connection:
            found = [_build(row) for row in connection.execute(query).mappings()]
        items = tuple(found[:limit])
        return Page(items, items[-1].id if len(found) > limit else None)

    def remove(self, id: str, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(delete(runs).where(runs.c.id == id))
            self._log.append(connection, act)

    def keep_tokens(self, project: str, tokens: Iterable[tuple[str, bytes]]) -> None:
        """(token, sealed value); those that are there already stay, since a token says its value."""
        stream = iter(tokens)
        while values := dict(islice(stream, _BATCH)):
            with self._database.write() as connection:
                there = connection.scalars(
                    select(vault.c.token).where(vault.c.project == project, vault.c.token.in_(values))
                )
                new = values.keys() - set(there)
                if new:
                    rows = [{"project": project, "token": one, "sealed": values[one]} for one in sorted(new)]
                    connection.execute(insert(vault), rows)

    def sealed(self, project: str, tokens: Sequence[str], act: Act) -> dict[str, bytes]:
        """The sealed values of these tokens, so far as they are of this project; that they were asked for is
        recorded."""
        query = select(vault).where(vault.c.project == project, vault.c.token.in_(tokens))
        with self._database.write() as connection:
            self._log.append(connection, act)
            return {row.token: row.sealed for row in connection.execute(query)}


def _values(build: Build) -> dict[str, Any]:
    values = msgspec.structs.asdict(build)
    return values | {name: msgspec.to_builtins(values[name]) for name in _STRUCTS}


def _build(row: RowMapping) -> Build:
    return msgspec.convert({name: row[name] for name in Build.__struct_fields__}, Build)
