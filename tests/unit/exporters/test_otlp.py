"""Spans on their way out, read back as another collector reads them."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from noria.exporters import encode
from noria.tracing.otlp import Sender
from noria.tracing.otlp_protobuf import traces
from noria.tracing.span import Event, Link, Span

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
NAME = st.text("abcdefgh/-", min_size=1, max_size=12)
COUNT = st.one_of(st.none(), st.integers(0, 1 << 40))
TIME = st.integers(1, 1 << 62)
SECRET = "the quick brown fox"


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start, end = sorted((draw(TIME), draw(TIME)))
    tokens = draw(COUNT)
    return Span(
        trace_id=draw(st.binary(min_size=16, max_size=16).filter(any)),
        span_id=draw(st.binary(min_size=8, max_size=8).filter(any)),
        parent_id=draw(st.one_of(st.none(), st.binary(min_size=8, max_size=8).filter(any))),
        name=draw(NAME),
        kind=draw(st.sampled_from(("internal", "server", "client", "producer", "consumer"))),
        start=start,
        end=end,
        status=draw(st.sampled_from(("unset", "ok", "error"))),
        status_message=draw(TEXT),
        operation=draw(st.sampled_from(("chat", "embeddings", "execute_tool"))),
        service=draw(NAME),
        provider=draw(NAME),
        model=draw(NAME),
        user=draw(st.one_of(st.just(""), NAME)),
        session=draw(st.one_of(st.just(""), NAME)),
        episode=draw(st.one_of(st.just(""), NAME)),
        team=draw(st.one_of(st.just(""), NAME)),
        tags=draw(st.dictionaries(NAME, TEXT.filter(bool), max_size=3)),
        input_tokens=tokens,
        output_tokens=draw(COUNT) if tokens is not None else None,
        stop_reason=draw(st.one_of(st.just(""), NAME)),
        http_status=draw(st.one_of(st.none(), st.integers(100, 599))),
        error_kind=draw(st.one_of(st.just(""), NAME)),
        events=tuple(draw(st.lists(st.builds(Event, NAME, TIME), max_size=2))),
        links=tuple(draw(st.lists(st.builds(Link, st.binary(min_size=16, max_size=16),
                                            st.binary(min_size=8, max_size=8)), max_size=2))),
        scope=draw(TEXT),
        schema_url=draw(TEXT),
    )  # fmt: skip


KEPT = (
    "trace_id", "span_id", "parent_id", "name", "kind", "start", "end", "status", "status_message",
    "operation",
    "service", "provider", "model", "user", "session", "episode", "team", "tags", "input_tokens",
    "output_tokens", "stop_reason", "http_status", "events", "links", "scope", "schema_url",
)  # fmt: skip


@given(st.lists(spans(), max_size=4))
def test_another_noria_reads_what_this_one_sends(sent: list[Span]) -> None:
    received = traces(encode(sent, payloads=True), Sender(), lambda _provider, _model: None)
    assert not received.rejected

    def kept(span: Span) -> dict[str, Any]:
        return {name: getattr(span, name) for name in KEPT}

    def order(span: dict[str, Any]) -> str:
        return repr(span)

    assert sorted(map(kept, received.spans), key=order) == sorted(map(kept, sent), key=order)


def _gateway(**more: Any) -> Span:
    request = {
        "model": "smart",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": SECRET}]},
        ],
    }
    message = {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q":"fox"}'}}
    ]}  # fmt: skip
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    response = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    fields: dict[str, Any] = {
        "trace_id": b"\1" * 16, "span_id": b"\2" * 8, "name": "chat smart", "kind": "server",
        "start": 1_000_000_000, "end": 3_000_000_000, "operation": "chat", "service": "noria",
        "provider": "acme", "model": "smart", "response_model": "m-1", "route": "smart", "target": "acme/m",
        "cost_pico": 1_234_500_000, "first_token": 1_500_000_000, "stop_reason": "tool_calls",
        "input_tokens": 12, "output_tokens": 3, "cached_tokens": 4, "usage": "reported", "config": "sha256:c",
        "source": "gateway", "scope": "noria.gateway", "input": json.dumps(request),
        "output": json.dumps(response),
        "attributes": {"noria.dialect": "openai", "noria.route.weights": {"acme/m": 1.0},
                       "noria.response.frames": SECRET, "user_agent.original": "curl"},
    }  # fmt: skip
    return Span(**{**fields, **more})


def _attributes(span: Span, *, payloads: bool) -> dict[str, Any]:
    request = ExportTraceServiceRequest.FromString(encode([span], payloads=payloads))
    [wire] = request.resource_spans[0].scope_spans[0].spans
    found: dict[str, Any] = {}
    for pair in wire.attributes:
        which = pair.value.WhichOneof("value")
        assert which is not None
        value = getattr(pair.value, which)
        found[pair.key] = [item.string_value for item in value.values] if which == "array_value" else value
    return found


def test_a_gateways_span_speaks_the_genai_conventions() -> None:
    found = _attributes(_gateway(), payloads=False)
    assert found["gen_ai.operation.name"] == "chat"
    assert found["gen_ai.request.model"] == "smart"
    assert found["gen_ai.response.model"] == "m-1"
    assert found["gen_ai.usage.input_tokens"] == 12
    assert found["gen_ai.usage.cache_read.input_tokens"] == 4
    assert found["gen_ai.response.finish_reasons"] == ["tool_calls"]
    assert found["gen_ai.response.time_to_first_chunk"] == 0.5
    assert found["noria.cost"] == "0.0012345"
    assert found["noria.route.weights"] == '{"acme/m":1.0}'
    assert found["user_agent.original"] == "curl"


def test_payloads_go_as_messages_where_they_can_be_read() -> None:
    found = _attributes(_gateway(), payloads=True)
    said = json.loads(found["gen_ai.input.messages"])
    assert said[1] == {"role": "user", "parts": [{"type": "text", "content": SECRET}]}
    [answer] = json.loads(found["gen_ai.output.messages"])
    call = {"type": "tool_call", "id": "c1", "name": "find", "arguments": {"q": "fox"}}
    assert (answer["parts"], answer["finish_reason"]) == ([call], "tool_calls")
    odd = _attributes(_gateway(input="{nonsense", output="[]"), payloads=True)
    assert (odd["input.value"], odd["output.value"]) == ("{nonsense", "[]")


def test_without_payloads_nothing_that_anybody_said_goes_out() -> None:
    others: dict[str, Any] = dict.fromkeys(
        (
            "gen_ai.prompt.0.content",
            "gen_ai.completion.0.content",
            "llm.input_messages.0.message.content",
            "input.value",
            "output.value",
            "traceloop.entity.input",
            "ai.prompt.messages",
            "ai.response.text",
            "gen_ai.tool.call.arguments",
            "gen_ai.tool.call.result",
            "gen_ai.system_instructions",
            "mlflow.spanInputs",
            "retrieval.documents.0.document.content",
            "llm.prompts.0",
            "all_messages",
            "ai.response.toolCalls",
            "gen_ai.input.messages",
            "db.query.text",
        ),
        SECRET,
    )
    others |= {"custom": SECRET + "!" * 1_000, "gen_ai.usage.output_tokens": 3}
    event = Event("gen_ai.user.message", 5, {"content": SECRET, "body": {"content": SECRET}, "role": "user"})
    link = Link(b"\3" * 16, b"\4" * 8, {"input": SECRET})
    other = msgspec.structs.replace(
        _gateway(), source="otlp", attributes=others, events=(event,), links=(link,)
    )
    body = encode([_gateway(), other], payloads=False)
    assert SECRET.encode() not in body
    assert b"fox" not in body
    assert b"gen_ai.usage.output_tokens" in body
    assert SECRET.encode() in encode([other], payloads=True)
