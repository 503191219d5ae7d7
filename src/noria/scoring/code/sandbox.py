"""A program that nobody trusts, run in a process that can do next to nothing.

It has no network, no other processes, no files but its own empty folder and Python's standard library to
read, and limits on time, memory and what it writes. It is Python code in Python: one that looks for the word
by which its success is told can find it, so a pass is evidence of a solution, not proof against a cheat.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Literal

import msgspec

_CHILD = Path(__file__).with_name("child.py")
_MOST = 10_000
_slots: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


class Ran(msgspec.Struct, frozen=True):
    """passed: came to its end; ended: left early; raised; timeout; killed: by a limit; closed: no sandbox."""

    outcome: Literal["passed", "ended", "raised", "timeout", "killed", "closed"]
    said: str = ""


async def run(program: str, *, timeout: float, megabytes: int) -> Ran:
    """At most one for each core at once; the time begins when it does."""
    async with _slot():
        with tempfile.TemporaryDirectory(prefix="noria-code-") as folder:
            return await _run(program, folder, timeout=timeout, megabytes=megabytes)


async def _run(program: str, folder: str, *, timeout: float, megabytes: int) -> Ran:
    word = secrets.token_hex(16)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-B", str(_CHILD), folder, str(math.ceil(timeout) + 1), str(megabytes),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONHASHSEED": "0", "LANG": "C.UTF-8"}, cwd=folder,
    )  # fmt: skip
    given = f"{word}\n{program}".encode(errors="replace")
    try:
        told = await asyncio.wait_for(_told(process, given), timeout)
    except TimeoutError:
        return Ran("timeout", f"It took over {timeout:g} s.")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _read(told, word, process.returncode or 0)


async def _told(process: asyncio.subprocess.Process, given: bytes) -> bytes:
    """What it says until its end. A program that finds the pipe may write without end: more than _MOST is
    not read, and it is killed."""
    assert process.stdin is not None and process.stdout is not None, "both are pipes"
    process.stdin.write(given)
    with contextlib.suppress(ConnectionError):  # It has ended already.
        await process.stdin.drain()
    process.stdin.close()
    told = bytearray()
    while len(told) <= _MOST and (part := await process.stdout.read(_MOST)):
        told += part
    if len(told) <= _MOST:
        await process.wait()
    return bytes(told)


def _read(told: bytes, word: str, status: int) -> Ran:
    try:
        echoed, outcome, said = json.loads(told)
        if echoed == word:
            return Ran(outcome, said)
    except (ValueError, TypeError):
        pass  # Cut short, or written by the program.
    why = f"signal {-status}" if status < 0 else f"status {status}"
    return Ran("killed", f"It ended without an answer, by {why}.")


def _slot() -> asyncio.Semaphore:
    loop = asyncio.get_running_loop()
    for other in [one for one in _slots if one.is_closed()]:
        del _slots[other]
    return _slots.setdefault(loop, asyncio.Semaphore(os.cpu_count() or 1))
