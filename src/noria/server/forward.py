"""Every path that is not hot goes to control or to the collector: bodies byte for byte, heads rebuilt."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path

from noria.errors import RequestError, Unavailable, UpstreamError
from noria.gateway.answers import JSON, error_headers
from noria.gateway.dialects.fronts import FRONTS
from noria.gateway.transport import Answer, Origin, Transport
from noria.server.protocol import HttpExchange
from noria.server.stored_forward import MODELS, Owners

_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer",
        b"transfer-encoding", b"upgrade", b"content-length", b"expect", b"forwarded", b"proxy-connection",
    }
)  # fmt: skip
UNKNOWN, OWNER = b"x-noria-unknown", b"x-noria-provider"
"""Headers of the collector's: no project has or had this id; the provider that keeps its own copy."""
_ANSWER_HOP = _HOP | {b"content-encoding", b"date", UNKNOWN, OWNER} - {b"forwarded"}
_COLLECTOR = (b"/v1/traces", b"/v1/logs", b"/v1/responses/", b"/v1/chat/completions")
CONNECT = 2.0
"""Seconds for a connection over a unix socket."""


class Forwarder:
    """Carries exchanges to the other processes of this Noria."""

    def __init__(self, run: Path, transport: Transport, owners: Owners) -> None:
        self._transport = transport
        self._owners = owners
        self._control = Origin(host="control", port=80, unix=str(run / "control.sock"), max_connections=64)
        self._collector = Origin(host="collector", port=80, unix=str(run / "collector.sock"))

    async def forward(self, exchange: HttpExchange) -> None:
        """Answer with what the process that owns the path answers; 503 when it cannot be reached."""
        if exchange.method == b"DELETE" and exchange.path.startswith(MODELS):
            await self._asked(exchange, self._owners.delete_model(exchange))
            return
        to_collector = exchange.path.startswith(_COLLECTOR)
        origin = self._collector if to_collector else self._control
        method = b"GET" if exchange.head_only else exchange.method
        target = exchange.path + (b"?" + exchange.query if exchange.query else b"")
        head = method + b" " + target + b" HTTP/1.1\r\n" + _head(exchange)
        try:
            answer = await self._transport.send(
                origin, head, exchange.body, connect=CONNECT, first=0.0, total_at=0.0
            )
            if to_collector and UNKNOWN in answer.headers:
                await self._elsewhere(answer, exchange)
            elif to_collector and OWNER in answer.headers:
                await self._everywhere(answer, exchange)
            else:
                await _relay(answer, exchange)
        except UpstreamError:
            if exchange.started:
                exchange.abort()
                return
            what = "collector" if to_collector else "control process"
            error = Unavailable(f"The {what} is starting or down; try again shortly.", retry_after=1.0)
            exchange.respond(error.status, JSON + error_headers(error), FRONTS["openai"].error(error))

    async def _elsewhere(self, answer: Answer, exchange: HttpExchange) -> None:
        """Noria does not know the id: a provider may; else the collector's own answer stands."""
        body = await answer.read()
        answer.release()
        if not await self._asked(exchange, self._owners.ask(exchange)):
            exchange.respond(answer.status, _headers(answer), body)

    async def _everywhere(self, answer: Answer, exchange: HttpExchange) -> None:
        """It is deleted here, and then at the provider that keeps a copy."""
        body = await answer.read()
        answer.release()
        owner = answer.headers[OWNER].decode()
        if not await self._asked(exchange, self._owners.forget(exchange, owner)):
            exchange.respond(answer.status, _headers(answer), body)

    async def _asked(self, exchange: HttpExchange, asking: Awaitable[bool | None]) -> bool:
        """Whether the exchange has been answered."""
        try:
            return bool(await asking)
        except RequestError as error:
            exchange.respond(error.status, JSON + error_headers(error), FRONTS["openai"].error(error))
            return True


def _headers(answer: Answer) -> bytes:
    return b"".join(b"%s: %s\r\n" % line for line in answer.lines if line[0] not in _ANSWER_HOP)


async def _relay(answer: Answer, exchange: HttpExchange) -> None:
    headers = _headers(answer)
    if b"content-length" in answer.headers or answer.status in (204, 304):
        exchange.respond(answer.status, headers, await answer.read())
        answer.release()
        return
    exchange.start(answer.status, headers)
    while data := await answer.chunk():
        exchange.write(data)
        if exchange.congested:
            await exchange.drain()
    answer.release()
    exchange.finish()


def _head(exchange: HttpExchange) -> bytes:
    lines = [
        b"%s: %s\r\n" % (name, value)
        for name, value in exchange.raw_headers
        if name not in _HOP and not name.startswith((b"x-forwarded-", b"x-noria-", b"accept-encoding"))
    ]
    lines.append(b"x-forwarded-proto: %s\r\n" % (b"https" if exchange.secure else b"http"))
    if exchange.peer:
        lines.append(b"x-forwarded-for: %s\r\n" % exchange.peer.encode())
    return b"".join(lines)
