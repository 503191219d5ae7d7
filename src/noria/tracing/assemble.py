"""Spool records into spans: a call is a server span, each upstream attempt a client span within it.

Names and attributes follow the OpenTelemetry GenAI semantic conventions; what those lack is `noria.*`.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import msgspec

from noria.core.usage import Usage
from noria.tracing.frames import whole
from noria.tracing.prompt_tag import PROMPT_TAG, prompt_tag
from noria.tracing.record import Attempt, Begin, Call, Prompted
from noria.tracing.span import Span

PICO = Decimal(10) ** 12
NANO_TO_PICO = 1_000
SERVICE = "noria"
UNCONFIRMED = "unconfirmed"
"""error_kind of what ended with the process that did it."""


class Owner(msgspec.Struct, frozen=True):
    """Whose call an attempt belongs to."""

    project: str
    key: str
    team: str
    user: str
    route: str
    operation: str = "chat"
    session: str = ""
    episode: str = ""
    tags: dict[str, str] = {}
    config: str = ""
    stream: bool = False


def owner_of(source: Call | Begin) -> Owner:
    """Whom the attempts of a call belong to."""
    if isinstance(source, Begin):
        return Owner(
            source.project or "default",
            source.key,
            source.team,
            source.user,
            source.route,
            config=source.config,
        )
    return Owner(
        source.project or "default", source.key, source.team, source.user, source.route, source.operation,
        source.session, source.episode, source.tags, source.config, source.stream,
    )  # fmt: skip


def to_pico(cost: str | Decimal | None) -> int | None:
    """Pico-dollars; digits beyond are rounded half to even."""
    if cost is None:
        return None
    return int((Decimal(cost) * PICO).to_integral_value(rounding=ROUND_HALF_EVEN))


def call_span(call: Call) -> Span:
    """The whole call. One that reached no upstream, and used none, cost nothing."""
    cost = to_pico(call.cost)
    if cost is None and not call.attempts:
        cost = 0
    attributes: dict[str, Any] = {"noria.dialect": call.dialect, "noria.captured": call.captured}
    if call.stream:
        attributes["gen_ai.request.stream"] = True
    if call.strategy:
        attributes |= {"noria.route.strategy": call.strategy, "noria.route.propensity": call.propensity}
    if call.weights:
        attributes["noria.route.weights"] = call.weights
    if call.excluded:
        attributes["noria.route.excluded"] = call.excluded
    if call.warnings:
        attributes["noria.warnings"] = list(call.warnings)
    if call.agent:
        attributes["user_agent.original"] = call.agent
    tags = call.tags
    if call.prompt is not None:
        attributes |= prompt_attributes(call.prompt)
        tags = {**tags, PROMPT_TAG: prompt_tag(call.prompt)}
    output = _text(call.response)
    if call.stream and call.response:
        attributes["noria.response.frames"] = output
        output = whole(call.response) or output
    return Span(
        trace_id=call.trace,
        span_id=call.span,
        parent_id=call.parent or None,
        name=f"{call.operation} {call.model or call.route}".strip() or "call",
        kind="server",
        start=call.start,
        end=max(call.end, call.start),
        status="ok" if 200 <= call.status < 400 and not call.error_kind else "error",
        status_message=call.error,
        operation=call.operation,
        service=SERVICE,
        project=call.project or "default",
        provider=call.target.partition("/")[0],
        model=call.model,
        route=call.route,
        target=call.target,
        key=call.key,
        team=call.team,
        user=call.user,
        session=call.session,
        episode=call.episode,
        tags=tags,
        **_usage(call.usage),
        cost_pico=cost,
        first_token=call.first_token or None,
        cache=call.cache if call.cache in ("hit", "miss", "off", "bypass") else "",
        attempts=call.attempts,
        stop_reason=call.stop_reason,
        http_status=call.status,
        error_kind=call.error_kind,
        config=call.config,
        source="gateway",
        input=_text(call.request),
        output=output,
        attributes=attributes,
        scope="noria.gateway",
    )


def prompt_attributes(prompt: Prompted) -> dict[str, Any]:
    """What says on a span which version of a prompt it was made with."""
    found: dict[str, Any] = {
        "noria.prompt.name": prompt.name,
        "noria.prompt.number": prompt.number,
        "noria.prompt.digest": prompt.digest,
    }
    return found | {"noria.prompt.label": prompt.label} if prompt.label else found


def attempt_span(attempt: Attempt, *, trace: bytes, root: bytes, owner: Owner) -> Span:
    """One upstream attempt."""
    attributes: dict[str, Any] = {"noria.dialect": attempt.dialect, "noria.outcome": attempt.outcome}
    if attempt.upstream_id:
        attributes["gen_ai.response.id"] = attempt.upstream_id
    if attempt.chunks:
        attributes["noria.chunks"] = attempt.chunks
    return Span(
        trace_id=trace,
        span_id=attempt.span,
        parent_id=root,
        name=f"{owner.operation} {attempt.model}".strip() or "attempt",
        kind="client",
        start=attempt.start,
        end=max(attempt.end, attempt.start),
        status="ok" if attempt.outcome == "ok" else "error",
        status_message=attempt.error,
        operation=owner.operation,
        service=SERVICE,
        project=owner.project,
        provider=attempt.provider,
        model=attempt.model,
        response_model=attempt.response_model,
        route=owner.route,
        target=attempt.target,
        key=owner.key,
        team=owner.team,
        user=owner.user,
        session=owner.session,
        episode=owner.episode,
        tags=owner.tags,
        **_usage(attempt.usage),
        cost_pico=to_pico(attempt.cost),
        price=attempt.price,
        first_token=attempt.first_token or None,
        http_status=attempt.status or None,
        error_kind=attempt.error_kind or ("" if attempt.outcome == "ok" else attempt.outcome),
        config=owner.config,
        source="gateway",
        input=_text(attempt.sent),
        attributes=attributes,
        scope="noria.gateway",
    )


def unconfirmed_attempt(begin: Begin, *, at: int) -> Span:
    """An attempt of which only the beginning was written: it cost at most its bound, and that is assumed.

    `at`: when its writer was found dead, Unix nanoseconds; the span itself has no known duration.
    """
    owner = owner_of(begin)
    model = begin.target.partition("/")[2] or begin.target
    return Span(
        trace_id=begin.trace,
        span_id=begin.span,
        parent_id=begin.root,
        name=f"{owner.operation} {model}".strip() or "attempt",
        kind="client",
        start=begin.at,
        end=begin.at,
        status="error",
        status_message="The worker died before this attempt's end was known; its cost is the reserved bound.",
        operation=owner.operation,
        service=SERVICE,
        project=owner.project,
        provider=begin.target.partition("/")[0],
        model=model,
        route=begin.route,
        target=begin.target,
        key=begin.key,
        team=begin.team,
        user=begin.user,
        usage="none",
        cost_pico=begin.bound_nano * NANO_TO_PICO if begin.bound_nano >= 0 else None,
        price=begin.price,
        error_kind=UNCONFIRMED,
        config=begin.config,
        confirmed=False,
        source="gateway",
        attributes={"noria.settled_at": at},
        scope="noria.gateway",
    )


def unconfirmed_call(begin: Begin, *, attempts: int, cost_pico: int | None, at: int) -> Span:
    """The call around attempts of a dead worker, `begin` the first of them."""
    owner = owner_of(begin)
    return Span(
        trace_id=begin.trace,
        span_id=begin.root,
        name=f"{owner.operation} {begin.route}".strip() or "call",
        kind="server",
        start=begin.at,
        end=begin.at,
        status="error",
        status_message="The worker died before this call's end was known.",
        operation=owner.operation,
        service=SERVICE,
        project=owner.project,
        provider=begin.target.partition("/")[0],
        model=begin.route,
        route=begin.route,
        target=begin.target,
        key=begin.key,
        team=begin.team,
        user=begin.user,
        cost_pico=cost_pico,
        attempts=attempts,
        error_kind=UNCONFIRMED,
        config=begin.config,
        confirmed=False,
        source="gateway",
        attributes={"noria.settled_at": at},
        scope="noria.gateway",
    )


def _usage(usage: Usage | None) -> dict[str, Any]:
    if usage is None or usage.provenance == "none":
        return {}
    found: dict[str, Any] = {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cached_tokens": usage.cached,
        "usage": usage.provenance,
    }
    if usage.reasoning:
        found["reasoning_tokens"] = usage.reasoning
    return found


def _text(body: bytes) -> str | None:
    return body.decode("utf-8", "replace") if body else None
