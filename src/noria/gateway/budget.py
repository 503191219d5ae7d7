"""Which budgets a call counts against, and the rows that hold their money."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import msgspec

from noria.access.key import Budget, Key
from noria.gateway.ask import Context

FOREVER = 1 << 62


class Hold(msgspec.Struct, frozen=True):
    """One counter row to reserve in (`ports.HoldLike`), and what it stands for."""

    row: bytes
    cap_nano: int
    nano: int
    window_end: int
    budget: Budget
    subject: str
    window_start: int


def window(name: str, now: int) -> tuple[int, int]:
    """Start and end, in Unix seconds, of the calendar window (UTC; a week starts on Monday) around `now`."""
    at = datetime.fromtimestamp(now, UTC)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if name == "hour":
        start = at.replace(minute=0, second=0, microsecond=0)
        end = start + timedelta(hours=1)
    elif name == "day":
        start, end = midnight, midnight + timedelta(days=1)
    elif name == "week":
        start = midnight - timedelta(days=at.weekday())
        end = start + timedelta(days=7)
    elif name == "month":
        start = midnight.replace(day=1)
        end = (start + timedelta(days=32)).replace(day=1)
    else:
        return 0, FOREVER
    return int(start.timestamp()), int(end.timestamp())


def latest_end(start: int) -> int:
    """When the longest window that begins at `start`, of whatever name, is over."""
    if not start:
        return FOREVER
    found = (window(name, start) for name in ("hour", "day", "week", "month"))
    return max(end for begin, end in found if begin == start)


def row(budget: str, subject: str, window_start: int) -> bytes:
    """16 bytes that name the counter row."""
    return hashlib.blake2b(f"{budget}\0{subject}\0{window_start}".encode(), digest_size=16).digest()


def matches(budget: Budget, key: Key, context: Context) -> str:
    """The subject that this call counts for, or "" where the budget does not concern it.

    A subject is `kind:name`, of kind key, team, project, user or tag.NAME; the name `*` counts each apart.
    A budget that the key itself names counts its calls together under the budget's own subject.
    """
    kind, _, name = budget.subject.partition(":")
    if kind == "key":
        actual = key.id
    elif kind == "team":
        actual = key.team
    elif kind == "project":
        actual = key.project
    elif kind == "user":
        actual = context.user or key.user
    elif kind.startswith("tag."):
        tag = kind.removeprefix("tag.")
        actual = key.tags.get(tag) or context.tags.get(tag, "")
    else:
        actual = ""
    if actual and name in (actual, "*"):
        return f"{kind}:{actual}"
    return budget.subject if budget.name in key.budgets else ""


class BudgetTable:
    """The budgets in force, with the rows of the current windows at hand."""

    def __init__(self, budgets: dict[str, Budget]) -> None:
        self._budgets = tuple(budgets.values())
        self._windows: dict[str, tuple[int, int]] = {}
        self._rows: dict[tuple[str, str, int], bytes] = {}

    def __bool__(self) -> bool:
        return bool(self._budgets)

    def applying(self, key: Key, context: Context, *, now: int) -> list[tuple[Budget, str]]:
        """The budgets that concern a call, each with its subject."""
        return [(budget, subject) for budget in self._budgets if (subject := matches(budget, key, context))]

    def hold(self, budget: Budget, subject: str, *, nano: int, now: int) -> Hold:
        """What to reserve for one of them."""
        start, end = self._windows.get(budget.window, (0, 0))
        if not start <= now < end:
            start, end = self._windows[budget.window] = window(budget.window, now)
        name = (budget.name, subject, start)
        found = self._rows.get(name)
        if found is None:
            if len(self._rows) > 65_536:
                self._rows.clear()
            found = self._rows[name] = row(*name)
        cap = budget.amount_nano if budget.hard else -1
        return Hold(found, cap, nano, end, budget, subject, start)
