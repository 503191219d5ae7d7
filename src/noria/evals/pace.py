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

    def __init__(self, budget: Decimal | None, *, spent: Decimal, expected: Decimal | None) -> None:
        """`expected` is what one answer with its scores may cost."""
        self.budget = budget
        self.spent = spent
        self._most = expected or Decimal(0)
        self._open = 0

    def take(self) -> bool:
        """Set aside for one more answer; False: that could exceed the budget."""
        if self.budget is not None and self.spent + self._most * (self._open + 1) > self.budget:
            return False
        self._open += 1
        return True

    def pay(self, amount: Decimal) -> None:
        self.spent += amount

    def settle(self, cost: Decimal) -> None:
        """The answer that was set aside for has cost this, scores included."""
        self._open -= 1
        self._most = max(self._most, cost)
