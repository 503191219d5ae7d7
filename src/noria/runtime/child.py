"""What every process of Noria does beside its work: be the only one of its kind, and notice its end.

A child holds `run/<role>.lock` while it lives, so that a successor waits for it instead of writing beside it.
It inherits the reading end of a pipe whose writing end only the supervisor has: when the supervisor is gone,
however it went, the pipe closes and the child stops in order, as for SIGTERM.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from noria.errors import StateError
from noria.storage.home import Home

LEASH = "NORIA_SUPERVISOR_FD"
"""Environment variable: number of the pipe's reading end; absent: started by hand, nobody is watched."""


def hold(home: Home, role: str, *, wait: float = 30.0) -> int:
    """The lock of `role`, an open descriptor. Raises StateError when another keeps it for `wait` seconds."""
    path: Path = home.run / f"{role}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                os.close(descriptor)
                raise StateError(
                    f"Another Noria already runs as {role} in {home.folder}; stop it first, or use another "
                    "NORIA_HOME."
                ) from None
            time.sleep(0.05)
        else:
            return descriptor


def watch_supervisor(gone: Callable[[], None]) -> None:
    """Call `gone` once when the supervisor has ended; needs a running event loop."""
    given = os.environ.get(LEASH)
    if given is None:
        return
    loop = asyncio.get_running_loop()
    descriptor = int(given)

    def readable() -> None:
        loop.remove_reader(descriptor)
        gone()

    loop.add_reader(descriptor, readable)


def log_to_stderr(role: str) -> None:
    """One line an event: time, process, level, words."""
    logging.basicConfig(
        stream=sys.stderr,
        level=os.environ.get("NORIA_LOG", "WARNING").upper(),
        format=f"%(asctime)s {role}[%(process)d] %(levelname)s %(name)s: %(message)s",
    )
