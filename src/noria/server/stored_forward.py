"""What callers keep at a provider itself: asked for there, under the provider's own key.

    /v1/responses/{id}…, /v1/chat/completions/{id}…   ids that no project of this Noria has or had
    DELETE of one that Noria has                      the provider's copy goes too
    DELETE /v1/models/{name}                          a fine-tuned model, for keys of editors and admins

Only providers whose `responses` option is "pass" are asked: those that speak OpenAI's API as OpenAI does. The
key must be able to call one of their models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from time import monotonic, time

from noria.access.key import Key
from noria.errors import Conflict, Forbidden, NotFound, UpstreamError, UpstreamFailed
from noria.gateway import answers
from noria.gateway.admission import principal
from noria.gateway.compiled import Candidate, World
from noria.gateway.heads import beneath, request_head
from noria.gateway.origins import check_origin
from noria.gateway.transport import Answer, Transport
from noria.server.protocol import HttpExchange

MODELS = b"/v1/models/"
_FRONTS = ((b"/v1/responses", "responses"), (b"/v1/chat/completions", "openai"))
_BELOW = re.compile(rb"/(?!\.+(?:/|$))[A-Za-z0-9_.:-]{1,256}(?:/[a-z_]+)?")
"""An id and what is asked of it; nothing that a server could take for a step up its tree."""
_SHOWN = (b"content-type", b"x-request-id")
_ADMINS = ("editor", "admin")
TOTAL = 60.0
"""Seconds for one answer."""


class Owners:
    """Asks providers for what only they have. `world` gives what is served at this moment."""

    def __init__(self, world: Callable[[], World], transport: Transport, *, pepper: bytes) -> None:
        self._world = world
        self._transport = transport
        self._pepper = pepper

    async def ask(self, exchange: HttpExchange) -> bool:
        """Answer with what the first provider says that knows the id; False where none does.

        Raises RequestError.
        """
        world, key = self._caller(exchange)
        for prefix, front in _FRONTS:
            if exchange.path.startswith(prefix):
                below = exchange.path[len(prefix) :]
                return await self._first(exchange, _candidates(world, key), front, below)
        return False

    async def forget(self, exchange: HttpExchange, provider: str) -> None:
        """Delete the provider's copy of what was just deleted here. Raises UpstreamFailed."""
        world, _ = self._caller(exchange)
        for prefix, front in _FRONTS:
            if not exchange.path.startswith(prefix):
                continue
            for candidate in _candidates(world, None):
                if candidate.endpoint.provider.name != provider:
                    continue
                try:
                    answer = await self._send(exchange, candidate, front, exchange.path[len(prefix) :])
                    if answer is not None:
                        answer.release()
                except UpstreamError as error:
                    raise UpstreamFailed(
                        f"It is deleted here, and {provider!r} still has its own copy: {error}"
                    ) from None

    async def delete_model(self, exchange: HttpExchange) -> None:
        """DELETE /v1/models/{name}. Raises RequestError."""
        world, key = self._caller(exchange)
        name = exchange.path[len(MODELS) :].decode("latin-1")
        if name in world.routes:
            raise Conflict(f"{name!r} is a route of noria.toml; take it out there and run `noria apply`.")
        if key.role not in _ADMINS:
            raise Forbidden("Only keys with the role editor or admin delete models of a provider.")
        if not await self._first(exchange, _candidates(world, key), "models", b"/" + name.encode("latin-1")):
            raise NotFound(f"No provider that this key can call has a model {name!r} of its own.")

    def _caller(self, exchange: HttpExchange) -> tuple[World, Key]:
        world = self._world()
        check_origin(exchange.headers, world.snapshot)
        return world, principal(exchange.headers, world, pepper=self._pepper, now=time())

    async def _first(
        self, exchange: HttpExchange, candidates: Iterator[Candidate], front: str, below: bytes
    ) -> bool:
        failure: UpstreamError | None = None
        for candidate in candidates:
            try:
                answer = await self._send(exchange, candidate, front, below)
                if answer is not None:
                    await _relay(answer, exchange)
                    return True
            except UpstreamError as error:
                if exchange.started:
                    exchange.abort()
                    return True
                failure = error
        if failure is not None:
            raise answers.refusal(failure, attempts=1)
        return False

    async def _send(
        self, exchange: HttpExchange, candidate: Candidate, front: str, below: bytes
    ) -> Answer | None:
        """The provider's good answer; None where it does not know the id. Raises UpstreamError."""
        if not _BELOW.fullmatch(below):
            return None
        endpoint = candidate.endpoint
        options = endpoint.provider.options
        named = endpoint.back.path(
            "responses" if front == "models" else front,
            model=endpoint.model.upstream,
            stream=False,
            options=options,
        )
        if front == "models":
            named = named.replace("/responses", "/models", 1)
        path = beneath(named, below.decode(), query=exchange.query.decode("latin-1"))
        method = exchange.method.decode("latin-1")
        headers = endpoint.back.headers("responses", options=options)
        head = await request_head(endpoint, path, headers, exchange.body, method=method)
        timeouts = candidate.timeouts
        answer = await self._transport.send(
            endpoint.origin,
            head,
            exchange.body,
            connect=timeouts.connect,
            first=timeouts.first_token,
            total_at=monotonic() + TOTAL,
        )
        if answer.status < 400:
            return answer
        body = await answer.read()
        answer.release()
        if answer.status in (404, 405):
            return None
        raise endpoint.back.error(answer.status, body, retry_after=None)


def _candidates(world: World, key: Key | None) -> Iterator[Candidate]:
    """One target of each provider to ask; those that the key may call."""
    seen: set[str] = set()
    for name, route in world.routes.items():
        if key is not None and name not in key.routes and "*" not in key.routes:
            continue
        for candidate in route.candidates:
            endpoint = candidate.endpoint
            known = endpoint.provider.name
            if known not in seen and endpoint.back.passes("responses", endpoint.provider.options):
                seen.add(known)
                yield candidate


async def _relay(answer: Answer, exchange: HttpExchange) -> None:
    headers = b"".join(b"%s: %s\r\n" % line for line in answer.lines if line[0] in _SHOWN)
    if not answer.headers.get(b"content-type", b"").startswith(b"text/event-stream"):
        body = await answer.read()
        answer.release()
        exchange.respond(answer.status, headers, body)
        return
    exchange.start(answer.status, headers)
    while data := await answer.chunk():
        exchange.write(data)
        if exchange.congested:
            await exchange.drain()
    answer.release()
    exchange.finish()
