"""Budgets in noria.db: those of noria.toml, replaced by each apply, and those made on the page."""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from noria.access.audit import Act
from noria.access.key import Budget
from noria.core.clock import Clock
from noria.errors import ConfigError
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.tables import budgets

Source = Literal["config", "page"]


class BudgetTable:
    """What runtime.budgets needs."""

    def __init__(self, database: Database, log: AuditLog, clock: Clock) -> None:
        self._database = database
        self._log = log
        self._clock = clock

    def all(self) -> list[tuple[Budget, Source]]:
        """By name."""
        with self._database.read() as connection:
            rows = connection.execute(select(budgets).order_by(budgets.c.name)).mappings()
            return [
                (Budget(**{name: row[name] for name in Budget.__struct_fields__}), row["source"])
                for row in rows
            ]

    def names(self) -> set[str]:
        with self._database.read() as connection:
            return set(connection.scalars(select(budgets.c.name)))

    def live(self) -> dict[str, Budget]:
        return {budget.name: budget for budget, _ in self.all()}

    def add(self, budget: Budget, act: Act) -> None:
        """Raises Conflict where the name is taken."""
        with self._database.write() as connection:
            self._insert(connection, budget, "page")
            self._log.append(connection, act)

    def save(self, budget: Budget, act: Act) -> None:
        with self._database.write() as connection:
            values = msgspec.structs.asdict(budget)
            connection.execute(update(budgets).where(budgets.c.name == budget.name).values(values))
            self._log.append(connection, act)

    def delete(self, name: str, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(delete(budgets).where(budgets.c.name == name))
            self._log.append(connection, act)

    def replace_config(self, connection: Connection, found: dict[str, Budget]) -> None:
        """Put those of noria.toml in place of its earlier ones, within the transaction of an apply."""
        connection.execute(delete(budgets).where(budgets.c.source == "config"))
        taken = set(connection.scalars(select(budgets.c.name)))
        for name, budget in found.items():
            if name in taken:
                raise ConfigError(f"The budget {name!r} exists already: it was made on the page; rename one.")
            self._insert(connection, budget, "config")

    def _insert(self, connection: Connection, budget: Budget, source: Source) -> None:
        values = msgspec.structs.asdict(budget)
        now = self._clock.now_ns() // 1_000_000
        connection.execute(insert(budgets).values(**values, source=source, created_ms=now))
