"""The Gemini back: an independent reader of its wire form, and round trips through both."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from noria.core import messages as m
from noria.core.usage import NO_USAGE, Usage
from noria.errors import InvalidRequest, Unsupported, UpstreamError
from noria.gateway.dialects.gemini import GeminiBack

BACK = GeminiBack()


def ask(*conversation: m.Message, **fields: Any) -> m.Request:
    turns = conversation or (said("user", m.Text(text="Hello")),)
    return m.Request(model="public", messages=turns, **fields)


def said(role: Any, *parts: m.Part) -> m.Message:
    return m.Message(role=role, parts=parts)


def wire(request: m.Request, *, model: str = "gemini-2.5-flash") -> dict[str, Any]:
    return json.loads(BACK.request(request, model=model, options={}).body)


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


# The independent reader: Gemini's JSON → Request, written from the API's reference.


def read(body: dict[str, Any]) -> m.Request:
    turns: list[m.Message] = []
    if "systemInstruction" in body:
        texts = [m.Text(text=part["text"]) for part in body["systemInstruction"]["parts"]]
        turns.append(said("system", *texts))
    for content in body["contents"]:
        parts = tuple(read_part(part) for part in content["parts"])
        if content["role"] == "model":
            turns.append(said("assistant", *parts))
        elif any(isinstance(part, m.ToolResult) for part in parts):
            turns.append(said("tool", *parts))
        else:
            turns.append(said("user", *parts))
    config = body.get("generationConfig", {})
    fields: dict[str, Any] = {
        name: config[key]
        for key, name in {
            "maxOutputTokens": "max_tokens", "temperature": "temperature", "topP": "top_p", "topK": "top_k",
            "seed": "seed", "candidateCount": "n", "responseLogprobs": "logprobs", "logprobs": "top_logprobs",
            "presencePenalty": "presence_penalty", "frequencyPenalty": "frequency_penalty",
        }.items()
        if key in config
    }  # fmt: skip
    if "stopSequences" in config:
        fields["stop"] = tuple(config["stopSequences"])
    if "responseMimeType" in config:
        kind = "text" if config["responseMimeType"] == "text/plain" else "json_object"
        schema = config.get("responseJsonSchema")
        if schema is not None:
            fields["response_format"] = m.ResponseFormat(type="json_schema", schema=raw(schema))
        else:
            fields["response_format"] = m.ResponseFormat(type=kind)
    if "tools" in body:
        [tools] = body["tools"]
        fields["tools"] = tuple(
            m.Tool(
                name=tool["name"],
                description=tool.get("description"),
                parameters=raw(tool["parametersJsonSchema"]) if "parametersJsonSchema" in tool else None,
            )
            for tool in tools["functionDeclarations"]
        )
    if "toolConfig" in body:
        calling = body["toolConfig"]["functionCallingConfig"]
        mode = {"AUTO": "auto", "NONE": "none", "ANY": "required"}[calling["mode"]]
        fields["tool_choice"] = m.ToolChoice(
            mode=mode, allowed=tuple(calling.get("allowedFunctionNames", ()))
        )
    thinking = config.get("thinkingConfig")
    if thinking is not None:
        fields["reasoning"] = m.ReasoningConfig(
            effort=thinking["thinkingLevel"].lower() if "thinkingLevel" in thinking else None,
            budget_tokens=thinking.get("thinkingBudget"),
            summary="auto" if thinking.get("includeThoughts") else None,
        )
    return m.Request(model="public", messages=tuple(turns), **fields)


def read_part(part: dict[str, Any]) -> m.Part:
    signature = part.get("thoughtSignature")
    if "functionCall" in part:
        call = part["functionCall"]
        arguments = json.dumps(call["args"], separators=(",", ":"))
        return m.ToolCall(id=call["id"], name=call["name"], arguments=arguments, signature=signature)
    if "functionResponse" in part:
        answer = part["functionResponse"]
        [(key, output)] = answer["response"].items()
        texts = [output] if isinstance(output, str) else output
        media = tuple(read_part(item) for item in answer.get("parts", ()))
        return m.ToolResult(
            call_id=answer["id"],
            name=answer["name"],
            parts=(*(m.Text(text=text) for text in texts), *media),  # type: ignore[arg-type]
            is_error=key == "error",
        )
    media = part.get("inlineData") or part.get("fileData")
    if media is not None:
        made = m.Image if media["mimeType"].startswith("image/") else m.File
        return made(data=media.get("data"), url=media.get("fileUri"), media_type=media["mimeType"])
    if part.get("thought") or signature is not None:
        return m.Reasoning(text=part["text"], signature=signature)
    return m.Text(text=part["text"])


words = st.text(min_size=1, max_size=12)
names = st.from_regex(r"[a-z_]{1,10}", fullmatch=True)
schemas = st.fixed_dictionaries({"type": st.just("object"), "title": words}).map(raw)
arguments = st.dictionaries(names, st.integers() | words, max_size=2).map(
    lambda value: json.dumps(value, separators=(",", ":"))
)
texts = st.builds(m.Text, text=words)
images = st.builds(m.Image, data=st.just("aGk="), media_type=st.sampled_from(["image/png", "image/webp"]))
linked = st.builds(m.Image, url=st.just("https://x.test/a.png"), media_type=st.just("image/png"))
files = st.builds(m.File, data=st.just("aGk="), media_type=st.just("application/pdf"))
thoughts = st.builds(m.Reasoning, text=words, signature=st.none() | st.just("c2ln"))


@st.composite
def conversations(draw: st.DrawFn) -> tuple[m.Message, ...]:
    turns: list[m.Message] = []
    if draw(st.booleans()):
        turns.append(said("system", *draw(st.lists(texts, min_size=1, max_size=2))))
    for _ in range(draw(st.integers(1, 3))):
        turns.append(said("user", *draw(st.lists(texts | images | linked | files, min_size=1, max_size=3))))
        calls = [
            m.ToolCall(id=f"call_{len(turns)}_{i}", name=draw(names), arguments=draw(arguments))
            for i in range(draw(st.integers(0, 2)))
        ]
        turns.append(said("assistant", *draw(st.lists(thoughts | texts, min_size=1, max_size=2)), *calls))
        if calls:
            results = [
                m.ToolResult(
                    call_id=call.id,
                    name=call.name,
                    parts=(
                        *draw(st.lists(texts, min_size=1, max_size=2)),
                        *draw(st.lists(images, max_size=1)),
                    ),
                    is_error=draw(st.booleans()),
                )
                for call in calls
            ]
            turns.append(said("tool", *results))
    return tuple(turns)


@st.composite
def requests(draw: st.DrawFn) -> m.Request:
    numbers = st.floats(0, 2, allow_nan=False)
    optional: dict[str, st.SearchStrategy[Any]] = {
        "max_tokens": st.integers(1, 9999),
        "temperature": numbers,
        "top_p": numbers,
        "top_k": st.integers(1, 99),
        "stop": st.lists(words, min_size=1, max_size=2).map(tuple),
        "seed": st.integers(0, 99),
        "n": st.integers(1, 3),
        "logprobs": st.booleans(),
        "top_logprobs": st.integers(0, 5),
        "presence_penalty": numbers,
        "frequency_penalty": numbers,
        "response_format": st.builds(m.ResponseFormat, type=st.sampled_from(["text", "json_object"]))
        | st.builds(m.ResponseFormat, type=st.just("json_schema"), schema=schemas),
        "tools": st.lists(
            st.builds(m.Tool, name=names, description=st.none() | words, parameters=st.none() | schemas),
            min_size=1,
            max_size=2,
        ).map(tuple),
        "tool_choice": st.builds(m.ToolChoice, mode=st.sampled_from(["auto", "none", "required"]))
        | st.builds(m.ToolChoice, mode=st.just("required"), allowed=st.tuples(names)),
        "reasoning": st.builds(
            m.ReasoningConfig, budget_tokens=st.integers(0, 999), summary=st.sampled_from([None, "auto"])
        ),
    }
    fields = {name: draw(value) for name, value in optional.items() if draw(st.booleans())}
    return m.Request(model="public", messages=draw(conversations()), **fields)


@settings(deadline=None)
@given(requests())
def test_a_request_comes_back_from_the_wire_as_it_was(request_: m.Request) -> None:
    assert read(wire(request_)) == request_


SAMPLES: dict[str, tuple[Any, str]] = {
    "model": ("other", "path"),
    "messages": ((said("user", m.Text(text="Other")),), "body"),
    "tools": ((m.Tool(name="f"),), "body"),
    "tool_choice": (m.ToolChoice(mode="required"), "body"),
    "parallel_tool_calls": (False, "with tools"),
    "response_format": (m.ResponseFormat(type="json_object"), "body"),
    "max_tokens": (5, "body"),
    "temperature": (0.5, "body"),
    "top_p": (0.5, "body"),
    "top_k": (5, "body"),
    "min_p": (0.5, "refused"),
    "stop": (("x",), "body"),
    "seed": (5, "body"),
    "n": (2, "body"),
    "logprobs": (True, "body"),
    "top_logprobs": (2, "body"),
    "presence_penalty": (0.5, "body"),
    "frequency_penalty": (0.5, "body"),
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
    "notes": ({"prompt_cache_key": raw("k")}, "noria"),
    "extra": ({"web_search_options": raw({})}, "refused"),
}
"""Every field of Request, a value, and what becomes of it."""


def test_every_field_is_in_the_samples() -> None:
    assert set(SAMPLES) == set(m.Request.__struct_fields__)


@pytest.mark.parametrize("field", sorted(SAMPLES))
def test_no_field_is_dropped(field: str) -> None:
    value, fate = SAMPLES[field]
    base = ask(tools=(m.Tool(name="f"),)) if fate == "with tools" else ask()
    plain = BACK.request(base, model="gemini-2.5-flash", options={})
    changed = msgspec.structs.replace(base, **{field: value})
    if fate in ("refused", "with tools"):
        with pytest.raises(Unsupported) as caught:
            BACK.request(changed, model="gemini-2.5-flash", options={})
        assert caught.value.param == (next(iter(value)) if field == "extra" else field)
        return
    made = BACK.request(changed, model="other" if field == "model" else "gemini-2.5-flash", options={})
    assert (made.body != plain.body) == (fate == "body")
    assert (made.path != plain.path) == (fate == "path")


@pytest.mark.parametrize(
    ("part", "param"),
    [
        (m.Text(text="x", citations=(raw({}),)), "messages.citations"),
        (m.File(file_id="file-1"), "messages.file_id"),
        (m.Image(url="https://x.test/a.png", detail="high"), "messages.detail"),
    ],
)
def test_parts_that_gemini_cannot_express_are_refused(part: m.Part, param: str) -> None:
    with pytest.raises(Unsupported) as caught:
        wire(ask(said("user", part)))
    assert caught.value.param == param


def test_what_would_be_lost_elsewhere_is_refused() -> None:
    late = ask(said("user", m.Text(text="a")), said("system", m.Text(text="b")))
    named = ask(m.Message(role="user", name="Ann", parts=(m.Text(text="a"),)))
    for request, param in (
        (late, "messages"),
        (named, "messages.name"),
        (ask(reasoning=m.ReasoningConfig(summary="concise")), "reasoning.summary"),
        (ask(reasoning=m.ReasoningConfig(effort="low", budget_tokens=1)), "reasoning"),
        (ask(reasoning=m.ReasoningConfig(effort="max")), "reasoning.effort"),
        (ask(service_tier="scale"), "service_tier"),
    ):
        with pytest.raises(Unsupported) as caught:
            wire(request)
        assert caught.value.param == param


def test_a_result_without_its_call_is_the_callers_mistake() -> None:
    result = m.ToolResult(call_id="nowhere", parts=(m.Text(text="x"),))
    with pytest.raises(InvalidRequest, match="nowhere"):
        wire(ask(said("tool", result)))


@pytest.mark.parametrize(
    ("model", "config", "expected"),
    [
        ("gemini-2.5-pro", m.ReasoningConfig(effort="medium"), {"thinkingBudget": 8192}),
        ("gemini-3.5-flash", m.ReasoningConfig(effort="medium"), {"thinkingLevel": "MEDIUM"}),
        ("gemini-2.5-flash", m.ReasoningConfig(effort="none"), {"thinkingBudget": 0}),
        ("gemini-2.5-flash", m.ReasoningConfig(enabled=False), {"thinkingBudget": 0}),
        (
            "gemini-2.5-flash",
            m.ReasoningConfig(enabled=True, budget_tokens=2000),
            {"thinkingBudget": 2000, "includeThoughts": True},
        ),
        (
            "gemini-2.5-flash",
            m.ReasoningConfig(adaptive=True),
            {"thinkingBudget": -1, "includeThoughts": True},
        ),
    ],
)
def test_reasoning(model: str, config: m.ReasoningConfig, expected: dict[str, Any]) -> None:
    assert wire(ask(reasoning=config), model=model)["generationConfig"]["thinkingConfig"] == expected


def test_a_call_without_its_signature_is_marked_for_gemini_3_only() -> None:
    calls = said(
        "assistant",
        m.ToolCall(id="a", name="f", arguments="{}"),
        m.ToolCall(id="b", name="f", arguments="{}"),
    )
    marked = wire(ask(calls), model="gemini-3.5-flash")["contents"][0]["parts"]
    assert [part.get("thoughtSignature") for part in marked] == ["skip_thought_signature_validator", None]
    options = {"unsigned_calls": "as_is"}
    kept = json.loads(BACK.request(ask(calls), model="gemini-3.5-flash", options=options).body)
    assert "thoughtSignature" not in kept["contents"][0]["parts"][0]
    plain = wire(ask(calls), model="gemini-2.5-flash")["contents"][0]["parts"]
    assert [part.get("thoughtSignature") for part in plain] == [None, None]


def test_strict_tools_are_validated() -> None:
    body = wire(ask(tools=(m.Tool(name="f", strict=True),)))
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}


def test_paths() -> None:
    assert BACK.request(ask(), model="gemini-x", options={}).path == "/models/gemini-x:generateContent"
    streamed = BACK.request(ask(stream=True), model="tunedModels/a b", options={})
    assert streamed.path == "/tunedModels/a%20b:streamGenerateContent?alt=sse"
    counted = BACK.count_request(ask(), model="gemini-x", options={})
    assert counted.path == "/models/gemini-x:countTokens"
    assert json.loads(counted.body)["generateContentRequest"]["model"] == "models/gemini-x"
    assert BACK.count_response(b'{"totalTokens": 31}') == 31


ANSWER: dict[str, Any] = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "I think", "thought": True, "thoughtSignature": "c2ln"},
                    {"text": "Grüße"},
                    {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "czI="},
                    {"functionCall": {"name": "g"}},
                    {"text": "", "thoughtSignature": "bGFzdA=="},
                ],
            },
            "finishReason": "STOP",
            "index": 0,
            "logprobsResult": {
                "chosenCandidates": [{"token": "Gr", "tokenId": 1, "logProbability": -0.5}],
                "topCandidates": [{"candidates": [{"token": "Ha", "logProbability": -1.5}]}],
            },
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 100,
        "cachedContentTokenCount": 40,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 7,
        "toolUsePromptTokenCount": 5,
        "totalTokenCount": 132,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 80},
            {"modality": "AUDIO", "tokenCount": 20},
        ],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 8}],
    },
    "modelVersion": "gemini-2.5-flash-001",
    "responseId": "r1",
}


def test_an_answer() -> None:
    response = BACK.response(json.dumps(ANSWER).encode())
    [choice] = response.choices
    thought, text, call, unnamed, last = choice.message.parts
    assert thought == m.Reasoning(text="I think", signature="c2ln")
    assert text == m.Text(text="Grüße")
    assert isinstance(call, m.ToolCall) and isinstance(unnamed, m.ToolCall)
    assert (call.id, call.name, json.loads(call.arguments), call.signature) == ("c1", "f", {"a": 1}, "czI=")
    assert unnamed.id.startswith("call_") and unnamed.arguments == "{}"
    assert last == m.Reasoning(signature="bGFzdA==")
    assert (choice.stop_reason, choice.raw_stop_reason) == ("tool_calls", "STOP")
    top = (m.TokenLogprob(token="Ha", logprob=-1.5),)
    assert choice.logprobs == (m.TokenLogprob(token="Gr", logprob=-0.5, top=top),)
    assert (response.id, response.model) == ("r1", "gemini-2.5-flash-001")
    assert response.usage == Usage(
        input=105, output=27, cached=40, reasoning=7, audio_input=12, provenance="reported"
    )


def test_an_answer_can_be_sent_back() -> None:
    message = BACK.response(json.dumps(ANSWER).encode()).choices[0].message
    parts = wire(ask(message))["contents"][0]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == ["c2ln", None, "czI=", None, "bGFzdA=="]
    assert parts[-1] == {"text": "", "thoughtSignature": "bGFzdA=="}


@pytest.mark.parametrize(
    ("raw_reason", "expected"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("SOMETHING_NEW", "error"),
        ("CONTINUATION", "pause"),
    ],
)
def test_stop_reasons(raw_reason: str, expected: str) -> None:
    body = {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": raw_reason}]}
    [choice] = BACK.response(json.dumps(body).encode()).choices
    assert (choice.stop_reason, choice.raw_stop_reason) == (expected, raw_reason)


def test_a_blocked_prompt_is_a_refusal() -> None:
    body = json.dumps({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}})
    response = BACK.response(body.encode())
    [choice] = response.choices
    assert choice.stop_reason == "content_filter"
    assert choice.message.parts == (m.Refusal(text="Gemini blocked the prompt: SAFETY."),)
    assert response.usage.input == 4
    streamed = gather(events(b"data: " + body.encode() + b"\n\n"))
    assert streamed == response.choices


# Streams


def chunks() -> bytes:
    """The answer above in pieces, with a comment, CRLF line ends and a second candidate."""

    def chunk(parts: list[Any], index: int = 0, **fields: Any) -> bytes:
        candidate = {"content": {"parts": parts, "role": "model"}, "index": index, **fields}
        body = {"candidates": [candidate], "modelVersion": "gemini-2.5-flash-001", "responseId": "r1"}
        usage = {"usageMetadata": {**ANSWER["usageMetadata"], "candidatesTokenCount": 1}}
        return b"data: " + json.dumps({**body, **usage}, ensure_ascii=False).encode() + b"\r\n\r\n"

    logprobs = {"logprobsResult": ANSWER["candidates"][0]["logprobsResult"]}
    last = b"data: " + json.dumps({"usageMetadata": ANSWER["usageMetadata"]}).encode() + b"\n\n"
    parts = ANSWER["candidates"][0]["content"]["parts"]
    return b"".join(
        (
            b": hello\n\n",
            chunk([{"text": "I ", "thought": True}]),
            chunk([{"text": "think", "thought": True, "thoughtSignature": "c2ln"}]),
            chunk([{"text": "Grü"}], **logprobs),
            chunk([{"text": "Zwei"}], 1, finishReason="MAX_TOKENS"),
            chunk([{"text": "ße"}]),
            chunk(parts[2:]),
            chunk([], finishReason="STOP"),
            last,
        )
    )


def events(data: bytes, cuts: list[int] | None = None) -> list[m.StreamEvent]:
    decoder = BACK.decoder()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts or []), len(data)]
    out: list[m.StreamEvent] = []
    for start, end in pairwise(edges):
        out += decoder.feed(data[start:end])
    return out + decoder.close()


def gather(stream: list[m.StreamEvent]) -> tuple[m.Choice, ...]:
    """What a caller would put together; checks the order of events on the way."""
    parts: dict[tuple[int, int], m.Part] = {}
    open_: set[tuple[int, int]] = set()
    logprobs: dict[int, tuple[m.TokenLogprob, ...]] = {}
    stops: dict[int, m.Stop] = {}
    assert isinstance(stream[0], m.Start)
    assert isinstance(stream[-1], m.Finish)
    for event in stream[1:-1]:
        match event:
            case m.PartStart():
                key = (event.choice, event.index)
                assert key not in parts and event.index == sum(k[0] == event.choice for k in parts)
                parts[key] = event.part
                open_.add(key)
            case m.Delta():
                key = (event.choice, event.index)
                assert key in open_
                part = parts[key]
                field = "arguments" if isinstance(part, m.ToolCall) else "text"
                parts[key] = msgspec.structs.replace(part, **{field: getattr(part, field) + event.text})
                if event.logprobs:
                    logprobs[event.choice] = logprobs.get(event.choice, ()) + event.logprobs
            case m.PartEnd():
                key = (event.choice, event.index)
                open_.remove(key)
                if event.signature is not None:
                    parts[key] = msgspec.structs.replace(parts[key], signature=event.signature)
            case m.Stop():
                assert not any(key[0] == event.choice for key in open_)
                stops[event.choice] = event
            case _:
                raise AssertionError(event)
    return tuple(
        m.Choice(
            message=m.Message(
                role="assistant", parts=tuple(p for k, p in sorted(parts.items()) if k[0] == i)
            ),
            stop_reason=stop.stop_reason,
            raw_stop_reason=stop.raw_stop_reason,
            logprobs=logprobs.get(i),
        )
        for i, stop in sorted(stops.items())
    )


def test_a_stream_says_the_same_as_the_whole_answer() -> None:
    stream = events(chunks())
    first, second = gather(stream)
    [whole] = BACK.response(json.dumps(ANSWER).encode()).choices
    for ours, theirs in zip(first.message.parts, whole.message.parts, strict=True):
        if isinstance(ours, m.ToolCall) and ours.name == "g":
            assert isinstance(theirs, m.ToolCall) and ours.arguments == theirs.arguments
        else:
            assert ours == theirs or isinstance(ours, m.ToolCall)
    assert (first.stop_reason, first.logprobs) == ("tool_calls", whole.logprobs)
    assert (second.message.parts, second.stop_reason) == ((m.Text(text="Zwei"),), "length")
    assert stream[0] == m.Start(id="r1", model="gemini-2.5-flash-001")
    assert stream[-1] == m.Finish(usage=BACK.response(json.dumps(ANSWER).encode()).usage)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_any_split_gives_the_same_events(cuts: list[int]) -> None:
    assert events(chunks(), cuts) == events(chunks())


def test_every_single_split_gives_the_same_events() -> None:
    data = chunks()
    whole = events(data)
    assert all(events(data, [cut]) == whole for cut in range(0, len(data), 7))


def test_a_stream_that_is_cut_short_does_not_finish() -> None:
    data = chunks()
    cut = data[: data.index(b'"finishReason": "STOP"') - 400]
    assert not any(isinstance(event, m.Finish) for event in events(cut))
    assert events(b"") == []


def test_an_error_inside_a_stream() -> None:
    body = b'data: {"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}\n\n'
    assert events(body) == [m.StreamError(message="Overloaded", code="UNAVAILABLE")]


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@example(b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":"\xff"}}}]}}]}')
@example(b"[" * 5000)
def test_nonsense_raises_nothing_but_upstream_errors(data: bytes) -> None:
    for attempt in (
        lambda: BACK.response(data),
        lambda: events(b"data: " + data + b"\n\n"),
        lambda: events(data),
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
    for sound, attempt in ((json.dumps(ANSWER).encode(), BACK.response), (chunks(), events)):
        data = bytearray(sound)
        for place, value in changes:
            data[place % len(data)] = value
        try:
            attempt(bytes(data))
        except UpstreamError as error:
            assert error.kind == "server"


# Errors and embeddings


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid"),
        (401, "auth"),
        (403, "auth"),
        (404, "not_found"),
        (429, "rate_limited"),
        (500, "server"),
        (504, "timeout"),
    ],
)
def test_errors(status: int, kind: str) -> None:
    body = json.dumps({"error": {"code": status, "message": "No.", "status": "X"}}).encode()
    for form in (body, b"[" + body + b"]"):
        error = BACK.error(status, form, retry_after=3)
        assert (error.kind, error.status, error.retry_after) == (kind, status, 3)
        assert error.message == f"Gemini answered {status}: No."


def test_errors_say_when_to_retry_and_that_the_key_is_wrong() -> None:
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "32.5s"}
    body = json.dumps({"error": {"message": "Slow down", "details": [retry]}}).encode()
    assert BACK.error(429, body, retry_after=None).retry_after == 32.5
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    body = json.dumps({"error": {"message": "API key not valid.", "details": [info]}}).encode()
    assert BACK.error(400, body, retry_after=None).kind == "auth"


def test_embeddings() -> None:
    request = m.EmbeddingsRequest(model="public", inputs=("a", "b"), dimensions=3)
    prepared = BACK.embeddings(request, model="gemini-embedding-001", options={})
    assert prepared.path == "/models/gemini-embedding-001:batchEmbedContents"
    assert json.loads(prepared.body)["requests"][1] == {
        "model": "models/gemini-embedding-001",
        "content": {"parts": [{"text": "b"}]},
        "outputDimensionality": 3,
    }
    answer = BACK.embeddings_response(b'{"embeddings":[{"values":[1,2]},{"values":[3,4]}]}', model="e")
    assert answer == m.EmbeddingsResponse(model="e", vectors=((1.0, 2.0), (3.0, 4.0)), usage=NO_USAGE)
    for bad, param in (
        (msgspec.structs.replace(request, inputs=((1, 2),)), "input"),
        (msgspec.structs.replace(request, extra={"x": raw(1)}), "x"),
    ):
        with pytest.raises(Unsupported) as caught:
            BACK.embeddings(bad, model="e", options={})
        assert caught.value.param == param
