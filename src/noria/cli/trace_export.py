"""Traces for other programs: JSON Lines, OTLP JSON and CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

Trace = Mapping[str, Any]
Whole = Callable[[str], Any]
"""Gives a trace with its spans, by id."""
_COLUMNS = (
    "id", "start_ms", "duration_ms", "status", "http_status", "error_kind", "name", "operation", "service",
    "route", "model", "provider", "user", "session", "team", "key", "cache", "input_tokens", "output_tokens",
    "cost", "unknown_costs", "first_token_ms", "attempts", "spans", "errors", "unconfirmed", "config",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_STATUS = {"unset": 0, "ok": 1, "error": 2}
_NAMES = {
    "operation": "gen_ai.operation.name",
    "provider": "gen_ai.provider.name",
    "model": "gen_ai.request.model",
    "response_model": "gen_ai.response.model",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cached_tokens": "gen_ai.usage.cache_read.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "session": "gen_ai.conversation.id",
    "input": "gen_ai.input.messages",
    "output": "gen_ai.output.messages",
    "user": "user.id",
    "error_kind": "error.type",
    "http_status": "http.response.status_code",
    "cost": "gen_ai.usage.cost",
    "route": "noria.route",
    "target": "noria.target",
    "team": "noria.team",
    "key": "noria.key",
    "episode": "noria.episode",
    "cache": "noria.cache",
    "attempts": "noria.attempts",
    "usage": "noria.usage",
    "price": "noria.price",
    "config": "noria.config",
}
"""Field of a span to the attribute that says it (OpenTelemetry GenAI where that has a name)."""


def json_lines(traces: Iterable[Trace], whole: Whole, to: TextIO) -> int:
    """One trace a line, with its spans and feedback."""
    count = 0
    for trace in traces:
        json.dump(whole(trace["id"]), to, ensure_ascii=False, separators=(",", ":"))
        to.write("\n")
        count += 1
    return count


def otlp(traces: Iterable[Trace], whole: Whole, to: TextIO) -> int:
    """One ExportTraceServiceRequest a line.

    Source: https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/ (JSON Lines) and
    https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding (hex ids, 64-bit integers as strings).
    """
    count = 0
    for trace in traces:
        json.dump(_request(whole(trace["id"])["trace"]), to, ensure_ascii=False, separators=(",", ":"))
        to.write("\n")
        count += 1
    return count


def comma_separated(traces: Iterable[Trace], whole: Whole, to: TextIO) -> int:
    """One line a trace, safe to open in a spreadsheet; without bodies."""
    writer = csv.writer(to, lineterminator="\r\n")
    writer.writerow([*_COLUMNS, "tags"])
    count = 0
    for trace in traces:
        tags = ", ".join(f"{name}={value}" for name, value in trace["tags"].items())
        writer.writerow([_cell(value) for value in (*(trace[name] for name in _COLUMNS), tags)])
        count += 1
    return count


WRITERS: dict[str, Callable[[Iterable[Trace], Whole, TextIO], int]] = {
    "jsonl": json_lines,
    "otlp": otlp,
    "csv": comma_separated,
}


def _cell(value: object) -> object:
    # A cell that starts as a formula would be run by a spreadsheet: CWE-1236.
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value


def _request(trace: Trace) -> dict[str, Any]:
    groups: dict[tuple[str, str, str], list[Any]] = {}
    for span in trace["spans"]:
        groups.setdefault((span["service"], span["scope"], span["schema_url"]), []).append(span)
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes({"service.name": service or "noria"})},
                "scopeSpans": [
                    {
                        "scope": {"name": scope},
                        "schemaUrl": schema,
                        "spans": [_span(trace["id"], span) for span in spans],
                    }
                ],
            }
            for (service, scope, schema), spans in groups.items()
        ]
    }


def _span(trace: str, span: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: span[field] for field, name in _NAMES.items() if span[field] not in (None, "")}
    if span["stop_reason"]:
        said["gen_ai.response.finish_reasons"] = [span["stop_reason"]]
    if span["first_token_ms"] is not None:
        said["gen_ai.response.time_to_first_chunk"] = span["first_token_ms"] / 1000
    said |= {f"noria.tag.{name}": value for name, value in span["tags"].items()}
    # What the sender itself said comes first: it is not to be said twice in other words.
    made: dict[str, Any] = {
        "traceId": trace,
        "spanId": span["id"],
        "name": span["name"],
        "kind": _KINDS.get(span["kind"], 1),
        "startTimeUnixNano": _nanoseconds(span["start_ms"]),
        "endTimeUnixNano": _nanoseconds(span["start_ms"] + span["duration_ms"]),
        "attributes": _attributes({**said, **span["attributes"]}),
        "status": {"code": _STATUS.get(span["status"], 0), "message": span["status_message"]},
        "events": [
            {
                "name": event["name"],
                "timeUnixNano": _nanoseconds(event["at_ms"]),
                "attributes": _attributes(event["attributes"]),
            }
            for event in span["events"]
        ],
        "links": [
            {
                "traceId": link["trace_id"],
                "spanId": link["span_id"],
                "attributes": _attributes(link["attributes"]),
            }
            for link in span["links"]
        ],
    }
    return made if span["parent"] is None else {**made, "parentSpanId": span["parent"]}


def _nanoseconds(ms: float) -> str:
    return str(round(ms * 1000) * 1000)


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_value(one) for one in value]}}
        case dict():
            pairs = [{"key": str(name), "value": _value(inner)} for name, inner in value.items()]
            return {"kvlistValue": {"values": pairs}}
        case None:
            return {}
        case _:
            return {"stringValue": str(value)}
