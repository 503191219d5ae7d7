"""What senders post over OTLP, as spans. The two encodings are in `otlp_protobuf` and `otlp_json`.

A GenAI event that comes as a log record becomes a span without a name, which holds the place of the one that
it belongs to until that has come; the store joins the two, and `complete` then reads the events again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import msgspec

from noria.core.usage import Usage
from noria.models.cost import cost
from noria.models.price import Price
from noria.tracing.assemble import to_pico
from noria.tracing.mappings import Meaning, meaning, text
from noria.tracing.span import Event, Kind, Link, Span
from noria.tracing.totals import MODEL_OPERATIONS

PriceOf = Callable[[str, str], Price | None]
"""(provider, model) to the price that applies, None where it is unknown."""
KINDS: tuple[Kind, ...] = ("internal", "internal", "server", "client", "producer", "consumer")
"""By number of OTLP's SpanKind."""
STATUSES: tuple[Literal["unset", "ok", "error"], ...] = ("unset", "ok", "error")
MAX_INT = (1 << 63) - 1
MAX_NAME = 1_000
"""Characters of names, models, users and the like; longer ones are cut."""
_IN = ("gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message")


class Sender(msgspec.Struct, frozen=True):
    """Who posts: what the key says, where a span does not say it itself."""

    project: str = "default"
    key: str = ""
    team: str = ""
    user: str = ""
    tags: dict[str, str] = {}


class Received(msgspec.Struct):
    """What an export request held."""

    spans: list[Span] = []
    rejected: int = 0
    """Spans or log records that cannot be kept."""
    reasons: list[str] = []
    """Why, each sentence once."""
    signal: str = "traces"
    """What it turned out to be: "traces" or "logs"."""

    def reject(self, reason: str) -> None:
        self.rejected += 1
        if reason not in self.reasons and len(self.reasons) < 5:
            self.reasons.append(reason)


class Raw(msgspec.Struct, kw_only=True):
    """One span as posted, whichever the encoding."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes | None
    name: str
    kind: int
    start: int
    end: int
    status: int
    message: str
    attributes: dict[str, Any]
    events: list[Event]
    links: list[Link]
    resource: Mapping[str, Any]
    scope: str
    schema_url: str


def to_span(raw: Raw, sender: Sender, price_of: PriceOf) -> Span:
    """A span of the store. Times that make no sense are set right: it ends no earlier than it starts."""
    attributes = raw.attributes
    found = meaning(attributes)
    resource = dict(raw.resource)
    service = resource.pop("service.name", "")
    tags = dict(sender.tags)
    environment = resource.get("deployment.environment.name") or resource.get("deployment.environment")
    if environment:
        tags["env"] = str(environment)
    tags |= found.get("tags", {})
    if resource:
        attributes["resource"] = resource
    status = STATUSES[raw.status] if 0 <= raw.status < 3 else "unset"
    start = min(max(raw.start, 0), MAX_INT)
    end = min(max(raw.end, start), MAX_INT)
    error_kind = _name(found.get("error_kind"))
    if not error_kind and status == "error":
        error_kind = _exception(raw.events)
    span = Span(
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        parent_id=raw.parent_id,
        name=raw.name[:MAX_NAME] or "unnamed",
        kind=KINDS[raw.kind] if 0 <= raw.kind < len(KINDS) else "internal",
        start=start,
        end=end,
        status=status,
        status_message=raw.message,
        operation=_name(found.get("operation")),
        service=_name(service),
        project=sender.project,
        provider=_name(found.get("provider")).partition(".")[0]
        if "ai.model.provider" in attributes
        else _name(found.get("provider")),
        model=_name(found.get("model")),
        response_model=_name(found.get("response_model")),
        key=sender.key,
        team=_name(found.get("team")) or sender.team,
        user=_name(found.get("user")) or sender.user,
        session=_name(found.get("session")),
        episode=_name(found.get("episode")),
        tags=tags,
        first_token=_first_token(found, start),
        stop_reason=_stop(found.get("stop_reason")),
        http_status=_count(found.get("http_status")),
        error_kind=error_kind,
        input=_text(found.get("input")),
        output=_text(found.get("output")),
        attributes=attributes,
        events=tuple(raw.events),
        links=tuple(raw.links),
        scope=raw.scope,
        schema_url=raw.schema_url,
        **_usage(found, price_of),
    )
    return complete(span) if raw.events else span


def placeholder(*, trace_id: bytes, span_id: bytes, event: Event, sender: Sender) -> Span:
    """What stands for a span of which so far only an event has come."""
    return complete(
        Span(
            trace_id=trace_id,
            span_id=span_id,
            name="",
            start=event.at,
            end=event.at,
            project=sender.project,
            key=sender.key,
            team=sender.team,
            user=sender.user,
            events=(event,),
        )
    )


def complete(span: Span) -> Span:
    """The span with the input and output that its events tell, where it does not have them itself."""
    if (span.input is not None and span.output is not None) or not span.events:
        return span
    said, answered = _messages(span.events)
    changes: dict[str, Any] = {}
    if span.input is None and said:
        changes["input"] = text(said if len(said) > 1 or isinstance(said[0], dict) else said[0])
    if span.output is None and answered:
        changes["output"] = text(
            answered if len(answered) > 1 or isinstance(answered[0], dict) else answered[0]
        )
    return msgspec.structs.replace(span, **changes) if changes else span


def _messages(events: Sequence[Event]) -> tuple[list[Any], list[Any]]:
    said: list[Any] = []
    answered: list[Any] = []
    for event in events:
        attributes = event.attributes
        if event.name in _IN:
            said.append({"role": event.name.split(".")[1]} | _body(attributes))
        elif event.name == "gen_ai.choice":
            answered.append(_body(attributes))
        elif event.name.startswith("gen_ai."):
            found = meaning(attributes)
            said += [found["input"]] if "input" in found else []
            answered += [found["output"]] if "output" in found else []
    return said, answered


def _body(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """An event's body where it came as a log record, else what its attributes say."""
    body = attributes.get("body")
    if isinstance(body, dict):
        return body
    return {
        name: value
        for name, value in attributes.items()
        if name not in ("event.name", "gen_ai.system", "body")
    } | ({"content": body} if body is not None else {})


def _usage(found: Meaning, price_of: PriceOf) -> dict[str, Any]:
    tokens_in, tokens_out = _count(found.get("input_tokens")), _count(found.get("output_tokens"))
    if tokens_in is None and tokens_out is None:
        return {}
    cached, reasoning = _count(found.get("cached_tokens")), _count(found.get("reasoning_tokens"))
    fields: dict[str, Any] = {
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "cached_tokens": cached,
        "reasoning_tokens": reasoning,
        "usage": "reported",
    }
    operation = found.get("operation")
    if operation not in MODEL_OPERATIONS:
        return fields
    provider, model = _name(found.get("provider")), _name(found.get("model"))
    price = price_of(provider, model) or price_of(provider, _name(found.get("response_model")))
    usage = Usage(
        input=tokens_in or 0,
        output=tokens_out or 0,
        cached=cached or 0,
        cache_write=_count(found.get("cache_write")) or 0,
        reasoning=reasoning or 0,
        provenance="reported",
    )
    known = cost(usage, price)
    if known is not None and price is not None:
        return fields | {"cost_pico": to_pico(known), "price": price.id}
    return fields | {"cost_pico": _pico(found.get("cost"))}


def _pico(value: Any) -> int | None:
    """What the sender says that it cost."""
    try:
        amount = Decimal(str(value)) if value is not None else None
    except InvalidOperation:
        return None
    return to_pico(amount) if amount is not None and amount.is_finite() and 0 <= amount < 1_000_000 else None


def _first_token(found: Meaning, start: int) -> int | None:
    for field, scale in (("first_s", 1e9), ("first_ms", 1e6)):
        value = found.get(field)
        if isinstance(value, int | float) and 0 < value * scale < 1e15:
            return start + int(value * scale)
    return None


def _exception(events: Sequence[Event]) -> str:
    for event in events:
        if event.name == "exception":
            return _name(event.attributes.get("exception.type"))
    return ""


def _stop(value: Any) -> str:
    return ",".join(str(item) for item in value)[:MAX_NAME] if isinstance(value, list) else _name(value)


def _count(value: Any) -> int | None:
    if isinstance(value, str) and value.isdigit() and len(value) < 16:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 53:
        return None
    return int(value)


def _name(value: Any) -> str:
    return "" if not value else text(value)[:MAX_NAME]


def _text(value: Any) -> str | None:
    return None if value is None else text(value)
