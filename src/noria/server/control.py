"""The control process: `python -m noria.server.control --home DIR --config noria.toml`.

Serves the API and the page on run/control.sock (0600); gateway workers forward what is not theirs to it, and
the command line speaks to it directly.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from noria.errors import NoriaError
from noria.runtime.child import hold, log_to_stderr, watch_supervisor
from noria.runtime.control import Control, open_control
from noria.storage.home import Home

SOCKET = "control.sock"
_log = logging.getLogger("noria.control")


def listen(path: Path) -> socket.socket:
    """A unix socket at `path` that only this user can reach; one left by a dead process is replaced."""
    path.unlink(missing_ok=True)
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        found.bind(str(path))
    finally:
        os.umask(before)
    found.listen(512)
    return found


async def serve(control: Control, listening: socket.socket) -> None:
    """Until SIGTERM or SIGINT, or until the supervisor is gone."""
    # Imported here: what runs is published before half a second is spent on the API.
    import uvicorn

    from noria.server.api.app import build

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Generator[None]:
            """Not uvicorn's way, which ends by sending the signal again, past all cleaning up."""
            yield

    server = Server(
        uvicorn.Config(
            build(control),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # The forwarding worker's word about the client is read by `api.cookies`, from headers.
            proxy_headers=False,
            timeout_graceful_shutdown=8,
            timeout_keep_alive=75,
        )
    )

    def gone() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, gone)
    watch_supervisor(gone)
    gc.freeze()
    gc.enable()
    threading.Thread(target=_resume, args=(control,), daemon=True).start()
    control.monitors.start()
    await server.serve([listening])


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 after an orderly stop, 2 where it cannot start, with one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="noria.server.control")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--gateway", default="", help="URL of the workers, where noria.toml does not say it")
    parser.add_argument(
        "--encrypt-payloads", action="store_true", help="under the key of NORIA_ENCRYPTION_KEY or its file"
    )
    given = parser.parse_args(arguments)
    log_to_stderr("control")
    gc.disable()
    home = Home(given.home)
    try:
        lock = hold(home, "control")
        # Bound before anything is ready: whoever asks meanwhile waits and is not refused.
        listening = listen(home.run / SOCKET)
        try:
            control = open_control(home, given.config, gateway=given.gateway, encrypt=given.encrypt_payloads)
            try:
                control.start()
                asyncio.run(serve(control, listening))
            finally:
                control.close()
        finally:
            (home.run / SOCKET).unlink(missing_ok=True)
            os.close(lock)
    except NoriaError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _resume(control: Control) -> None:
    try:
        control.jobs.resume()
    except Exception:
        # The boundary of this thread: the API goes on without the jobs of before.
        _log.exception("jobs that an earlier process has left could not be resumed")


if __name__ == "__main__":
    sys.exit(main())
