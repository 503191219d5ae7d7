"""Load over plain sockets, for tests that kill what they load: each result says whether it came whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httptools
import msgspec


class Result(msgspec.Struct, kw_only=True):
    """One request, as its client saw it."""

    number: int
    status: int = 0
    """0: no head arrived."""
    whole: bool = False
    """The answer arrived to the end of its HTTP framing."""
    trace: str = ""
    """The x-noria-trace-id header."""
    headers: dict[str, str] = {}
    body: bytes = b""
    began: float = 0
    """time.time() when it was sent."""
    first_ms: float = 0
    """Until the first byte of the body."""
    ms: float = 0
    error: str = ""
    """Why it is not whole."""


async def load(
    url: str,
    *,
    body: bytes | Callable[[int], bytes],
    headers: dict[str, str] | None = None,
    connections: int = 8,
    requests: int | None = None,
    until: asyncio.Event | None = None,
    on_result: Callable[[Result], None] | None = None,
) -> list[Result]:
    """POST to `url` over `connections` keep-alive connections, each one request at a time.

    Ends after `requests` in all, or when `until` is set and what is under way has ended. `body` may depend on
    the request's number. A connection that breaks is opened again; no request is sent twice.
    """
    results: list[Result] = []
    numbers = iter(range(requests if requests is not None else 1 << 62))
    parts = urlsplit(url)
    head = _head(parts.path or "/", parts.netloc, headers or {})

    async def work() -> None:
        client = _Client(parts.hostname or "127.0.0.1", parts.port or 80)
        try:
            for number in numbers:
                if until is not None and until.is_set():
                    return
                content = body if isinstance(body, bytes) else body(number)
                result = await client.post(
                    number, head + b"content-length: %d\r\n\r\n" % len(content) + content
                )
                results.append(result)
                if on_result is not None:
                    on_result(result)
                if result.error:
                    await asyncio.sleep(0.01)
        finally:
            client.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    return results


def _head(path: str, host: str, headers: dict[str, str]) -> bytes:
    lines = {"host": host, "content-type": "application/json", **headers}
    return f"POST {path} HTTP/1.1\r\n".encode() + "".join(f"{k}: {v}\r\n" for k, v in lines.items()).encode()


class _Client:
    """One connection, opened when needed."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, number: int, data: bytes) -> Result:
        result = Result(number=number, began=time.time())
        answer = _Answer(result)
        parser = answer.parser = httptools.HttpResponseParser(answer)
        start = time.monotonic()
        try:
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection(*self._address)
            assert self._reader is not None
            self._writer.write(data)
            while not result.whole:
                received = await self._reader.read(65_536)
                if not received:
                    result.error = "closed before the end"
                    break
                parser.feed_data(received)
                if answer.body and not result.first_ms:
                    result.first_ms = (time.monotonic() - start) * 1000
        except OSError as error:
            result.error = repr(error)
        except httptools.HttpParserError as error:
            result.error = f"not HTTP: {error}"
        result.ms = (time.monotonic() - start) * 1000
        result.body = bytes(answer.body)
        if result.error or not answer.keep:
            self.close()
        return result

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


class _Answer:
    """httptools' callbacks."""

    parser: httptools.HttpResponseParser

    def __init__(self, result: Result) -> None:
        self._result = result
        self._headers: dict[str, str] = {}
        self.body = bytearray()
        self.keep = True

    def on_status(self, status: bytes) -> None:
        self._headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._result.status = self.parser.get_status_code()
        self._result.headers = self._headers
        self._result.trace = self._headers.get("x-noria-trace-id", "")
        self.keep = self._headers.get("connection", "").lower() != "close"

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self._result.whole = True
