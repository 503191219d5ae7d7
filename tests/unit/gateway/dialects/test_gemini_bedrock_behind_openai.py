"""A caller of OpenAI's dialect in front of Gemini and of Bedrock: what each side says reaches the other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from noria.core import messages as m
from noria.gateway.dialects import eventstream
from noria.gateway.dialects.bedrock import BedrockBack
from noria.gateway.dialects.dialect import Back
from noria.gateway.dialects.gemini import GeminiBack
from noria.gateway.dialects.openai import OpenAIFront
from noria.gateway.dialects.sse import SseSplitter
from noria.gateway.streams import TranslatedStream

FRONT = OpenAIFront()
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CALLER: dict[str, Any] = {
    "model": "public",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is the weather here?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city": "Ulm"}'},
                    "extra_content": {"google": {"thought_signature": "c2ln"}},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "Rain"},
    ],
    "tools": [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}],
    "tool_choice": "auto",
    "max_completion_tokens": 50,
    "reasoning_effort": "low",
    "user": "u1",
    "metadata": {"team": "a"},
    "stream": True,
    "stream_options": {"include_usage": True},
}


def upstream(back: Back, model: str) -> dict[str, Any]:
    request = FRONT.request(json.dumps(CALLER).encode())
    return json.loads(back.request(request, model=model, options={}).body)


def test_gemini_is_asked_what_the_caller_asked() -> None:
    assert upstream(GeminiBack(), "gemini-3.5-flash") == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "What is the weather here?"},
                    {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
                ],
            },
            {
                "role": "model",
                "parts": [
                    {
                        "functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Ulm"}},
                        "thoughtSignature": "c2ln",
                    }
                ],
            },
            {
                "role": "user",
                "parts": [
                    {
                        "functionResponse": {
                            "id": "call_1",
                            "name": "weather",
                            "response": {"output": "Rain"},
                        }
                    }
                ],
            },
        ],
        "tools": [{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": WEATHER}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
        "generationConfig": {"maxOutputTokens": 50, "thinkingConfig": {"thinkingLevel": "LOW"}},
    }


def test_bedrock_is_asked_what_the_caller_asked() -> None:
    assert upstream(BedrockBack(), "anthropic.claude-opus-4-5") == {
        "system": [{"text": "Be brief."}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"text": "What is the weather here?"},
                    {"image": {"format": "png", "source": {"bytes": "aGk="}}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Ulm"}}}
                ],
            },
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "call_1", "content": [{"text": "Rain"}]}}],
            },
        ],
        "toolConfig": {
            "tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": WEATHER}}}],
            "toolChoice": {"auto": {}},
        },
        "inferenceConfig": {"maxTokens": 50},
        "outputConfig": {"effort": "low"},
    }


GEMINI_USAGE = {"promptTokenCount": 9, "candidatesTokenCount": 4, "thoughtsTokenCount": 3}
GEMINI: dict[str, Any] = {
    "candidates": [
        {
            "content": {
                "parts": [
                    {"text": "Hm.", "thought": True},
                    {"text": "Let me look."},
                    {
                        "functionCall": {"id": "c9", "name": "weather", "args": {"city": "Ulm"}},
                        "thoughtSignature": "eA",
                    },
                ]
            },
            "finishReason": "STOP",
        }
    ],
    "usageMetadata": GEMINI_USAGE,
    "modelVersion": "gemini-3.5-flash",
    "responseId": "r1",
}
BEDROCK_USAGE = {"inputTokens": 9, "outputTokens": 7, "totalTokens": 16}
BEDROCK: dict[str, Any] = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "eA=="}}},
                {"text": "Let me look."},
                {"toolUse": {"toolUseId": "c9", "name": "weather", "input": {"city": "Ulm"}}},
            ],
        }
    },
    "stopReason": "tool_use",
    "usage": BEDROCK_USAGE,
}


def gemini_stream() -> bytes:
    [candidate] = GEMINI["candidates"]
    chunks = [
        {**GEMINI, "candidates": [{"content": {"parts": [part]}}]} for part in candidate["content"]["parts"]
    ]
    chunks.append({**GEMINI, "candidates": [{"finishReason": "STOP"}]})
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def bedrock_stream() -> bytes:
    def frame(kind: str, **payload: Any) -> bytes:
        headers: dict[str, eventstream.Value] = {":message-type": "event", ":event-type": kind}
        return eventstream.encode(eventstream.Message(headers, json.dumps(payload).encode()))

    def delta(index: int, **value: Any) -> bytes:
        return frame("contentBlockDelta", contentBlockIndex=index, delta=value)

    tool = {"toolUse": {"toolUseId": "c9", "name": "weather"}}
    return b"".join(
        (
            frame("messageStart", role="assistant"),
            delta(0, reasoningContent={"text": "Hm."}),
            delta(0, reasoningContent={"signature": "eA=="}),
            frame("contentBlockStop", contentBlockIndex=0),
            delta(1, text="Let me "),
            delta(1, text="look."),
            frame("contentBlockStop", contentBlockIndex=1),
            frame("contentBlockStart", contentBlockIndex=2, start=tool),
            delta(2, toolUse={"input": '{"city":'}),
            delta(2, toolUse={"input": ' "Ulm"}'}),
            frame("contentBlockStop", contentBlockIndex=2),
            frame("messageStop", stopReason="tool_use"),
            frame("metadata", usage=BEDROCK_USAGE),
        )
    )


BACKS = [
    pytest.param(GeminiBack(), json.dumps(GEMINI).encode(), gemini_stream(), id="gemini"),
    pytest.param(BedrockBack(), json.dumps(BEDROCK).encode(), bedrock_stream(), id="bedrock"),
]


@pytest.mark.parametrize(("back", "answer", "_"), BACKS)
def test_a_whole_answer_is_openais(back: Back, answer: bytes, _: bytes) -> None:
    request = FRONT.request(json.dumps(CALLER).encode())
    made = ChatCompletion.model_validate_json(FRONT.response(back.response(answer), request))
    [choice] = made.choices
    assert choice.message.content == "Let me look."
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    [call] = choice.message.tool_calls
    assert call.type == "function" and call.id == "c9"
    assert json.loads(call.function.arguments) == {"city": "Ulm"}
    assert made.usage is not None
    assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (9, 7)


@pytest.mark.parametrize(("back", "_", "stream"), BACKS)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_stream_is_openais(back: Back, _: bytes, stream: bytes, size: int) -> None:
    request = FRONT.request(json.dumps(CALLER).encode())
    translated = TranslatedStream(back.decoder(), FRONT.encoder(request), model="m", trace=b"t" * 16)
    out = b"".join(translated.feed(stream[at : at + size]) for at in range(0, len(stream), size))
    out += translated.close()
    assert translated.whole
    frames = SseSplitter().feed(out + translated.ending)
    assert frames.pop() == b"[DONE]"
    chunks = [ChatCompletionChunk.model_validate_json(frame) for frame in frames]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == "Let me look."
    calls = [call for choice in choices for call in choice.delta.tool_calls or ()]
    assert [call.id for call in calls if call.id] == ["c9"]
    arguments = "".join(call.function.arguments or "" for call in calls if call.function)
    assert json.loads(arguments) == {"city": "Ulm"}
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["tool_calls"]
    usages = [chunk.usage for chunk in chunks if chunk.usage is not None]
    assert [(usage.prompt_tokens, usage.completion_tokens) for usage in usages] == [(9, 7)]


def test_geminis_signatures_come_back_through_the_caller() -> None:
    """As a client does that appends the assistant's message to its conversation as it got it."""
    request = FRONT.request(json.dumps(CALLER).encode())
    answer = json.loads(FRONT.response(GeminiBack().response(json.dumps(GEMINI).encode()), request))
    again = {**CALLER, "messages": [*CALLER["messages"], answer["choices"][0]["message"]]}
    message = FRONT.request(json.dumps(again).encode()).messages[-1]
    [call] = [part for part in message.parts if isinstance(part, m.ToolCall)]
    assert call.signature == "eA"
    body = GeminiBack().request(
        m.Request(model="public", messages=(message,)), model="gemini-3.5-flash", options={}
    )
    assert json.loads(body.body)["contents"][0]["parts"][-1]["thoughtSignature"] == "eA"
