"""The gateway worker process: `python -m noria.server.worker --home DIR --number N --host H --port P`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic

import uvicorn
import uvloop

from noria.errors import UserError
from noria.providers.secrets import required_vault
from noria.runtime.child import hold, log_to_stderr, watch_supervisor
from noria.runtime.worker import Worker
from noria.server.forward import Forwarder
from noria.server.protocol import HttpConnection, HttpExchange
from noria.server.stored_forward import Owners
from noria.storage.home import Home

DRAIN = 30
"""Seconds that calls in flight are given when the worker stops."""


class GatewayApp:
    """`protocol.App` over one worker."""

    def __init__(self, worker: Worker, forwarder: Forwarder) -> None:
        self._worker = worker
        self._gateway = worker.gateway
        self._forwarder = forwarder
        self.hot = worker.gateway.hot

    @property
    def max_body(self) -> int:
        return self._worker.max_body

    async def serve(self, exchange: HttpExchange) -> None:
        await self._gateway.serve(exchange)

    async def forward(self, exchange: HttpExchange) -> None:
        await self._forwarder.forward(exchange)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="noria.server.worker")
    parser.add_argument("--home", required=True, type=Path)
    parser.add_argument("--number", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--spool-limit", type=int, default=4 << 30, help="bytes")
    parser.add_argument("--sync", type=float, default=0.2, help="seconds until records are on the disk")
    parser.add_argument("--durability", choices=("process", "disk"), default="process")
    parser.add_argument("--cache", type=int, default=64 << 20, help="bytes of the exact cache")
    parser.add_argument("--valkey", help="URL of the Valkey that keeps the exact cache, or a reference to it")
    parser.add_argument(
        "--encrypt-payloads", action="store_true", help="under the key of NORIA_ENCRYPTION_KEY or its file"
    )
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    given = parser.parse_args(arguments)
    log_to_stderr(f"worker-{given.number}")
    try:
        uvloop.run(_serve(given))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _serve(given: argparse.Namespace) -> None:
    home = Home(given.home)
    lock = hold(home, f"worker-{given.number}")
    listener = listening(given.host, given.port)
    worker = Worker(
        home,
        number=given.number,
        spool_limit=given.spool_limit,
        sync_s=given.sync,
        durability=given.durability,
        cache=given.cache,
        valkey=given.valkey,
        cipher=required_vault(os.environ) if given.encrypt_payloads else None,
    )
    worker.refresh()
    owners = Owners(worker.world, worker.transport, pepper=home.pepper())
    app = GatewayApp(worker, Forwarder(home.run, worker.transport, owners))
    config = uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType]  # our protocol class never calls it as ASGI
        http=HttpConnection,
        interface="asgi3",
        lifespan="off",
        ws="none",
        proxy_headers=False,
        log_config=None,
        access_log=False,
        ssl_certfile=given.tls_cert,
        ssl_keyfile=given.tls_key,
        timeout_graceful_shutdown=DRAIN,
    )
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    watch_supervisor(stop)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops in order for them, and afterwards raises them again for whoever was there before.
        signal.signal(number, lambda _number, _frame: None)
    tasks = [loop.create_task(worker.follow()), loop.create_task(_sweep(server))]
    try:
        await server.serve(sockets=[listener])
    finally:
        await worker.gateway.once.finish(DRAIN)
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        worker.close()
        del lock


async def _sweep(server: uvicorn.Server) -> None:
    """Drop connections whose peers are too slow, once a second."""
    while True:
        await asyncio.sleep(1.0)
        now = monotonic()
        for connection in list(server.server_state.connections):
            if isinstance(connection, HttpConnection):
                connection.expire(now)


def listening(host: str, port: int) -> socket.socket:
    """A TCP socket that shares its port with the other workers."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    found.bind((host, port))
    found.listen(2048)
    found.setblocking(False)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
