from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from anthropic.types import Message as SdkMessage
from anthropic.types import RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from noria.core import messages
from noria.core.usage import Usage
from noria.errors import InvalidRequest, RequestError, Unavailable, Unsupported, UpstreamError
from noria.gateway.dialects.anthropic import AnthropicBack, AnthropicFront
from noria.gateway.dialects.anthropic_upstream import ADDED

from .generated import (
    arguments,
    base64,
    conversations,
    counts,
    examples,
    images,
    json_values,
    maybe,
    merged,
    names,
    numbers,
    schemas,
    split,
    streamed,
    tool_choices,
    usages,
    words,
)

front, back = AnthropicFront(), AnthropicBack()
caches = st.sampled_from([None, None, "5m", "1h"])
citations = st.just((msgspec.Raw(b'{"type":"char_location","cited_text":"x"}'),))
text = st.builds(messages.Text, text=words, cache=caches, citations=st.just(()) | citations)
files = st.one_of(
    st.builds(messages.File, file_id=names, name=maybe(names), cache=caches),
    st.builds(messages.File, url=st.just("https://example.com/a.pdf"), name=maybe(names), cache=caches),
    st.builds(
        messages.File, data=base64, media_type=st.just("application/pdf"), name=maybe(names), cache=caches
    ),
    st.builds(messages.File, data=st.just("aGk="), media_type=st.just("text/plain"), cache=caches),
)
media = images(caches, details=False)
thoughts = st.one_of(
    st.builds(messages.Reasoning, text=words, signature=words), st.builds(messages.Reasoning, encrypted=words)
)
calls = st.builds(messages.ToolCall, id=names, name=names, arguments=arguments, cache=caches)
results = st.builds(
    messages.ToolResult,
    call_id=names,
    parts=st.lists(st.one_of(text, media, files), max_size=2).map(tuple),
    is_error=st.booleans(),
    cache=caches,
)


def turn(role: str, parts: Any, *, least: int = 1) -> st.SearchStrategy[messages.Message]:
    return st.builds(
        messages.Message, role=st.just(role), parts=st.lists(parts, min_size=least, max_size=3).map(tuple)
    )


def apart(said: tuple[messages.Message, ...]) -> bool:
    """Whether no words of the user follow a result of a message without any other, which would be joined."""
    return all(message.parts for message in said)


talk = conversations(
    system=turn("system", text),
    user=turn("user", st.one_of(text, media, files)),
    assistant=turn("assistant", st.one_of(thoughts, text, calls)),
    tool=turn("tool", results),
    at_most_one_system=True,
).filter(apart)
tools = st.builds(
    messages.Tool,
    name=names,
    description=maybe(words),
    parameters=schemas,
    strict=maybe(st.booleans()),
    cache=caches,
)
efforts = st.sampled_from([None, "low", "medium", "high", "xhigh", "max"])
summaries = st.sampled_from([None, "auto"])


@st.composite
def requests(draw: st.DrawFn) -> messages.Request:
    choice = draw(tool_choices(allowed=False))
    parallel = None if choice is None or choice.mode == "none" else draw(maybe(st.booleans()))
    reasoning = draw(
        st.one_of(
            st.none(),
            efforts.filter(bool).map(lambda effort: messages.ReasoningConfig(effort=effort)),
            st.builds(messages.ReasoningConfig, effort=efforts, enabled=st.just(False)),
            st.builds(messages.ReasoningConfig, effort=efforts, adaptive=st.just(True), summary=summaries),
            st.builds(
                messages.ReasoningConfig,
                effort=efforts,
                enabled=st.just(True),
                budget_tokens=counts,
                summary=summaries,
            ),
        )
    )
    form = draw(maybe(st.builds(messages.ResponseFormat, type=st.just("json_schema"), schema=schemas)))
    return messages.Request(
        model=draw(words),
        messages=draw(talk),
        tools=tuple(draw(st.lists(tools, max_size=2))),
        tool_choice=choice,
        parallel_tool_calls=parallel,
        response_format=form,
        max_tokens=draw(counts),
        temperature=draw(maybe(numbers)),
        top_p=draw(maybe(numbers)),
        top_k=draw(maybe(counts)),
        stop=tuple(draw(st.lists(words, max_size=2))),
        reasoning=reasoning,
        stream=draw(st.booleans()),
        user=draw(maybe(words)),
        service_tier=draw(st.sampled_from([None, "auto", "default"])),
        dialect="anthropic",
        extra=draw(st.dictionaries(st.sampled_from(["container", "inference_geo"]), schemas)),
        notes=draw(st.dictionaries(st.just("cache_control"), schemas)),
    )


@given(requests())
@examples(40)
def test_a_request_comes_back(request: messages.Request) -> None:
    prepared = back.request(request, model=request.model, options={})
    assert prepared.headers == {"anthropic-version": "2023-06-01"}
    assert front.request(prepared.body) == request


@given(requests())
@examples(40)
def test_counting_takes_the_same_request(request: messages.Request) -> None:
    prepared = back.count_request(request, model=request.model, options={})
    assert prepared.path == "/messages/count_tokens"
    found = front.request(prepared.body)
    assert (found.messages, found.tools, found.reasoning) == (
        request.messages,
        request.tools,
        request.reasoning,
    )
    assert "max_tokens" not in json.loads(prepared.body)


def test_count() -> None:
    assert back.count_response(b'{"input_tokens": 7}') == 7
    with pytest.raises(UpstreamError):
        back.count_response(b"{}")


PLAIN = messages.Request(
    model="m", messages=(messages.Message(role="user", parts=(messages.Text(text="x"),)),)
)


def test_every_field_of_a_request_is_sent_or_refused() -> None:
    """A new field of Request must be thought of here."""
    plain = msgspec.structs.replace(PLAIN, tools=(messages.Tool(name="f"),))
    values: dict[str, Any] = {
        "tools": (messages.Tool(name="g"),),
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
        "service_tier": "default",
        "extra": {"thing": msgspec.Raw(b"1")},
    }
    elsewhere = {"model", "messages", "include_usage", "metadata", "store", "dialect", "notes"}
    assert set(values) | elsewhere == set(messages.Request.__struct_fields__)
    bare = back.request(plain, model="m", options={}).body
    for name, value in values.items():
        request = msgspec.structs.replace(plain, **{name: value})
        try:
            assert back.request(request, model="m", options={}).body != bare, name
        except Unsupported as refusal:
            assert refusal.param == ("thing" if name == "extra" else name)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"reasoning": messages.ReasoningConfig(effort="minimal")}, "reasoning.effort"),
        ({"reasoning": messages.ReasoningConfig(summary="detailed")}, "reasoning.summary"),
        ({"response_format": messages.ResponseFormat(type="json_object")}, "response_format"),
        ({"service_tier": "flex"}, "service_tier"),
    ],
)
def test_what_it_cannot_express(change: dict[str, Any], param: str) -> None:
    with pytest.raises(Unsupported) as refusal:
        back.request(msgspec.structs.replace(PLAIN, **change), model="m", options={})
    assert refusal.value.param == param


@pytest.mark.parametrize(
    "part",
    [
        messages.File(file_id="file-1"),
        messages.File(data="aGk=", media_type="audio/wav"),
        messages.Image(url="https://example.com", detail="low"),
        messages.Text(text="x", citations=(msgspec.Raw(b"{}"),)),
        messages.Text(text="x", cache="12h"),
    ],
)
def test_parts_that_it_cannot_express(part: messages.Part) -> None:
    request = messages.Request(model="m", messages=(messages.Message(role="user", parts=(part,)),))
    with pytest.raises(Unsupported) as refusal:
        back.request(request, model="m", options={})
    assert refusal.value.param is not None


def test_a_choice_among_tools_is_only_those_tools() -> None:
    request = msgspec.structs.replace(
        PLAIN,
        tools=(messages.Tool(name="f"), messages.Tool(name="g")),
        tool_choice=messages.ToolChoice(mode="required", allowed=("g",)),
    )
    sent = json.loads(back.request(request, model="m", options={}).body)
    assert [tool["name"] for tool in sent["tools"]] == ["g"] and sent["tool_choice"] == {"type": "any"}


def test_the_newer_version_takes_no_sampling() -> None:
    newer = {"anthropic_version": "2026-10-21"}
    assert back.request(PLAIN, model="m", options=newer).headers == {"anthropic-version": "2026-10-21"}
    for name in ("temperature", "top_p", "top_k"):
        with pytest.raises(Unsupported) as refusal:
            back.request(msgspec.structs.replace(PLAIN, **{name: 1}), model="m", options=newer)
        assert refusal.value.param == name


def test_nothing_is_sent_that_the_caller_did_not_say() -> None:
    said = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    request = front.request(json.dumps(said).encode())
    assert json.loads(back.request(request, model="m", options={}).body) == {**said, "max_tokens": 4096}
    assert json.loads(back.request(request, model="m", options={"max_tokens": "9"}).body)["max_tokens"] == 9
    assert "max_tokens" in ADDED


def test_what_has_no_place_travels_whole_and_is_refused_elsewhere() -> None:
    said = {
        "model": "m",
        "max_tokens": 5,
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "hi"},
                    {"type": "image", "source": {"type": "file", "file_id": "f"}},
                    {"type": "search_result", "content": []},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                    {"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": {"type": "direct"}},
                ],
            },
        ],
        "tools": [{"type": "web_search_20260318", "name": "web_search", "max_uses": 3}],
        "thinking": {"type": "adaptive", "display": "omitted"},
        "mcp_servers": [{"name": "x"}],
    }
    request = front.request(json.dumps(said).encode())
    assert set(request.extra) == {"messages", "tools", "thinking", "mcp_servers"}
    assert [message.role for message in request.messages] == ["user", "assistant"]
    assert json.loads(back.request(request, model="m", options={}).body) == said
    with pytest.raises(Unsupported):
        back.request(msgspec.structs.replace(request, dialect="openai"), model="m", options={})


def test_results_and_words_of_a_user_are_taken_apart() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "sunny", "is_error": True}
    said = {
        "model": "m",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": [result, {"type": "text", "text": "so?"}]}],
    }
    found = front.request(json.dumps(said).encode()).messages
    assert [message.role for message in found] == ["tool", "user"]
    request = messages.Request(model="m", messages=found, max_tokens=5)
    assert json.loads(back.request(request, model="m", options={}).body) == said


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages.content.source"),
        ({"messages": [{"role": "assistant", "content": [{"type": "tool_result", "tool_use_id": "x"}]}]},
         "messages.content"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice"),
    ],
)  # fmt: skip
def test_a_wrong_request_names_the_place(change: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        front.request(json.dumps({"model": "m", "messages": [], "max_tokens": 5, **change}).encode())
    assert error.value.param == param
    body = json.loads(front.error(error.value))
    assert body["type"] == "error" and body["error"]["type"] == "invalid_request_error"


@given(st.dictionaries(st.sampled_from(["model", "messages", "tools", "thinking", "system"]), json_values))
@examples()
def test_only_request_errors_come_out(value: Any) -> None:
    try:
        front.request(json.dumps(value).encode())
    except RequestError:
        pass


# answers


@st.composite
def responses(draw: st.DrawFn) -> messages.Response:
    said = st.builds(messages.Text, text=words, citations=st.just(()) | citations)
    called = st.builds(messages.ToolCall, id=names, name=names, arguments=arguments)
    parts = tuple(draw(st.lists(st.one_of(thoughts, said, called), max_size=4)))
    raw, stop = draw(
        st.sampled_from(
            [
                ("end_turn", "stop"),
                ("max_tokens", "length"),
                ("model_context_window_exceeded", "length"),
                ("stop_sequence", "stop_sequence"),
                ("tool_use", "tool_calls"),
                ("pause_turn", "pause"),
                ("refusal", "content_filter"),
            ]
        )
    )
    choice = messages.Choice(
        message=messages.Message(role="assistant", parts=parts),
        stop_reason=stop,  # pyright: ignore[reportArgumentType]
        stop_sequence=draw(words) if stop == "stop_sequence" else None,
        raw_stop_reason=raw,
    )
    return messages.Response(
        id="msg_" + draw(names),
        model=draw(words),
        choices=(choice,),
        usage=draw(usages(hours=True, audio=False)),
        service_tier=draw(st.sampled_from([None, "default", "priority"])),
    )


events_of_sdk: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


@given(responses())
@examples()
def test_a_response_comes_back(response: messages.Response) -> None:
    body = front.response(response, PLAIN)
    assert back.response(body) == response
    SdkMessage.construct(**json.loads(body))


@given(responses(), st.lists(st.integers(0, 9999), max_size=5))
@examples(40)
def test_a_stream_comes_back_in_any_split(response: messages.Response, cuts: list[int]) -> None:
    events = streamed(response, cuts)
    start = Usage(input=5, output=1, provenance="reported")
    events[0] = messages.Start(id=response.id, model=response.model, usage=start)
    encoder = front.encoder(PLAIN)
    frames = b"".join(encoder.encode(event) for event in events)
    names_seen = []
    for frame in frames.split(b"\n\n")[:-1]:
        name, data = frame.split(b"\n")
        names_seen.append(name.removeprefix(b"event: ").decode())
        assert json.loads(data.removeprefix(b"data: "))["type"] == names_seen[-1]
    assert names_seen[0] == "message_start" and names_seen[-2:] == ["message_delta", "message_stop"]
    decoder = back.decoder()
    found = [event for piece in split(frames, cuts) for event in decoder.feed(piece)] + decoder.close()
    assert merged(found) == merged(events)


def test_the_stream_reads_as_the_sdk_reads_it() -> None:
    response = messages.Response(
        id="msg_1",
        model="m",
        choices=(
            messages.Choice(
                message=messages.Message(
                    role="assistant",
                    parts=(
                        messages.Reasoning(text="hm", signature="s"),
                        messages.Reasoning(encrypted="e"),
                        messages.Text(text="hi"),
                        messages.ToolCall(id="t", name="f", arguments='{"a": 1}'),
                    ),
                ),
                stop_reason="tool_calls",
            ),
        ),
        usage=Usage(input=5, output=3, provenance="reported"),
    )
    encoder = front.encoder(PLAIN)
    for event in streamed(response, [1]):
        for frame in encoder.encode(event).split(b"\n\n")[:-1]:
            events_of_sdk.validate_json(frame.partition(b"data: ")[2])


def test_pings_and_news_are_ignored() -> None:
    decoder = back.decoder()
    assert decoder.feed(b'event: ping\ndata: {"type": "ping"}\n\ndata: {"type": "news"}\n\n') == []


def test_a_call_without_arguments_is_an_empty_object() -> None:
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    stream = b"".join(
        b"data: " + json.dumps(event).encode() + b"\n\n"
        for event in (
            {"type": "content_block_start", "index": 0, "content_block": block},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "input_json_delta", "partial_json": ""},
            },
            {"type": "content_block_stop", "index": 0},
        )
    )
    start = b'data: {"type":"message_start","message":{"id":"msg_1","content":[]}}\n\n'
    assert back.decoder().feed(start + stream)[2] == messages.Delta(index=0, text="{}")
    with pytest.raises(UpstreamError):
        back.decoder().feed(stream)
    delta = b'data: {"type":"content_block_delta","index":0,"delta":{"partial_json":"{}"}}\n\n'
    with pytest.raises(UpstreamError):
        back.decoder().feed(start + stream + delta)


def test_an_error_inside_a_stream() -> None:
    stream = (
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    )
    assert back.decoder().feed(stream) == [
        messages.StreamError(message="Overloaded", code="overloaded_error")
    ]
    assert front.stream_error(Unavailable("Full.")).startswith(b"event: error\ndata: ")


def test_a_refusal_says_why() -> None:
    body = {
        "id": "msg_1",
        "content": [],
        "stop_reason": "refusal",
        "stop_details": {"type": "refusal", "category": "bio", "explanation": "No."},
    }
    choice = back.response(json.dumps(body).encode()).choices[0]
    assert (choice.stop_reason, choice.message.parts) == ("content_filter", (messages.Refusal(text="No."),))


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"id":"a","content":[{"type":"server_tool_use"}]}', b'{"id":"a","content":5}', b"\xff"],
)
def test_what_is_no_message_is_the_upstreams_fault(body: bytes) -> None:
    with pytest.raises(UpstreamError) as error:
        back.response(body)
    assert error.value.kind == "server"


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "Output blocked by content filtering policy", "refused"),
        (400, "prompt is too long", "invalid"),
        (401, "key", "auth"),
        (402, "billing", "auth"),
        (404, "model", "not_found"),
        (413, "large", "invalid"),
        (429, "slow", "rate_limited"),
        (500, "oops", "server"),
        (529, "Overloaded", "server"),
    ],
)
def test_errors_have_a_kind(status: int, message: str, kind: str) -> None:
    body = {"type": "error", "error": {"type": "x", "message": message}}
    error = back.error(status, json.dumps(body).encode(), retry_after=None)
    assert error.kind == kind and message in error.message
