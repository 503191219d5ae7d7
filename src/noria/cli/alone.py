"""The control process that a command speaks to: the one that runs, else one of its own for its duration.

So `noria plan`, `noria key create` and the like work on a Noria that is stopped; there is one code path, the
API. A second control cannot come up beside a running one: both want the same lock.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from noria.cli.api import Api
from noria.cli.output import say
from noria.errors import StateError, Unreachable
from noria.storage.home import Home

READY = 20.0
"""Seconds that a control process is given to answer."""
STOP = 10.0
"""Seconds that it is given to stop."""


@contextmanager
def reach(path: Path, *, project: str) -> Generator[Api]:
    """The API of the Noria of the noria.toml at `path`. Raises Unreachable where there is none at all."""
    home = Home.beside(path)
    api = Api(home, project=project)
    if answers(home):
        yield api
        return
    if not path.exists() and not (home.folder / "noria.db").exists():
        raise Unreachable(
            f"There is no Noria here: {path} does not exist; `noria init` writes one, `noria up` starts it."
        )
    say("Noria does not run here; its control process is started for this command alone.")
    log = home.logs / "control.log"
    before = log.stat().st_size if log.exists() else 0
    process = _start(home, path.absolute(), log)
    try:
        _wait(process, home, log, before)
        yield api
    finally:
        process.terminate()
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(home: Home) -> bool:
    """Whether a control process answers on this home's socket."""
    try:
        Api(home).text("/healthz")
    except Unreachable:
        return False
    return True


def _start(home: Home, path: Path, log: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "noria.server.control",
        "--home",
        str(home.folder),
        "--config",
        str(path),
    ]
    with open(log, "ab") as file:
        # A session of its own: Ctrl-C reaches the command, which then stops it in order.
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )


def _wait(process: subprocess.Popen[bytes], home: Home, log: Path, before: int) -> None:
    until = time.monotonic() + READY
    while time.monotonic() < until:
        if process.poll() is not None:
            said = log.read_bytes()[before:].decode(errors="replace").strip().splitlines()
            raise StateError(said[-1] if said else f"The control process ended with {process.returncode}.")
        if answers(home):
            return
        time.sleep(0.05)
    raise Unreachable(f"The control process does not answer; see {log}.")
