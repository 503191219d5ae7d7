"""May this call be made: key, host, rate limits, budgets, concurrency.

Rate limits are checked before the call and corrected after it; budgets reserve their bound before each
attempt and settle after it; nothing goes around them.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

import msgspec

from noria.access.key import PREFIX, Key, RateLimit, authenticate
from noria.access.token import PREFIX as TOKEN_PREFIX
from noria.access.token import verify
from noria.core.money import from_nano, to_nano
from noria.errors import BudgetExceeded, Forbidden, InvalidRequest, RateLimited, Unauthenticated
from noria.gateway.budget import BudgetTable, Hold
from noria.gateway.call import CallState
from noria.gateway.compiled import World
from noria.gateway.demand import open_ended, plain_demand, request_demand
from noria.gateway.ports import Admitted, HoldLike, Money, Rates
from noria.models.bound import Ceiling, Demand, Unbounded, within
from noria.models.card import Card
from noria.tracing.record import Reservation

_KEY = PREFIX.encode()
_TOKEN = TOKEN_PREFIX.encode()
_UNITS = {"requests": "requests", "tokens": "tokens", "money": "dollars"}
POLL = 0.02
"""Seconds between two looks at a place that another worker may have freed."""


def principal(headers: dict[bytes, bytes], world: World, *, pepper: bytes, now: float) -> Key:
    """Who calls. Raises Unauthenticated.

    Where no key is required a credential that is not Noria's is ignored, since SDKs insist on sending one;
    one of ours that does not hold is refused even there.
    """
    token = _credential(headers)
    if token.startswith(_KEY):
        key = authenticate(token, world.live.keys, pepper=pepper, now=now)
    elif token.startswith(_TOKEN):
        key = verify(token, pepper=pepper, now=now)
    else:
        key = None if world.snapshot.require_key else world.snapshot.anonymous
        if key is None:
            what = "is not a key of this Noria" if token else "is missing"
            raise Unauthenticated(f"The key {what}; send `Authorization: Bearer {PREFIX}…`.")
    if key is None:
        raise Unauthenticated("The key is unknown, revoked or expired; ask its owner for a new one.")
    return key


def _credential(headers: dict[bytes, bytes]) -> bytes:
    value = headers.get(b"authorization")
    if value is not None:
        scheme, _, token = value.partition(b" ")
        if scheme.lower() == b"bearer":
            return token.strip()
    return headers.get(b"x-api-key") or headers.get(b"api-key") or b""


def check_scope(key: Key, route: str) -> None:
    """Raises Forbidden where the key's scope does not hold the route."""
    if route not in key.routes and "*" not in key.routes:
        raise Forbidden(f"This key may not call {route!r}; its owner can add the route to its scope.")


class Limits:
    """The rate limits of a call, checked; `headers` tells the caller how near the tightest one is."""

    __slots__ = ("_estimate", "_held", "_now", "_rates", "headers")

    def __init__(self, rates: Rates, now: float) -> None:
        self._rates = rates
        self._now = now
        self._held: list[tuple[bytes, RateLimit]] = []
        self._estimate = 0
        self.headers = b""

    def admit(self, call: CallState, *, tokens: int) -> None:
        """Count the call. Raises RateLimited with the seconds after which it may be tried again; a call that
        one limit refuses counts for none."""
        key, route = call.key, call.route
        if not key.limits and not route.route.limits:
            return
        self._estimate = tokens
        shown: dict[str, tuple[int, Admitted]] = {}
        for owner, subject, limit in _counters(key.id, key.limits, route.name, route.route.limits):
            unit = limit.unit
            amount = 1 if unit == "requests" else tokens if unit == "tokens" else 0
            found = self._rates.admit(
                subject, amount=amount, limit=limit.amount, window_s=limit.window_s, now=self._now
            )
            if not found.allowed or (limit.unit == "money" and found.remaining <= 0):
                self._give_back()
                whose = limit.name or owner.partition(":")[0]
                most = _said(unit, limit.amount).decode()
                raise RateLimited(
                    f"The limit of {most} {_UNITS[unit]} in {limit.window_s} s of {whose} is used up; "
                    f"try again in {found.reset_s:.0f} s.",
                    retry_after=found.reset_s,
                )
            self._held.append((subject, limit))
            before = shown.get(unit)
            if before is None or found.remaining < before[1].remaining:
                shown[unit] = (limit.amount, found)
        for name, (amount, found) in shown.items():
            unit, remaining = name.encode(), max(found.remaining, 0)
            self.headers += (
                b"x-ratelimit-limit-%s: %s\r\nx-ratelimit-remaining-%s: %s\r\nx-ratelimit-reset-%s: %ds\r\n"
                % (unit, _said(name, amount), unit, _said(name, remaining), unit, int(found.reset_s) + 1)
            )

    def _give_back(self) -> None:
        for subject, limit in self._held:
            amount = 1 if limit.unit == "requests" else self._estimate if limit.unit == "tokens" else 0
            if amount:
                self._rates.add(subject, amount=-amount, window_s=limit.window_s, now=self._now)
        self._held.clear()

    def settle(self, call: CallState) -> None:
        """Correct the counts to what was used."""
        if not self._held:
            return
        tokens, cost = call.used()
        for subject, limit in self._held:
            if limit.unit == "requests":
                continue
            amount = tokens - self._estimate if limit.unit == "tokens" else to_nano(cost)
            if amount:
                self._rates.add(subject, amount=amount, window_s=limit.window_s, now=self._now)


def _said(unit: str, amount: int) -> bytes:
    """Dollars where the unit is money."""
    return f"{from_nano(amount):f}".encode() if unit == "money" else b"%d" % amount


@lru_cache(16_384)
def _counters(
    key: str, of_key: tuple[RateLimit, ...], route: str, of_route: tuple[RateLimit, ...]
) -> tuple[tuple[str, bytes, RateLimit], ...]:
    """Owner, counter and limit of all that a call counts against."""
    owned = [(f"key:{key}", limit) for limit in of_key]
    owned += [(f"route:{route}", limit) for limit in of_route]
    return tuple((owner, subject_of(limit.name or owner, limit), limit) for owner, limit in owned)


@lru_cache(65_536)
def _subject(owner: str, unit: str, window_s: int) -> bytes:
    text = f"rate\0{owner}\0{unit}\0{window_s}"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def subject_of(owner: str, limit: RateLimit) -> bytes:
    """16 bytes that name the counter of a rate limit."""
    return _subject(owner, limit.unit, limit.window_s)


class Held(msgspec.Struct, frozen=True):
    """What an attempt reserved."""

    holds: tuple[Hold, ...]
    bound_nano: int
    """-1: no finite bound, which no hard cap allows."""
    max_output: int | None = None
    """Tokens that the bound allows for; None: no finite bound."""

    reservations: tuple[Reservation, ...] = ()
    """The same for the record."""


FREE_OF_BUDGETS = Held((), -1)


class Purse:
    """Reserves and settles the budgets of calls."""

    def __init__(self, money: Money) -> None:
        self._money = money
        self._table = BudgetTable({})
        self._of: object = None

    def table(self, world: World) -> BudgetTable:
        """The budgets in force in this world."""
        if self._of is not world.live:
            self._table = BudgetTable(world.live.budgets)
            self._of = world.live
        return self._table

    def reserve(
        self, call: CallState, *, body: bytes, passes: bool, card: Card, top: Ceiling | Unbounded, now: int
    ) -> Held:
        """Hold the bound of one attempt. Raises BudgetExceeded; InvalidRequest: a hard cap and no bound."""
        table = self.table(call.world)
        if not table:
            return FREE_OF_BUDGETS
        concerned = table.applying(call.key, call.context, now=now)
        if not concerned:
            return FREE_OF_BUDGETS
        demand = _demand(call, body=body, passes=passes, card=card)
        open_end = open_ended(call.front.name, call.fields) if passes else ""
        limit = (
            Unbounded(open_end)
            if open_end
            else within(demand, top, image_tokens=card.image_tokens, file_tokens=card.file_tokens)
        )
        if isinstance(limit, Unbounded):
            hard = next((budget for budget, _ in concerned if budget.hard), None)
            if hard is not None:
                raise InvalidRequest(f"Budget {hard.name!r} is hard: {limit.reason}", code="no_bound")
            holds = tuple(table.hold(one, subject, nano=0, now=now) for one, subject in concerned)
            return Held(holds, -1, None, _reservations(holds))
        nano = to_nano(limit)
        holds = tuple(table.hold(one, subject, nano=nano, now=now) for one, subject in concerned)
        refused = self._money.reserve(_holds(holds))
        if refused is not None:
            hold = holds[refused]
            raise BudgetExceeded(
                f"Budget {hold.budget.name!r} has too little left for {hold.subject}: this call may cost "
                f"up to ${limit:.6f}; lower max_tokens, or raise the budget."
            )
        return Held(holds, nano, (demand.max_output or 0) * demand.choices, _reservations(holds))

    def settle(self, held: Held, *, nano: int, call: CallState) -> None:
        """Replace what was held by what was spent."""
        for hold in held.holds:
            self._money.settle(hold.row, reserved=hold.nano, spent=nano)
            settled, reserved = self._money.totals(hold.row)
            amount = hold.budget.amount_nano
            if settled + reserved >= amount * hold.budget.warn_share:
                share = (settled + reserved) / amount if amount else 1.0
                call.warnings.append(f"budget {hold.budget.name} of {hold.subject} is at {share:.0%}")


def _reservations(holds: Sequence[Hold]) -> tuple[Reservation, ...]:
    return tuple(
        Reservation(hold.row, hold.budget.name, hold.subject, hold.window_start, hold.nano) for hold in holds
    )


def _holds(holds: Sequence[Hold]) -> Sequence[HoldLike]:
    return holds


def _demand(call: CallState, *, body: bytes, passes: bool, card: Card) -> Demand:
    if passes or call.front.name == "embeddings":
        found = plain_demand(call.front.name, call.fields, body, card)
        if found is not None:
            return found
    return request_demand(call.request, body, card)


class Places:
    """Hard concurrency limits across workers, each with a bounded queue on this worker."""

    def __init__(self, money: Money) -> None:
        self._money = money
        self._queues: dict[bytes, deque[asyncio.Event]] = {}

    async def enter(self, subject: bytes, *, limit: int, queue: int, wait: float, what: str) -> None:
        """Take one of `limit` places, waiting at most `wait` seconds among at most `queue` others.

        Raises RateLimited.
        """
        waiting = self._queues.get(subject)
        if not waiting and self._money.acquire(subject, limit):
            return
        if waiting is None:
            waiting = self._queues[subject] = deque()
        if len(waiting) >= queue:
            raise RateLimited(
                f"{what} already serves {limit} calls and its queue of {queue} is full; try again shortly.",
                code="concurrency",
                retry_after=1.0,
            )
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        mine = asyncio.Event()
        waiting.append(mine)
        try:
            while loop.time() < until:
                if waiting[0] is mine and self._money.acquire(subject, limit):
                    return
                mine.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL):
                        await mine.wait()
        finally:
            waiting.remove(mine)
        raise RateLimited(
            f"{what} serves {limit} calls and none ended within {wait:g} s; try again shortly.",
            code="concurrency",
            retry_after=1.0,
        )

    def leave(self, subject: bytes) -> None:
        """Give the place back; the first that waits here looks at once."""
        self._money.release(subject)
        waiting = self._queues.get(subject)
        if waiting:
            waiting[0].set()


def place_of(kind: str, name: str) -> bytes:
    """16 bytes that name a concurrency limit."""
    return hashlib.blake2b(f"place\0{kind}\0{name}".encode(), digest_size=16).digest()
