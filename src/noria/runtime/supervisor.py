"""The parent of all processes of one Noria: starts them, restarts what died, stops them in order.

Each child inherits the reading end of a pipe (`child.LEASH`). When the supervisor dies, even by kill -9, the
pipe closes and the children stop by themselves, workers first: the collector waits until the last writer of a
spool is gone, and drains what they left. A `noria up` that follows waits for their locks and then starts its
own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from noria.runtime.child import LEASH, hold
from noria.storage.home import Home

_log = logging.getLogger("noria.supervisor")
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
"""Seconds before a process that died is started again; doubles while it keeps dying."""
STEADY = 10.0
"""Seconds after which a process counts as well."""
LONGEST_LOG = 10 << 20
"""Bytes of a process's log beyond which its next start begins another; one older is kept."""
REFUSED = 2
"""Exit status of a process that cannot start and has said why."""
ORDER = ("worker", "engine", "control", "collector")
"""Kinds of process in the order in which they are stopped."""
GRACE = {"worker": 35.0, "engine": 5.0, "control": 10.0, "collector": 20.0}
"""Seconds that each kind is given to stop by itself."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A process to keep alive. `role` is unique, such as "worker-0"; its kind is the part before the dash."""

    role: str
    command: tuple[str, ...]
    environment: dict[str, str] = {}

    @property
    def kind(self) -> str:
        return self.role.partition("-")[0]


class Child(msgspec.Struct, kw_only=True):
    """What `run/supervisor.json` says of a process."""

    role: str
    pid: int = 0
    """0: not running now."""
    started: float = 0.0
    """Unix seconds."""
    restarts: int = 0
    last_exit: int | None = None
    """Exit status of the one before; negative: the signal that ended it."""


class Status(msgspec.Struct, kw_only=True):
    pid: int
    address: str
    children: list[Child]


class Supervisor:
    """Keeps `programs` alive until told to stop."""

    def __init__(self, home: Home, programs: Sequence[Program], *, address: str) -> None:
        self._home = home
        self._programs = programs
        self._address = address
        self._children = {program.role: Child(role=program.role) for program in programs}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()
        self._leash = os.pipe()

    def stop(self) -> None:
        """Begin to stop; `run` returns when all have."""
        self._stopping.set()

    async def run(self) -> None:
        """Start everything and keep it alive. Raises StateError when another supervisor runs here."""
        lock = hold(self._home, "supervisor", wait=2.0)
        try:
            keepers = [asyncio.create_task(self._keep(program)) for program in self._programs]
            await self._stopping.wait()
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            for kind in ORDER:
                await self._end([one.role for one in self._programs if one.kind == kind], GRACE[kind])
        finally:
            os.close(lock)
            for end in self._leash:
                os.close(end)
            (self._home.run / "supervisor.json").unlink(missing_ok=True)

    async def _keep(self, program: Program) -> None:
        child = self._children[program.role]
        pause = FIRST_PAUSE
        while True:
            process = await self._start(program)
            begun = time.monotonic()
            status = await process.wait()
            del self._processes[program.role]
            child.pid, child.last_exit = 0, status
            child.restarts += 1
            self._write()
            pause = FIRST_PAUSE if time.monotonic() - begun > STEADY else min(pause * 2, LONGEST_PAUSE)
            _log.warning("%s ended (%s); again in %.1f s", program.role, self._why(program, status), pause)
            await asyncio.sleep(pause)

    def _why(self, program: Program, status: int) -> str:
        """Its own last sentence where it could not start, else how it ended."""
        if status == REFUSED:
            lines = (self._home.logs / f"{program.role}.log").read_bytes()[-2000:].splitlines()
            if lines:
                return lines[-1].decode(errors="replace")
        return f"signal {-status}" if status < 0 else f"status {status}"

    async def _start(self, program: Program) -> asyncio.subprocess.Process:
        reading, _ = self._leash
        os.set_inheritable(reading, True)
        path = self._home.logs / f"{program.role}.log"
        if path.exists() and path.stat().st_size > LONGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
        log = open(path, "ab")  # noqa: SIM115, ASYNC230  # closed below
        try:
            process = await asyncio.create_subprocess_exec(
                *program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(program.environment, reading),
                pass_fds=(reading,),
                start_new_session=True,
            )
        finally:
            log.close()
        self._processes[program.role] = process
        child = self._children[program.role]
        child.pid, child.started = process.pid, time.time()
        self._write()
        return process

    async def _end(self, roles: list[str], grace: float) -> None:
        """Ask these to stop, and make them when they do not."""
        processes = [self._processes[role] for role in roles if role in self._processes]
        for process in processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        waits = [asyncio.create_task(process.wait()) for process in processes]
        if not waits:
            return
        _, late = await asyncio.wait(waits, timeout=grace)
        if late:
            for process in processes:
                if process.returncode is None:
                    _log.error("process %d did not stop within %.0f s and is killed", process.pid, grace)
                    process.kill()
            await asyncio.wait(late)

    def _write(self) -> None:
        status = Status(pid=os.getpid(), address=self._address, children=list(self._children.values()))
        path = self._home.run / "supervisor.json"
        aside = path.with_suffix(".new")
        aside.write_bytes(msgspec.json.encode(status))
        aside.replace(path)


def _environment(more: Mapping[str, str], leash: int) -> dict[str, str]:
    return {**os.environ, **more, LEASH: str(leash)}


def status(home: Home) -> Status | None:
    """What runs in `home`; None where no supervisor does."""
    try:
        found = msgspec.json.decode((home.run / "supervisor.json").read_bytes(), type=Status)
        os.kill(found.pid, 0)
    except (FileNotFoundError, msgspec.DecodeError, ProcessLookupError):
        return None
    return found
