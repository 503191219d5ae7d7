"""A span's fields as attributes in the words of OpenTelemetry; what those lack is `noria.*`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from noria.exporters.messages import input_messages, output_messages
from noria.tracing.span import Span

_CONTENT = (
    "input", "output", "prompt", "completion", "message", "content", "body", "document", "argument", "args",
    "parameter", "result", "value", "frames", "instructions", "text", "query", "statement", "toolcall",
    "definition", "object", "metadata",
)  # fmt: skip
"""A text, list or object whose name holds one of these may hold what people or models said."""
_HARMLESS = frozenset(
    {
        "exception.message",
        "error.message",
        "gen_ai.output.type",
        "gen_ai.prompt.name",
        "gen_ai.prompt.version",
    }
)
_LONG = 1_000
"""Characters from which a text counts as content whatever its name."""
_PICO = Decimal(10) ** -12


def attributes_of(span: Span, *, payloads: bool) -> dict[str, Any]:
    """Without `payloads` nothing that may hold what people or models said."""
    raw = {name: value for name, value in span.attributes.items() if name != "resource"}
    named = _named(span) | raw
    if not payloads:
        return without_content(named)
    return named | _payloads(span) if span.source == "gateway" else named


def resource_of(span: Span) -> dict[str, Any]:
    """What is said of the program that made the span."""
    found = span.attributes.get("resource")
    said: dict[str, Any] = found if isinstance(found, dict) else {}
    return {"service.name": span.service or "unknown_service", **said, "noria.project": span.project}


def without_content(attributes: dict[str, Any]) -> dict[str, Any]:
    """Less all that may hold what people or models said."""
    return {name: value for name, value in attributes.items() if not _is_content(name, value)}


def _is_content(name: str, value: Any) -> bool:
    if value is None or isinstance(value, bool | int | float):
        return False
    if isinstance(value, str) and len(value) > _LONG:
        return True
    lower = name.lower()
    return lower not in _HARMLESS and any(word in lower for word in _CONTENT)


def _named(span: Span) -> dict[str, Any]:
    known: dict[str, Any] = {
        "gen_ai.operation.name": span.operation,
        "gen_ai.provider.name": span.provider,
        "gen_ai.request.model": span.model,
        "gen_ai.response.model": span.response_model,
        "gen_ai.usage.input_tokens": span.input_tokens,
        "gen_ai.usage.output_tokens": span.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": span.cached_tokens,
        "gen_ai.usage.reasoning.output_tokens": span.reasoning_tokens,
        "gen_ai.response.finish_reasons": [span.stop_reason] if span.stop_reason else None,
        "gen_ai.response.time_to_first_chunk": _seconds(span),
        "gen_ai.conversation.id": span.session,
        "session.id": span.session,
        "user.id": span.user,
        "error.type": span.error_kind,
        "http.response.status_code": span.http_status,
        "noria.route": span.route,
        "noria.target": span.target,
        "noria.key": span.key,
        "noria.team": span.team,
        "noria.episode": span.episode,
        "noria.cache": span.cache,
        "noria.attempts": span.attempts,
        "noria.usage": "" if span.usage == "none" else span.usage,
        "noria.price": span.price,
        "noria.config": span.config,
        "noria.confirmed": None if span.confirmed else False,
    }
    if span.cost_pico is not None:
        cost = span.cost_pico * _PICO
        known |= {"gen_ai.usage.cost": float(cost), "noria.cost": format(cost.normalize(), "f")}
    known |= {f"noria.tag.{name}": value for name, value in span.tags.items()}
    return {name: value for name, value in known.items() if value is not None and value != ""}


def _payloads(span: Span) -> dict[str, Any]:
    """Of a gateway's span: as messages where they can be read, else as they are."""
    dialect = str(span.attributes.get("noria.dialect", "")) if span.kind == "server" else ""
    found: dict[str, Any] = {}
    if span.input is not None:
        messages = input_messages(dialect, span.input)
        found |= {"input.value": span.input} if messages is None else {"gen_ai.input.messages": messages}
    if span.output is not None:
        messages = output_messages(dialect, span.output)
        found |= {"output.value": span.output} if messages is None else {"gen_ai.output.messages": messages}
    return found


def _seconds(span: Span) -> float | None:
    return None if span.first_token is None else (span.first_token - span.start) / 1e9
