"""Keep-alive pools of HTTP/1.1 connections to upstreams: gateway.transport.Transport on asyncio.

One request at a time on a connection. A connection that was kept alive and turns out closed before any byte
of an answer is replaced once, silently; every other failure is an UpstreamError.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections import deque
from time import monotonic
from typing import cast
from urllib.parse import urlsplit

import httptools

from noria.errors import UpstreamClass, UpstreamError
from noria.gateway.transport import Answer, Origin
from noria.providers.content_encoding import Decoder
from noria.providers.tunnel import Tunnel

MAX_ANSWER = 134_217_728
"""Bytes of a body that is read whole."""
HIGH_WATER = 1_048_576
"""Bytes of a streamed body that may wait for a slow client before reading stops."""
MAX_HEAD = 262_144
"""Bytes of an answer before its body begins."""
MAX_EXPANSION = 16_777_216
"""Bytes that may wait of a compressed body; one read of it that expands to more is an attack or a mistake."""
IDLE = 55.0
"""Seconds that an unused connection is kept; below the 60 s at which common servers close theirs."""
SWEEP = 0.05
"""Seconds between two looks at deadlines."""
RELEASE_GRACE = 1.0
"""Seconds that a released answer may take to end by itself."""


class Connection(asyncio.Protocol):
    """One upstream connection, and the answer on it. The public methods are those of Answer."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._loop = pool.loop
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._headless = 0
        self._paused = False
        self._head = False
        self._complete = False
        self._interim = False
        self._keep = False
        self._released = True
        self._error: UpstreamError | None = None
        self._decoder: Decoder | None = None
        self._gap = 0.0
        self._silent_at = 0.0
        self._total_at = 0.0
        self.idle_since = 0.0
        self.reused = False
        self.received = False
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.lines: list[tuple[bytes, bytes]] = []
        """The headers in order, repeated ones too; names in lower case."""

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance.

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._pool.forget(self)
        if not self._complete and not self._released:
            if self._head and self._until_close() and exc is None:
                self._finish()
            else:
                self._fail("stream" if self._head else "connect", "The upstream closed the connection early.")

    def data_received(self, data: bytes) -> None:
        if self._released and self._complete:
            # Nothing was asked: an answer out of turn makes the connection unusable.
            self.abort()
            return
        self.received = True
        if self._gap:
            self._silent_at = monotonic() + self._gap
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail("server", "The upstream's answer is not valid HTTP/1.1.")
            self.abort()
            return
        if not self._head:
            self._headless += len(data)
            if self._headless > MAX_HEAD:
                self._fail("server", f"The head of the upstream's answer is longer than {MAX_HEAD} bytes.")
                self.abort()
                return
        self._wake()

    def eof_received(self) -> bool:
        return False

    # httptools callbacks

    def on_message_begin(self) -> None:
        if self._complete:  # More than one answer to a request: what follows might pass for the next one's.
            self._keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._complete:
            name = name.lower()
            self.headers[name] = value
            self.lines.append((name, value))

    def on_headers_complete(self) -> None:
        if self._complete:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._interim = True
            self.headers = {}
            self.lines = []
            return
        self.status = status
        self._keep = self._parser.should_keep_alive()
        self._head = True
        encoding = self.headers.get(b"content-encoding", b"identity").lower()
        if encoding in (b"gzip", b"deflate"):
            self._decoder = Decoder(encoding)

    def on_body(self, body: bytes) -> None:
        if self._released or self._complete:
            return
        if self._decoder is not None:
            try:
                body = self._decoder.feed(body, at_most=max(MAX_EXPANSION - self._buffered, 1))
            except zlib.error:
                self._fail("server", "The upstream's answer cannot be decompressed.")
                self.abort()
                return
            if self._decoder.behind:
                self._fail("server", "The upstream's compressed answer expands beyond all measure.")
                self.abort()
                return
        if body:
            self._chunks.append(body)
        self._buffered += len(body)
        if self._buffered > HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
        elif not self._complete:
            self._finish()

    # Answer

    async def read(self) -> bytes:
        size = 0
        parts: list[bytes] = []
        while chunk := await self.chunk():
            size += len(chunk)
            if size > MAX_ANSWER:
                self.abort()
                raise UpstreamError(
                    f"The upstream's answer is longer than {MAX_ANSWER} bytes.", kind="server"
                )
            if self._complete and not parts:
                return chunk
            parts.append(chunk)
        return b"".join(parts)

    async def chunk(self) -> bytes:
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self._complete:
                return b""
            await self._wait()
        chunks = self._chunks
        self._chunks = []
        self._buffered = 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def deadline(self, *, gap: float, total_at: float) -> None:
        self._gap = gap
        self._silent_at = monotonic() + gap if gap else 0.0
        self._total_at = total_at

    def release(self) -> None:
        if self._released:
            return
        self._released = True
        self._chunks = []
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        if self._complete:
            self._pool.give_back(self)
        else:
            self.deadline(gap=0.0, total_at=monotonic() + RELEASE_GRACE)

    def abort(self) -> None:
        self._released = True
        self._keep = False
        self._pool.forget(self)
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    # the pool's side

    @property
    def lost(self) -> bool:
        """Whether it is closed."""
        return self._transport is None

    @property
    def usable(self) -> bool:
        """Whether another request can be sent on it."""
        return self._keep and self._complete and self._transport is not None

    def start(self, data: bytes, *, first: float, total_at: float) -> None:
        """Send a request; the connection must be new or usable."""
        self._head = self._complete = self._keep = self._released = self.received = False
        self._error = None
        self._decoder = None
        self._chunks = []
        self._buffered = 0
        self._headless = 0
        self.status = 0
        self.headers = {}
        self.lines = []
        self.deadline(gap=first, total_at=total_at)
        assert self._transport is not None
        self._transport.write(data)

    async def head(self) -> None:
        """Wait for the head of the answer."""
        while not self._head:
            if self._error is not None:
                raise self._error
            await self._wait()

    def expire(self, now: float) -> None:
        """Fail with "timeout" if a deadline has passed."""
        if (self._silent_at and now > self._silent_at) or (self._total_at and now > self._total_at):
            self._fail("timeout", "The upstream did not answer in time.")
            self.abort()

    # inside

    def _until_close(self) -> bool:
        return b"content-length" not in self.headers and b"transfer-encoding" not in self.headers

    def _finish(self) -> None:
        self._complete = True
        self._silent_at = self._total_at = self._gap = 0.0
        if self._decoder is not None and not self._released and self._error is None:
            if self._decoder.whole:
                self._chunks += filter(None, (self._decoder.flush(),))
            else:
                self._error = UpstreamError("The upstream's compressed answer is cut short.", kind="server")
                self._keep = False
        self._wake()
        if self._released:
            self._pool.give_back(self)

    def _fail(self, kind: UpstreamClass, message: str) -> None:
        if self._error is None and not self._complete:
            self._error = UpstreamError(message, kind=kind)
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    async def _wait(self) -> None:
        self._waiter = waiter = self._loop.create_future()
        try:
            await waiter
        except asyncio.CancelledError:
            self.abort()
            raise


class Pool:
    """The connections to one origin; the last used is used first. Past `max_connections` requests wait."""

    def __init__(self, origin: Origin, loop: asyncio.AbstractEventLoop) -> None:
        self.origin = origin
        self.loop = loop
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._opening = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._tls = _tls_context(origin) if origin.tls else None

    async def acquire(self, *, connect: float) -> Connection:
        """A kept connection, else a new one. Raises UpstreamError(kind="connect")."""
        while True:
            while self._idle:
                connection = self._idle.pop()
                if connection.usable:
                    connection.reused = True
                    return connection
            if len(self._all) + self._opening < self.origin.max_connections:
                return await self._open(connect)
            place = self.loop.create_future()
            self._queue.append(place)
            try:
                async with asyncio.timeout(connect or None):
                    await place
            except (TimeoutError, asyncio.CancelledError) as error:
                if place.done() and not place.cancelled():
                    self._next()  # It was given the place just now, and will not take it.
                if isinstance(error, asyncio.CancelledError):
                    raise
                raise UpstreamError(
                    f"All {self.origin.max_connections} connections to {self.origin.host} are busy.",
                    kind="connect",
                ) from None

    def give_back(self, connection: Connection) -> None:
        """The connection's answer is whole: keep it if the upstream allows."""
        if connection.usable:
            connection.idle_since = monotonic()
            self._idle.append(connection)
            self._next()
        else:
            connection.abort()

    def forget(self, connection: Connection) -> None:
        """The connection is closed."""
        if connection in self._all:
            self._all.discard(connection)
            self._next()

    def sweep(self, now: float) -> None:
        """Apply deadlines, and close what has idled too long."""
        for connection in list(self._all):
            connection.expire(now)
        if self._idle and now - self._idle[0].idle_since > IDLE:
            keep = [one for one in self._idle if now - one.idle_since <= IDLE]
            for connection in [one for one in self._idle if now - one.idle_since > IDLE]:
                connection.abort()
            self._idle = keep

    def close(self) -> None:
        for connection in list(self._all):
            connection.abort()

    @property
    def busy(self) -> bool:
        """Whether any connection is open."""
        return bool(self._all)

    def _next(self) -> None:
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                return

    async def _open(self, connect: float) -> Connection:
        self._opening += 1
        try:
            async with asyncio.timeout(connect or None):
                connection = await self._dial()
        except TimeoutError:
            raise UpstreamError(
                f"No connection to {self.origin.host}:{self.origin.port} within {connect:g} s.",
                kind="connect",
            ) from None
        except ssl.SSLError as error:
            reason = error.reason or str(error)
            raise UpstreamError(f"TLS with {self.origin.host} failed: {reason}.", kind="connect") from None
        except OSError as error:
            where = self.origin.unix or f"{self.origin.host}:{self.origin.port}"
            raise UpstreamError(
                f"No connection to {where}: {error.strerror or error}.", kind="connect"
            ) from None
        finally:
            self._opening -= 1
            self._next()
        if connection.lost:
            raise UpstreamError(
                f"{self.origin.host}:{self.origin.port} closed a connection at once.", kind="connect"
            )
        self._all.add(connection)
        return connection

    async def _dial(self) -> Connection:
        origin = self.origin
        if origin.unix:
            _, connection = await self.loop.create_unix_connection(lambda: Connection(self), origin.unix)
        elif origin.proxy and origin.tls:
            connection = await self._tunnel()
        elif origin.proxy:
            proxy = urlsplit(origin.proxy)
            _, connection = await self.loop.create_connection(
                lambda: Connection(self), proxy.hostname or "", proxy.port or 80
            )
        else:
            _, connection = await self.loop.create_connection(
                lambda: Connection(self),
                origin.host,
                origin.port,
                ssl=self._tls,
                server_hostname=origin.host if self._tls else None,
            )
        return connection

    async def _tunnel(self) -> Connection:
        proxy = urlsplit(self.origin.proxy)
        raw, opening = await self.loop.create_connection(Tunnel, proxy.hostname or "", proxy.port or 80)
        await opening.ask(self.origin, proxy.username, proxy.password)
        assert self._tls is not None
        connection = Connection(self)
        transport = await self.loop.start_tls(raw, connection, self._tls, server_hostname=self.origin.host)
        assert transport is not None
        connection.connection_made(transport)
        return connection


class PooledTransport:
    """gateway.transport.Transport: one pool an origin, deadlines swept every 50 ms while any is open."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pools: dict[Origin, Pool] = {}
        self._sweeping = False

    async def send(
        self, origin: Origin, head: bytes, body: bytes, *, connect: float, first: float, total_at: float
    ) -> Answer:
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = Pool(origin, self._loop)
        data = b"%scontent-length: %d\r\n\r\n%s" % (head, len(body), body)
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_later(SWEEP, self._sweep)
        while True:
            connection = await pool.acquire(connect=connect)
            connection.start(data, first=first, total_at=total_at)
            try:
                await connection.head()
            except UpstreamError as error:
                if error.kind == "connect" and connection.reused and not connection.received:
                    continue
                raise
            return connection

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()

    def _sweep(self) -> None:
        now = monotonic()
        busy = False
        for pool in self._pools.values():
            pool.sweep(now)
            busy = busy or pool.busy
        self._sweeping = busy
        if busy:
            self._loop.call_later(SWEEP, self._sweep)


def _tls_context(origin: Origin) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=origin.ca_file or None)
    if origin.client_cert:
        context.load_cert_chain(origin.client_cert, origin.client_key or None)
    return context
