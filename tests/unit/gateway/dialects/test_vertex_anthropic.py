"""Anthropic's models on Vertex AI: Anthropic's bodies at Google Cloud's paths."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from noria.core import messages as m
from noria.errors import ConfigError, Unsupported
from noria.gateway.dialects.anthropic import AnthropicBack, AnthropicFront
from noria.gateway.dialects.vertex_anthropic import VertexAnthropicBack

BACK = VertexAnthropicBack()
OPTIONS = {"project": "my-project", "location": "global"}
PLACE = "/projects/my-project/locations/global/publishers/anthropic/models"
CLAUDE = "claude-sonnet-4-5@20250929"


def ask(**fields: Any) -> m.Request:
    turn = m.Message(role="user", parts=(m.Text(text="Hello"),))
    return m.Request(model="public", messages=(turn,), **fields)


def test_paths_and_bodies() -> None:
    request = ask(max_tokens=9, temperature=0.5, tools=(m.Tool(name="f"),))
    prepared = BACK.request(request, model=CLAUDE, options=OPTIONS)
    assert prepared.path == f"{PLACE}/{CLAUDE}:rawPredict"
    theirs = json.loads(AnthropicBack().request(request, model=CLAUDE, options={}).body)
    del theirs["model"]
    assert json.loads(prepared.body) == {"anthropic_version": "vertex-2023-10-16", **theirs}
    assert prepared.headers == {}

    streamed = BACK.request(ask(stream=True), model=CLAUDE, options={**OPTIONS, "anthropic_beta": "b1"})
    assert streamed.path == f"{PLACE}/{CLAUDE}:streamRawPredict"
    assert json.loads(streamed.body)["stream"] is True
    assert streamed.headers == {"anthropic-beta": "b1"}


def test_a_callers_own_keys_reach_claude_and_others_are_refused() -> None:
    caller = {
        "model": "public",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hi"}],
        "newest": {"a": 1},
    }
    request = AnthropicFront().request(json.dumps(caller).encode())
    body = json.loads(BACK.request(request, model=CLAUDE, options=OPTIONS).body)
    assert body["newest"] == {"a": 1}
    with pytest.raises(Unsupported) as caught:
        BACK.request(ask(extra={"x": msgspec.Raw(b"1")}), model=CLAUDE, options=OPTIONS)
    assert caught.value.param == "x"
    with pytest.raises(Unsupported):
        BACK.embeddings(m.EmbeddingsRequest(model="x", inputs=("a",)), model=CLAUDE, options=OPTIONS)


def test_project_and_location_are_needed() -> None:
    with pytest.raises(ConfigError, match="location"):
        BACK.request(ask(), model=CLAUDE, options={"project": "p"})


def test_counting_tokens() -> None:
    counted = BACK.count_request(ask(), model=CLAUDE, options=OPTIONS)
    assert counted.path == f"{PLACE}/count-tokens:rawPredict"
    assert json.loads(counted.body)["model"] == CLAUDE
    assert BACK.count_response(b'{"input_tokens": 12}') == 12


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"error","error":{"type":"rate_limit_error","message":"Slow down."}}',
        b'[{"error":{"code":429,"message":"Slow down.","status":"RESOURCE_EXHAUSTED"}}]',
    ],
)
def test_errors_of_either_kind(body: bytes) -> None:
    error = BACK.error(429, body, retry_after=1.0)
    assert (error.kind, error.message) == ("rate_limited", "Vertex AI answered 429: Slow down.")


def test_answers_are_anthropics() -> None:
    answer = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": CLAUDE,
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 1},
    }
    response = BACK.response(json.dumps(answer).encode())
    assert response.choices[0].message.parts == (m.Text(text="Hi"),)
    assert type(BACK.decoder()) is type(AnthropicBack().decoder())
