"""A caller of one dialect before a provider of another: what was said and answered is the same."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core import messages
from noria.core.usage import Usage
from noria.gateway.dialects.anthropic import AnthropicBack, AnthropicFront
from noria.gateway.dialects.dialect import Back, Front
from noria.gateway.dialects.fronts import FRONTS, PATHS
from noria.gateway.dialects.openai import OpenAIBack, OpenAIFront

from .generated import (
    arguments,
    examples,
    maybe,
    names,
    schemas,
    split,
    streamed,
    tool_choices,
    usages,
    words,
)

openai, anthropic = OpenAIFront(), AnthropicFront()
BACKS: list[tuple[Front, Back]] = [(openai, OpenAIBack()), (anthropic, AnthropicBack())]
STOPS = {
    "openai": {
        "stop": "stop",
        "length": "length",
        "tool_calls": "tool_calls",
        "content_filter": "content_filter",
    },
    "anthropic": {
        "stop": "end_turn",
        "length": "max_tokens",
        "tool_calls": "tool_use",
        "content_filter": "refusal",
    },
}

text = st.builds(messages.Text, text=words)
call = st.builds(messages.ToolCall, id=names, name=names, arguments=arguments)
result = st.builds(messages.ToolResult, call_id=names, parts=st.tuples(text))


def turn(role: str, parts: Any) -> st.SearchStrategy[messages.Message]:
    return st.builds(messages.Message, role=st.just(role), parts=parts)


@st.composite
def talks(draw: st.DrawFn) -> tuple[messages.Message, ...]:
    said = [draw(turn("system", st.tuples(text)))] if draw(st.booleans()) else []
    said.append(draw(turn("user", st.tuples(text))))
    for _ in range(draw(st.integers(0, 2))):
        said.append(draw(turn("assistant", st.tuples(text, call, call))))
        said.append(draw(turn("tool", st.tuples(result, result))))
        said.append(draw(turn("user", st.tuples(text))))
    return tuple(said)


requests = st.builds(
    messages.Request,
    model=words,
    messages=talks(),
    tools=st.lists(
        st.builds(messages.Tool, name=names, description=maybe(words), parameters=schemas),
        min_size=1,
        max_size=2,
    ).map(tuple),
    tool_choice=tool_choices(allowed=False),
    max_tokens=st.integers(1, 99),
    temperature=maybe(st.just(0.5)),
    stop=st.lists(words, max_size=2).map(tuple),
    stream=st.booleans(),
    user=maybe(words),
)
responses = st.builds(
    lambda said, called, usage, stop: messages.Response(
        id="x",
        model="m",
        choices=(
            messages.Choice(
                message=messages.Message(
                    role="assistant", parts=(*((messages.Text(text=said),) if said else ()), *called)
                ),
                stop_reason="tool_calls" if called else stop,
            ),
        ),
        usage=usage,
    ),
    maybe(words),
    st.lists(call, max_size=2, unique_by=lambda one: one.id),
    usages(hours=False, audio=False),
    st.sampled_from(["stop", "length", "content_filter"]),
)


@pytest.mark.parametrize(("speaks", "target"), [(0, 1), (1, 0)])
@given(request=requests)
@examples(40)
def test_a_request_is_the_same_on_the_other_side(speaks: int, target: int, request: messages.Request) -> None:
    """caller → front → other back → (as its own provider would read it)."""
    front, own = BACKS[speaks]
    other, back = BACKS[target]
    said = front.request(own.request(request, model=request.model, options={}).body)
    found = other.request(back.request(said, model=request.model, options={}).body)
    assert found == msgspec.structs.replace(said, dialect=other.name)


def provider_body(front: Front, response: messages.Response) -> bytes:
    return front.response(response, messages.Request(model="m", messages=()))


@pytest.mark.parametrize(("speaks", "target"), [(0, 1), (1, 0)])
@given(response=responses)
@examples()
def test_an_answer_keeps_calls_usage_and_stop(speaks: int, target: int, response: messages.Response) -> None:
    front, own = BACKS[speaks]
    provider, back = BACKS[target]
    found = back.response(provider_body(provider, response))
    body = provider_body(front, found)
    seen = own.response(body)
    choice, expected = seen.choices[0], response.choices[0]
    assert choice.message == expected.message
    assert choice.stop_reason == expected.stop_reason
    assert STOPS[front.name][expected.stop_reason] == choice.raw_stop_reason
    assert seen.usage == response.usage


@pytest.mark.parametrize(("speaks", "target"), [(0, 1), (1, 0)])
@given(response=responses, cuts=st.lists(st.integers(0, 9999), max_size=4))
@examples(40)
def test_a_stream_keeps_them_too(
    speaks: int, target: int, response: messages.Response, cuts: list[int]
) -> None:
    front, own = BACKS[speaks]
    provider, back = BACKS[target]
    request = messages.Request(model="m", messages=(), stream=True)
    sends = provider.encoder(request)
    stream = b"".join(sends.encode(event) for event in streamed(response, cuts))
    decoder, encoder, reader = back.decoder(), front.encoder(request), own.decoder()
    seen: list[messages.StreamEvent] = []
    for piece in split(stream, cuts):
        for event in decoder.feed(piece):
            seen += reader.feed(encoder.encode(event))
    parts: dict[int, Any] = {}
    for event in seen:
        if isinstance(event, messages.PartStart):
            parts[event.index] = event.part
        elif isinstance(event, messages.Delta):
            field = "arguments" if isinstance(parts[event.index], messages.ToolCall) else "text"
            whole = getattr(parts[event.index], field) + event.text
            parts[event.index] = msgspec.structs.replace(parts[event.index], **{field: whole})
    assert tuple(parts.values()) == response.choices[0].message.parts
    stops = [event.stop_reason for event in seen if isinstance(event, messages.Stop)]
    assert stops == [response.choices[0].stop_reason]
    assert seen[-1] == messages.Finish(usage=response.usage)


def test_thinking_reaches_a_chat_caller_and_comes_back_signed() -> None:
    answer = {
        "id": "msg_1",
        "model": "claude",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "redacted_thinking", "data": "enc"},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    back = AnthropicBack()
    request = messages.Request(model="m", messages=())
    body = json.loads(openai.response(back.response(json.dumps(answer).encode()), request))
    message = body["choices"][0]["message"]
    assert message["reasoning_content"] == "hm"
    said = {
        "model": "m",
        "max_tokens": 5,
        "messages": [
            {"role": "user", "content": "hi"},
            message,
            {"role": "tool", "tool_call_id": "t1", "content": "1"},
        ],
    }
    sent = json.loads(
        back.request(openai.request(json.dumps(said).encode()), model="claude", options={}).body
    )
    assert sent["messages"][1]["content"] == answer["content"]


def test_thinking_streams_to_a_chat_caller_with_its_proof() -> None:
    response = messages.Response(
        id="msg_1",
        model="claude",
        choices=(
            messages.Choice(
                message=messages.Message(
                    role="assistant",
                    parts=(messages.Reasoning(text="hmm", signature="sig"), messages.Text(text="hi")),
                ),
                stop_reason="stop",
            ),
        ),
        usage=Usage(input=1, output=2, provenance="reported"),
    )
    encoder = openai.encoder(messages.Request(model="m", messages=()))
    frames = b"".join(encoder.encode(event) for event in streamed(response, [1])).split(b"\n\n")
    deltas = [
        choice["delta"]
        for frame in frames
        if frame.startswith(b"data: {")
        for choice in json.loads(frame[6:])["choices"]
    ]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "hmm"
    details = [one for delta in deltas for one in delta.get("reasoning_details", ())]
    assert details == [{"type": "reasoning.text", "text": "hmm", "signature": "sig", "index": 0}]


def test_a_cached_prompt_is_counted_alike() -> None:
    """Anthropic counts the cache beside the input, OpenAI within."""
    usage = Usage(input=100, output=5, cached=60, cache_write=30, provenance="reported")
    choice = messages.Choice(message=messages.Message(role="assistant", parts=()), stop_reason="stop")
    response = messages.Response(id="x", model="m", choices=(choice,), usage=usage)
    body = json.loads(provider_body(anthropic, response))["usage"]
    assert (body["input_tokens"], body["cache_read_input_tokens"], body["cache_creation_input_tokens"]) == (
        10,
        60,
        30,
    )
    chat = json.loads(provider_body(openai, response))["usage"]
    assert chat["prompt_tokens"] == 100 and chat["prompt_tokens_details"]["cached_tokens"] == 60


def test_an_error_of_a_tool_is_told_to_a_chat_provider() -> None:
    part = messages.ToolResult(call_id="c", parts=(messages.Text(text="no such file"),), is_error=True)
    request = messages.Request(model="m", messages=(messages.Message(role="tool", parts=(part,)),))
    sent = json.loads(OpenAIBack().request(request, model="m", options={}).body)
    assert sent["messages"][0]["content"] == "Error: no such file"


def test_every_path_has_its_front() -> None:
    assert set(PATHS.values()) == set(FRONTS)
    for name, front in FRONTS.items():
        assert front.name == name
