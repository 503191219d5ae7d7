"""Computing that would hold up the event loop, done in processes of its own."""

from __future__ import annotations

import asyncio
import atexit
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_pool: ProcessPoolExecutor | None = None


async def apart(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """`work`, a function of a module, with values that can be pickled."""
    return await asyncio.get_running_loop().run_in_executor(_made(), partial(work, *args, **kwargs))


def _made() -> ProcessPoolExecutor:
    global _pool
    if _pool is None:
        # Spawned, not forked: the parent has threads and an event loop.
        context = multiprocessing.get_context("spawn")
        _pool = ProcessPoolExecutor(max_workers=os.cpu_count() or 1, mp_context=context)
        atexit.register(_pool.shutdown, cancel_futures=True)
    return _pool
