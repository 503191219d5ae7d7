"""How a run calls: waits where it is told to, keeps within its budget, and gives up where nothing answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TypeVar

from noria.errors import NoriaError, RateLimited, Unavailable, Unreachable

T = TypeVar("T")
ATTEMPTS = 6
"""At one answer, while Noria says that it cannot serve now or does not answer."""
LONGEST = 30.0
"""Seconds between two of them."""
FIRST = 20
"""Where so many first answers failed and none did not, the rest is not asked for."""


class Halt(NoriaError):
    """The run cannot go on; what it has is kept."""


async def patient(call: Callable[[], Awaitable[T]]) -> T:
    """What `call` gives, asked again where waiting helps. Raises Halt where nothing answers in the end."""
    for attempt in range(ATTEMPTS):
        try:
            return await call()
        except Unreachable as error:
            if attempt == ATTEMPTS - 1:
                raise Halt(str(error)) from None
            wait = None
        except (RateLimited, Unavailable) as error:
            if attempt == ATTEMPTS - 1:
                raise
            wait = error.retry_after
        await asyncio.sleep(min(LONGEST, 2.0**attempt / 2 if wait is None else wait))
    raise AssertionError("the last attempt returns or raises")


class Purse:
    """A run's budget: money is set aside before a call, by the most that one has cost so far."""

    def __init__(self, budget: Decimal | None, *, expected: Decimal | None, judged: bool = False) -> None:
        """`expected` is what one answer may cost at most. Where that is not known, or scores that ask models
        (`judged`) come to it, the first answer is waited for, which shows it."""
        self.budget = budget
        self._spent = Decimal(0)
        self._known = expected is not None and not judged
        self._most = expected or Decimal(0)
        self._aside = Decimal(0)
        self._open = 0
        self._settled = asyncio.Event()

    async def take(self) -> Decimal | None:
        """Set aside for one more answer; None: that could exceed the budget."""
        while self.budget is not None and (not self._known or self._beyond(self.budget)):
            if not self._open:
                if self._beyond(self.budget):
                    return None
                break
            self._settled.clear()
            await self._settled.wait()
        self._open += 1
        self._aside += self._most
        return self._most

    def _beyond(self, budget: Decimal) -> bool:
        return self._spent + self._aside + self._most > budget or self._spent >= budget > 0

    def spend(self, amount: Decimal) -> None:
        """That nothing was set aside for."""
        self._spent += amount

    def settle(self, aside: Decimal, cost: Decimal, *, answered: bool) -> None:
        """The answer for which `aside` was set aside has cost this, scores included; a call that failed shows
        nothing of what others cost."""
        self._open -= 1
        self._aside -= aside
        self._spent += cost
        self._known = self._known or answered
        self._most = max(self._most, cost)
        self._settled.set()
