"""The client's side of the gateway over a real socket."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from time import monotonic
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.server.protocol import HEADER_TIMEOUT, HttpConnection, HttpExchange


class App:
    max_body = 1000

    def __init__(self) -> None:
        self.cancelled = 0
        self.seen: list[bytes] = []

    def hot(self, method: bytes, path: bytes) -> bool:
        return True

    async def serve(self, exchange: HttpExchange) -> None:
        self.seen.append(exchange.body)
        if exchange.path == b"/hang":
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        elif exchange.path == b"/stream":
            exchange.start(200, b"")
            for part in (b"one", b"two"):
                exchange.write(part)
                await asyncio.sleep(0)
            exchange.finish(b"end")
        elif exchange.path == b"/slow":
            exchange.start(200, b"")
            exchange.write(b"one")
            await asyncio.sleep(0.2)
            exchange.write(b"two")
            exchange.finish()
        elif exchange.path == b"/bug":
            raise RuntimeError("a bug")
        elif exchange.path == b"/flood":
            exchange.start(200, b"")
            for _ in range(400):
                exchange.write(b"x" * 65536)
                await exchange.drain()
            exchange.finish()
        else:
            exchange.respond(200, b"", exchange.method + b" " + exchange.path + b" " + exchange.body)

    async def forward(self, exchange: HttpExchange) -> None:
        raise AssertionError


class Server:
    def __init__(self, app: App, port: int, connections: set[HttpConnection]) -> None:
        self.app = app
        self.port = port
        self.connections = connections

    async def talk(self, data: bytes, *, shut: bool = False) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        if shut:
            writer.write_eof()
        try:
            return await asyncio.wait_for(reader.read(-1), 5)
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    app = App()
    state = SimpleNamespace(connections=set(), tasks=set())
    config = SimpleNamespace(loaded_app=app)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: HttpConnection(config, state, {}), "127.0.0.1", 0)
    try:
        yield Server(app, listening.sockets[0].getsockname()[1], state.connections)
    finally:
        listening.close()
        for task in list(state.tasks):
            task.cancel()


def _post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: x", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


CLOSE = "connection: close"


async def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    got = await server.talk(_post("/a", b"1") + _post("/b", b"2") + _post("/c", b"3", CLOSE))
    assert got.index(b"POST /a 1") < got.index(b"POST /b 2") < got.index(b"POST /c 3")
    assert got.count(b"HTTP/1.1 200 OK") == 3


async def test_a_stream_is_chunked(server: Server) -> None:
    got = await server.talk(_post("/stream", b"", CLOSE))
    assert got.endswith(b"3\r\none\r\n3\r\ntwo\r\n3\r\nend\r\n0\r\n\r\n")


async def test_expect_100_continue(server: Server) -> None:
    got = await server.talk(_post("/a", b"hi", "expect: 100-continue", CLOSE))
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


async def test_100_continue_does_not_come_between_the_pieces_of_an_answer(server: Server) -> None:
    waiting = _post("/a", b"hi", "expect: 100-continue", CLOSE)
    got = await server.talk(_post("/slow", b"") + waiting)
    assert b"100 Continue" not in got
    assert b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 200 OK" in got


@pytest.mark.parametrize("header", ["x: y", "connection: keep-alive"])
async def test_http_1_0_gets_a_stream_that_ends_with_the_connection(server: Server, header: str) -> None:
    got = await server.talk(_post("/stream", b"", header).replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert got.endswith(b"\r\n\r\nonetwoend")
    assert b"transfer-encoding" not in got


async def test_a_request_that_stays_behind_does_not_break_off_the_answer_before_it(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(_post("/slow", b"") + b"POST /a HTTP/1.1\r\nhost:")
    await asyncio.sleep(0.05)
    for connection in list(server.connections):
        connection.expire(monotonic() + HEADER_TIMEOUT + 1)
    assert (await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 5)).endswith(b"two\r\n0\r\n\r\n")
    writer.close()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (_post("/a", b"x" * 1001), b"413"),
        (
            b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001,
            b"413",
        ),
        (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nx: " + b"a" * 70000 + b"\r\n\r\n", b"431"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\ncontent-length: -5\r\n\r\n", b"400"),
    ],
)
async def test_what_cannot_be_served_is_refused_in_words(server: Server, data: bytes, status: bytes) -> None:
    got = await server.talk(data)
    assert got.startswith(b"HTTP/1.1 " + status)
    assert b'"message":"' in got


async def test_an_upgrade_is_not_taken_up(server: Server) -> None:
    got = await server.talk(b"GET /a HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in got


async def test_a_client_that_hangs_up_cancels_its_call(server: Server) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(_post("/hang", b""))
    await asyncio.sleep(0.05)
    writer.transport.abort()
    for _ in range(20):
        await asyncio.sleep(0.01)
        if server.app.cancelled:
            return
    raise AssertionError("not cancelled within 200 ms")


async def test_a_slow_reader_holds_the_writer_back(server: Server) -> None:
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, ("127.0.0.1", server.port))
    await loop.sock_sendall(raw, _post("/flood", b"", CLOSE))
    await asyncio.sleep(0.2)
    received = 0
    while data := await loop.sock_recv(raw, 1 << 20):
        received += len(data)
    raw.close()
    assert received > 400 * 65536


async def test_head_has_no_body(server: Server) -> None:
    got = await server.talk(b"HEAD /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert got.endswith(b"\r\n\r\n")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.booleans())
async def test_no_bytes_break_the_server(data: bytes, headed: bool) -> None:
    app = App()
    errors: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: errors.append(context))
    state = SimpleNamespace(connections=set(), tasks=set())
    listening = await loop.create_server(
        lambda: HttpConnection(SimpleNamespace(loaded_app=app), state, {}), "127.0.0.1", 0
    )
    _, writer = await asyncio.open_connection("127.0.0.1", listening.sockets[0].getsockname()[1])
    writer.write((b"POST /a HTTP/1.1\r\n" if headed else b"") + data)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    await asyncio.sleep(0.001)
    writer.transport.abort()
    await asyncio.sleep(0.001)
    listening.close()
    assert not errors


async def test_a_header_without_end_is_refused(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\nx: ")
    with contextlib.suppress(ConnectionError):
        for _ in range(64):
            writer.write(b"a" * 65_536)
            await asyncio.wait_for(writer.drain(), 5)
    assert (await asyncio.wait_for(reader.read(12), 5)) == b"HTTP/1.1 431"
    writer.close()


async def test_a_bug_does_not_leave_the_caller_hanging(server: Server) -> None:
    with contextlib.suppress(ConnectionError):
        assert await server.talk(_post("/bug", b"")) == b""
