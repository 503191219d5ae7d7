"""Spans as the body of an OTLP trace export, in protobuf."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Wire

from noria.exporters.attributes import attributes_of, resource_of, without_content
from noria.tracing.span import Event, Link, Span

KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
STATUSES = {"unset": 0, "ok": 1, "error": 2}
SAMPLED = 1
"""The W3C trace flag."""
_INT = 1 << 63
_encode = msgspec.json.Encoder(order="deterministic").encode


def encode(spans: Iterable[Span], *, payloads: bool) -> bytes:
    """An ExportTraceServiceRequest; spans of one program and scope lie together."""
    groups: dict[bytes, dict[tuple[str, str], list[Span]]] = {}
    resources: dict[bytes, dict[str, Any]] = {}
    for span in spans:
        resource = resource_of(span)
        key = _encode(resource)
        resources[key] = resource
        groups.setdefault(key, {}).setdefault((span.scope, span.schema_url), []).append(span)
    request = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=_pairs(resources[key])),
                scope_spans=[
                    ScopeSpans(
                        scope=InstrumentationScope(name=scope),
                        schema_url=schema_url,
                        spans=[_span(span, payloads=payloads) for span in group],
                    )
                    for (scope, schema_url), group in scopes.items()
                ],
            )
            for key, scopes in groups.items()
        ]
    )
    return request.SerializeToString()


def _span(span: Span, *, payloads: bool) -> Wire:
    return Wire(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id or b"",
        flags=SAMPLED,
        name=span.name,
        kind=KINDS[span.kind],  # pyright: ignore[reportArgumentType]  # the stubs want the enum's own values
        start_time_unix_nano=span.start,
        end_time_unix_nano=span.end,
        attributes=_pairs(attributes_of(span, payloads=payloads)),
        events=[_event(event, payloads=payloads) for event in span.events],
        links=[_link(link, payloads=payloads) for link in span.links],
        status=Status(
            code=STATUSES[span.status],  # pyright: ignore[reportArgumentType]
            message=span.status_message,
        ),
    )


def _event(event: Event, *, payloads: bool) -> Wire.Event:
    attributes = event.attributes if payloads else without_content(event.attributes)
    return Wire.Event(name=event.name, time_unix_nano=event.at, attributes=_pairs(attributes))


def _link(link: Link, *, payloads: bool) -> Wire.Link:
    attributes = link.attributes if payloads else without_content(link.attributes)
    return Wire.Link(trace_id=link.trace_id, span_id=link.span_id, attributes=_pairs(attributes))


def _pairs(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [
        KeyValue(key=name, value=_value(value)) for name, value in attributes.items() if value is not None
    ]


def _value(value: Any) -> AnyValue:
    """Objects and nested lists go as JSON: few backends take them as they are."""
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int() if -_INT <= value < _INT:
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case list() | tuple() if _flat(value):
            return AnyValue(array_value=ArrayValue(values=[_value(item) for item in value]))
        case _:
            return AnyValue(string_value=_encode(value).decode())


def _flat(items: Sequence[Any]) -> bool:
    return all(isinstance(item, str | bool | int | float) for item in items)
