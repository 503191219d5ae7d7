"""The gateway: one call from its bytes to its answer and its record.

    authenticate → route → limits → place → cache → for each target, for each try: attempt → record → answer

A call is recorded before the last byte of its answer leaves. Nothing here blocks on disk or waits on a lock
for longer than the budget lock is held (microseconds).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from random import Random
from time import monotonic, time, time_ns

from noria.errors import (
    InvalidRequest,
    RequestError,
    Unavailable,
    Unsupported,
    UpstreamError,
)
from noria.gateway import answers, billing, caching
from noria.gateway.address import NOT_OFFERED, address, error_front, not_offered, opened
from noria.gateway.admission import Limits, Places, Purse, place_of, principal
from noria.gateway.attempt import Running, prepare, stream_of, usage_from_response
from noria.gateway.billing import BYTES_A_TOKEN
from noria.gateway.call import CallState
from noria.gateway.choice import choose
from noria.gateway.compiled import Candidate, World
from noria.gateway.counting import COUNTS, count_tokens
from noria.gateway.dialects.dialect import Front
from noria.gateway.dialects.fronts import FRONTS, PATHS
from noria.gateway.dialects.usage import usage_of
from noria.gateway.embedding import embedding_answer
from noria.gateway.exact_cache import ExactCache
from noria.gateway.exchange import Exchange
from noria.gateway.glance import glance
from noria.gateway.idempotency import HEADER, Find, Named, Once, repeated
from noria.gateway.origins import PREFLIGHT, check_origin
from noria.gateway.ports import Money, Rates, Spool
from noria.gateway.prompt_call import PromptCalls
from noria.gateway.prompting import PROMPTS, Pools, fetched
from noria.gateway.storing import response_of, stored
from noria.gateway.streams import named
from noria.gateway.transport import Answer, Transport
from noria.tracing.record import End

_log = logging.getLogger("noria.gateway")
_RETRYABLE = ("connect", "rate_limited", "server", "timeout")
_AT_FAULT = ("connect", "timeout", "rate_limited", "server", "auth", "stream")
"""Kinds of failure that speak against the target's health."""
_MAX_BACKOFF = 20.0
"""Seconds; a target that asks for a longer pause is left to its cooldown."""

MAX_KEPT = 67_108_864
"""Bytes of a stream; of a longer one neither the record nor the cache keeps anything."""

Expand = Callable[[CallState], Awaitable[bytes]]
"""Gives the body of a `responses` call with the turns before it (`previous_response_id`) written out."""


class Gateway:
    """Serves the hot paths of one worker. `world` gives what is to be served at this moment."""

    def __init__(
        self,
        *,
        world: Callable[[], World],
        spool: Spool,
        rates: Rates,
        money: Money,
        cache: ExactCache,
        transport: Transport,
        expand: Expand,
        find: Find,
        pools: Pools,
        pepper: bytes,
        random: Random,
    ) -> None:
        self._world = world
        self._spool = spool
        self._rates = rates
        self._money = money
        self._cache = cache
        self._transport = transport
        self._expand = expand
        self.once = Once(money, find=find)
        self._prompts = PromptCalls(self.serve, pools=pools, pepper=pepper)
        self._pepper = pepper
        self._random = random
        self._purse = Purse(money)
        self._places = Places(money)

    def hot(self, method: bytes, path: bytes) -> bool:
        """Whether `serve` answers this path."""
        if method == b"POST":
            return path in PATHS or path in COUNTS or path.startswith(NOT_OFFERED)
        if method in (b"GET", b"HEAD"):
            return path == b"/v1/models" or path.startswith((b"/v1/models/", PROMPTS))
        return method == b"OPTIONS" and path.startswith(b"/v1/")

    async def serve(self, exchange: Exchange) -> None:
        """Answer one exchange, whatever happens."""
        if HEADER in exchange.headers and exchange.method == b"POST":
            await self.once.to_its_end(self._serve(exchange))
        else:
            await self._serve(exchange)

    async def _serve(self, exchange: Exchange) -> None:
        start = time_ns()
        front = FRONTS[PATHS.get(exchange.path) or COUNTS.get(exchange.path) or error_front(exchange)]
        call: CallState | None = None
        try:
            world = self._world()
            cors = check_origin(exchange.headers, world.snapshot)
            if exchange.method == b"OPTIONS":
                exchange.respond(204, cors + PREFLIGHT, b"")
                return
            key = principal(exchange.headers, world, pepper=self._pepper, now=time())
            if exchange.path.startswith(NOT_OFFERED):
                raise not_offered(exchange.path)
            if exchange.method in (b"GET", b"HEAD") and exchange.path.startswith(PROMPTS):
                exchange.respond(200, answers.JSON + cors, fetched(world, key, exchange.path))
                return
            if exchange.method in (b"GET", b"HEAD"):
                exchange.respond(200, answers.JSON + cors, answers.models(world, key, exchange))
                return
            call = opened(exchange, front, world, key, start)
            address(call, exchange)
            if HEADER in exchange.headers and exchange.path not in COUNTS:
                await self._once(call, exchange, cors)
            else:
                await self._perform(call, exchange, cors)
        except RequestError as error:
            self._refuse(exchange, front, call, error)
        except RecursionError:
            self._refuse(exchange, front, call, InvalidRequest("The body is nested too deeply."))
        except asyncio.CancelledError:
            if call is not None and not call.done:
                call.status, call.error_kind, call.error = 499, "aborted", "The caller hung up."
                self._record(call)
            raise
        except Exception:
            _log.exception("The gateway failed on %s", exchange.path.decode("latin-1"))
            broken = Unavailable("Noria made a mistake; its log says which.", code="internal")
            broken.status = 500
            self._refuse(exchange, front, call, broken)

    # one call

    async def _once(self, call: CallState, exchange: Exchange, cors: bytes) -> None:
        """A call with an idempotency key."""
        call.named = Named(call, exchange.headers[HEADER])
        async with self.once.turn(call, call.named) as kept:
            if kept is None:
                await self._perform(call, exchange, cors)
                return
            call.repeats(kept)
            self._record(call)
            exchange.respond(200, repeated(kept) + cors, kept.body)

    async def _perform(self, call: CallState, exchange: Exchange, cors: bytes) -> None:
        if call.prompt is not None:
            await self._prompts.render(call, call.prompt)
        await (self._count(call, exchange) if exchange.path in COUNTS else self._run(call, exchange, cors))

    async def _run(self, call: CallState, exchange: Exchange, cors: bytes) -> None:
        route = call.route.route
        tokens = max(len(call.body) // BYTES_A_TOKEN, 1)
        limits = Limits(self._rates, time())
        limits.admit(call, tokens=tokens)
        more = cors + limits.headers
        place = b""
        try:
            if route.max_concurrency:
                wanted = place_of("route", route.name)
                await self._places.enter(
                    wanted,
                    limit=route.max_concurrency,
                    queue=route.queue,
                    wait=route.queue_timeout,
                    what=f"Route {route.name!r}",
                )
                place = wanted
            key = caching.key_of(call)
            kept = await caching.found(self._cache, call, key)
            if kept is not None:
                self._repeat(call, exchange, kept, more)
                return
            await self._targets(call, exchange, more, tokens=tokens, cache=key)
        finally:
            if place:
                self._places.leave(place)
            limits.settle(call)

    async def _targets(
        self, call: CallState, exchange: Exchange, more: bytes, *, tokens: int, cache: bytes
    ) -> None:
        route = call.route
        choice = choose(
            route, call.context, input_tokens=tokens, now=monotonic(), random=self._random
        )  # Raises Unavailable where rules exclude every target.
        call.choice = choice
        total = route.route.timeouts.total
        until = monotonic() + total if total else 0.0
        failure: UpstreamError | None = None
        unable: Unsupported | None = None
        for index, candidate in enumerate(choice.order):
            last = index + 1 == len(choice.order)
            try:
                failure = await self._target(call, candidate, exchange, more, until, last=last, cache=cache)
            except Unsupported as error:
                unable = error
                continue
            if failure is None:
                return
            if failure.kind not in route.fallback_on:
                break
        if failure is not None:
            call.error_kind = failure.kind
            raise answers.refusal(failure, attempts=len(call.attempts))
        assert unable is not None
        raise unable

    async def _target(
        self,
        call: CallState,
        candidate: Candidate,
        exchange: Exchange,
        more: bytes,
        until: float,
        *,
        last: bool,
        cache: bytes,
    ) -> UpstreamError | None:
        """Try one target as often as the route allows; None when the caller has been answered."""
        route = call.route.route
        for attempt in range(route.retries + 1):
            try:
                await self._attempt(call, candidate, exchange, more, until, cache=cache)
                return None
            except UpstreamError as error:
                if error.kind in _AT_FAULT:
                    cooldown = error.retry_after if error.kind == "rate_limited" else None
                    candidate.health.failed(monotonic(), retry_after=cooldown)
                if error.kind == "stream" or error.kind not in _RETRYABLE or attempt == route.retries:
                    return error
                pause = self._random.uniform(0, route.backoff * 2**attempt)
                if error.retry_after is not None:
                    pause = max(pause, error.retry_after)
                hopeless = bool(until) and monotonic() + pause >= until
                elsewhere = not last and (error.kind in ("rate_limited", "timeout"))
                if hopeless or elsewhere or pause > _MAX_BACKOFF:
                    return error
                await asyncio.sleep(pause)
        raise AssertionError("the loop returns")

    async def _attempt(
        self,
        call: CallState,
        candidate: Candidate,
        exchange: Exchange,
        more: bytes,
        until: float,
        *,
        cache: bytes,
    ) -> None:
        endpoint = candidate.endpoint
        continued = call.front.name == "responses" and "previous_response_id" in call.fields
        if continued and not (call.expanded or endpoint.back.passes("responses", endpoint.provider.options)):
            call.expand(await self._expand(call))
        upstream = prepare(call, candidate, forwarded=exchange.headers)
        place = b""
        if candidate.max_concurrency:
            place = place_of("target", f"{call.route.name}\0{endpoint.model.id}")
            if not self._money.acquire(place, candidate.max_concurrency):
                raise UpstreamError(
                    f"{endpoint.model.id} already serves {candidate.max_concurrency} calls.",
                    kind="rate_limited",
                    retry_after=0.05,
                )
        try:
            running = Running(
                call, upstream, purse=self._purse, spool=self._spool, price=endpoint.model.price
            )
            call.target = endpoint.model.id
            timeouts = candidate.timeouts
            total_at = running.started + timeouts.total if timeouts.total else until
            if until:
                total_at = min(total_at, until)
            try:
                answer = await running.send(self._transport, total_at=total_at)
                if call.stream:
                    await self._streamed(call, running, answer, exchange, more, total_at, cache=cache)
                else:
                    await self._whole(call, running, answer, exchange, more, cache=cache)
            except UpstreamError as error:
                if error.kind == "stream" and not call.committed:
                    error.kind = "server"  # The caller has seen nothing: another target can still answer.
                running.end("error", status=error.status, error=error)
                raise
            except asyncio.CancelledError:
                running.end("aborted", status=0)
                raise
            except BaseException:
                running.end("error", status=0)
                raise
        finally:
            if place:
                self._money.release(place)

    async def _whole(
        self,
        call: CallState,
        running: Running,
        answer: Answer,
        exchange: Exchange,
        more: bytes,
        *,
        cache: bytes,
    ) -> None:
        """An answer that is not streamed."""
        body = await answer.read()
        answer.release()
        running.received = len(body)
        upstream = running.upstream
        front = call.front
        if upstream.passes:
            seen = glance(body)
            running.upstream_id, running.response_model = seen.id, seen.model
            call.stop_reason = seen.stop_reason
            usage = usage_of(front.name, body)
        elif front.name == "embeddings":
            body, usage = embedding_answer(call, upstream.candidate, body)
        else:
            endpoint = upstream.candidate.endpoint
            response = named(endpoint.back.response(body), model=endpoint.model.upstream, trace=call.trace)
            running.upstream_id, running.response_model = response.id, response.model
            call.stop_reason = response.choices[0].stop_reason if response.choices else ""
            usage = usage_from_response(response)
            body = front.response(response, call.request)
        running.saw_first_token()
        running.end("ok", usage=billing.credible(usage))
        self._close(call, running)
        if call.captured:
            call.response = [body]
        if call.store:
            self._store(call, body, running)
        if call.named is not None:
            self._spool.append(call.named.answer(call, body, at=running.start))
        self._record(call)
        exchange.respond(200, answers.call_headers(call, answers.JSON, more), body)
        if cache:
            await caching.keep(self._cache, call, cache, body)

    async def _streamed(
        self,
        call: CallState,
        running: Running,
        answer: Answer,
        exchange: Exchange,
        more: bytes,
        total_at: float,
        *,
        cache: bytes,
    ) -> None:
        """A streamed answer: nothing reaches the caller before it is committed."""
        upstream = running.upstream
        timeouts = upstream.candidate.timeouts
        stream = stream_of(call, running.upstream)
        if timeouts.first_token:
            left = max(running.started + timeouts.first_token - monotonic(), 0.001)
            answer.deadline(gap=left, total_at=total_at)
        else:
            answer.deadline(gap=0.0, total_at=total_at)
        keep = call.captured or call.store or bool(cache)
        kept = 0
        try:
            while not stream.whole:
                data = await answer.chunk()
                out = stream.feed(data) if data else stream.close()
                running.events = stream.events
                running.received += len(data)
                if stream.committed and not call.committed:
                    call.committed = True
                    running.saw_first_token()
                    call.first_token = running.first_token
                    answer.deadline(gap=timeouts.gap, total_at=total_at)
                    exchange.start(200, answers.call_headers(call, answers.EVENTS, more))
                if out:
                    exchange.write(out)
                    kept += len(out)
                    if keep and kept > MAX_KEPT:
                        keep, call.captured, cache = False, False, b""
                        call.response.clear()
                    if keep:
                        call.response.append(out)
                    if exchange.congested:
                        await exchange.drain()
        except UpstreamError as error:
            if call.committed and error.kind != "stream":
                error.kind = "stream"
            raise
        finally:
            running.upstream_id, running.response_model = stream.id, stream.model
            running.told, running.counted = billing.credible(stream.usage()), stream.counted
        answer.release()
        call.stop_reason = stream.stop_reason
        running.end("ok", usage=billing.credible(stream.usage()))
        self._close(call, running)
        if keep:
            call.response.append(stream.ending)
        if call.store and call.front.name == "responses":
            body = response_of(stream.ending)
            if body:
                self._store(call, body, running)
        self._record(call)
        exchange.finish(stream.ending)
        if cache:
            await caching.keep(self._cache, call, cache, b"".join(call.response))

    def _repeat(self, call: CallState, exchange: Exchange, body: bytes, more: bytes) -> None:
        """Answer from the cache."""
        kind = answers.EVENTS if call.stream else answers.JSON
        self._record(call)
        if call.stream:
            exchange.start(200, answers.call_headers(call, kind, more))
            exchange.finish(body)
        else:
            exchange.respond(200, answers.call_headers(call, kind, more), body)

    # how it ends

    def _close(self, call: CallState, running: Running) -> None:
        """The call has been answered by this attempt: sum up what all of them cost."""
        last = call.attempts[-1]
        call.status = 200
        call.usage = last.usage
        call.first_token = call.first_token or running.first_token
        costs = [attempt.cost for attempt in call.attempts]
        if len(costs) == 1 and last.cost is not None:
            call.cost = Decimal(last.cost)
        elif None not in costs:
            call.cost = sum((Decimal(one) for one in costs if one is not None), Decimal(0))

    def _record(self, call: CallState) -> None:
        """Put the whole call on record. Raises Unavailable where there is no room."""
        if call.done:
            return
        if call.captured and self._spool.short:
            call.captured = False
        self._spool.append(
            End(
                trace=call.trace,
                root=call.span,
                attempts=tuple(call.attempts),
                call=call.record(end=time_ns()),
            )
        )
        call.done = True

    def _store(self, call: CallState, body: bytes, running: Running) -> None:
        record = stored(
            call, body, provider=running.upstream.candidate.endpoint.provider.name, at=running.start
        )
        if record is not None:
            self._spool.append(record)

    def _refuse(self, exchange: Exchange, front: Front, call: CallState | None, error: RequestError) -> None:
        """Answer with an error, in the caller's dialect, and put it on record."""
        if call is not None and not call.done:
            call.status = error.status
            call.error = error.message
            call.error_kind = call.error_kind or error.code
            try:
                self._record(call)
            except Unavailable as full:
                _log.error("No room to record a refused call: %s", full)
                error = error if call.committed else full
        if call is not None and call.committed:
            exchange.finish(front.stream_error(error))
            return
        head = answers.JSON + answers.error_headers(error)
        if call is not None:
            head = answers.call_headers(call, head, b"")
        exchange.respond(error.status, head, front.error(error))

    async def _count(self, call: CallState, exchange: Exchange) -> None:
        choice = choose(call.route, call.context, input_tokens=0, now=monotonic(), random=self._random)
        try:
            body = await count_tokens(call, choice.order[0], self._transport)
        except UpstreamError as error:
            raise answers.refusal(error, attempts=1) from None
        exchange.respond(200, answers.JSON, body)
