"""One connection to the mock upstream: HTTP/1.1 in, and answers out as well or as badly as a plan demands."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools
import msgspec

from noria.testing.answer import Frame
from noria.testing.ledger import Served
from noria.testing.plan import Plan

REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
}
GARBAGE = b"\x00\xff<!doctype html>{]" * 8
DRIP_S = 0.001


class Request(msgspec.Struct):
    method: str
    target: str
    """Path and query."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    connection: int


class Reply(msgspec.Struct, kw_only=True):
    """An answer, and how to send it."""

    status: int = 200
    headers: dict[str, str]
    body: bytes = b""
    frames: list[Frame] | None = None
    """A stream; then `body` is not sent."""
    plan: Plan = Plan()
    error: bytes = b""
    """What an error within the stream looks like."""
    served: Served | None = None


class Connection(asyncio.Protocol):
    """Requests are answered one after the other, in order."""

    def __init__(self, answer: Callable[[Request], Reply], number: int) -> None:
        self._answer = answer
        self._number = number
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Request, float]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closing_at_next = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._spoken = 0
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance.

    def data_received(self, data: bytes) -> None:
        if self._closing_at_next:
            self._transport.abort()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.write(
                b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._writable.set()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def close(self) -> None:
        """Close without waiting for what is under way."""
        self._transport.abort()

    # httptools' callbacks

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        request = Request(method, self._url.decode("latin-1"), self._headers, bytes(self._body), self._number)
        self._waiting.append((request, time.monotonic()))
        if self._task is None:
            self._next()

    # answering

    def _next(self) -> None:
        self._task = None
        while self._waiting and not self.lost:
            request, began = self._waiting.popleft()
            reply = self._answer(request)
            if not _plain(reply.plan):
                self._task = asyncio.get_running_loop().create_task(self._perform(reply, began))
                return
            self._transport.write(_head(reply, len(reply.body)) + _payload(reply))
            self._spoken = sum(frame.tokens for frame in reply.frames or ())
            self._finish(reply, began, whole=not self.lost)

    async def _perform(self, reply: Reply, began: float) -> None:
        self._spoken = 0
        try:
            whole = await self._send(reply)
        except asyncio.CancelledError:
            if not self.lost:
                raise
            if reply.served is not None:
                reply.served.aborted = True
            self._finish(reply, began, whole=False)
            return
        self._finish(reply, began, whole=whole)
        self._next()

    async def _send(self, reply: Reply) -> bool:
        """Whether all of the answer was sent."""
        plan = reply.plan
        if plan.close == "before":
            self._transport.abort()
            return False
        if plan.hang == "head":
            await asyncio.get_running_loop().create_future()
        if reply.frames is not None:
            return await self._stream(reply, reply.frames)
        await asyncio.sleep(plan.first / 1000)
        if plan.garbage:
            reply.body = GARBAGE
        data = _head(reply, len(reply.body) + {"": 0, "short": -10, "long": 10}[plan.length]) + reply.body
        if plan.hang == "body" or plan.truncate:
            await self._write(data[: len(data) - len(reply.body) // 2], plan)
            if plan.hang:
                await asyncio.get_running_loop().create_future()
            self._transport.close()
            return False
        await self._write(data, plan)
        if plan.length:
            self._transport.close()
            return False
        return True

    async def _stream(self, reply: Reply, frames: list[Frame]) -> bool:
        plan = reply.plan
        spoken = [index for index, frame in enumerate(frames) if frame.tokens]
        middle = spoken[len(spoken) // 2] if spoken else len(frames) // 2
        first = spoken[0] if spoken else 0
        stop = first if plan.error == "before" else middle
        ends_early = bool(plan.error or plan.truncate or plan.hang or plan.garbage)
        await self._write(_head(reply, None), plan)
        for index, frame in enumerate(frames):
            if ends_early and index == stop:
                return await self._end_early(reply)
            if frame.tokens:
                pause = plan.first if index == first else plan.gap
                if pause:
                    await asyncio.sleep(pause / 1000)
            await self._write(_chunk(frame.data), plan)
            if frame.tokens and reply.served is not None:
                reply.served.chunks += 1
                self._spoken += frame.tokens
        await self._write(b"0\r\n\r\n", plan)
        return True

    async def _end_early(self, reply: Reply) -> bool:
        plan = reply.plan
        if plan.hang:
            await asyncio.get_running_loop().create_future()
        if plan.garbage:
            await self._write(_chunk(GARBAGE), plan)
        if plan.error:
            await self._write(_chunk(reply.error), plan)
        if plan.truncate == "cut":
            self._transport.close()
            return False
        await self._write(b"0\r\n\r\n", plan)
        return False

    async def _write(self, data: bytes, plan: Plan) -> None:
        if not plan.drip:
            self._transport.write(data)
        for at in range(0, len(data) if plan.drip else 0, plan.drip or 1):
            self._transport.write(data[at : at + plan.drip])
            await asyncio.sleep(DRIP_S)
        await self._writable.wait()

    def _finish(self, reply: Reply, began: float, *, whole: bool) -> None:
        served = reply.served
        if served is not None:
            served.ended_ms = (time.monotonic() - began) * 1000
            served.whole = whole
            if reply.frames is not None:
                if _plain(reply.plan):
                    served.chunks = sum(1 for frame in reply.frames if frame.tokens)
                if not whole:  # What was not said is not billed, and the usage comes last.
                    served.output = min(served.output, self._spoken)
                    served.reported = False
        self._closing_at_next = reply.plan.close == "next"
        if reply.plan.close == "after":
            self._transport.close()


def _plain(plan: Plan) -> bool:
    """Whether the answer can be written at once."""
    return not (
        plan.gap or plan.first or plan.error or plan.truncate or plan.hang or plan.garbage or plan.length
        or plan.drip or plan.close == "before"
    )  # fmt: skip


def _head(reply: Reply, length: int | None) -> bytes:
    reason = REASONS.get(reply.status, "Status")
    lines = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
    framing = "transfer-encoding: chunked" if reply.frames is not None else f"content-length: {length}"
    return f"HTTP/1.1 {reply.status} {reason}\r\n{lines}{framing}\r\n\r\n".encode("latin-1")


def _payload(reply: Reply) -> bytes:
    if reply.frames is None:
        return reply.body
    return b"".join(_chunk(frame.data) for frame in reply.frames) + b"0\r\n\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
