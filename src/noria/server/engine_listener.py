"""The listening side of an engine: our own HTTP connections, without any framework."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from time import monotonic

from noria.errors import StateError
from noria.server.engine_front import Front
from noria.server.protocol import HttpConnection

DRAIN = 3.0
"""Seconds that answers in hand are given when the engine stops."""


class Listener:
    """Serves a Front on one loopback port; it is the `config` and the `state` that HttpConnection wants."""

    def __init__(self, front: Front) -> None:
        self.loaded_app = front
        self.connections: set[HttpConnection] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    async def open(self, port: int) -> None:
        """Raises StateError where another process has the port."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            listener.close()
            raise StateError(f"Port {port} of the engine is taken; stop what listens there.") from error
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: HttpConnection(self, self, {}, loop), sock=listener, backlog=512
        )
        self._sweeper = loop.create_task(self._sweep())

    async def close(self) -> None:
        """Take nothing new, and give what is in hand a moment."""
        self._server.close()
        for connection in list(self.connections):
            connection.shutdown()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=DRAIN)
        for connection in list(self.connections):
            connection.abort()
        self._sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._sweeper

    async def _sweep(self) -> None:
        """Drop connections whose peers are too slow, once a second."""
        while True:
            await asyncio.sleep(1.0)
            now = monotonic()
            for connection in list(self.connections):
                connection.expire(now)
