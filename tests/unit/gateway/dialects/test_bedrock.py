"""The Bedrock back: an independent reader of Converse's JSON, AWS's own service model, and round trips."""

from __future__ import annotations

import json
from base64 import b64decode
from itertools import pairwise
from typing import Any

import botocore.session
import msgspec
import pytest
from botocore.validate import ParamValidator
from hypothesis import example, given, settings
from hypothesis import strategies as st

from noria.core import messages as m
from noria.core.usage import NO_USAGE, Usage
from noria.errors import InvalidRequest, Unsupported, UpstreamError
from noria.gateway.dialects import eventstream
from noria.gateway.dialects.bedrock import BedrockBack

BACK = BedrockBack()
CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
SERVICE = botocore.session.Session().get_service_model("bedrock-runtime")


def ask(*conversation: m.Message, **fields: Any) -> m.Request:
    turns = conversation or (said("user", m.Text(text="Hello")),)
    return m.Request(model="public", messages=turns, **fields)


def said(role: Any, *parts: m.Part) -> m.Message:
    return m.Message(role=role, parts=parts)


def wire(request: m.Request, *, model: str = CLAUDE) -> dict[str, Any]:
    return json.loads(BACK.request(request, model=model, options={}).body)


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value, separators=(",", ":")).encode())


def check_with_aws(body: dict[str, Any]) -> None:
    """AWS's own service model accepts the body; its blobs are base64 in JSON."""

    def bytes_of(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {k: bytes_of(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [bytes_of(item) for item in value]
        return b64decode(value) if key in ("bytes", "redactedContent") and isinstance(value, str) else value

    shape = SERVICE.operation_model("Converse").input_shape
    report = ParamValidator().validate({"modelId": CLAUDE, **bytes_of(body)}, shape)
    assert not report.has_errors(), report.generate_report()


# The independent reader: Converse's JSON → Request, written from the API's reference.


def read(body: dict[str, Any]) -> m.Request:
    turns: list[m.Message] = []
    if "system" in body:
        turns.append(said("system", *read_blocks(body["system"])))
    for turn in body["messages"]:
        run: list[m.Part] = []
        for part in read_blocks(turn["content"]):
            if run and isinstance(run[-1], m.ToolResult) != isinstance(part, m.ToolResult):
                turns.append(said("tool" if isinstance(run[-1], m.ToolResult) else turn["role"], *run))
                run = []
            run.append(part)
        turns.append(said("tool" if isinstance(run[-1], m.ToolResult) else turn["role"], *run))
    fields: dict[str, Any] = {
        {"maxTokens": "max_tokens", "topP": "top_p", "stopSequences": "stop"}.get(key, key): (
            tuple(value) if isinstance(value, list) else value
        )
        for key, value in body.get("inferenceConfig", {}).items()
    }
    tools: list[m.Tool] = []
    for block in body.get("toolConfig", {}).get("tools", ()):
        if "cachePoint" in block:
            tools[-1] = msgspec.structs.replace(tools[-1], cache=block["cachePoint"].get("ttl", "5m"))
            continue
        spec = block["toolSpec"]
        schema = raw(spec["inputSchema"]["json"])
        tools.append(
            m.Tool(
                name=spec["name"],
                description=spec.get("description"),
                parameters=schema,
                strict=spec.get("strict"),
            )
        )
    fields["tools"] = tuple(tools)
    match body.get("toolConfig", {}).get("toolChoice"):
        case {"auto": _}:
            fields["tool_choice"] = m.ToolChoice(mode="auto")
        case {"any": _}:
            fields["tool_choice"] = m.ToolChoice(mode="required")
        case {"tool": {"name": name}}:
            fields["tool_choice"] = m.ToolChoice(mode="required", name=name)
    more = body.get("additionalModelRequestFields", {})
    fields["top_k"] = more.get("top_k")
    output = body.get("outputConfig", {})
    thinking = more.get("thinking")
    if thinking is not None or "effort" in output:
        fields["reasoning"] = m.ReasoningConfig(
            effort=output.get("effort"),
            budget_tokens=thinking.get("budget_tokens") if thinking else None,
            enabled={"enabled": True, "disabled": False}.get(thinking["type"]) if thinking else None,
            adaptive=bool(thinking) and thinking["type"] == "adaptive",
        )
    if "textFormat" in output:
        form = output["textFormat"]["structure"]["jsonSchema"]
        fields["response_format"] = m.ResponseFormat(
            type="json_schema",
            name=form.get("name"),
            description=form.get("description"),
            schema=msgspec.Raw(form["schema"].encode()),
        )
    fields["service_tier"] = body.get("serviceTier", {}).get("type")
    return m.Request(model="public", messages=tuple(turns), **fields)


def read_blocks(blocks: list[dict[str, Any]]) -> list[m.Part]:
    parts: list[m.Part] = []
    for block in blocks:
        if "cachePoint" in block:
            parts[-1] = msgspec.structs.replace(parts[-1], cache=block["cachePoint"].get("ttl", "5m"))
        else:
            parts.append(read_block(block))
    return parts


def read_block(block: dict[str, Any]) -> m.Part:
    [(kind, value)] = block.items()
    match kind:
        case "text":
            return m.Text(text=value)
        case "image":
            source = value["source"]
            url = source["s3Location"]["uri"] if "s3Location" in source else None
            return m.Image(data=source.get("bytes"), url=url, media_type=f"image/{value['format']}")
        case "document":
            assert value["format"] == "pdf"
            data = value["source"]["bytes"]
            return m.File(data=data, media_type="application/pdf", name=value["name"])
        case "audio":
            return m.File(data=value["source"]["bytes"], media_type=f"audio/{value['format']}")
        case "reasoningContent":
            if "redactedContent" in value:
                return m.Reasoning(encrypted=value["redactedContent"])
            return m.Reasoning(**value["reasoningText"])
        case "toolUse":
            arguments = raw(value["input"])
            return m.ToolCall(id=value["toolUseId"], name=value["name"], arguments=bytes(arguments).decode())
        case "toolResult":
            parts = tuple(read_blocks(value["content"]))
            error = value.get("status") == "error"
            return m.ToolResult(call_id=value["toolUseId"], parts=parts, is_error=error)  # type: ignore[arg-type]
        case _:
            raise AssertionError(block)


words = st.text(min_size=1, max_size=12)
names = st.from_regex(r"[a-z_]{1,10}", fullmatch=True)
caches = st.sampled_from([None, None, "5m", "1h"])
schemas = st.fixed_dictionaries({"type": st.just("object"), "title": words}).map(raw)
arguments = st.dictionaries(names, st.integers() | words, max_size=2).map(lambda v: bytes(raw(v)).decode())
texts = st.builds(m.Text, text=words, cache=caches)
bare_texts = st.builds(m.Text, text=words)
images = st.builds(m.Image, data=st.just("aGk="), media_type=st.sampled_from(["image/png", "image/jpeg"]))
stored = st.builds(m.Image, url=st.just("s3://bucket/a.png"), media_type=st.just("image/png"))
sounds = st.builds(m.File, data=st.just("aGk="), media_type=st.just("audio/wav"))
thoughts = st.builds(m.Reasoning, text=words, signature=st.just("c2ln")) | st.builds(
    m.Reasoning, encrypted=st.just("aGk=")
)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[m.Message, ...]:
    turns: list[m.Message] = []
    if draw(st.booleans()):
        turns.append(said("system", *draw(st.lists(texts, min_size=1, max_size=2))))
    for turn in range(draw(st.integers(1, 3))):
        document = m.File(data="aGk=", media_type="application/pdf", name=f"doc {turn}", cache=draw(caches))
        parts = draw(st.lists(texts | images | stored | sounds, min_size=1, max_size=3))
        turns.append(said("user", *parts, *draw(st.sampled_from([(), (document,)]))))
        calls = [
            m.ToolCall(id=f"call_{turn}_{i}", name=draw(names), arguments=draw(arguments), cache=draw(caches))
            for i in range(draw(st.integers(0, 2)))
        ]
        turns.append(said("assistant", *draw(st.lists(thoughts | texts, min_size=1, max_size=2)), *calls))
        results = [
            m.ToolResult(
                call_id=call.id,
                parts=tuple(draw(st.lists(bare_texts | images, max_size=2))),
                is_error=draw(st.booleans()),
                cache=draw(caches),
            )
            for call in calls
        ]
        if results:
            turns.append(said("tool", *results))
    return tuple(turns)


@st.composite
def requests(draw: st.DrawFn) -> m.Request:
    numbers = st.floats(0, 1, allow_nan=False)
    efforts = st.sampled_from(["low", "medium", "high", "xhigh", "max"])
    optional: dict[str, st.SearchStrategy[Any]] = {
        "max_tokens": st.integers(1, 9999),
        "temperature": numbers,
        "top_p": numbers,
        "top_k": st.integers(1, 99),
        "stop": st.lists(words, min_size=1, max_size=2).map(tuple),
        "response_format": st.builds(
            m.ResponseFormat,
            type=st.just("json_schema"),
            schema=schemas,
            name=st.none() | names,
            description=st.none() | words,
        ),
        "reasoning": st.builds(m.ReasoningConfig, budget_tokens=st.integers(0, 999), enabled=st.just(True))
        | st.builds(m.ReasoningConfig, effort=efforts, adaptive=st.booleans())
        | st.just(m.ReasoningConfig(enabled=False)),
        "service_tier": st.sampled_from(["priority", "default", "flex", "reserved"]),
    }
    fields = {name: draw(value) for name, value in optional.items() if draw(st.booleans())}
    if draw(st.booleans()):
        fields["tools"] = tuple(
            draw(
                st.lists(
                    st.builds(
                        m.Tool,
                        name=names,
                        description=st.none() | words,
                        parameters=schemas,
                        strict=st.sampled_from([None, True]),
                        cache=caches,
                    ),
                    min_size=1,
                    max_size=2,
                )
            )
        )
        fields["tool_choice"] = draw(
            st.none()
            | st.builds(m.ToolChoice, mode=st.sampled_from(["auto", "required"]))
            | st.builds(m.ToolChoice, mode=st.just("required"), name=names)
        )
    return m.Request(model="public", messages=draw(conversations()), **fields)


@settings(deadline=None)
@given(requests())
def test_a_request_comes_back_from_the_wire_as_it_was(request_: m.Request) -> None:
    body = wire(request_)
    check_with_aws(body)
    assert read(body) == request_


SCHEMA = m.ResponseFormat(type="json_schema", schema=msgspec.Raw(b"{}"))
SAMPLES: dict[str, tuple[Any, str]] = {
    "model": ("other", "path"),
    "messages": ((said("user", m.Text(text="Other")),), "body"),
    "tools": ((m.Tool(name="f"), m.Tool(name="g")), "body"),
    "tool_choice": (m.ToolChoice(mode="required"), "body"),
    "parallel_tool_calls": (False, "refused"),
    "response_format": (SCHEMA, "body"),
    "max_tokens": (5, "body"),
    "temperature": (0.5, "body"),
    "top_p": (0.5, "body"),
    "top_k": (5, "body"),
    "min_p": (0.5, "refused"),
    "stop": (("x",), "body"),
    "seed": (5, "refused"),
    "n": (2, "refused"),
    "logprobs": (True, "refused"),
    "top_logprobs": (2, "refused"),
    "presence_penalty": (0.5, "refused"),
    "frequency_penalty": (0.5, "refused"),
    "logit_bias": ({"5": 1.0}, "refused"),
    "reasoning": (m.ReasoningConfig(effort="high"), "body"),
    "verbosity": ("low", "refused"),
    "stream": (True, "path"),
    "include_usage": (False, "noria"),
    "user": ("u", "noria"),
    "metadata": ({"a": "b"}, "noria"),
    "service_tier": ("flex", "body"),
    "store": (False, "noria"),
    "dialect": ("openai", "noria"),
    "extra": ({"web_search_options": raw({})}, "refused"),
    "notes": ({"prompt_cache_key": raw("k")}, "noria"),
}
"""Every field of Request, a value, and what becomes of it."""


def test_every_field_is_in_the_samples() -> None:
    assert set(SAMPLES) == set(m.Request.__struct_fields__)


@pytest.mark.parametrize("field", sorted(SAMPLES))
def test_no_field_is_dropped(field: str) -> None:
    value, fate = SAMPLES[field]
    base = ask(tools=(m.Tool(name="f"),))
    plain = BACK.request(base, model=CLAUDE, options={})
    changed = msgspec.structs.replace(base, **{field: value})
    if fate == "refused":
        with pytest.raises(Unsupported) as caught:
            BACK.request(changed, model=CLAUDE, options={})
        assert caught.value.param == (next(iter(value)) if field == "extra" else field)
        return
    made = BACK.request(changed, model="anthropic.other" if field == "model" else CLAUDE, options={})
    assert (made.body != plain.body) == (fate == "body")
    assert (made.path != plain.path) == (fate == "path")


@pytest.mark.parametrize(
    ("part", "param"),
    [
        (m.Text(text="x", citations=(raw({}),)), "messages.citations"),
        (m.Text(text="x", cache="12h"), "messages.cache"),
        (m.Image(url="https://x.test/a.png"), "messages.url"),
        (m.Image(data="aGk=", media_type="image/bmp"), "messages.media_type"),
        (m.Image(data="aGk=", media_type="image/png", detail="low"), "messages.detail"),
        (m.File(file_id="file-1"), "messages.file_id"),
        (m.File(data="aGk=", media_type="application/zip"), "messages.media_type"),
        (m.File(data="aGk=", media_type="audio/midi"), "messages.media_type"),
    ],
)
def test_parts_that_converse_cannot_express_are_refused(part: m.Part, param: str) -> None:
    with pytest.raises(Unsupported) as caught:
        wire(ask(said("user", part)))
    assert caught.value.param == param


def test_what_would_be_lost_elsewhere_is_refused() -> None:
    call = said("assistant", m.ToolCall(id="a", name="f", arguments="{}"))
    tools = (m.Tool(name="f"),)
    for request, model, param in (
        (ask(m.Message(role="user", name="Ann", parts=(m.Text(text="a"),))), CLAUDE, "messages.name"),
        (ask(response_format=m.ResponseFormat(type="json_object")), CLAUDE, "response_format"),
        (ask(reasoning=m.ReasoningConfig(effort="minimal")), CLAUDE, "reasoning.effort"),
        (ask(reasoning=m.ReasoningConfig(summary="concise")), CLAUDE, "reasoning.summary"),
        (ask(reasoning=m.ReasoningConfig(budget_tokens=9)), "meta.llama4", "reasoning.budget_tokens"),
        (ask(top_k=3), "meta.llama4", "top_k"),
        (ask(service_tier="scale"), CLAUDE, "service_tier"),
        (ask(call, tools=tools, tool_choice=m.ToolChoice(mode="none")), CLAUDE, "tool_choice"),
    ):
        with pytest.raises(Unsupported) as caught:
            wire(request, model=model)
        assert caught.value.param == param


def test_arguments_must_be_an_object() -> None:
    with pytest.raises(InvalidRequest, match="JSON object"):
        wire(ask(said("assistant", m.ToolCall(id="a", name="f", arguments="[1]"))))


@pytest.mark.parametrize(
    ("model", "config", "expected"),
    [
        ("amazon.nova-2", m.ReasoningConfig(effort="low"), {"type": "enabled", "maxReasoningEffort": "low"}),
        ("amazon.nova-2", m.ReasoningConfig(effort="none"), {"type": "disabled"}),
    ],
)
def test_reasoning_of_nova(model: str, config: m.ReasoningConfig, expected: dict[str, Any]) -> None:
    body = wire(ask(reasoning=config), model=model)
    assert body["additionalModelRequestFields"] == {"reasoningConfig": expected}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (m.ReasoningConfig(enabled=True), {"type": "adaptive"}),
        (m.ReasoningConfig(summary="auto"), {"type": "adaptive", "display": "summarized"}),
        (m.ReasoningConfig(effort="none"), {"type": "disabled"}),
        (
            m.ReasoningConfig(budget_tokens=9, summary="auto"),
            {"type": "enabled", "budget_tokens": 9, "display": "summarized"},
        ),
    ],
)
def test_reasoning_of_claude(config: m.ReasoningConfig, expected: dict[str, Any]) -> None:
    assert wire(ask(reasoning=config))["additionalModelRequestFields"] == {"thinking": expected}


def test_families() -> None:
    gpt = wire(ask(reasoning=m.ReasoningConfig(effort="low")), model="openai.gpt-oss-120b-1:0")
    assert gpt["additionalModelRequestFields"] == {"reasoning_effort": "low"}
    assert wire(ask(top_k=3), model="cohere.command-r-v1:0")["additionalModelRequestFields"] == {"k": 3}
    nova = wire(ask(top_k=3), model="us.amazon.nova-pro-v1:0")
    assert nova["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 3}}
    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x"
    hidden = BACK.request(ask(top_k=3), model=arn, options={"family": "anthropic"})
    assert json.loads(hidden.body)["additionalModelRequestFields"] == {"top_k": 3}
    assert (
        hidden.path
        == "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fx/converse"
    )


def test_proofs_of_other_providers_are_not_sent() -> None:
    call = m.ToolCall(id="a", name="f", arguments="{}", signature="geminis")
    plain = m.ToolCall(id="a", name="f", arguments="{}")
    assert wire(ask(said("assistant", call))) == wire(ask(said("assistant", plain)))
    unproven = said("assistant", m.Reasoning(text="hm", encrypted="openais"), m.Text(text="x"))
    assert wire(ask(unproven)) == wire(ask(said("assistant", m.Text(text="x"))))
    [turn] = wire(ask(unproven), model="deepseek.r1")["messages"]
    assert turn["content"][0] == {"reasoningContent": {"reasoningText": {"text": "hm"}}}


def test_openais_cache_hints_are_kept_at_least_as_long() -> None:
    [turn] = wire(ask(said("user", m.Text(text="x", cache="30m"))))["messages"]
    assert turn["content"][1] == {"cachePoint": {"type": "default", "ttl": "1h"}}


def test_a_cache_point_inside_a_result_moves_behind_it() -> None:
    result = m.ToolResult(call_id="a", parts=(m.Text(text="x", cache="1h"),))
    body = wire(ask(said("tool", result)))
    check_with_aws(body)
    assert body["messages"][0]["content"][1] == {"cachePoint": {"type": "default", "ttl": "1h"}}


def test_a_choice_among_tools_shows_only_those() -> None:
    tools = (m.Tool(name="f"), m.Tool(name="g"))
    body = wire(ask(tools=tools, tool_choice=m.ToolChoice(mode="required", allowed=("g",))))
    assert [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]] == ["g"]
    assert body["toolConfig"]["toolChoice"] == {"any": {}}
    with pytest.raises(InvalidRequest, match="None of the allowed"):
        wire(ask(tools=tools, tool_choice=m.ToolChoice(mode="auto", allowed=("x",))))


def test_tools_that_must_not_be_called_are_not_shown() -> None:
    assert "toolConfig" not in wire(ask(tools=(m.Tool(name="f"),), tool_choice=m.ToolChoice(mode="none")))


def test_turns_alternate_and_names_of_documents_differ() -> None:
    file = m.File(data="aGk=", media_type="application/pdf", name="q3_report.pdf")
    body = wire(
        ask(said("user", m.Text(text="a"), file), said("user", file), said("system", m.Text(text="b")))
    )
    check_with_aws(body)
    user, system = body["messages"]
    assert [b["document"]["name"] for b in user["content"] if "document" in b] == [
        "q3-report",
        "q3-report (2)",
    ]
    assert system == {"role": "system", "content": [{"text": "b"}]}


def test_ids_that_converse_refuses_are_replaced_on_both_sides() -> None:
    odd = "call|" + "x" * 80
    call, result = m.ToolCall(id=odd, name="f", arguments=""), m.ToolResult(call_id=odd, parts=())
    body = wire(ask(said("assistant", call), said("tool", result)))
    check_with_aws(body)
    used = body["messages"][0]["content"][0]["toolUse"]["toolUseId"]
    assert used == body["messages"][1]["content"][0]["toolResult"]["toolUseId"] != odd


def test_counting_tokens() -> None:
    counted = BACK.count_request(ask(max_tokens=5), model="a.b:0", options={})
    assert counted.path == "/model/a.b%3A0/count-tokens"
    assert json.loads(counted.body)["input"]["converse"].keys() == {"messages"}
    assert BACK.count_response(b'{"inputTokens": 31}') == 31


ANSWER: dict[str, Any] = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "I think", "signature": "c2ln"}}},
                {"reasoningContent": {"redactedContent": "aGlkZGVu"}},
                {"text": "Grüße"},
                {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
            ],
        }
    },
    "stopReason": "tool_use",
    "usage": {
        "inputTokens": 100,
        "outputTokens": 20,
        "totalTokens": 185,
        "cacheReadInputTokens": 40,
        "cacheWriteInputTokens": 25,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 10}, {"ttl": "5m", "inputTokens": 15}],
    },
    "metrics": {"latencyMs": 5},
    "serviceTier": {"type": "flex"},
}
USAGE = Usage(input=165, output=20, cached=40, cache_write=15, cache_write_1h=10, provenance="reported")


def test_an_answer() -> None:
    response = BACK.response(json.dumps(ANSWER).encode())
    [choice] = response.choices
    thought, hidden, text, call = choice.message.parts
    assert thought == m.Reasoning(text="I think", signature="c2ln")
    assert hidden == m.Reasoning(encrypted="aGlkZGVu")
    assert text == m.Text(text="Grüße")
    assert isinstance(call, m.ToolCall)
    assert (call.id, call.name, json.loads(call.arguments)) == ("t1", "f", {"a": 1})
    assert (choice.stop_reason, choice.raw_stop_reason) == ("tool_calls", "tool_use")
    assert (response.usage, response.service_tier) == (USAGE, "flex")


def test_an_answer_can_be_sent_back() -> None:
    content = wire(ask(BACK.response(json.dumps(ANSWER).encode()).choices[0].message))["messages"][0][
        "content"
    ]
    assert content == ANSWER["output"]["message"]["content"]


def test_every_stop_reason_that_aws_lists_is_known() -> None:
    expected = {
        "end_turn": "stop",
        "tool_use": "tool_calls",
        "max_tokens": "length",
        "stop_sequence": "stop_sequence",
        "guardrail_intervened": "content_filter",
        "content_filtered": "content_filter",
        "malformed_model_output": "error",
        "malformed_tool_use": "error",
        "model_context_window_exceeded": "length",
    }
    assert set(expected) == set(SERVICE.shape_for("StopReason").enum)
    for reason, stop in expected.items():
        body = json.dumps({**ANSWER, "stopReason": reason}).encode()
        assert BACK.response(body).choices[0].stop_reason == stop


# Streams


def frame(kind: str, payload: object) -> bytes:
    headers: dict[str, eventstream.Value] = {
        ":event-type": kind,
        ":content-type": "application/json",
        ":message-type": "event",
    }
    body = json.dumps(payload, ensure_ascii=False).encode()
    return eventstream.encode(eventstream.Message(headers, body))


def delta(index: int, value: object) -> bytes:
    return frame("contentBlockDelta", {"contentBlockIndex": index, "delta": value, "p": "abc"})


START = frame("messageStart", {"role": "assistant"})
FRAMES = (
    START,
    delta(0, {"reasoningContent": {"text": "I "}}),
    delta(0, {"reasoningContent": {"text": "think"}}),
    delta(0, {"reasoningContent": {"signature": "c2ln"}}),
    frame("contentBlockStop", {"contentBlockIndex": 0}),
    delta(1, {"reasoningContent": {"redactedContent": "aGk="}}),
    delta(1, {"reasoningContent": {"redactedContent": "ZGRlbg=="}}),
    frame("contentBlockStop", {"contentBlockIndex": 1}),
    delta(2, {"text": "Grü"}),
    delta(2, {"text": "ße"}),
    frame("contentBlockStop", {"contentBlockIndex": 2}),
    frame(
        "contentBlockStart", {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "t1", "name": "f"}}}
    ),
    delta(3, {"toolUse": {"input": '{"a"'}}),
    delta(3, {"toolUse": {"input": ":1}"}}),
    frame("contentBlockStop", {"contentBlockIndex": 3}),
    frame("somethingNew", {"x": 1}),
    frame("messageStop", {"stopReason": "tool_use"}),
    frame("metadata", {"usage": ANSWER["usage"], "metrics": {"latencyMs": 1}}),
)
STREAM = b"".join(FRAMES)


def events(data: bytes, cuts: list[int] | None = None) -> list[m.StreamEvent]:
    decoder = BACK.decoder()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts or []), len(data)]
    out: list[m.StreamEvent] = []
    for start, end in pairwise(edges):
        out += decoder.feed(data[start:end])
    return out + decoder.close()


def test_a_stream() -> None:
    assert events(STREAM) == [
        m.Start(id="", model=""),
        m.PartStart(index=0, part=m.Reasoning()),
        m.Delta(index=0, text="I "),
        m.Delta(index=0, text="think"),
        m.PartEnd(index=0, signature="c2ln"),
        m.PartStart(index=1, part=m.Reasoning()),
        m.PartEnd(index=1, encrypted="aGlkZGVu"),
        m.PartStart(index=2, part=m.Text(text="")),
        m.Delta(index=2, text="Grü"),
        m.Delta(index=2, text="ße"),
        m.PartEnd(index=2),
        m.PartStart(index=3, part=m.ToolCall(id="t1", name="f", arguments="")),
        m.Delta(index=3, text='{"a"'),
        m.Delta(index=3, text=":1}"),
        m.PartEnd(index=3),
        m.Stop(stop_reason="tool_calls", raw_stop_reason="tool_use"),
        m.Finish(usage=USAGE),
    ]


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_any_split_gives_the_same_events(cuts: list[int]) -> None:
    assert events(STREAM, cuts) == events(STREAM)


def test_every_single_split_gives_the_same_events() -> None:
    whole = events(STREAM)
    assert all(events(STREAM, [cut]) == whole for cut in range(0, len(STREAM), 3))


def test_a_stream_that_is_cut_short_does_not_finish() -> None:
    assert not any(isinstance(event, m.Finish) for event in events(b"".join(FRAMES[:-2])))
    assert events(b"".join(FRAMES[:-1]))[-1] == m.Finish(usage=NO_USAGE)
    assert events(b"") == []


@pytest.mark.parametrize(
    ("headers", "payload", "expected"),
    [
        (
            {":message-type": "exception", ":exception-type": "throttlingException"},
            b'{"message":"Slow down"}',
            m.StreamError(message="Slow down", code="throttlingException"),
        ),
        (
            {":message-type": "error", ":error-code": "InternalError", ":error-message": "Oh"},
            b"",
            m.StreamError(message="Oh", code="InternalError"),
        ),
    ],
)
def test_exceptions_inside_a_stream(
    headers: dict[str, eventstream.Value], payload: bytes, expected: m.StreamError
) -> None:
    bad = eventstream.encode(eventstream.Message(headers, payload))
    assert events(START + bad + FRAMES[-1]) == [m.Start(id="", model=""), expected]


@settings(deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=60).map(str.encode))
@example(b"[" * 5000)
@example(
    b'{"output":{"message":{"content":[{"toolUse":{"toolUseId":"a","name":"f","input":{"a":"\xff"}}}]}},'
    b'"stopReason":"end_turn"}'
)
def test_nonsense_raises_nothing_but_upstream_errors(data: bytes) -> None:
    message = eventstream.Message({":message-type": "event", ":event-type": "contentBlockDelta"}, data)
    for attempt in (
        lambda: BACK.response(data),
        lambda: events(data),
        lambda: events(eventstream.encode(message)),
        lambda: BACK.embeddings_response(data, model="x"),
        lambda: BACK.count_response(data),
    ):
        try:
            attempt()
        except UpstreamError as error:
            assert error.kind == "server"
    assert isinstance(BACK.error(500, data, retry_after=None), UpstreamError)


mutations = st.tuples(st.integers(0, 10_000), st.integers(0, 255))


@settings(deadline=None)
@given(st.lists(mutations, min_size=1, max_size=4))
def test_damaged_answers_raise_nothing_but_upstream_errors(changes: list[tuple[int, int]]) -> None:
    for sound, attempt in ((json.dumps(ANSWER).encode(), BACK.response), (STREAM, events)):
        data = bytearray(sound)
        for place, value in changes:
            data[place % len(data)] = value
        try:
            attempt(bytes(data))
        except UpstreamError as error:
            assert error.kind == "server"


# Errors and embeddings


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"message": "No."}, "invalid"),
        (400, {"message": "No.", "__type": "com.amazon#ThrottlingException"}, "rate_limited"),
        (403, {"Message": "No."}, "auth"),
        (404, {"message": "No."}, "not_found"),
        (408, {"message": "No."}, "timeout"),
        (424, {"message": "No."}, "server"),
        (429, {"message": "No."}, "rate_limited"),
        (503, {"message": "No."}, "server"),
    ],
)
def test_errors(status: int, body: dict[str, str], kind: str) -> None:
    error = BACK.error(status, json.dumps(body).encode(), retry_after=2.0)
    assert (error.kind, error.status, error.retry_after) == (kind, status, 2.0)
    assert error.message == f"Bedrock answered {status}: No."


def test_titan_embeddings() -> None:
    titan = "amazon.titan-embed-text-v2:0"
    request = m.EmbeddingsRequest(model="public", inputs=("a",), dimensions=256)
    prepared = BACK.embeddings(request, model=titan, options={})
    assert prepared.path == "/model/amazon.titan-embed-text-v2%3A0/invoke"
    assert json.loads(prepared.body) == {"inputText": "a", "dimensions": 256}
    answer = BACK.embeddings_response(b'{"embedding":[1,2],"inputTextTokenCount":3}', model="e")
    usage = Usage(input=3, provenance="reported")
    assert answer == m.EmbeddingsResponse(model="e", vectors=((1.0, 2.0),), usage=usage)
    for inputs, model, param in (
        (("a", "b"), titan, "input"),
        (((1, 2),), titan, "input"),
        (("a",), "amazon.titan-embed-text-v1", "dimensions"),
        (("a",), "meta.llama", "model"),
    ):
        with pytest.raises(Unsupported) as caught:
            BACK.embeddings(msgspec.structs.replace(request, inputs=inputs), model=model, options={})
        assert caught.value.param == param


def test_cohere_embeddings() -> None:
    cohere = "cohere.embed-v4:0"
    request = m.EmbeddingsRequest(
        model="public", inputs=("a", "b"), dimensions=256, extra={"input_type": raw("search_query")}
    )
    expected = {
        "texts": ["a", "b"],
        "input_type": "search_query",
        "embedding_types": ["float"],
        "output_dimension": 256,
    }
    assert json.loads(BACK.embeddings(request, model=cohere, options={}).body) == expected
    plain = msgspec.structs.replace(request, extra={})
    by_option = BACK.embeddings(plain, model=cohere, options={"input_type": "search_query"})
    assert json.loads(by_option.body) == expected
    with pytest.raises(InvalidRequest, match="input_type"):
        BACK.embeddings(plain, model=cohere, options={})
    for body in (b'{"embeddings":{"float":[[1],[2]]},"texts":["a","b"]}', b'{"embeddings":[[1],[2]]}'):
        answer = BACK.embeddings_response(body, model="e")
        assert answer == m.EmbeddingsResponse(model="e", vectors=((1.0,), (2.0,)), usage=NO_USAGE)
