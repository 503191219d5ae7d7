"""What an Example says of a good answer, as texts."""

from __future__ import annotations

from typing import Any

import msgspec

from noria.core.example import Example
from noria.scoring.factory import Unscorable


def references(example: Example) -> tuple[str, ...]:
    """The equally good answers. Raises Unscorable where there is none."""
    expected = example.expected
    found = expected if isinstance(expected, list) else [expected]
    if expected is None or not found:
        raise Unscorable(f"Example {example.id} has no expected answer.")
    return tuple(text_of(one) for one in found)


def text_of(value: Any) -> str:
    """A JSON value as a person would write it: texts as they are, the rest as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def question(example: Example) -> str:
    """What was asked, as one text: the bare input, the conversation, or the variables one a line."""
    given = example.input
    if "messages" in given:
        return "\n\n".join(_said(message) for message in given["messages"])
    for name in ("input", "question", "prompt"):
        if name in given and len(given) == 1:
            return text_of(given[name])
    return "\n".join(f"{name}: {text_of(value)}" for name, value in given.items())


def _said(message: Any) -> str:
    if not isinstance(message, dict):
        return text_of(message)
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return f"{message.get('role', 'user')}: {content or ''}"
