from __future__ import annotations

import json

import pytest

from noria.core.usage import Usage
from noria.gateway.dialects.usage import usage_of, usage_of_tail

OPENAI = {
    "prompt_tokens": 100,
    "completion_tokens": 30,
    "total_tokens": 130,
    "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 5, "cache_write_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 12, "audio_tokens": 3},
}
OPENAI_USAGE = Usage(
    input=100, output=30, cached=60, cache_write=10, reasoning=12, audio_input=5, audio_output=3,
    provenance="reported",
)  # fmt: skip


def frame(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


@pytest.mark.parametrize("front", ["openai", "completions", "embeddings"])
def test_openai(front: str) -> None:
    assert usage_of(front, json.dumps({"choices": [], "usage": OPENAI}).encode()) == OPENAI_USAGE


def test_openai_tail() -> None:
    tail = (
        frame({"choices": [{}], "usage": None})
        + frame({"choices": [], "usage": OPENAI})
        + b"data: [DONE]\n\n"
    )
    assert usage_of_tail("openai", tail) == OPENAI_USAGE


def test_deepseek_names_its_cache_otherwise() -> None:
    body = {"usage": {"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 4}}
    assert usage_of("openai", json.dumps(body).encode()) == Usage(
        input=9, output=1, cached=4, provenance="reported"
    )


def test_responses() -> None:
    usage = {
        "input_tokens": 8,
        "output_tokens": 5,
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens_details": {"reasoning_tokens": 2},
    }
    expected = Usage(input=8, output=5, cached=3, reasoning=2, provenance="reported")
    assert usage_of("responses", json.dumps({"usage": usage}).encode()) == expected
    event = {"type": "response.completed", "response": {"usage": usage}}
    assert usage_of_tail("responses", b"event: response.completed\n" + frame(event)) == expected


def test_anthropic_counts_its_cache_beside_the_input() -> None:
    usage = {
        "input_tokens": 10,
        "output_tokens": 7,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 50,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
        "output_tokens_details": {"thinking_tokens": 4},
    }
    assert usage_of("anthropic", json.dumps({"usage": usage}).encode()) == Usage(
        input=160, output=7, cached=100, cache_write=20, cache_write_1h=30, reasoning=4, provenance="reported"
    )


def test_anthropic_stream_reports_in_two_places() -> None:
    start = {
        "type": "message_start",
        "message": {
            "usage": {
                "input_tokens": 10,
                "output_tokens": 1,
                "cache_creation_input_tokens": 5,
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 5},
            }
        },
    }
    delta = {"type": "message_delta", "usage": {"output_tokens": 42}}
    assert usage_of_tail("anthropic", frame(start) + frame(delta)) == Usage(
        input=15, output=42, cache_write_1h=5, provenance="reported"
    )


@pytest.mark.parametrize("front", ["openai", "completions", "embeddings", "responses", "anthropic"])
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b'{"usage": null}', b'{"usage": {"input_tokens": "x"}}', b"{"]
)
def test_nothing_reported(front: str, body: bytes) -> None:
    if b"input_tokens" in body and front not in ("responses", "anthropic"):
        return
    assert usage_of(front, body) is None
    assert usage_of_tail(front, b"data: " + body + b"\n\n") is None
