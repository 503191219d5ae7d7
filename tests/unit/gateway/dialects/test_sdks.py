"""What the fronts write is read by the official SDKs, whose own accumulators put the streams together."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from noria.core import messages
from noria.core.usage import Usage
from noria.errors import BudgetExceeded, InvalidRequest, Unavailable
from noria.gateway.dialects.fronts import FRONTS, PATHS

from .generated import streamed

RESPONSE = messages.Response(
    id="up1",
    model="m",
    choices=(
        messages.Choice(
            message=messages.Message(
                role="assistant",
                parts=(
                    messages.Reasoning(text="Let me see.", signature="sig"),
                    messages.Text(text="It is sunny."),
                    messages.ToolCall(id="c1", name="weather", arguments='{"city": "Ulm"}'),
                    messages.ToolCall(id="c2", name="weather", arguments='{"city": "Bonn"}'),
                ),
            ),
            stop_reason="tool_calls",
        ),
    ),
    usage=Usage(input=20, output=9, cached=5, reasoning=3, provenance="reported"),
    created=1_700_000_000,
)
TOOL: dict[str, Any] = {"name": "weather", "parameters": {"type": "object", "properties": {}}}


def answer(request: httpx2.Request) -> httpx2.Response:
    front = FRONTS[PATHS[request.url.path.encode()]]
    said = front.request(request.content)
    if not said.stream:
        body = front.response(RESPONSE, said)
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=body)
    encoder = front.encoder(said)
    stream = b"".join(encoder.encode(event) for event in streamed(RESPONSE, [2, 5]))
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)


def client(handler: Callable[[httpx2.Request], httpx2.Response] = answer) -> openai.OpenAI:
    http = httpx2.Client(transport=httpx2.MockTransport(handler))
    return openai.OpenAI(base_url="http://noria.test/v1", api_key="k", http_client=http, max_retries=0)


def claude(handler: Callable[[httpx2.Request], httpx2.Response] = answer) -> anthropic.Anthropic:
    http = httpx2.Client(transport=httpx2.MockTransport(handler))
    return anthropic.Anthropic(base_url="http://noria.test", api_key="k", http_client=http, max_retries=0)


def test_chat() -> None:
    tools: Any = [{"type": "function", "function": TOOL}]
    user: Any = [{"role": "user", "content": "hi"}]
    whole = client().chat.completions.create(model="m", messages=user, tools=tools)
    with client().chat.completions.stream(
        model="m", messages=user, tools=tools, stream_options={"include_usage": True}
    ) as stream:
        final = stream.get_final_completion()
    for found in (whole, final):
        choice = found.choices[0]
        assert choice.finish_reason == "tool_calls" and choice.message.content == "It is sunny."
        assert [(call.id, call.function.arguments) for call in choice.message.tool_calls or ()] == [  # type: ignore[union-attr]
            ("c1", '{"city": "Ulm"}'),
            ("c2", '{"city": "Bonn"}'),
        ]
        assert found.usage is not None and found.usage.total_tokens == 29
        assert found.created == RESPONSE.created


def test_responses() -> None:
    tools: Any = [{"type": "function", "strict": False, **TOOL}]
    whole = client().responses.create(model="m", input="hi", tools=tools, reasoning={"summary": "auto"})
    with client().responses.stream(
        model="m", input="hi", tools=tools, reasoning={"summary": "auto"}
    ) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_response()
    assert "response.reasoning_summary_text.delta" in kinds
    for found in (whole, final):
        assert found.status == "completed" and found.output_text == "It is sunny."
        assert [item.type for item in found.output] == [
            "reasoning", "message", "function_call", "function_call",
        ]  # fmt: skip
        assert found.output[0].summary[0].text == "Let me see."  # type: ignore[union-attr]
        assert found.usage is not None and found.usage.input_tokens_details.cached_tokens == 5


def test_messages() -> None:
    tools: Any = [{"name": "weather", "input_schema": TOOL["parameters"]}]
    user: Any = [{"role": "user", "content": "hi"}]
    whole = claude().messages.create(model="m", max_tokens=9, messages=user, tools=tools)
    with claude().messages.stream(model="m", max_tokens=9, messages=user, tools=tools) as stream:
        final = stream.get_final_message()
    for found in (whole, final):
        assert found.stop_reason == "tool_use"
        thinking, text, first, second = found.content
        assert thinking.type == "thinking" and (thinking.thinking, thinking.signature) == (
            "Let me see.",
            "sig",
        )
        assert text.type == "text" and text.text == "It is sunny."
        assert first.type == "tool_use" and first.input == {"city": "Ulm"}
        assert second.type == "tool_use" and second.input == {"city": "Bonn"}
        assert (found.usage.input_tokens, found.usage.cache_read_input_tokens) == (15, 5)
        assert found.usage.output_tokens == 9


def refusing(error: Any) -> Callable[[httpx2.Request], httpx2.Response]:
    def handler(request: httpx2.Request) -> httpx2.Response:
        front = FRONTS[PATHS[request.url.path.encode()]]
        return httpx2.Response(error.status, content=front.error(error))

    return handler


@pytest.mark.parametrize(
    ("error", "ours", "theirs"),
    [
        (InvalidRequest("No.", param="model"), openai.BadRequestError, anthropic.BadRequestError),
        (BudgetExceeded("Spent."), openai.RateLimitError, anthropic.RateLimitError),
        (Unavailable("Full."), openai.InternalServerError, anthropic.InternalServerError),
    ],
)
def test_errors_are_raised_with_their_sentence(error: Any, ours: Any, theirs: Any) -> None:
    user: Any = [{"role": "user", "content": "hi"}]
    with pytest.raises(ours, match=error.message) as raised:
        client(refusing(error)).chat.completions.create(model="m", messages=user)
    assert raised.value.code == error.code and raised.value.param == error.param
    with pytest.raises(ours, match=error.message):
        client(refusing(error)).responses.create(model="m", input="hi")
    with pytest.raises(theirs, match=error.message):
        claude(refusing(error)).messages.create(model="m", max_tokens=9, messages=user)


def failing(request: httpx2.Request) -> httpx2.Response:
    front = FRONTS[PATHS[request.url.path.encode()]]
    encoder = front.encoder(front.request(request.content))
    stream = b"".join(encoder.encode(event) for event in streamed(RESPONSE, [])[:4])
    stream += front.stream_error(Unavailable("The upstream broke."))
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)


def test_a_broken_stream_is_raised() -> None:
    user: Any = [{"role": "user", "content": "hi"}]
    with pytest.raises(openai.APIError, match="The upstream broke"):
        list(client(failing).chat.completions.create(model="m", messages=user, stream=True))
    with pytest.raises(openai.APIError, match="The upstream broke"):
        list(client(failing).responses.create(model="m", input="hi", stream=True))
    with pytest.raises(anthropic.APIStatusError, match="The upstream broke"):
        list(claude(failing).messages.create(model="m", max_tokens=9, messages=user, stream=True))


def test_all_parameters_of_chat_are_understood() -> None:
    """Everything at once, as the SDK's own tests send it."""
    user: Any = [{"role": "user", "content": "hi", "name": "n"}]
    seen: list[messages.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(FRONTS["openai"].request(request.content))
        return answer(request)

    client(handler).chat.completions.create(
        model="m",
        messages=user,
        audio={"format": "wav", "voice": "alloy"},
        frequency_penalty=-2,
        logit_bias={"foo": 0},
        logprobs=True,
        max_completion_tokens=5,
        max_tokens=5,
        metadata={"foo": "string"},
        modalities=["text"],
        n=1,
        parallel_tool_calls=True,
        prediction={"content": "x", "type": "content"},
        presence_penalty=-2,
        prompt_cache_key="k",
        reasoning_effort="max",
        response_format={"type": "text"},
        safety_identifier="s",
        seed=1,
        service_tier="auto",
        stop="\n",
        store=True,
        temperature=1,
        tool_choice="none",
        top_logprobs=0,
        top_p=1,
        user="u",
        verbosity="low",
        web_search_options={"search_context_size": "low"},
    )
    assert set(seen[0].extra) == {"audio", "modalities", "prediction", "web_search_options"}
    assert set(seen[0].notes) == {"prompt_cache_key", "safety_identifier"}
    assert json.dumps(seen[0].metadata) == '{"foo": "string"}'
