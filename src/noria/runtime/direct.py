"""The gateway's connections below `noria.client`: a quarter of the CPU that httpx2's take for each call."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import httpx2

from noria.errors import UpstreamError
from noria.gateway.transport import Answer, Origin
from noria.providers.transport import PooledTransport

_OURS = (b"host", b"content-length", b"transfer-encoding", b"connection", b"accept-encoding")
"""Headers that are written here, or would have to be undone."""


class DirectTransport(httpx2.AsyncBaseTransport):
    """To one origin without TLS. Made within the event loop that uses it."""

    def __init__(self, host: str, port: int, *, width: int, timeout: float) -> None:
        """At most `width` connections; an answer may take `timeout` seconds."""
        self._origin = Origin(host=host, port=port, max_connections=width)
        self._pool = PooledTransport()
        self._timeout = timeout
        self._host = b"host: %s:%d\r\n" % (host.encode(), port)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises httpx2's errors, as its own transports do."""
        body = await request.aread()
        line = b"%s %s HTTP/1.1\r\n" % (request.method.encode(), request.url.raw_path)
        headers = b"".join(
            b"%s: %s\r\n" % (name, value) for name, value in request.headers.raw if name.lower() not in _OURS
        )
        until = time.monotonic() + self._timeout
        try:
            answer = await self._pool.send(
                self._origin, line + self._host + headers, body, connect=10.0, first=0, total_at=until
            )
        except UpstreamError as error:
            kind = httpx2.ReadTimeout if error.kind == "timeout" else httpx2.ConnectError
            raise kind(error.message, request=request) from None
        return httpx2.Response(answer.status, headers=answer.lines, stream=_Body(answer, request))

    async def aclose(self) -> None:
        self._pool.close()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: Answer, request: httpx2.Request) -> None:
        self._answer = answer
        self._request = request
        self._whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while data := await self._answer.chunk():
                yield data
        except UpstreamError as error:
            raise httpx2.ReadError(error.message, request=self._request) from None
        self._whole = True

    async def aclose(self) -> None:
        if self._whole:
            self._answer.release()
        else:
            self._answer.abort()
