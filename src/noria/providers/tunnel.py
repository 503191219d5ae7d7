"""The way through an HTTP proxy to an upstream that speaks TLS."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import cast
from urllib.parse import unquote

import httptools

from noria.gateway.transport import Origin


class Tunnel(asyncio.Protocol):
    """Asks an HTTP proxy for a tunnel (CONNECT, RFC 9110 section 9.3.6)."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance.

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserError:
            self._settle(0)

    def on_headers_complete(self) -> None:
        self._settle(self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(0)

    async def ask(self, origin: Origin, username: str | None, password: str | None) -> None:
        """Raises OSError when the proxy refuses."""
        assert self._transport is not None
        credentials = b""
        if username:
            pair = f"{unquote(username)}:{unquote(password or '')}".encode()
            credentials = b"proxy-authorization: Basic " + b64encode(pair) + b"\r\n"
        where = f"{origin.host}:{origin.port}".encode()
        self._transport.write(b"CONNECT %s HTTP/1.1\r\nhost: %s\r\n%s\r\n" % (where, where, credentials))
        status = await self._answered
        if not 200 <= status < 300:
            self._transport.abort()
            raise OSError(f"the proxy answered {status}")

    def _settle(self, status: int) -> None:
        if not self._answered.done():
            self._answered.set_result(status)
