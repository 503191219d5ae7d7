"""The server's side of one connection: HTTP/1.1 in, one Exchange at a time out.

A uvicorn protocol class. The paths of the gateway are answered by `app.serve`; every other path goes to
`app.forward`. Both are called with an Exchange whose body is whole, as one task a request, cancelled when the
client hangs up. Pipelined requests wait their turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from email.utils import formatdate
from http import HTTPStatus
from time import monotonic, time
from typing import Any, Protocol, cast

import httptools

_log = logging.getLogger("noria.server")
MAX_HEADER_BYTES = 65_536
HEADER_TIMEOUT = 15.0
"""Seconds from the first byte of a request to the end of its headers."""
BODY_TIMEOUT = 30.0
"""Seconds without a byte of a body that is not whole."""
KEEP_ALIVE = 75.0
"""Seconds that an idle connection is kept."""
WRITE_STALL = 120.0
"""Seconds that a client may take without reading before its connection is dropped."""
LINGER = 2.0
"""Seconds for which the rest of a refused request is read and dropped."""

_STATUS = {
    code: b"HTTP/1.1 %d %s\r\n"
    % (code, HTTPStatus(code).phrase.encode() if code in set(HTTPStatus) else b"-")
    for code in range(100, 600)
}


class App(Protocol):
    """What a connection needs of the worker."""

    max_body: int

    def hot(self, method: bytes, path: bytes) -> bool:
        """Whether `serve` answers this path; else `forward` does."""
        ...

    async def serve(self, exchange: HttpExchange) -> None: ...

    async def forward(self, exchange: HttpExchange) -> None: ...


class DateHeader:
    """The Date header line, made anew once a second."""

    def __init__(self) -> None:
        self._until = 0.0
        self._line = b""

    def line(self) -> bytes:
        now = time()
        if now >= self._until:
            self._until = int(now) + 1.0
            self._line = b"date: " + formatdate(now, usegmt=True).encode() + b"\r\n"
        return self._line


_date = DateHeader()


class HttpExchange:
    """gateway.exchange.Exchange over one HttpConnection."""

    __slots__ = (
        "_chunked", "_connection", "_keep_alive", "_started", "body", "done", "head_only", "headers",
        "method", "path", "peer", "query", "raw_headers",
    )  # fmt: skip

    def __init__(self, connection: HttpConnection, method: bytes, path: bytes, query: bytes) -> None:
        self._connection = connection
        self._keep_alive = True
        self._chunked = True
        self._started = False
        self.done = False
        self.method = method
        self.path = path
        self.query = query
        self.headers = connection.headers
        self.raw_headers = connection.raw_headers
        self.body = b""
        self.peer = connection.peer
        self.head_only = method == b"HEAD"

    @property
    def congested(self) -> bool:
        return self._connection.congested

    @property
    def secure(self) -> bool:
        return self._connection.secure

    @property
    def started(self) -> bool:
        """Whether any of the answer has been written."""
        return self._started

    def respond(self, status: int, headers: bytes, body: bytes) -> None:
        self._started = True
        close = b"" if self._keep_alive else b"connection: close\r\n"
        head = b"%s%s%s%scontent-length: %d\r\n\r\n" % (
            _STATUS[status], _date.line(), headers, close, len(body),
        )  # fmt: skip
        self._connection.write(head if self.head_only or not body else head + body)
        self._end()

    def start(self, status: int, headers: bytes) -> None:
        self._started = True
        if self._chunked:
            end = b"" if self._keep_alive else b"connection: close\r\n"
            end += b"transfer-encoding: chunked\r\n\r\n"
        else:  # The body ends with the connection.
            self._keep_alive = False
            end = b"connection: close\r\n\r\n"
        self._connection.write(b"%s%s%s%s" % (_STATUS[status], _date.line(), headers, end))

    def write(self, data: bytes) -> None:
        if data and not self.head_only:
            self._connection.write(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)

    def finish(self, data: bytes = b"") -> None:
        if self.head_only:
            pass
        elif not self._chunked:
            self._connection.write(data)
        elif data:
            self._connection.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))
        else:
            self._connection.write(b"0\r\n\r\n")
        self._end()

    def abort(self) -> None:
        self._started = True
        self._keep_alive = False
        self._connection.abort()
        self._end()

    async def drain(self) -> None:
        await self._connection.drain()

    def unlike_1_1(self, *, keep_alive: bool, chunked: bool) -> None:
        """What the client asks for, where that may not be what HTTP/1.1 does by itself."""
        self._keep_alive = keep_alive
        self._chunked = chunked

    def close_after(self) -> None:
        """Do not keep the connection alive after this answer."""
        self._keep_alive = False

    def _end(self) -> None:
        self.done = True
        self._connection.exchange_done(self, keep_alive=self._keep_alive)


class HttpConnection(asyncio.Protocol):
    """One client connection."""

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        self._app: App = config.loaded_app
        self._loop: asyncio.AbstractEventLoop = _loop or asyncio.get_running_loop()
        self._state = server_state
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._current: HttpExchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: deque[HttpExchange] = deque()
        self._incoming: HttpExchange | None = None
        self._url = b""
        self._body: list[bytes] = []
        self._body_size = 0
        self._header_bytes = 0
        self._in_head = False
        self._head_bytes = 0
        self._writable: asyncio.Future[None] | None = None
        self._closing = False
        self._lingering = False
        self._reading = True
        self._deadline = 0.0
        self.headers: dict[bytes, bytes] = {}
        self.raw_headers: list[tuple[bytes, bytes]] = []
        self.congested = False
        self.peer = ""
        self.secure = False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance.
        self._state.connections.add(self)
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if isinstance(peer, tuple) else ""
        self.secure = transport.get_extra_info("sslcontext") is not None
        self._deadline = monotonic() + KEEP_ALIVE

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._transport = None
        self._closing = True
        self._waiting.clear()
        if self._task is not None and self._current is not None:
            self._task.cancel()
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    def pause_writing(self) -> None:
        self.congested = True
        self._writable = self._loop.create_future()
        self._deadline = monotonic() + WRITE_STALL

    def resume_writing(self) -> None:
        self.congested = False
        self._deadline = 0.0
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._lingering:
            return
        try:
            self._parser.feed_data(data)
            if self._in_head:  # The parser itself keeps a header until it is whole.
                self._head_bytes += len(data)
                if self._head_bytes > 2 * MAX_HEADER_BYTES:
                    self._refuse(431, b"The request's headers are too large.")
        except httptools.HttpParserUpgrade:
            self._refuse(501, b"Protocol upgrades are not offered.")
        except httptools.HttpParserError:
            self._refuse(400, b"The request is not valid HTTP/1.1.")

    # httptools callbacks

    def on_message_begin(self) -> None:
        self._url = b""
        self.headers = {}
        self.raw_headers = []
        self._header_bytes = 0
        self._in_head = True
        self._head_bytes = 0
        self._body = []
        self._body_size = 0
        self._deadline = monotonic() + HEADER_TIMEOUT

    def on_url(self, url: bytes) -> None:
        self._url += url
        if len(self._url) > MAX_HEADER_BYTES:
            self._refuse(414, b"The URL is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MAX_HEADER_BYTES:
            self._refuse(431, b"The request's headers are too large.")
            return
        name = name.lower()
        self.headers[name] = value
        self.raw_headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._closing:
            return
        path, _, query = self._url.partition(b"?")
        exchange = HttpExchange(self, self._parser.get_method(), path, query)
        keep = self._parser.should_keep_alive()
        if not keep or b"connection" in self.headers:  # Else it is no HTTP/1.0, which knows no chunks.
            exchange.unlike_1_1(keep_alive=keep, chunked=self._parser.get_http_version() != "1.0")
        self._incoming = exchange
        length = self.headers.get(b"content-length")
        if length is not None and int(length) > self._app.max_body:
            self._refuse(413, b"The request body is larger than %d bytes." % self._app.max_body)
        elif self._current is None and self.headers.get(b"expect", b"").lower() == b"100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._deadline = monotonic() + BODY_TIMEOUT

    def on_body(self, data: bytes) -> None:
        self._body_size += len(data)
        if self._body_size > self._app.max_body:
            self._refuse(413, b"The request body is larger than %d bytes." % self._app.max_body)
            return
        self._body.append(data)
        self._deadline = monotonic() + BODY_TIMEOUT

    def on_message_complete(self) -> None:
        exchange = self._incoming
        self._incoming = None
        if exchange is None or self._closing:
            return
        self._deadline = 0.0
        exchange.body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body = []
        if self._current is None:
            self._begin(exchange)
        else:
            self._waiting.append(exchange)
            self._pause_reading()

    # the exchange's side

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def drain(self) -> None:
        if self.congested and self._writable is not None:
            await self._writable

    def exchange_done(self, exchange: HttpExchange, *, keep_alive: bool) -> None:
        if exchange is not self._current:
            return
        self._current = None
        if self._transport is None:
            return
        if not keep_alive or self._closing:
            self._closing = True
            self._transport.close()
        elif self._waiting:
            self._begin(self._waiting.popleft())
        else:
            self._deadline = monotonic() + KEEP_ALIVE
            if not self._reading:
                self._reading = True
                self._transport.resume_reading()

    # the server's side

    def shutdown(self) -> None:
        """Finish the exchange in hand, take no other (uvicorn calls this when it stops)."""
        self._closing = True
        self._waiting.clear()
        if self._transport is not None:
            if self._current is None:
                self._transport.close()
            else:
                self._current.close_after()

    def expire(self, now: float) -> None:
        """Drop the connection if its peer has been too slow; called about once a second."""
        if self._current is not None and not self.congested:
            return  # The one in hand has times of its own; they are not those of a request behind it.
        if self._deadline and now > self._deadline and self._transport is not None:
            if self._incoming is not None and not self.congested:
                self._refuse(408, b"The request did not arrive in time.")
            else:
                self._transport.abort()

    def _begin(self, exchange: HttpExchange) -> None:
        self._current = exchange
        app = self._app
        run = app.serve(exchange) if app.hot(exchange.method, exchange.path) else app.forward(exchange)
        task = self._loop.create_task(run)
        self._task = task
        self._state.tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._state.tasks.discard(task)
        exchange = self._current
        if task is self._task and exchange is not None and not task.cancelled() and task.exception():
            # Nobody else will answer: better a broken connection than one that hangs.
            _log.error("%s failed", exchange.path.decode("latin-1"), exc_info=task.exception())
            exchange.abort()

    def _pause_reading(self) -> None:
        if self._reading and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()

    def _linger(self) -> None:
        """Half-close and drop what still comes, so that a reset does not overtake the answer."""
        assert self._transport is not None
        self._lingering = True
        self._deadline = monotonic() + LINGER
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def _refuse(self, status: int, sentence: bytes) -> None:
        """Answer before any exchange is made, and close: the rest of the input cannot be trusted."""
        if self._closing:
            return
        self._closing = True
        self._incoming = None
        body = (
            b'{"error":{"message":"%s","type":"invalid_request_error","param":null,"code":null}}' % sentence
        )
        head = b"%s%sconnection: close\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (
            _STATUS[status], _date.line(), len(body),
        )  # fmt: skip
        if self._current is None and self._transport is not None:
            self._transport.write(head + body)
            self._linger()
        elif self._current is not None:
            self._current.close_after()
