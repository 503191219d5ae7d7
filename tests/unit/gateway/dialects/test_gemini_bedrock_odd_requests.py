"""Whatever a request holds, the backs of Google and AWS translate it or refuse it with a sentence."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from noria.core import messages as m
from noria.errors import InvalidRequest, Unsupported
from noria.gateway.dialects.bedrock import BedrockBack
from noria.gateway.dialects.dialect import Back
from noria.gateway.dialects.gemini import GeminiBack
from noria.gateway.dialects.vertex import VertexBack

OPTIONS = {"project": "p", "location": "l"}
MODELS = [
    "gemini-2.5-flash",
    "gemini-3.5-pro",
    "anthropic.claude",
    "amazon.nova-2",
    "openai.gpt-oss",
    "llama",
    "",
]

odd = st.sampled_from(["", "//[", "a b/ü?.png", "x.pdf", "http://[::1", "s3://b/x.jpg", "\x00", "image/png"])
maybe = st.none() | odd
caches = st.sampled_from([None, "5m", "1h", "30m"])
raws = st.sampled_from([b"{}", b"null", b"[1]", b'"\xff"', b'{"type":"object"}']).map(msgspec.Raw)
texts = st.builds(m.Text, text=odd, cache=caches, citations=st.sampled_from([(), (msgspec.Raw(b"{}"),)]))
images = st.builds(m.Image, url=maybe, data=maybe, media_type=maybe, cache=caches)
files = st.builds(m.File, url=maybe, data=maybe, file_id=maybe, media_type=maybe, name=maybe)
calls = st.builds(
    m.ToolCall,
    id=odd,
    name=odd,
    arguments=st.sampled_from(["", "{}", "[", "null", '{"a":1}']),
    signature=maybe,
)
results = st.builds(
    m.ToolResult,
    call_id=odd,
    parts=st.lists(texts | images | files, max_size=2).map(tuple),
    name=maybe,
    is_error=st.booleans(),
)
thoughts = st.builds(
    m.Reasoning, text=odd, summary=st.lists(odd, max_size=2).map(tuple), signature=maybe, encrypted=maybe
)
parts = texts | images | files | calls | results | thoughts | st.builds(m.Refusal, text=odd)
roles = st.sampled_from(["system", "developer", "user", "assistant", "tool"])
turns = st.builds(m.Message, role=roles, parts=st.lists(parts, max_size=3).map(tuple), name=maybe)
tools = st.builds(
    m.Tool, name=odd, description=maybe, parameters=st.none() | raws, strict=st.sampled_from([None, True])
)
formats = st.builds(
    m.ResponseFormat,
    type=st.sampled_from(["text", "json_object", "json_schema"]),
    description=maybe,
    schema=st.none() | raws,
)
reasonings = st.builds(
    m.ReasoningConfig,
    effort=st.sampled_from([None, "none", "minimal", "low", "xhigh", "max"]),
    budget_tokens=st.none() | st.integers(0, 9),
    summary=st.sampled_from([None, "auto", "detailed"]),
    enabled=st.sampled_from([None, True, False]),
    adaptive=st.booleans(),
)
choices = st.builds(
    m.ToolChoice,
    mode=st.sampled_from(["auto", "none", "required"]),
    name=maybe,
    allowed=st.lists(odd, max_size=1).map(tuple),
)
requests = st.builds(
    m.Request,
    model=odd,
    messages=st.lists(turns, max_size=3).map(tuple),
    tools=st.lists(tools, max_size=2).map(tuple),
    tool_choice=st.none() | choices,
    response_format=st.none() | formats,
    reasoning=st.none() | reasonings,
    top_k=st.none() | st.integers(0, 9),
    service_tier=st.none() | st.sampled_from(["auto", "default", "flex", "x"]),
    stream=st.booleans(),
)


@pytest.mark.parametrize("back", [GeminiBack(), VertexBack(), BedrockBack()], ids=lambda back: back.name)
@settings(max_examples=200, deadline=None)
@given(request_=requests, model=st.sampled_from(MODELS))
@example(
    request_=m.Request(
        model="x",
        messages=(),
        response_format=m.ResponseFormat(type="json_schema", schema=msgspec.Raw(b'{"title":"\xff"}')),
    ),
    model="",
)
def test_a_request_is_translated_or_refused(back: Any, request_: m.Request, model: str) -> None:
    translate(back, request_, model)


def translate(back: Back, request_: m.Request, model: str) -> None:
    try:
        prepared = back.request(request_, model=model, options=OPTIONS)
    except (Unsupported, InvalidRequest) as error:
        assert error.param and error.message.endswith(".")
        return
    assert prepared.path.startswith("/") and prepared.path.isascii() and " " not in prepared.path
    json.loads(prepared.body.decode("utf-8", "replace"))
