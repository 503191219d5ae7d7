from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import chat

from noria.core import messages
from noria.errors import InvalidRequest, RequestError, Unsupported, UpstreamError
from noria.gateway.dialects.openai import OpenAIBack, OpenAIFront
from noria.gateway.dialects.openai_upstream import ADDED

from .generated import (
    arguments,
    base64,
    calls,
    conversations,
    counts,
    examples,
    images,
    json_values,
    logprobs,
    maybe,
    merged,
    names,
    numbers,
    schemas,
    split,
    streamed,
    texts,
    tool_choices,
    tools,
    usages,
    words,
)

front, back = OpenAIFront(), OpenAIBack()
caches = st.sampled_from([None, None, "30m", "12h"])
text = texts(caches)
files = st.one_of(
    st.builds(messages.File, file_id=names, name=maybe(names), cache=caches),
    st.builds(messages.File, data=base64, media_type=st.just("application/pdf"), name=names, cache=caches),
    st.builds(messages.File, data=base64, media_type=st.sampled_from(["audio/wav", "audio/mpeg"])),
)
reasonings = st.one_of(
    st.builds(lambda text: [messages.Reasoning(text=text)], words),
    st.lists(
        st.builds(messages.Reasoning, text=words, signature=words, encrypted=maybe(words), id=maybe(names)),
        max_size=2,
    ),
)


@st.composite
def assistants(draw: st.DrawFn) -> messages.Message:
    parts: list[messages.Part] = list(draw(reasonings))
    parts += draw(st.lists(text, max_size=2))
    parts += draw(st.lists(st.builds(messages.Refusal, text=words), max_size=1))
    signed = st.builds(messages.ToolCall, id=names, name=names, arguments=arguments, signature=maybe(words))
    parts += draw(st.lists(signed, max_size=2))
    return messages.Message(role="assistant", parts=tuple(parts), name=draw(maybe(names)))


talk = conversations(
    system=st.builds(
        messages.Message,
        role=st.sampled_from(["system", "developer"]),
        parts=st.lists(text, min_size=1, max_size=2).map(tuple),
        name=maybe(names),
    ),
    user=st.builds(
        messages.Message,
        role=st.just("user"),
        parts=st.lists(st.one_of(text, images(caches, details=True), files), min_size=1, max_size=3).map(
            tuple
        ),
        name=maybe(names),
    ),
    assistant=assistants(),
    tool=st.builds(
        messages.Message,
        role=st.just("tool"),
        parts=st.lists(
            st.builds(
                messages.ToolResult,
                call_id=names,
                parts=st.lists(text, min_size=1, max_size=2).map(tuple),
                name=maybe(names),
            ),
            min_size=1,
            max_size=2,
        ).map(tuple),
    ),
)
requests = st.builds(
    messages.Request,
    model=words,
    messages=talk,
    tools=st.lists(tools, max_size=2).map(tuple),
    tool_choice=tool_choices(allowed=True),
    parallel_tool_calls=maybe(st.booleans()),
    response_format=st.one_of(
        st.none(),
        st.builds(messages.ResponseFormat, type=st.sampled_from(["text", "json_object"])),
        st.builds(
            messages.ResponseFormat,
            type=st.just("json_schema"),
            name=names,
            description=maybe(words),
            schema=schemas,
            strict=maybe(st.booleans()),
        ),
    ),
    max_tokens=maybe(counts),
    temperature=maybe(numbers),
    top_p=maybe(numbers),
    top_k=maybe(counts),
    min_p=maybe(numbers),
    stop=st.lists(words, max_size=3).map(tuple),
    seed=maybe(st.integers(-9, 9)),
    n=maybe(st.integers(1, 8)),
    logprobs=maybe(st.booleans()),
    top_logprobs=maybe(st.integers(0, 20)),
    presence_penalty=maybe(numbers),
    frequency_penalty=maybe(numbers),
    logit_bias=maybe(st.dictionaries(words, numbers, max_size=2)),
    reasoning=maybe(
        st.builds(
            messages.ReasoningConfig,
            effort=st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
        )
    ),
    verbosity=st.sampled_from([None, "low", "medium", "high"]),
    stream=st.booleans(),
    user=maybe(words),
    metadata=maybe(st.dictionaries(words, words, max_size=2)),
    service_tier=st.sampled_from([None, "auto", "flex"]),
    store=maybe(st.booleans()),
    dialect=st.just("openai"),
    extra=st.dictionaries(st.sampled_from(["modalities", "prediction"]), schemas),
    notes=st.dictionaries(st.sampled_from(["prompt_cache_key", "safety_identifier"]), schemas),
)


@given(requests, st.sampled_from(["max_tokens", "max_completion_tokens"]))
@examples(40)
def test_a_request_comes_back(request: messages.Request, field: str) -> None:
    prepared = back.request(request, model=request.model, options={"max_tokens_field": field})
    assert prepared.path == "/chat/completions"
    assert front.request(prepared.body) == request


def test_every_field_of_a_request_is_sent_or_refused() -> None:
    """A new field of Request must be thought of here."""
    plain = messages.Request(model="m", messages=(messages.Message(role="user", parts=()),))
    values: dict[str, Any] = {
        "tools": (messages.Tool(name="f"),),
        "tool_choice": messages.ToolChoice(mode="auto"),
        "parallel_tool_calls": False,
        "response_format": messages.ResponseFormat(type="json_object"),
        "max_tokens": 5,
        "temperature": 0.5,
        "top_p": 0.5,
        "top_k": 5,
        "min_p": 0.5,
        "stop": ("x",),
        "seed": 5,
        "n": 2,
        "logprobs": True,
        "top_logprobs": 3,
        "presence_penalty": 0.5,
        "frequency_penalty": 0.5,
        "logit_bias": {"1": 2.0},
        "reasoning": messages.ReasoningConfig(effort="low"),
        "verbosity": "low",
        "stream": True,
        "user": "u",
        "service_tier": "flex",
        "extra": {"thing": msgspec.Raw(b"1")},
        "notes": {"prompt_cache_key": msgspec.Raw(b'"k"')},
    }
    kept_by_noria = {"model", "messages", "include_usage", "metadata", "store", "dialect"}
    assert set(values) | kept_by_noria == set(messages.Request.__struct_fields__)
    bare = back.request(plain, model="m", options={}).body
    for name, value in values.items():
        request = msgspec.structs.replace(plain, **{name: value})
        try:
            assert back.request(request, model="m", options={}).body != bare, name
        except Unsupported as refusal:
            assert refusal.param == ("thing" if name == "extra" else name)


@pytest.mark.parametrize(
    ("config", "param"),
    [
        (messages.ReasoningConfig(budget_tokens=9), "reasoning.budget_tokens"),
        (messages.ReasoningConfig(summary="detailed"), "reasoning.summary"),
    ],
)
def test_reasoning_that_it_cannot_express(config: messages.ReasoningConfig, param: str) -> None:
    request = messages.Request(model="m", messages=(), reasoning=config)
    with pytest.raises(Unsupported) as refusal:
        back.request(request, model="m", options={})
    assert refusal.value.param == param


@pytest.mark.parametrize(
    "part",
    [
        messages.File(url="https://example.com/a.pdf"),
        messages.Text(text="x", citations=(msgspec.Raw(b"{}"),)),
        messages.ToolResult(call_id="c", parts=()),
        messages.Reasoning(text="x"),
    ],
)
def test_parts_that_it_cannot_express(part: messages.Part) -> None:
    request = messages.Request(model="m", messages=(messages.Message(role="user", parts=(part,)),))
    with pytest.raises(Unsupported) as refusal:
        back.request(request, model="m", options={})
    assert refusal.value.param is not None


def test_nothing_is_sent_that_the_caller_did_not_say() -> None:
    said = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "temperature": 1}
    request = front.request(json.dumps(said).encode())
    assert json.loads(back.request(request, model="m", options={}).body) == said
    streamed = json.loads(
        back.request(msgspec.structs.replace(request, stream=True), model="m", options={}).body
    )
    assert set(streamed) - set(said) == {"stream", "stream_options"}
    assert "stream_options" in ADDED


def test_what_has_no_place_travels_whole_and_is_refused_elsewhere() -> None:
    said = {
        "model": "m",
        "messages": [
            {"role": "user", "content": "hi", "annotations": [], "audio": None},
            {"role": "function", "name": "f", "content": "1"},
            {"role": "assistant", "content": "x", "weird": {"a": 1}},
        ],
        "tools": [{"type": "custom", "custom": {"name": "c"}}],
        "tool_choice": {"type": "custom", "custom": {"name": "c"}},
        "noria": {"user": "u"},
    }
    request = front.request(json.dumps(said).encode())
    assert set(request.extra) == {"messages", "tools", "tool_choice"}
    sent = json.loads(back.request(request, model="m", options={}).body)
    assert sent == {name: value for name, value in said.items() if name != "noria"}
    other = msgspec.structs.replace(request, dialect="anthropic")
    with pytest.raises(Unsupported):
        back.request(other, model="m", options={})


def test_harmless_unknown_keys_are_left_out() -> None:
    said = {"model": "m", "messages": [{"role": "assistant", "content": "hi", "audio": None, "x": []}]}
    request = front.request(json.dumps(said).encode())
    assert request.extra == {}


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": 5}, "messages"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 1, "max_completion_tokens": 2}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x"}}]}]},
         "messages.content.image_url"),
    ],
)  # fmt: skip
def test_a_wrong_request_names_the_place(change: dict[str, Any], param: str) -> None:
    body = json.dumps({"model": "m", "messages": [], **change}).encode()
    with pytest.raises(InvalidRequest) as error:
        front.request(body)
    assert error.value.param == param
    assert chat and json.loads(front.error(error.value))["error"]["param"] == param


@given(st.dictionaries(st.sampled_from(["model", "messages", "tools", "stop"]), json_values))
@examples()
def test_only_request_errors_come_out(value: Any) -> None:
    try:
        front.request(json.dumps(value).encode())
    except RequestError:
        pass


@given(st.binary(max_size=40))
@examples()
def test_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(RequestError):
        front.request(body)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(RequestError):
        front.request(b'{"model": "m", "messages": [], "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")


# answers


@st.composite
def choices(draw: st.DrawFn) -> messages.Choice:
    parts: list[messages.Part] = list(draw(reasonings))
    parts += draw(st.lists(texts(st.none()), max_size=1))
    if not draw(st.booleans()):
        parts += draw(st.lists(st.builds(messages.Refusal, text=words), max_size=1))
    called = draw(st.lists(calls, max_size=2, unique_by=lambda call: call.id))
    parts += called
    stop = "tool_calls" if called else draw(st.sampled_from(["stop", "length", "content_filter"]))
    said = any(isinstance(part, messages.Text) for part in parts)
    return messages.Choice(
        message=messages.Message(role="assistant", parts=tuple(parts)),
        stop_reason=stop,
        logprobs=draw(maybe(logprobs)) if said else None,
        raw_stop_reason=stop,
    )


responses = st.builds(
    messages.Response,
    id=names.map("chatcmpl-{}".format),
    model=words,
    choices=st.lists(choices(), min_size=1, max_size=2).map(tuple),
    usage=usages(hours=False, audio=True),
    created=st.integers(1, 100_000),
    service_tier=st.sampled_from([None, "default", "priority"]),
    system_fingerprint=maybe(words),
)
asked = messages.Request(model="m", messages=())


@given(responses)
@examples()
def test_a_response_comes_back(response: messages.Response) -> None:
    body = front.response(response, asked)
    assert back.response(body) == response
    chat.ChatCompletion.model_validate_json(body)


@given(responses, st.lists(st.integers(0, 9999), max_size=5))
@examples(40)
def test_a_stream_comes_back_in_any_split(response: messages.Response, cuts: list[int]) -> None:
    events = streamed(response, cuts)
    encoder = front.encoder(asked)
    frames = [encoder.encode(event) for event in events]
    for frame in b"".join(frames).split(b"\n\n"):
        if frame and b"[DONE]" not in frame:
            chat.ChatCompletionChunk.model_validate_json(frame.removeprefix(b"data: "))
    decoder = back.decoder()
    found = [event for piece in split(b"".join(frames), cuts) for event in decoder.feed(piece)]
    found += decoder.close()
    parts = [choice.message.parts for choice in response.choices]
    if all(sum(isinstance(p, messages.Reasoning) for p in one) <= 1 for one in parts):
        assert merged(found) == merged(events)


def test_log_probabilities_stay_with_their_text() -> None:
    one = messages.TokenLogprob(
        token="a", logprob=-0.5, top=(messages.TokenLogprob(token="b", logprob=-1.0),)
    )
    events: list[messages.StreamEvent] = [
        messages.Start(id="chatcmpl-1", model="m", created=5),
        messages.PartStart(index=0, part=messages.Text(text="")),
        messages.Delta(index=0, text="a", logprobs=(one,)),
        messages.Delta(index=0, text="", logprobs=(one,)),
        messages.PartEnd(index=0),
        messages.Stop(stop_reason="stop", raw_stop_reason="stop"),
        messages.Finish(usage=messages.Usage()),
    ]
    encoder, decoder = front.encoder(asked), back.decoder()
    assert decoder.feed(b"".join(map(encoder.encode, events))) == events


def test_usage_is_hidden_from_callers_who_did_not_ask() -> None:
    encoder = front.encoder(msgspec.structs.replace(asked, stream=True, include_usage=False))
    usage = messages.Usage(input=1, output=1, provenance="reported")
    assert encoder.encode(messages.Finish(usage=usage)) == b"data: [DONE]\n\n"


def test_a_server_without_done_is_whole_when_its_choices_are() -> None:
    decoder = back.decoder()
    decoder.feed(b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n')
    assert decoder.close() == [messages.Finish(usage=messages.Usage())]
    cut = back.decoder()
    cut.feed(b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n')
    assert cut.close() == []


def test_thinking_in_pieces() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": True},
        {"type": "text", "text": "hi"},
    ]
    message = {"message": {"content": content}, "finish_reason": "stop"}
    found = back.response(json.dumps({"choices": [message]}).encode()).choices[0].message
    assert found.parts == (messages.Reasoning(text="hm"), messages.Text(text="hi"))
    chunk = {"choices": [{"index": 0, "delta": {"content": content}}]}
    events = back.decoder().feed(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    assert [event.text for event in events if isinstance(event, messages.Delta)] == ["hm", "hi"]


def test_an_error_inside_a_stream() -> None:
    decoder = back.decoder()
    events = decoder.feed(b'data: {"error": {"message": "overloaded", "code": 503}}\n\n')
    assert events == [messages.StreamError(message="overloaded", code="503")]


def test_calls_without_an_index_come_whole() -> None:
    call = {"id": "a", "function": {"name": "f", "arguments": "{}"}}
    delta = {"choices": [{"index": 0, "delta": {"tool_calls": [call, {**call, "id": "b"}]}}]}
    events = back.decoder().feed(b"data: " + json.dumps(delta).encode() + b"\n\n")
    starts = [event.part for event in events if isinstance(event, messages.PartStart)]
    assert [part.id for part in starts if isinstance(part, messages.ToolCall)] == ["a", "b"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"choices": []}', b'{"choices": [{"message": 5}]}', b"\xff"]
)
def test_what_is_no_completion_is_the_upstreams_fault(body: bytes) -> None:
    with pytest.raises(UpstreamError) as error:
        back.response(body)
    assert error.value.kind == "server"


@pytest.mark.parametrize(
    ("status", "body", "kind", "sentence"),
    [
        (400, {"error": {"message": "bad", "code": "context_length_exceeded"}}, "invalid", "bad"),
        (400, {"error": {"message": "no", "code": "content_policy_violation"}}, "refused", "no"),
        (400, {"error": {"message": "no", "code": "content_filter", "innererror": {}}}, "refused", "no"),
        (401, {"error": "key"}, "auth", "key"),
        (403, {"message": "vllm"}, "auth", "vllm"),
        (404, {"detail": "Not Found"}, "not_found", "Not Found"),
        (429, {"error": {"message": "slow"}}, "rate_limited", "slow"),
        (500, {"error": {"message": None}}, "server", ""),
        (422, {"detail": [{"loc": 1}]}, "invalid", "loc"),
        (302, {}, "server", ""),
    ],
)
def test_errors_have_a_kind(status: int, body: Any, kind: str, sentence: str) -> None:
    error = back.error(status, json.dumps(body).encode(), retry_after=2.0)
    assert (error.kind, error.status, error.retry_after) == (kind, status, 2.0)
    assert sentence in error.message
