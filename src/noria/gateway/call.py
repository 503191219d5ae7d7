"""One call on its way through the gateway: who asks what of which route, and what has happened so far."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from noria.access.key import Key
from noria.core import messages
from noria.core.ids import parse_traceparent, span_id, trace_id
from noria.core.usage import Usage
from noria.gateway.ask import NOTHING_SAID, Fields
from noria.gateway.compiled import Choice, CompiledRoute, World
from noria.gateway.dialects.dialect import Front
from noria.gateway.prompting import Asked
from noria.gateway.snapshot import Route
from noria.tracing.record import Attempt, Call, Prompted, Stored

NO_ROUTE = CompiledRoute(Route(name="", targets=()), [])
"""Of a call that was refused before its route was known."""


class Answering(Protocol):
    """gateway.idempotency.Named."""

    def answer(self, call: CallState, body: bytes, *, at: int) -> Stored: ...


class CallState:
    """Mutable; one task owns it. Times are Unix nanoseconds."""

    __slots__ = (
        "_request", "agent", "attempts", "below", "body", "cache", "captured", "choice", "committed",
        "context", "cost", "done", "error", "error_kind", "expanded", "fields", "first_token", "front", "key",
        "model", "named", "parent", "prompt", "response", "route", "span", "start", "status", "stop_reason",
        "store", "stream", "target", "trace", "tries", "usage", "warnings", "world",
    )  # fmt: skip

    def __init__(
        self,
        *,
        front: Front,
        world: World,
        key: Key,
        body: bytes,
        start: int,
        headers: dict[bytes, bytes],
    ) -> None:
        parent = headers.get(b"traceparent")
        given = parse_traceparent(parent) if parent is not None else None
        self.tries = 0
        """Upstream attempts that were begun."""
        self.trace, self.parent = (given[0], given[1]) if given else (trace_id(), b"")
        self.span = span_id()
        self.front = front
        self.world = world
        self.key = key
        self.body = body
        self.start = start
        self.route: CompiledRoute = NO_ROUTE
        self.context = NOTHING_SAID
        self.fields: Fields = {}
        self.model = ""
        self.named: Answering | None = None
        """Keeps the answer of a call that has an idempotency key."""
        self.prompt: Asked | None = None
        self.below = ""
        """What follows the dialect's own path: "/compact" of responses."""
        self.stream = False
        self.expanded = b""
        """The body with the turns before it written out, where it names a previous response."""
        self.committed = False
        """Whether any of a streamed answer has been given to the caller."""
        self.agent = headers.get(b"user-agent", b"")[:200].decode("latin-1")
        self._request: messages.Request | None = None
        self.attempts: list[Attempt] = []
        self.choice: Choice | None = None
        self.cache = "off"
        self.captured = True
        self.store = False
        self.cost: Decimal | None = None
        self.done = False
        self.error = ""
        self.error_kind = ""
        self.first_token = 0
        self.response: list[bytes] = []
        self.status = 0
        self.stop_reason = ""
        self.target = ""
        self.usage: Usage | None = None
        self.warnings: list[str] = []

    @property
    def request(self) -> messages.Request:
        """The body, decoded once. Raises InvalidRequest."""
        if self._request is None:
            self._request = self.front.request(self.expanded or self.body)
        return self._request

    def expand(self, body: bytes) -> None:
        """From now on the request is this one, with the turns before it written out."""
        self.expanded = body
        self._request = None

    @property
    def user(self) -> str:
        """Whom the call counts for."""
        return self.context.user or self.key.user

    def used(self) -> tuple[int, Decimal]:
        """Tokens and dollars that count against rate limits: of every attempt, however it ended, as far as
        they are known; of an answer from the cache its tokens."""
        usages = [attempt.usage for attempt in self.attempts] or [self.usage]
        costs = [Decimal(attempt.cost) for attempt in self.attempts if attempt.cost is not None]
        return sum(one.input + one.output for one in usages if one is not None), sum(costs, Decimal(0))

    @property
    def prompted(self) -> Prompted | None:
        """The prompt's version: that which serves the call, or that which the caller has rendered."""
        if self.prompt is not None:
            return self.prompt.record
        said = self.context.rendered
        return None if said is None else Prompted(said.name, said.number, said.label, said.digest)

    def repeats(self, kept: Stored) -> None:
        """It is answered with what an earlier call was answered with, and costs nothing."""
        self.status, self.cache, self.cost = 200, "hit", Decimal(0)
        self.target = kept.metadata.get("target", "")
        self.warnings.append(f"the answer is that of trace {kept.trace.hex()}, by its idempotency key")
        if self.captured:
            self.response = [kept.body]

    def record(self, *, end: int) -> Call:
        """What is kept of the whole call."""
        choice = self.choice
        key = self.key
        context = self.context
        known = [attempt.cost for attempt in self.attempts]
        cost = self.cost
        if self.attempts and cost is None and None not in known:
            cost = sum((Decimal(one) for one in known if one is not None), Decimal(0))
        return Call(
            trace=self.trace,
            span=self.span,
            parent=self.parent,
            start=self.start,
            end=end,
            operation=self.front.operation,
            dialect=self.front.name,
            route=self.route.name,
            model=self.model,
            target=self.target,
            status=self.status,
            stream=self.stream,
            key=key.id,
            project=key.project,
            team=key.team,
            user=self.user,
            session=context.session,
            episode=context.episode,
            tags={**key.tags, **context.tags} if key.tags else context.tags,
            cache=self.cache,
            attempts=len(self.attempts),
            usage=self.usage,
            cost=None if cost is None else str(cost),
            first_token=self.first_token,
            stop_reason=self.stop_reason,
            error_kind=self.error_kind,
            error=self.error,
            config=self.world.digest,
            strategy=self.route.strategy,
            propensity=choice.propensity if choice else 1.0,
            weights=choice.weights if choice else {},
            request=self.body if self.captured else b"",
            response=b"".join(self.response) if self.captured else b"",
            captured="full" if self.captured else "metadata",
            excluded=choice.excluded if choice else {},
            warnings=tuple(self.warnings),
            agent=self.agent,
            prompt=self.prompted,
        )
