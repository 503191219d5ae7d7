"""Budgets: changed on the page, and what has been spent and reserved of each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Literal, Protocol

import msgspec

from noria.access.audit import Act
from noria.access.key import Budget
from noria.access.keyring import KeyRecord, Publish
from noria.access.role import Principal
from noria.core.clock import Clock
from noria.core.money import from_nano
from noria.errors import Conflict, NotFound
from noria.gateway.budget import FOREVER, row, window
from noria.storage.counters_slots import Slots
from noria.storage.home import Home
from noria.storage.money import SharedMoney
from noria.tracing.store import LedgerReader, Window

State = Literal["ok", "warning", "exceeded"]
Source = Literal["config", "page"]
Totals = Callable[[bytes], tuple[int, int]]
"""(settled, reserved) nano-dollars of a counter row."""
SHOWN = 50
_EARLY = 0.05
"""Share of a window before which a forecast would say more about chance than about the spend."""


class BudgetStore(Protocol):
    def all(self) -> list[tuple[Budget, Source]]: ...

    def add(self, budget: Budget, act: Act) -> None: ...

    def save(self, budget: Budget, act: Act) -> None: ...

    def delete(self, name: str, act: Act) -> None: ...


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """One subject in the current window, dollars. `reserved` None: the counters cannot be read."""

    subject: str
    spent: Decimal
    reserved: Decimal | None
    forecast: Decimal | None
    share: float


class BudgetStatus(msgspec.Struct, frozen=True, kw_only=True):
    budget: Budget
    source: Source
    start_ms: int | None
    end_ms: int | None
    state: State
    subjects: list[Spend]


class BudgetChange(msgspec.Struct, frozen=True, kw_only=True):
    """None: as it is."""

    amount_nano: int | None = None
    hard: bool | None = None
    warn_share: float | None = None


class Budgets:
    """What administrators do with budgets, and what everybody sees of them."""

    def __init__(
        self,
        store: BudgetStore,
        clock: Clock,
        *,
        publish: Publish,
        keys: Callable[[], list[KeyRecord]],
        ledger: LedgerReader,
        totals: Totals | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._publish = publish
        self._keys = keys
        self._ledger = ledger
        self._totals = totals

    def all(self) -> list[BudgetStatus]:
        """By name."""
        keys = self._keys()
        return [self._status(budget, source, keys) for budget, source in self._store.all()]

    def create(
        self,
        name: str,
        *,
        subject: str,
        amount_nano: int,
        window: str,
        hard: bool,
        warn_share: float,
        by: Principal,
    ) -> tuple[BudgetStatus, list[int]]:
        budget = Budget(name, subject, amount_nano, window, hard, warn_share)
        self._store.add(budget, self._act("budget.create", budget, by))
        late = self._publish()
        return self._status(budget, "page", self._keys()), late

    def change(self, name: str, change: BudgetChange, *, by: Principal) -> tuple[BudgetStatus, list[int]]:
        old = self._own(name)
        given = {field: value for field, value in msgspec.structs.asdict(change).items() if value is not None}
        budget = msgspec.structs.replace(old, **given)
        self._store.save(budget, self._act("budget.change", budget, by))
        late = self._publish()
        return self._status(budget, "page", self._keys()), late

    def delete(self, name: str, *, by: Principal) -> list[int]:
        """Refused while keys name it: they would be free of it without anyone having said so."""
        budget = self._own(name)
        users = [record.key.name for record in self._keys() if name in record.key.budgets]
        if users:
            raise Conflict(f"The key {users[0]!r} names this budget; take it from the key first.")
        self._store.delete(name, self._act("budget.delete", budget, by))
        return self._publish()

    def _own(self, name: str) -> Budget:
        for budget, source in self._store.all():
            if budget.name == name:
                if source == "config":
                    raise Conflict(f"The budget {name!r} stands in noria.toml; change it there and apply.")
                return budget
        raise NotFound(f"There is no budget {name!r}.")

    def _act(self, act: str, budget: Budget, by: Principal) -> Act:
        details = {
            "subject": budget.subject,
            "amount": str(from_nano(budget.amount_nano)),
            "window": budget.window,
            "hard": budget.hard,
        }
        return Act(by=by, act=act, subject=f"budget:{budget.name}", details=details)

    def _status(self, budget: Budget, source: Source, keys: list[KeyRecord]) -> BudgetStatus:
        now = self._clock.now_ns() // 1_000_000_000
        start, end = window(budget.window, now)
        passed = None if end == FOREVER else (now - start) / (end - start)
        found = [
            self._spend(budget, subject, spent, start, passed)
            for subject, spent in self._spent(budget, start, now, keys).items()
        ]
        found.sort(key=lambda spend: (-spend.share, spend.subject))
        most = found[0].share if found else 0.0
        return BudgetStatus(
            budget=budget,
            source=source,
            start_ms=None if passed is None else start * 1000,
            end_ms=None if passed is None else end * 1000,
            state="exceeded" if most >= 1 else "warning" if most >= budget.warn_share else "ok",
            subjects=found[:SHOWN],
        )

    def _spent(self, budget: Budget, start: int, now: int, keys: list[KeyRecord]) -> dict[str, Decimal]:
        """Dollars by subject, as the ledger knows them; always has the subject itself unless it is a `*`."""
        kind, _, name = budget.subject.partition(":")
        within = Window(start * 1_000_000_000, (now + 1) * 1_000_000_000)
        found: dict[str, Decimal] = {} if name == "*" else {budget.subject: Decimal(0)}
        if kind != "budget":
            by = f"tag:{kind.removeprefix('tag.')}" if kind.startswith("tag.") else kind
            for line in self._ledger.costs(None, within, by=by).rows:
                if line.group and name in (line.group, "*"):
                    found[f"{kind}:{line.group}"] = Decimal(line.cost)
        named = {record.key.id for record in keys if budget.name in record.key.budgets}
        if kind == "budget" and named:
            lines = self._ledger.costs(None, within, by="key").rows
            found[budget.subject] = sum(
                (Decimal(line.cost) for line in lines if line.group in named), Decimal(0)
            )
        return found

    def _spend(
        self, budget: Budget, subject: str, ledger: Decimal, start: int, passed: float | None
    ) -> Spend:
        settled, reserved = Decimal(0), None
        if self._totals is not None:
            counted, held = self._totals(row(budget.name, subject, start))
            settled, reserved = from_nano(counted), from_nano(held)
        # The ledger trails the counters by its lag; the counters lack what was spent before they were made.
        spent = max(settled, ledger)
        amount = from_nano(budget.amount_nano)
        forecast = None
        if passed is not None and passed >= _EARLY:
            forecast = (spent / Decimal(passed)).quantize(Decimal("0.000001"))
        taken = spent + (reserved or Decimal(0))
        share = float(taken / amount) if amount else (1.0 if taken else 0.0)
        return Spend(subject=subject, spent=spent, reserved=reserved, forecast=forecast, share=share)


def counter_totals(home: Home, clock: Clock) -> Totals:
    """Reads the workers' counters; owns no slot of them, since it only reads."""
    money = SharedMoney(home.counters, slots=Slots(home.counters), slot=0, clock=clock)
    lock = threading.Lock()

    def totals(row: bytes) -> tuple[int, int]:
        with lock:
            return money.totals(row)

    return totals
