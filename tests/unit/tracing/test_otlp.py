"""OTLP as senders post it, right and wrong, in both encodings."""

import gzip
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from noria.errors import InvalidRequest
from noria.models.price import Price
from noria.tracing import otlp_json, otlp_protobuf
from noria.tracing.otlp import Received, Sender
from noria.tracing.span import Span
from noria.tracing.totals import Role, roles

T0 = 1_795_176_000_000_000_000
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENDER = Sender(project="p", key="key_1", team="search", user="", tags={"k": "v"})
PRICE = Price(id="x@1", input=Decimal("2.5"), output=Decimal(10), cached=Decimal("1.25"))


def price_of(provider: str, model: str) -> Price | None:
    return PRICE if model == "gpt-4o" else None


def body(attributes: Any, /, **more: Any) -> dict[str, Any]:
    span = {
        "traceId": TRACE, "spanId": SPAN, "name": "chat gpt-4o", "kind": 3,
        "startTimeUnixNano": str(T0), "endTimeUnixNano": str(T0 + 10**9), "attributes": attributes,
    } | more  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    return {
        "resourceSpans": [
            {
                "resource": resource,
                "scopeSpans": [{"scope": {"name": "lib"}, "spans": [span]}],
                "schemaUrl": "u",
            }
        ]
    }


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    def wrap(value: Any) -> dict[str, Any]:
        if isinstance(value, bool):
            return {"boolValue": value}
        if isinstance(value, int):
            return {"intValue": str(value)}
        if isinstance(value, float):
            return {"doubleValue": value}
        if isinstance(value, list):
            return {"arrayValue": {"values": [wrap(item) for item in value]}}
        if isinstance(value, dict):
            return {"kvlistValue": {"values": [{"key": k, "value": wrap(v)} for k, v in value.items()]}}
        return {"stringValue": value}

    return [{"key": name, "value": wrap(value)} for name, value in attributes.items()]


def read(request: dict[str, Any]) -> Received:
    return otlp_json.traces(json.dumps(request).encode(), SENDER, price_of)


def one(attributes: dict[str, Any], **more: Any) -> Span:
    received = read(body(pairs(attributes), **more))
    assert received.rejected == 0
    (span,) = received.spans
    return span


CURRENT = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024", "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 100,
    "gen_ai.usage.cache_read.input_tokens": 400, "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.conversation.id": "c1", "user.id": "ann", "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.system_instructions": '[{"type":"text","content":"Be kind."}]',
    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}]}]',
}  # fmt: skip
OLDER = {
    "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.prompt_tokens": 1000, "gen_ai.usage.completion_tokens": 100,
}  # fmt: skip
TRACELOOP = {
    "llm.request.type": "chat", "gen_ai.system": "OpenAI", "gen_ai.request.model": "gpt-4o",
    "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Hi", "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Hello", "gen_ai.usage.prompt_tokens": 1000,
    "gen_ai.usage.completion_tokens": 100, "traceloop.association.properties.user_id": "ann",
    "traceloop.association.properties.plan": "pro",
}  # fmt: skip
OPENINFERENCE = {
    "openinference.span.kind": "LLM", "llm.provider": "openai", "llm.model_name": "gpt-4o",
    "llm.token_count.prompt": 1000, "llm.token_count.completion": 100, "input.value": "{}", "session.id": "s",
    "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "Hi",
    "llm.output_messages.0.message.content": "Hello", "tag.tags": ["beta"],
}  # fmt: skip
VERCEL = {
    "ai.operationId": "ai.streamText.doStream", "ai.model.provider": "openai.chat", "ai.model.id": "gpt-4o",
    "ai.usage.promptTokens": 1000, "ai.usage.completionTokens": 100, "ai.response.text": "Hello",
    "ai.prompt.messages": '[{"role":"user","content":"Hi"}]', "ai.response.msToFirstChunk": 250.5,
    "ai.response.finishReason": "stop", "ai.telemetry.metadata.userId": "ann",
}  # fmt: skip


@pytest.mark.parametrize("attributes", [CURRENT, OLDER, TRACELOOP, OPENINFERENCE, VERCEL])
def test_every_convention_says_the_same(attributes: dict[str, Any]) -> None:
    span = one(attributes)
    assert (span.operation, span.provider.lower(), span.model) == ("chat", "openai", "gpt-4o")
    assert (span.input_tokens, span.output_tokens, span.price) == (1000, 100, "x@1")
    assert (span.service, span.scope, span.schema_url, span.project, span.kind) == (
        "shop",
        "lib",
        "u",
        "p",
        "client",
    )
    assert span.attributes.items() >= attributes.items()
    assert roles([span]) == {span.span_id: Role.CALL}
    if attributes is not OLDER:
        assert "Hi" in (span.input or "") and "Hello" in (span.output or "")


def test_what_each_convention_has_of_its_own() -> None:
    current = one(CURRENT)
    assert current.cost_pico == 600 * 2_500_000 + 400 * 1_250_000 + 100 * 10_000_000
    assert (current.session, current.user, current.stop_reason) == ("c1", "ann", "stop")
    assert current.first_token == T0 + 250_000_000
    assert json.loads(current.input or "")[0] == {
        "role": "system", "parts": [{"type": "text", "content": "Be kind."}],
    }  # fmt: skip
    assert one(TRACELOOP).tags == {"k": "v", "plan": "pro"}
    assert one(OPENINFERENCE).tags == {"k": "v", "beta": "true"}
    assert json.loads(one(OPENINFERENCE).input or "") == [{"role": "user", "content": "Hi"}]
    assert one(VERCEL).first_token == T0 + 250_500_000
    assert one({"openinference.span.kind": "TOOL", "input.value": "x"}).operation == "execute_tool"
    assert one({"a": 1}).operation == ""


def test_an_unknown_price_is_unknown_unless_the_sender_says_a_cost() -> None:
    unknown = OLDER | {"gen_ai.request.model": "mystery"}
    assert one(unknown).cost_pico is None
    assert one(unknown | {"llm.cost.total": 0.5}).cost_pico == 5 * 10**11
    assert one(unknown | {"llm.cost.total": "nan"}).cost_pico is None


def test_messages_that_come_as_span_events() -> None:
    events = [
        {"name": "gen_ai.user.message", "timeUnixNano": T0,
         "attributes": pairs({"content": "Hi", "gen_ai.system": "x"})},
        {"name": "gen_ai.choice", "timeUnixNano": T0, "attributes": pairs({"message": "Hello"})},
    ]  # fmt: skip
    span = one(OLDER, events=events)
    assert json.loads(span.input or "") == [{"role": "user", "content": "Hi"}]
    assert json.loads(span.output or "") == [{"message": "Hello"}]
    prompt = [
        {"name": "gen_ai.content.prompt", "timeUnixNano": T0, "attributes": pairs({"gen_ai.prompt": "[1]"})}
    ]
    assert one(OLDER, events=prompt).input == "[1]"


def test_an_error_is_named_by_its_exception() -> None:
    events = [
        {"name": "exception", "timeUnixNano": T0, "attributes": pairs({"exception.type": "TimeoutError"})}
    ]
    span = one({}, status={"code": 2, "message": "boom"}, events=events)
    assert (span.status, span.error_kind, span.status_message) == ("error", "TimeoutError", "boom")


def test_log_records_become_events_of_their_span() -> None:
    record = {
        "traceId": TRACE, "spanId": SPAN, "timeUnixNano": str(T0), "eventName": "gen_ai.user.message",
        "body": {"kvlistValue": {"values": pairs({"role": "user", "content": "Hi"})}},
    }  # fmt: skip
    other = {"timeUnixNano": str(T0), "body": {"stringValue": "GET /"}}
    request = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record, other]}]}]}
    for received in (
        otlp_json.logs(json.dumps(request).encode(), SENDER),
        read(request),  # Posted to the traces URL by mistake.
    ):
        assert received.signal == "logs" and received.rejected == 1 and "GenAI events" in received.reasons[0]
        (span,) = received.spans
        assert span.name == "" and json.loads(span.input or "") == [{"role": "user", "content": "Hi"}]
    binary = ExportLogsServiceRequest()
    found = binary.resource_logs.add().scope_logs.add().log_records.add()
    found.trace_id, found.span_id = bytes.fromhex(TRACE), bytes.fromhex(SPAN)
    found.time_unix_nano, found.event_name = T0, "gen_ai.choice"
    found.body.kvlist_value.values.add(key="finish_reason").value.string_value = "stop"
    raw = binary.SerializeToString()
    for received in (otlp_protobuf.logs(raw, SENDER), otlp_protobuf.traces(raw, SENDER, price_of)):
        assert received.signal == "logs"
        assert json.loads(received.spans[0].output or "") == [{"finish_reason": "stop"}]


@pytest.mark.parametrize(
    ("span", "understood"),
    [
        ({"attributes": {"gen_ai.request.model": "gpt-4o", "n": 3}}, True),
        ({"attributes": [{"key": "gen_ai.request.model", "value": "gpt-4o"}]}, True),
        ({"traceId": "0af7651916cd43dd"}, True),
        ({"traceId": "CvdlGRbNQ92ESOshHIAxnA==", "spanId": "t61rcWkgMzE="}, True),
        ({"kind": "SPAN_KIND_CLIENT", "status": {"code": "STATUS_CODE_ERROR"}}, True),
        ({"startTimeUnixNano": T0, "endTimeUnixNano": T0}, True),
        ({"traceId": "xyz"}, False),
        ({"traceId": "0" * 32}, False),
        ({"traceId": TRACE + "00"}, False),
        ({"spanId": ""}, False),
        ({"startTimeUnixNano": "yesterday"}, False),
    ],
)
def test_malformed_senders_are_understood_or_told(span: dict[str, Any], understood: bool) -> None:
    received = read(body([], **span))
    assert (len(received.spans), received.rejected) == ((1, 0) if understood else (0, 1))
    if not understood:
        told = json.loads(otlp_json.answer(received, signal="traces"))["partialSuccess"]
        assert told["rejectedSpans"] == "1" and told["errorMessage"].endswith(".")
    elif "attributes" in span:
        assert received.spans[0].model == "gpt-4o"


@pytest.mark.parametrize(
    "raw", [b"", b"nonsense", b"[]", b'{"spans":[]}', b'{"resourceSpans":3}', b"\xff" * 9]
)
def test_what_is_no_export_is_refused_with_a_sentence(raw: bytes) -> None:
    if raw:
        with pytest.raises(InvalidRequest, match=r"\.$"):
            otlp_json.traces(raw, SENDER, price_of)
    if raw not in (b"",):
        with pytest.raises(InvalidRequest, match=r"\.$"):
            otlp_protobuf.traces(gzip.compress(raw), SENDER, price_of)


def test_protobuf_says_the_same_as_json() -> None:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add(schema_url="u")
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    scoped = group.scope_spans.add()
    scoped.scope.name = "lib"
    span = scoped.spans.add(
        trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN), name="chat gpt-4o", kind=3,
        start_time_unix_nano=T0, end_time_unix_nano=T0 + 10**9,
    )  # fmt: skip
    for name, value in CURRENT.items():
        slot = span.attributes.add(key=name).value
        if isinstance(value, list):
            slot.array_value.values.add().string_value = value[0]
        elif isinstance(value, int):
            slot.int_value = value
        elif isinstance(value, float):
            slot.double_value = value
        else:
            slot.string_value = value
    received = otlp_protobuf.traces(request.SerializeToString(), SENDER, price_of)
    assert received.spans == read(body(pairs(CURRENT))).spans
    span.trace_id = b"short"
    told = ExportTraceServiceResponse.FromString(
        otlp_protobuf.answer(
            otlp_protobuf.traces(request.SerializeToString(), SENDER, price_of), signal="traces"
        )
    )
    assert told.partial_success.rejected_spans == 1 and "16 bytes" in told.partial_success.error_message


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_names = st.sampled_from(
    ["traceId", "spanId", "name", "attributes", "events", "links", "status", "kind", "startTimeUnixNano"]
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(_names, _json, max_size=6),
    st.lists(st.fixed_dictionaries({"key": st.text(max_size=5), "value": _json}), max_size=3),
)
def test_no_json_breaks_it(fields: dict[str, Any], attributes: list[Any]) -> None:
    request = body(attributes, **fields)
    try:
        received = otlp_json.traces(msgspec.json.encode(request), SENDER, price_of)
    except InvalidRequest:
        return
    for span in received.spans:
        msgspec.msgpack.encode(span)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_it(raw: bytes) -> None:
    for read in (
        lambda: otlp_protobuf.traces(raw, SENDER, price_of),
        lambda: otlp_protobuf.logs(raw, SENDER),
    ):
        try:
            received = read()
        except InvalidRequest:
            continue
        for span in received.spans:
            msgspec.msgpack.encode(span)
