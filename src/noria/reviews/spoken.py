"""What was asked and what was answered, read out of a span's recorded input and output.

Reads OpenAI chat, completions and responses, Anthropic messages, the OpenTelemetry GenAI form, their streams
as recorded, and plain text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

_decode = msgspec.json.Decoder().decode


def asked(text: str | None) -> dict[str, Any] | None:
    """An example's input: the conversation under "messages", any other text under "input"; None: nothing was
    recorded."""
    if not text:
        return None
    value = _json(text)
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return {"messages": [_plain(one) for one in value]}
    if not isinstance(value, dict):
        return {"input": text}
    messages = value.get("messages")
    if isinstance(messages, list):
        system = _text(value.get("system"))
        return {"messages": [*_system(system), *(_plain(one) for one in messages if isinstance(one, dict))]}
    given = value.get("input", value.get("prompt"))
    if isinstance(given, str):
        system = _text(value.get("instructions"))
        if system:
            return {"messages": [*_system(system), {"role": "user", "content": given}]}
        return {"input": given}
    if isinstance(given, list) and all(isinstance(one, dict) for one in given):
        system = _text(value.get("instructions"))
        return {"messages": [*_system(system), *(_plain(one) for one in given)]}
    return {"input": text}


def said(text: str | None) -> str | None:
    """The answer's text; None: there is none, or only tool calls."""
    if not text:
        return None
    if text.startswith(("data:", "event:")):
        return "".join(_streamed(text)) or None
    value = _json(text)
    if value is None or not isinstance(value, list | dict):
        return text
    return _answer(value) or None


def _answer(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(found for one in value if (found := _answer(one)))
    if not isinstance(value, dict):
        return ""
    choices = value.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        first = choices[0]
        return first["text"] if isinstance(first.get("text"), str) else _answer(first.get("message"))
    if isinstance(value.get("output"), list):
        return _answer([one for one in value["output"] if isinstance(one, dict) and "content" in one])
    for name in ("content", "parts"):
        if name in value:
            return _text(value[name])
    return ""


def _text(value: Any) -> str:
    """Of a content: a text, or parts of which those that hold text are taken."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    found: list[str] = []
    for part in value:
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, dict) and part.get("type") in (None, "text", "output_text", "input_text"):
            text = part.get("text", part.get("content"))
            if isinstance(text, str):
                found.append(text)
    return "\n".join(found)


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """The GenAI form's parts as OpenAI's content; other messages as they are."""
    if "parts" in message and "content" not in message:
        return {"role": message.get("role", "user"), "content": _text(message["parts"])}
    return message


def _system(text: str) -> list[dict[str, Any]]:
    return [{"role": "system", "content": text}] if text else []


def _streamed(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.startswith("data:"):
            continue
        event = _json(line[5:].strip())
        if not isinstance(event, dict):
            continue
        choices = event.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            delta = choices[0].get("delta")
            content = delta.get("content") if isinstance(delta, dict) else choices[0].get("text")
            if isinstance(content, str):
                yield content
        elif event.get("type") == "response.output_text.delta" and isinstance(event.get("delta"), str):
            yield event["delta"]
        elif event.get("type") == "content_block_delta" and isinstance(event.get("delta"), dict):
            piece = event["delta"].get("text")
            if isinstance(piece, str):
                yield piece


def _json(text: str) -> Any:
    if not text or text[0] not in "{[":
        return None
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
