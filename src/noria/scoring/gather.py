"""Work that is cheaper together: what is asked for at about the same time is done in one call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
MOST = 64
PAUSE = 0.002
"""Seconds that the first one waits for others."""


class Gather(Generic[T, R]):
    """`work` gets a list and returns one result for each, in order; what it raises, everyone gets."""

    def __init__(self, work: Callable[[list[T]], Awaitable[Sequence[R]]], *, most: int = MOST) -> None:
        self._work = work
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, one: T) -> R:
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, future))
        if len(self._waiting) == 1:
            self._start(self._later())
        elif len(self._waiting) >= self._most:
            self._start(self._do(self._taken()))
        return await future

    async def _later(self) -> None:
        await asyncio.sleep(PAUSE)
        batch = self._taken()
        if batch:
            await self._do(batch)

    async def _do(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._work([one for one, _ in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"{len(batch)} were given and {len(results)} came back")
        except Exception as error:  # Not for us: it belongs to those who wait.
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)

    def _taken(self) -> list[tuple[T, asyncio.Future[R]]]:
        batch, self._waiting = self._waiting, []
        return batch

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
