from __future__ import annotations

import json

import pytest

from noria.core import messages
from noria.gateway.dialects.azure import AzureBack

back = AzureBack()


@pytest.mark.parametrize(
    ("front", "options", "path"),
    [
        ("openai", {}, "/openai/v1/chat/completions"),
        ("openai", {"api_version": "v1"}, "/openai/v1/chat/completions"),
        ("openai", {"api_version": "2024-10-21"},
         "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21"),
        ("completions", {"api_version": "2024-10-21"},
         "/openai/deployments/my%20gpt/completions?api-version=2024-10-21"),
        ("embeddings", {"api_version": "2024-10-21"},
         "/openai/deployments/my%20gpt/embeddings?api-version=2024-10-21"),
        ("responses", {"api_version": "2025-04-01-preview"},
         "/openai/responses?api-version=2025-04-01-preview"),
    ],
)  # fmt: skip
def test_paths(front: str, options: dict[str, str], path: str) -> None:
    assert back.path(front, model="my gpt", stream=False, options=options) == path


def test_what_passes() -> None:
    assert back.passes("openai", {}) and back.passes("embeddings", {}) and not back.passes("responses", {})
    assert back.passes("responses", {"responses": "pass"}) and not back.passes("anthropic", {})


def test_a_request() -> None:
    said = messages.Message(role="user", parts=(messages.Text(text="hi"),))
    request = messages.Request(model="m", messages=(said,), max_tokens=5, dialect="anthropic")
    prepared = back.request(request, model="gpt", options={"api_version": "2024-10-21"})
    assert prepared.path == "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    assert json.loads(prepared.body)["max_completion_tokens"] == 5
    older = back.request(request, model="gpt", options={"max_tokens_field": "max_tokens"})
    assert json.loads(older.body)["max_tokens"] == 5


def test_a_filtered_prompt_is_refused() -> None:
    body = {
        "error": {
            "message": "The response was filtered",
            "type": None,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}},
        }
    }
    assert back.error(400, json.dumps(body).encode(), retry_after=None).kind == "refused"


def test_the_first_chunk_of_azure_has_no_choice() -> None:
    decoder = back.decoder()
    chunk = {
        "choices": [],
        "prompt_filter_results": [{"prompt_index": 0}],
        "id": "",
        "model": "",
        "created": 0,
    }
    events = decoder.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    assert events == [messages.Start(id="", model="")]
