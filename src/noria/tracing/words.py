"""The words in a span's input or output: what is searched, and what is shown as its first words."""

from __future__ import annotations

from typing import Any

import msgspec

FIRST = 240
"""Characters of the first words."""
_MAX_TOKENLESS = 2_000
"""A longer string without a space is data (base64), not words."""
_NOT_WORDS = frozenset(
    {"type", "role", "id", "object", "model", "finish_reason", "detail", "media_type", "call_id", "status",
     "tool_call_id", "mime_type", "signature", "encrypted_content", "system_fingerprint", "service_tier"}
)  # fmt: skip
_decode = msgspec.json.Decoder().decode


def words(text: str | None) -> str:
    """All text in `text`, which is JSON or plain, on lines of their own; names and data left out."""
    if not text:
        return ""
    value = _json(text)
    if value is None:
        return text
    found: list[str] = []
    _collect(value, found)
    return "\n".join(found)


def first_words(text: str | None) -> str:
    """What a person would read first of an input or output: of a conversation its last message."""
    if not text:
        return ""
    value = _json(text[:65_536]) if len(text) <= 65_536 else None
    found: list[str] = []
    _collect(text if value is None else _newest(value), found)
    return " ".join(" ".join(found)[: FIRST * 4].split())[:FIRST]


def _json(text: str) -> Any:
    if text[0] not in "{[":
        return None
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _collect(value: Any, found: list[str]) -> None:
    if type(value) is str:
        if len(value) <= _MAX_TOKENLESS or " " in value[:_MAX_TOKENLESS]:
            found.append(value)
    elif type(value) is dict:
        for name, item in value.items():
            if type(item) is not int and name not in _NOT_WORDS:
                _collect(item, found)
    elif type(value) is list:
        if len(value) > 64 and type(value[0]) in (float, int):
            return  # An embedding.
        for item in value:
            _collect(item, found)


def _newest(value: Any) -> Any:
    """The part of a request, answer or list of messages that came last."""
    for _ in range(6):
        if isinstance(value, list) and value:
            users = [item for item in value if isinstance(item, dict) and item.get("role") == "user"]
            value = (users or value)[-1]
        elif isinstance(value, dict):
            for name in (
                "messages",
                "input",
                "prompt",
                "choices",
                "message",
                "output",
                "content",
                "parts",
                "text",
            ):
                if value.get(name):
                    value = value[name]
                    break
            else:
                return value
        else:
            return value
    return value
