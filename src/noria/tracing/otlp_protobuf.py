"""OTLP's binary encoding."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from noria.errors import InvalidRequest
from noria.tracing.otlp import PriceOf, Raw, Received, Sender, placeholder, to_span
from noria.tracing.otlp_ids import BAD_SPAN_ID, BAD_TRACE_ID, span_id_of, trace_id_of
from noria.tracing.otlp_logs import NOT_GENAI, event_of
from noria.tracing.span import Event, Link

_DEPTH = 32
"""Nested values beyond are cut off."""


def traces(body: bytes, sender: Sender, price_of: PriceOf) -> Received:
    """The spans of an ExportTraceServiceRequest; logs posted here by mistake are understood as such.

    Raises InvalidRequest where it is neither.
    """
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError:
        if _is_logs(body):
            return logs(body, sender)
        raise InvalidRequest(
            "The body is not an OTLP trace export in protobuf; for JSON send content-type: application/json."
        ) from None
    if body and not _has_span(request) and _is_logs(body):
        return logs(body, sender)
    received = Received()
    for resource_spans in request.resource_spans:
        resource = _attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope.name
            schema_url = scope_spans.schema_url or resource_spans.schema_url
            for span in scope_spans.spans:
                trace, id = trace_id_of(span.trace_id), span_id_of(span.span_id)
                if trace is None or id is None:
                    received.reject(BAD_TRACE_ID if trace is None else BAD_SPAN_ID)
                    continue
                raw = Raw(
                    trace_id=trace,
                    span_id=id,
                    parent_id=span_id_of(span.parent_span_id),
                    name=span.name,
                    kind=span.kind,
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    status=span.status.code,
                    message=span.status.message,
                    attributes=_attributes(span.attributes),
                    events=[
                        Event(event.name, event.time_unix_nano, _attributes(event.attributes))
                        for event in span.events
                    ],
                    links=[
                        Link(link.trace_id, link.span_id, _attributes(link.attributes)) for link in span.links
                    ],
                    resource=resource,
                    scope=scope,
                    schema_url=schema_url,
                )
                received.spans.append(to_span(raw, sender, price_of))
    return received


def logs(body: bytes, sender: Sender) -> Received:
    """The GenAI events of an ExportLogsServiceRequest. Raises InvalidRequest where it is none."""
    request = ExportLogsServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError:
        raise InvalidRequest(
            "The body is not an OTLP log export in protobuf; for JSON send content-type: application/json."
        ) from None
    received = Received(signal="logs")
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                attributes = _attributes(record.attributes)
                trace, id = trace_id_of(record.trace_id), span_id_of(record.span_id)
                event = event_of(
                    record.event_name,
                    record.time_unix_nano or record.observed_time_unix_nano,
                    attributes,
                    _value(record.body, 0),
                )
                if event is None or trace is None or id is None:
                    received.reject(NOT_GENAI)
                    continue
                received.spans.append(placeholder(trace_id=trace, span_id=id, event=event, sender=sender))
    return received


def answer(received: Received, *, signal: str) -> bytes:
    """The body of the 200: empty, or a partial success with what was not taken and why."""
    message = " ".join(received.reasons)
    if signal == "logs":
        if not received.rejected:
            return ExportLogsServiceResponse().SerializeToString()
        partial = ExportLogsPartialSuccess(rejected_log_records=received.rejected, error_message=message)
        return ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    if not received.rejected:
        return ExportTraceServiceResponse().SerializeToString()
    partial = ExportTracePartialSuccess(rejected_spans=received.rejected, error_message=message)
    return ExportTraceServiceResponse(partial_success=partial).SerializeToString()


def _has_span(request: ExportTraceServiceRequest) -> bool:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                return bool(span.trace_id or span.start_time_unix_nano)
    return False


def _is_logs(body: bytes) -> bool:
    request = ExportLogsServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError:
        return False
    return any(
        record.HasField("body") or record.event_name or record.time_unix_nano
        for resource_logs in request.resource_logs
        for scope_logs in resource_logs.scope_logs
        for record in scope_logs.log_records
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        value = pair.value
        # Nearly all values are texts or numbers: asking which one it is costs more than looking.
        found[pair.key] = value.string_value or value.int_value or _value(value, 0)
    return found


def _value(value: Any, depth: int) -> Any:
    which = value.WhichOneof("value")
    if which is None or depth > _DEPTH:
        return None
    if which == "array_value":
        return [_value(item, depth + 1) for item in value.array_value.values]
    if which == "kvlist_value":
        return {pair.key: _value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    if which == "bytes_value":
        return b64encode(value.bytes_value).decode()
    return getattr(value, which)
