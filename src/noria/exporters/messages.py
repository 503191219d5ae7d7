"""Prompts and answers in the form of the GenAI conventions: a JSON list of messages, each with its parts.

Source: OpenTelemetry GenAI semantic conventions, `gen_ai.input.messages` and `gen_ai.output.messages`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from noria.core.messages import (
    Choice,
    File,
    Image,
    Message,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from noria.errors import RequestError, UpstreamError
from noria.gateway.dialects.anthropic import AnthropicBack
from noria.gateway.dialects.dialect import Back
from noria.gateway.dialects.fronts import FRONTS
from noria.gateway.dialects.openai import OpenAIBack

_BACKS: dict[str, Back] = {"openai": OpenAIBack(), "anthropic": AnthropicBack()}
"""Those that read what the front of the same name writes."""
_CHATS = ("openai", "responses", "anthropic")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def input_messages(dialect: str, body: str) -> str | None:
    """The conversation in a request of this front dialect; None where it is not a chat, or malformed."""
    if dialect not in _CHATS:
        return None
    try:
        request = FRONTS[dialect].request(body.encode())
    except RequestError:  # A refused call is recorded with what was refused.
        return None
    return _encode([_message(message) for message in request.messages]).decode()


def output_messages(dialect: str, body: str) -> str | None:
    """The choices of an answer; None where they cannot be read out of it."""
    back = _BACKS.get(dialect)
    if back is None:
        return None
    try:
        response = back.response(body.encode())
    except UpstreamError:
        return None
    return _encode([_choice(choice) for choice in response.choices]).decode()


def _choice(choice: Choice) -> dict[str, Any]:
    return {**_message(choice.message), "finish_reason": choice.stop_reason}


def _message(message: Message) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message.role, "parts": [_part(part) for part in message.parts]}
    return said if message.name is None else {**said, "name": message.name}


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Text() | Refusal():
            return {"type": "text", "content": part.text}
        case Reasoning():
            return {"type": "reasoning", "content": part.text or "\n".join(part.summary)}
        case ToolCall():
            return {"type": "tool_call", "id": part.id, "name": part.name, "arguments": _json(part.arguments)}
        case ToolResult():
            response = "".join(one.text for one in part.parts if isinstance(one, Text))
            return {"type": "tool_call_response", "id": part.call_id, "response": response}
        case Image():
            return _media(part, "image")
        case File():
            return _media(part, "document")


def _media(part: Image | File, modality: str) -> dict[str, Any]:
    kind = {"modality": modality, "mime_type": part.media_type}
    if part.url is not None:
        return {"type": "uri", **kind, "uri": part.url}
    if isinstance(part, File) and part.file_id is not None:
        return {"type": "file", **kind, "file_id": part.file_id}
    return {"type": "blob", **kind, "content": part.data}


def _json(text: str) -> Any:
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text
