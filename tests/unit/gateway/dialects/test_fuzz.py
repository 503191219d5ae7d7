"""Valid bodies with one place replaced by anything: only the errors of the contract come out."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core import messages
from noria.errors import RequestError, UpstreamError
from noria.gateway.dialects.anthropic import AnthropicBack
from noria.gateway.dialects.dialect import Back
from noria.gateway.dialects.fronts import FRONTS
from noria.gateway.dialects.openai import OpenAIBack

from .generated import examples, json_values

SCHEMA = {"type": "object", "properties": {}}
CALLERS: dict[str, Any] = {
    "openai": {
        "model": "m",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": [
                {"type": "text", "text": "t", "prompt_cache_breakpoint": {"mode": "explicit"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
                {"type": "file", "file": {"file_data": "data:text/plain;base64,aGk=", "filename": "a"}},
            ]},
            {"role": "assistant", "content": None, "reasoning_content": "r",
             "reasoning_details": [{"type": "reasoning.text", "text": "r", "signature": "s", "index": 0}],
             "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"},
                             "extra_content": {"google": {"thought_signature": "s"}}}]},
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "t"}]},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
        "stop": ["x"], "logit_bias": {"1": 2}, "metadata": {"a": "b"}, "n": 2, "stream": True,
        "stream_options": {"include_usage": True}, "max_tokens": 5, "temperature": 1,
        "reasoning_effort": "low",
    },
    "anthropic": {
        "model": "m",
        "max_tokens": 5,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "t", "citations": []},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
                {"type": "document", "title": "t", "source": {"type": "text", "media_type": "text/plain",
                                                              "data": "d"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "redacted_thinking", "data": "d"},
                {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}, "caller": {"type": "direct"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c", "is_error": True,
                 "content": [{"type": "text", "text": "t"}]},
            ]},
        ],
        "tools": [{"name": "f", "description": "d", "input_schema": SCHEMA}],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 1024, "display": "summarized"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
        "stop_sequences": ["x"], "metadata": {"user_id": "u"}, "service_tier": "auto", "temperature": 1,
    },
    "responses": {
        "model": "m",
        "instructions": "i",
        "input": [
            {"role": "user", "content": "u"},
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "t"},
                {"type": "input_image", "image_url": "data:image/png;base64,aGk="},
                {"type": "input_file", "file_url": "https://example.com"},
            ]},
            {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "s"}],
             "encrypted_content": 'noria:{"signature":"s"}'},
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "t", "annotations": []},
                {"type": "refusal", "refusal": "r"},
            ]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "t"}]},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": True}],
        "tool_choice": {"type": "allowed_tools", "mode": "auto",
                        "tools": [{"type": "function", "name": "f"}]},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}, "verbosity": "low"},
        "reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"],
        "truncation": "disabled", "max_output_tokens": 5, "metadata": {"a": "b"},
    },
    "completions": {"model": "m", "prompt": ["p"], "stop": "x", "n": 1, "logit_bias": {"1": 2},
                    "echo": False},
    "embeddings": {"model": "m", "input": ["a", [1]], "dimensions": 3, "encoding_format": "base64"},
}  # fmt: skip
ANSWERS: list[tuple[Back, Any]] = [
    (OpenAIBack(), {
        "id": "i", "model": "m", "created": 5, "service_tier": "default",
        "choices": [{"index": 0, "finish_reason": "stop",
                     "logprobs": {"content": [{"token": "t", "logprob": -1, "bytes": [1],
                                               "top_logprobs": [{"token": "t", "logprob": -1}]}]},
                     "message": {"content": "c", "refusal": None, "reasoning_content": "r",
                                 "reasoning_details": [{"type": "reasoning.text", "signature": "s"}],
                                 "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}},
    }),
    (AnthropicBack(), {
        "id": "i", "model": "m", "stop_reason": "tool_use", "stop_sequence": None,
        "content": [{"type": "text", "text": "t"}, {"type": "thinking", "thinking": "t", "signature": "s"},
                    {"type": "redacted_thinking", "data": "d"},
                    {"type": "tool_use", "id": "c", "name": "f", "input": {}}],
        "usage": {"input_tokens": 1, "output_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 1}},
    }),
]  # fmt: skip
STREAMS: list[tuple[Back, list[Any]]] = [
    (OpenAIBack(), [
        {"id": "i", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
        {"id": "i", "choices": [{"index": 0, "delta": {"reasoning_content": "r"}}]},
        {"id": "i", "choices": [{"index": 0, "delta": {"content": "c"}}]},
        {"id": "i", "choices": [{"index": 0, "delta": {"tool_calls": [
            {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{"}}]}}]},
        {"id": "i", "choices": [{"index": 0, "delta": {"tool_calls": [
            {"index": 0, "function": {"arguments": "}"}}]}}]},
        {"id": "i", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        {"id": "i", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}},
    ]),
    (AnthropicBack(), [
        {"type": "message_start", "message": {"id": "i", "content": [], "usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "t"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1,
         "content_block": {"type": "tool_use", "id": "c", "name": "f", "input": {}}},
        {"type": "content_block_delta", "index": 1,
         "delta": {"type": "input_json_delta", "partial_json": "{}"}},
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]),
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    items: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [place for key, one in items for place in [(value, key), *places(one)]]


def changed(value: Any, where: int, new: Any, name: str | None) -> Any:
    """A copy with one place replaced, or with a key added beside it."""
    value = copy.deepcopy(value)
    found = places(value)
    container, key = found[where % len(found)]
    if name is not None and isinstance(container, dict):
        container[name] = new
    else:
        container[key] = new
    return value


where = st.integers(0, 10_000)
name = st.sampled_from([None, None, "type", "new", "role", "content"])


@pytest.mark.parametrize("front", list(CALLERS))
def test_the_valid_bodies_are_valid(front: str) -> None:
    request = FRONTS[front].request(json.dumps(CALLERS[front]).encode())
    assert request.extra == {}


@pytest.mark.parametrize("front", list(CALLERS))
@given(where=where, new=json_values, name=name)
@examples()
def test_callers(front: str, where: int, new: Any, name: str | None) -> None:
    body = json.dumps(changed(CALLERS[front], where, new, name)).encode()
    try:
        request = FRONTS[front].request(body)
    except RequestError as error:
        assert error.status == 400 and error.message.endswith(".")
        json.loads(FRONTS[front].error(error))
        return
    for back in (OpenAIBack(), AnthropicBack()):
        try:
            json.loads(back.request(request, model="m", options={}).body)
        except RequestError as error:
            assert error.status == 400


@pytest.mark.parametrize(("back", "answer"), ANSWERS)
@given(where=where, new=json_values, name=name)
@examples()
def test_answers(back: Back, answer: Any, where: int, new: Any, name: str | None) -> None:
    try:
        response = back.response(json.dumps(changed(answer, where, new, name)).encode())
    except UpstreamError as error:
        assert error.kind == "server"
        return
    for front in ("openai", "completions", "responses", "anthropic"):
        request = messages.Request(model="m", messages=())
        try:
            json.loads(FRONTS[front].response(response, request))
        except UpstreamError as error:
            assert error.kind == "server"


@pytest.mark.parametrize(("back", "frames"), STREAMS)
@given(where=where, new=json_values, name=name)
@examples()
def test_streams(back: Back, frames: Any, where: int, new: Any, name: str | None) -> None:
    stream = b"".join(
        b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in changed(frames, where, new, name)
    )
    request = messages.Request(model="m", messages=(), stream=True)
    decoder = back.decoder()
    encoders = [
        FRONTS[front].encoder(request) for front in ("openai", "completions", "responses", "anthropic")
    ]
    try:
        for event in decoder.feed(stream) + decoder.close():
            for encoder in encoders:
                encoder.encode(event)
    except UpstreamError as error:
        assert error.kind == "server"
