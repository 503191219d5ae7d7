"""OTLP's JSON encoding, and what senders make of it.

Beyond the specification it takes attributes as an object, values that are not wrapped, snake_case names,
enumerations by name, and ids in base64.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from noria.errors import InvalidRequest
from noria.tracing.otlp import MAX_INT, PriceOf, Raw, Received, Sender, placeholder, to_span
from noria.tracing.otlp_ids import BAD_SPAN_ID, BAD_TRACE_ID, from_text, span_id_of, trace_id_of
from noria.tracing.otlp_logs import NOT_GENAI, event_of
from noria.tracing.span import Event, Link

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_KIND_NAMES = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUS_NAMES = ("UNSET", "OK", "ERROR")
_DEPTH = 32
NOT_A_SPAN = "A span must be a JSON object with traceId, spanId, name and times."
BAD_TIME = "A span's times must be Unix nanoseconds, as a number or a string of digits."


def traces(body: bytes, sender: Sender, price_of: PriceOf) -> Received:
    """The spans of an export request; logs posted here by mistake are understood as such.

    Raises InvalidRequest where it is neither.
    """
    request = _object(body)
    groups = _get(request, "resourceSpans")
    if groups is None and _get(request, "resourceLogs") is not None:
        return logs(body, sender)
    if groups is None and request:
        raise InvalidRequest(
            "An OTLP trace export in JSON has the key `resourceSpans`; see the OTLP/HTTP specification."
        )
    received = Received()
    for group in _list(groups, "resourceSpans"):
        resource = _attributes(_get(_get(group, "resource"), "attributes"))
        for scoped in _list(_get(group, "scopeSpans", "instrumentationLibrarySpans"), "scopeSpans"):
            scope = _text(_get(_get(scoped, "scope", "instrumentationLibrary"), "name"))
            schema_url = _text(_get(scoped, "schemaUrl") or _get(group, "schemaUrl"))
            for span in _list(_get(scoped, "spans"), "spans"):
                raw = _raw(span, received, resource, scope, schema_url)
                if raw is not None:
                    received.spans.append(to_span(raw, sender, price_of))
    return received


def logs(body: bytes, sender: Sender) -> Received:
    """The GenAI events of an export request. Raises InvalidRequest where it is none."""
    request = _object(body)
    groups = _get(request, "resourceLogs")
    if groups is None and request:
        raise InvalidRequest(
            "An OTLP log export in JSON has the key `resourceLogs`; see the OTLP/HTTP specification."
        )
    received = Received(signal="logs")
    for group in _list(groups, "resourceLogs"):
        for scoped in _list(_get(group, "scopeLogs"), "scopeLogs"):
            for record in _list(_get(scoped, "logRecords"), "logRecords"):
                trace, id = _ids(record)
                event = event_of(
                    _text(_get(record, "eventName")),
                    _time(_get(record, "timeUnixNano") or _get(record, "observedTimeUnixNano")) or 0,
                    _attributes(_get(record, "attributes")),
                    _value(_get(record, "body"), 0),
                )
                if event is None or trace is None or id is None:
                    received.reject(NOT_GENAI)
                    continue
                received.spans.append(placeholder(trace_id=trace, span_id=id, event=event, sender=sender))
    return received


def answer(received: Received, *, signal: str) -> bytes:
    """The body of the 200: empty, or a partial success with what was not taken and why."""
    if not received.rejected:
        return b"{}"
    counted = "rejectedLogRecords" if signal == "logs" else "rejectedSpans"
    message = " ".join(received.reasons)
    return _encode({"partialSuccess": {counted: str(received.rejected), "errorMessage": message}})


def _raw(span: Any, received: Received, resource: dict[str, Any], scope: str, schema_url: str) -> Raw | None:
    if not isinstance(span, dict):
        received.reject(NOT_A_SPAN)
        return None
    trace, id = _ids(span)
    start, end = _time(_get(span, "startTimeUnixNano")), _time(_get(span, "endTimeUnixNano"))
    if trace is None or id is None or start is None:
        received.reject(BAD_TRACE_ID if trace is None else BAD_SPAN_ID if id is None else BAD_TIME)
        return None
    status = _get(span, "status")
    return Raw(
        trace_id=trace,
        span_id=id,
        parent_id=span_id_of(from_text(_get(span, "parentSpanId"))),
        name=_text(_get(span, "name")),
        kind=_number(_get(span, "kind"), _KIND_NAMES),
        start=start,
        end=start if end is None else end,
        status=_number(_get(status, "code") if isinstance(status, dict) else status, _STATUS_NAMES),
        message=_text(_get(status, "message")),
        attributes=_attributes(_get(span, "attributes")),
        events=[
            Event(
                _text(_get(event, "name")),
                _time(_get(event, "timeUnixNano")) or start,
                _attributes(_get(event, "attributes")),
            )
            for event in _several(_get(span, "events"))
            if isinstance(event, dict)
        ],
        links=[
            Link(
                from_text(_get(link, "traceId")),
                from_text(_get(link, "spanId")),
                _attributes(_get(link, "attributes")),
            )
            for link in _several(_get(span, "links"))
            if isinstance(link, dict)
        ],
        resource=resource,
        scope=scope,
        schema_url=schema_url,
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        request = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"The body is not JSON: {error}.") from None
    if not isinstance(request, dict):
        raise InvalidRequest("An OTLP export in JSON is an object with the key `resourceSpans`.")
    return request


def _get(value: Any, *names: str) -> Any:
    """A key under its own name or in snake_case; None where there is none."""
    if not isinstance(value, dict):
        return None
    for name in names:
        found = value.get(name)
        if found is None:
            found = value.get(_snake(name))
        if found is not None:
            return found
    return None


def _snake(name: str) -> str:
    found = _SNAKES.get(name)
    if found is None:
        found = _SNAKES[name] = re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name)
    return found


_SNAKES: dict[str, str] = {}


def _list(value: Any, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidRequest(f"`{name}` must be an array.", param=name)
    return value


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _ids(record: Any) -> tuple[bytes | None, bytes | None]:
    return trace_id_of(from_text(_get(record, "traceId"))), span_id_of(from_text(_get(record, "spanId")))


def _attributes(pairs: Any) -> dict[str, Any]:
    if isinstance(pairs, dict):
        return {str(name): _value(value, 0) for name, value in pairs.items()}
    found: dict[str, Any] = {}
    for pair in _several(pairs):
        if isinstance(pair, dict) and isinstance(pair.get("key"), str):
            found[pair["key"]] = _value(pair.get("value"), 0)
    return found


_WRAPPED = frozenset(
    {"stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue", "bytesValue"}
)


def _value(value: Any, depth: int) -> Any:
    if depth > _DEPTH:
        return None
    if isinstance(value, list):
        return [_value(item, depth + 1) for item in value]
    if isinstance(value, int) and not -MAX_INT <= value <= MAX_INT:
        return str(value)
    if not isinstance(value, dict):
        return value
    kind = next(iter(value), "") if len(value) == 1 else ""
    inner = value.get(kind)
    if kind not in _WRAPPED:
        kind = re.sub(r"_([a-z])", lambda match: match[1].upper(), kind)
    if kind not in _WRAPPED:
        return {str(name): _value(item, depth + 1) for name, item in value.items()}
    if kind == "intValue":
        return _time(inner) if isinstance(inner, str) and inner.isdigit() else _integer(inner)
    if kind == "arrayValue":
        values = inner.get("values") if isinstance(inner, dict) else inner
        return [_value(item, depth + 1) for item in _several(values)]
    if kind == "kvlistValue":
        pairs = inner.get("values") if isinstance(inner, dict) else inner
        return {
            str(pair["key"]): _value(pair.get("value"), depth + 1)
            for pair in _several(pairs)
            if isinstance(pair, dict) and "key" in pair
        }
    return inner if isinstance(inner, str | bool | int | float) else None


def _integer(value: Any) -> Any:
    try:
        number = int(value)
    except (TypeError, ValueError):
        return value if isinstance(value, str) else None
    return number if -MAX_INT <= number <= MAX_INT else str(value)


def _time(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isdigit() and len(value) < 20:
        value = int(value)
    if not isinstance(value, int | float) or not 0 <= value <= MAX_INT:
        return None
    return int(value)


def _number(value: Any, names: tuple[str, ...]) -> int:
    if isinstance(value, int):
        return value
    name = value.rpartition("_")[2].upper() if isinstance(value, str) else ""
    return names.index(name) if name in names else 0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
