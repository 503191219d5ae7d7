"""The upstream pool against a server that misbehaves in every way known."""

import asyncio
import gzip
import socket
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from time import monotonic

import pytest

from noria.errors import UpstreamError
from noria.gateway.transport import Answer, Origin
from noria.providers.transport import PooledTransport

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
CUT = gzip.compress(b"hello", mtime=0)[:9]
HEAD = b"POST /x HTTP/1.1\r\nhost: x\r\n"


class Upstream:
    """Each connection is given to `script`."""

    def __init__(self) -> None:
        self.script: Handler | None = None
        self.connections = 0
        self.closed = 0
        self.origin = Origin(host="127.0.0.1", port=0)

    async def __aenter__(self) -> "Upstream":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.origin = Origin(host="127.0.0.1", port=self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        assert self.script is not None
        try:
            await self.script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.closed += 1
            writer.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")
    )
    return await reader.readexactly(length)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as up:
        yield up


@pytest.fixture
async def transport() -> AsyncIterator[PooledTransport]:
    found = PooledTransport()
    yield found
    found.close()


async def _send(
    transport: PooledTransport, up: Upstream, *, first: float = 2.0, total: float = 0.0
) -> Answer:
    total_at = monotonic() + total if total else 0.0
    return await transport.send(up.origin, HEAD, b"body", connect=1.0, first=first, total_at=total_at)


def _answers(data: bytes, *, times: int = 100) -> Handler:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(times):
            await _request(reader)
            writer.write(data)
            await writer.drain()

    return script


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"


async def test_connections_are_kept(transport: PooledTransport, upstream: Upstream) -> None:
    upstream.script = _answers(OK)
    for _ in range(5):
        answer = await _send(transport, upstream)
        assert await answer.read() == b"hi"
        answer.release()
    assert upstream.connections == 1


async def test_a_stale_connection_is_replaced_once(transport: PooledTransport, upstream: Upstream) -> None:
    upstream.script = _answers(OK, times=1)
    for _ in range(3):
        answer = await _send(transport, upstream)
        assert await answer.read() == b"hi"
        answer.release()
    assert upstream.connections == 3


async def test_a_chunked_body_arrives_as_it_comes(transport: PooledTransport, upstream: Upstream) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await asyncio.sleep(0.1)
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")

    upstream.script = script
    answer = await _send(transport, upstream)
    begun = monotonic()
    assert await answer.chunk() == b"one"
    assert monotonic() - begun < 0.08
    assert await answer.chunk() == b"two"
    assert await answer.chunk() == b""


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "connect"),
        (b"rubbish\r\n\r\n", "server"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi", "stream"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhi", "stream"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nhi", "server"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 9\r\n\r\n" + CUT, "server"),
    ],
)
async def test_broken_answers_are_errors_of_their_kind(
    transport: PooledTransport, upstream: Upstream, data: bytes, kind: str
) -> None:
    upstream.script = _answers(data, times=1)
    with pytest.raises(UpstreamError) as error:
        answer = await _send(transport, upstream)
        await answer.read()
    assert error.value.kind == kind


async def test_a_body_without_length_ends_with_the_connection(
    transport: PooledTransport, upstream: Upstream
) -> None:
    upstream.script = _answers(b"HTTP/1.1 200 OK\r\n\r\nhello", times=1)
    answer = await _send(transport, upstream)
    assert await answer.read() == b"hello"


async def test_gzip_is_undone(transport: PooledTransport, upstream: Upstream) -> None:
    body = gzip.compress(b"hello")
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body)
    upstream.script = _answers(head + body)
    answer = await _send(transport, upstream)
    assert await answer.read() == b"hello"


async def test_early_hints_are_passed_over(transport: PooledTransport, upstream: Upstream) -> None:
    upstream.script = _answers(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK)
    answer = await _send(transport, upstream)
    assert (answer.status, await answer.read()) == (200, b"hi")
    assert b"link" not in answer.headers


async def test_silence_is_a_timeout(transport: PooledTransport, upstream: Upstream) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        await asyncio.sleep(5)

    upstream.script = script
    begun = monotonic()
    with pytest.raises(UpstreamError) as error:
        await _send(transport, upstream, first=0.1)
    assert error.value.kind == "timeout"
    assert monotonic() - begun < 0.5


async def test_a_gap_and_the_total_are_timeouts(transport: PooledTransport, upstream: Upstream) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(100):
            writer.write(b"1\r\nx\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    upstream.script = script
    answer = await _send(transport, upstream)
    answer.deadline(gap=1.0, total_at=monotonic() + 0.2)
    with pytest.raises(UpstreamError) as error:
        await answer.read()
    assert error.value.kind == "timeout"


async def test_an_abandoned_stream_closes_upstream(transport: PooledTransport, upstream: Upstream) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
        await reader.read()

    upstream.script = script
    answer = await _send(transport, upstream)
    await answer.chunk()
    answer.abort()
    await asyncio.sleep(0.05)
    assert upstream.closed == 1


async def test_a_cancelled_send_closes_its_connection(transport: PooledTransport, upstream: Upstream) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        await reader.read()

    upstream.script = script
    task = asyncio.create_task(_send(transport, upstream))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.05)
    assert upstream.closed == 1


async def test_past_the_limit_requests_wait_for_a_connection(transport: PooledTransport) -> None:
    async with Upstream() as up:
        up.script = _answers(OK)
        up.origin = Origin(host="127.0.0.1", port=up.origin.port, max_connections=2)

        async def call() -> bytes:
            answer = await _send(transport, up)
            body = await answer.read()
            answer.release()
            return body

        assert await asyncio.gather(*(call() for _ in range(20))) == [b"hi"] * 20
        assert up.connections == 2


async def test_a_place_that_is_given_to_a_caller_who_left_goes_to_the_next(
    transport: PooledTransport, upstream: Upstream
) -> None:
    upstream.script = _answers(OK)
    upstream.origin = Origin(host="127.0.0.1", port=upstream.origin.port, max_connections=1)
    held = await _send(transport, upstream)
    assert await held.read() == b"hi"
    first, second = (asyncio.create_task(_send(transport, upstream)) for _ in range(2))
    await asyncio.sleep(0.05)
    held.release()
    first.cancel()
    began = monotonic()
    answer = await second
    assert await answer.read() == b"hi"
    assert monotonic() - began < 0.5


async def test_a_server_that_closes_at_once_takes_no_place(transport: PooledTransport) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    reset = struct.pack("ii", 1, 0)

    def refuse() -> None:
        with suppress(OSError):
            while True:
                taken, _ = listener.accept()
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                taken.close()

    refusing = threading.Thread(target=refuse, daemon=True)
    refusing.start()
    origin = Origin(host="127.0.0.1", port=listener.getsockname()[1], max_connections=50)

    async def refused() -> str:
        with pytest.raises(UpstreamError) as error:
            await transport.send(origin, HEAD, bytes(100_000), connect=5.0, first=5.0, total_at=0.0)
        return error.value.message

    for _ in range(30):
        answers = await asyncio.gather(*(refused() for _ in range(50)))
        assert not any("busy" in answer for answer in answers)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    refusing.join()


@pytest.mark.parametrize("extra", [b"HTTP/1.1 500 No\r\ncontent-length: 6\r\n\r\nstolen", OK[:20], b"H"])
async def test_a_second_answer_to_one_request_is_nobodys(
    transport: PooledTransport, upstream: Upstream, extra: bytes
) -> None:
    upstream.script = _answers(OK + extra)
    for _ in range(3):
        answer = await _send(transport, upstream)
        assert (answer.status, await answer.read()) == (200, b"hi")
        answer.release()
    assert upstream.connections == 3


async def test_no_server_is_a_connect_error(transport: PooledTransport) -> None:
    async with Upstream() as up:
        gone = up
    with pytest.raises(UpstreamError) as error:
        await _send(transport, gone)
    assert error.value.kind == "connect"


async def test_a_gzip_bomb_is_refused_before_it_fills_the_memory(
    transport: PooledTransport, upstream: Upstream
) -> None:
    body = gzip.compress(bytes(64 << 20))
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body)
    upstream.script = _answers(head + body, times=1)
    answer = await _send(transport, upstream)
    with pytest.raises(UpstreamError, match="expands"):
        await answer.read()


async def test_much_that_compresses_well_still_arrives(
    transport: PooledTransport, upstream: Upstream
) -> None:
    plain = b"".join(b"%d," % number for number in range(3_000_000))
    body = gzip.compress(plain, 1)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body)
    upstream.script = _answers(head + body, times=1)
    answer = await _send(transport, upstream)
    assert await answer.read() == plain


async def test_a_head_without_end_is_refused(transport: PooledTransport, upstream: Upstream) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x-more: " + b"v" * 1000 + b"\r\n")
            await writer.drain()

    upstream.script = script
    with pytest.raises(UpstreamError, match="head") as error:
        await _send(transport, upstream)
    assert error.value.kind == "server"
