"""What dead workers left: attempts without an end are charged their bound, and said to be unconfirmed."""

from __future__ import annotations

from datetime import date
from typing import Protocol

import msgspec

from noria.runtime.derivation import Derived
from noria.storage.counters_slots import DeadSlot
from noria.storage.ledger import Pending
from noria.storage.spans import day_of
from noria.tracing.assemble import unconfirmed_attempt, unconfirmed_call


class Counters(Protocol):
    """The shared money counters, as far as the dead go."""

    def dead(self) -> list[DeadSlot]: ...

    def owned(self, owner: str, process: int, /) -> bool: ...

    def settle_dead(self, slot: int, spent: dict[bytes, int], /) -> None: ...


class Left(msgspec.Struct):
    """Of one dead process."""

    by_day: dict[date, Derived] = {}
    spent: dict[bytes, int] = {}
    """Nano-dollars by counter row that its open attempts may have cost."""


def left_by(pending: list[Pending], costs: dict[bytes, int | None], *, now: int) -> Left:
    """What becomes of it. `costs`: pico-dollars of attempts that have ended, by span id."""
    left = Left()
    calls: dict[bytes, list[Pending]] = {}
    for one in pending:
        calls.setdefault(one.begin.root, []).append(one)
    for root, attempts in calls.items():
        attempts.sort(key=lambda one: one.begin.at)
        first = attempts[0].begin
        derived = left.by_day.setdefault(day_of(first.at), Derived())
        known: list[int | None] = []
        for one in attempts:
            if one.ended:
                known.append(costs.get(one.begin.span))
                continue
            span = unconfirmed_attempt(one.begin, at=now)
            known.append(span.cost_pico)
            derived.spans.append(span)
            derived.reservations[span.span_id] = one.begin.reservations
            for held in one.begin.reservations:
                left.spent[held.row] = left.spent.get(held.row, 0) + held.nano
        total = None if None in known else sum(cost for cost in known if cost is not None)
        derived.spans.append(unconfirmed_call(first, attempts=len(attempts), cost_pico=total, at=now))
        derived.change.finished.append(root)
    return left
