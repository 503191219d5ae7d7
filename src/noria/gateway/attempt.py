"""One upstream attempt: prepared, reserved, begun, sent, and settled exactly once however it ends."""

from __future__ import annotations

from time import monotonic, time_ns

from noria.core import messages
from noria.core.ids import span_id
from noria.core.money import to_nano
from noria.core.usage import Usage
from noria.errors import Unsupported, UpstreamError
from noria.gateway import billing
from noria.gateway.admission import Held, Purse
from noria.gateway.call import CallState
from noria.gateway.compiled import Candidate
from noria.gateway.dialects.dialect import Prepared
from noria.gateway.embedding import embedding_request
from noria.gateway.heads import beneath, request_head
from noria.gateway.ports import Spool
from noria.gateway.splice import spliced, wants_usage
from noria.gateway.streams import PassStream, Stream, TranslatedStream
from noria.gateway.transport import Answer, Transport
from noria.models.price import Price
from noria.tracing.record import Attempt, Begin

_SPLICED_USAGE = ("openai", "completions")
_UNBILLED = ("connect", "rate_limited", "auth", "invalid", "not_found", "refused")
"""Kinds of failure that no provider bills."""


class Upstream:
    """What is sent, and whether the answer comes back in the caller's dialect."""

    __slots__ = ("body", "candidate", "headers", "passes", "path")

    def __init__(self, candidate: Candidate, passes: bool, path: str, headers: dict[str, str], body: bytes):
        self.candidate = candidate
        self.passes = passes
        self.path = path
        self.headers = headers
        self.body = body


def prepare(call: CallState, candidate: Candidate, *, forwarded: dict[bytes, bytes]) -> Upstream:
    """The upstream request of a call. Raises InvalidRequest and Unsupported."""
    endpoint = candidate.endpoint
    back, provider, model = endpoint.back, endpoint.provider, endpoint.model.upstream
    front = call.front.name
    if back.passes(front, provider.options):
        add_usage = call.stream and provider.ask_usage and front in _SPLICED_USAGE
        body = spliced(call.fields, model=model, add_usage=add_usage)
        path = back.path(front, model=model, stream=call.stream, options=provider.options)
        if call.below:
            path = beneath(path, call.below)
        headers = back.headers(front, options=provider.options)
        passes = True
    elif call.below:
        missing = Unsupported(
            f"{call.front.name}{call.below} is for providers that speak this API themselves, which "
            f"{provider.name!r} does not; choose another model.",
            param="model",
        )
        missing.status = 404
        raise missing
    else:
        prepared = _translated(call, candidate)
        path, body, headers, passes = prepared.path, prepared.body, prepared.headers, False
    if provider.forward_headers:
        kept = ((name, forwarded.get(name.encode())) for name in provider.forward_headers)
        headers = {**headers, **{name: value.decode("latin-1") for name, value in kept if value is not None}}
    return Upstream(candidate, passes, path, headers, body)


def _translated(call: CallState, candidate: Candidate) -> Prepared:
    if call.front.name == "embeddings":
        return embedding_request(call, candidate)
    endpoint = candidate.endpoint
    return endpoint.back.request(
        call.request, model=endpoint.model.upstream, options=endpoint.provider.options
    )


class Running:
    """An attempt between its Begin and its Attempt record."""

    __slots__ = (
        "_call", "_ended", "_held", "_price", "_purse", "_spool", "answer", "counted", "events",
        "first_token", "received", "response_model", "span", "start", "started", "told", "upstream",
        "upstream_id",
    )  # fmt: skip

    def __init__(
        self, call: CallState, upstream: Upstream, *, purse: Purse, spool: Spool, price: Price | None
    ) -> None:
        """Reserve, and put the Begin on record. Raises what `Purse.reserve` and `Spool.append` raise."""
        self._call = call
        self._purse = purse
        self._spool = spool
        self._price = price
        self._ended = False
        self.upstream = upstream
        self.span = span_id()
        self.start = time_ns()
        self.started = monotonic()
        self.answer: Answer | None = None
        self.told: Usage | None = None
        """What a stream has reported so far; `counted`: for the whole answer."""
        self.counted = False
        self.events = 0
        self.first_token = 0
        self.received = 0
        self.response_model = ""
        self.upstream_id = ""
        model = upstream.candidate.endpoint.model
        self._held: Held = purse.reserve(
            call, body=upstream.body, passes=upstream.passes, card=model.card,
            top=upstream.candidate.endpoint.ceiling, now=self.start // 1_000_000_000,
        )  # fmt: skip
        key = call.key
        try:
            spool.append(
                Begin(
                    trace=call.trace,
                    root=call.span,
                    span=self.span,
                    at=self.start,
                    key=key.id,
                    route=call.route.name,
                    target=model.id,
                    price=price.id if price is not None else "",
                    bound_nano=self._held.bound_nano,
                    reservations=self._held.reservations,
                    project=key.project,
                    team=key.team,
                    user=call.user,
                    config=call.world.digest,
                )
            )
        except BaseException:
            purse.settle(self._held, nano=0, call=call)
            raise
        call.tries += 1
        upstream.candidate.health.begin()

    async def send(self, transport: Transport, *, total_at: float) -> Answer:
        """Send, and wait for a good head. Raises UpstreamError, with an error answer already read."""
        upstream = self.upstream
        candidate = upstream.candidate
        endpoint = candidate.endpoint
        timeouts = candidate.timeouts
        head = await request_head(endpoint, upstream.path, upstream.headers, upstream.body)
        answer = await transport.send(
            endpoint.origin,
            head,
            upstream.body,
            connect=timeouts.connect,
            first=timeouts.first_token,
            total_at=total_at,
        )
        self.answer = answer
        if answer.status != 200:
            answer.deadline(gap=timeouts.gap, total_at=total_at)
            body = endpoint.unsecret(await answer.read())
            answer.release()
            self.answer = None
            raise endpoint.back.error(
                answer.status, body, retry_after=_retry_after(answer.headers.get(b"retry-after"))
            )
        return answer

    def saw_first_token(self) -> None:
        """The first content is here."""
        self.first_token = time_ns()
        self.upstream.candidate.health.succeeded(monotonic() - self.started)

    def end(
        self,
        outcome: str,
        *,
        usage: Usage | None = None,
        status: int = 200,
        error: UpstreamError | None = None,
    ) -> None:
        """Settle and put the attempt into the call; the second call does nothing.

        `usage` is what the upstream reported, or None: then it is estimated where it was billed.
        """
        if self._ended:
            return
        self._ended = True
        call, upstream = self._call, self.upstream
        endpoint = upstream.candidate.endpoint
        if outcome != "ok" and self.answer is not None:
            self.answer.abort()
        usage = usage or self._assumed(outcome, error)
        cost = billing.priced(usage, self._price)
        if self._held.holds:
            spent = to_nano(cost) if cost is not None else max(self._held.bound_nano, 0)
            self._purse.settle(self._held, nano=spent, call=call)
        health = upstream.candidate.health
        health.end()
        if outcome == "aborted":
            health.abandoned()
        call.attempts.append(
            Attempt(
                span=self.span,
                start=self.start,
                end=time_ns(),
                target=endpoint.model.id,
                provider=endpoint.provider.name,
                model=endpoint.model.upstream,
                dialect=endpoint.provider.dialect,
                outcome=outcome,
                status=status,
                error_kind=error.kind if error is not None else "",
                error=error.message if error is not None else "",
                usage=usage,
                cost=None if cost is None else str(cost),
                price=self._price.id if self._price is not None else "",
                first_token=self.first_token,
                response_model=self.response_model,
                upstream_id=self.upstream_id,
                reservations=self._held.reservations,
                chunks=self.events,
                sent=b"" if upstream.passes or not call.captured else upstream.body,
            )
        )

    def _assumed(self, outcome: str, error: UpstreamError | None) -> Usage:
        if error is not None and (
            error.kind in _UNBILLED or (error.kind == "server" and error.status >= 400)
        ):
            return billing.NOTHING
        if self.told is not None and self.counted:
            return self.told
        assumed = billing.estimate(
            sent=len(self.upstream.body),
            events=self.events,
            received=self.received,
            max_output=self._held.max_output,
        )
        return assumed if self.told is None else billing.completed(self.told, assumed)


def usage_from_response(response: messages.Response) -> Usage | None:
    """What a translated answer reports; None where it reports nothing."""
    return response.usage if response.usage.provenance == "reported" else None


def _retry_after(value: bytes | None) -> float | None:
    """Seconds of a Retry-After header; a date is not understood, and None."""
    if value is None:
        return None
    try:
        return max(float(value), 0.0)
    except ValueError:
        return None


def stream_of(call: CallState, upstream: Upstream) -> Stream:
    """What a streamed answer is read and written by."""
    front = call.front
    if not upstream.passes:
        endpoint = upstream.candidate.endpoint
        encoder = front.encoder(call.request)
        return TranslatedStream(
            endpoint.back.decoder(), encoder, model=endpoint.model.upstream, trace=call.trace
        )
    asked = front.name not in ("openai", "completions") or wants_usage(call.fields)
    return PassStream(front.name, hide_usage=not asked)
