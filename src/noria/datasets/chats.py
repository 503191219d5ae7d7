"""Chat exports as examples: OpenAI's fine-tuning and preference files, and ShareGPT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from noria.core.example import Fields

_ROLES = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant",
    "bard": "assistant", "bing": "assistant", "model": "assistant", "system": "system", "tool": "tool",
    "observation": "tool", "function": "tool",
}  # fmt: skip
"""ShareGPT's `from` to a role."""
_OPENAI = ("messages", "tools", "functions", "parallel_tool_calls")
_SHAREGPT = ("conversations", "system", "tools")


class Unreadable(Exception):
    """A record that is no chat; its text says why."""


class Chat:
    """What a record says, before ids and tags."""

    def __init__(self, input: Fields, expected: Any, metadata: Fields, used: tuple[str, ...]) -> None:
        self.input = input
        self.expected = expected
        self.metadata = metadata
        self.used = used
        """Columns that went into it."""


def is_chat(values: Mapping[str, Any]) -> bool:
    """Whether a record is in one of the forms."""
    preferred = "preferred_output" in values and "non_preferred_output" in values
    return preferred or isinstance(values.get("messages"), list) or _is_sharegpt(values)


def chat_of(values: Mapping[str, Any]) -> Chat:
    """The last answer is what is expected, all before it the input. Raises Unreadable."""
    if "preferred_output" in values and "non_preferred_output" in values:
        return _preference(values)
    if _is_sharegpt(values):
        messages, used = _sharegpt(values), _SHAREGPT
    else:
        messages, used = _messages(values.get("messages"), "messages"), _OPENAI
    more = {name: values[name] for name in used[1:] if name in values and name != "system"}
    last = messages[-1]
    if last["role"] != "assistant":
        return Chat({"messages": messages, **more}, None, {}, used)
    return Chat({"messages": messages[:-1], **more}, _answer(last), {}, used)


def _preference(values: Mapping[str, Any]) -> Chat:
    """OpenAI's form for direct preference optimisation."""
    given: Any = values.get("input")
    if not isinstance(given, dict):
        raise Unreadable("`input` must be an object with `messages`.")
    chosen = _messages(values["preferred_output"], "preferred_output")
    rejected = _messages(values["non_preferred_output"], "non_preferred_output")
    input = {**given, "messages": _messages(given.get("messages"), "input.messages")}
    metadata = {"chosen": _answer(chosen[-1]), "rejected": _answer(rejected[-1])}
    used = ("input", "preferred_output", "non_preferred_output")
    return Chat(input, metadata["chosen"], metadata, used)


def _messages(found: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(found, list) or not found:
        raise Unreadable(f"`{where}` must be a list of messages that is not empty.")
    for message in found:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise Unreadable(f"Every message in `{where}` must be an object with a `role`.")
    return found


def _is_sharegpt(values: Mapping[str, Any]) -> bool:
    return isinstance(values.get("conversations"), list)


def _sharegpt(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if isinstance(values.get("system"), str) and values["system"]:
        messages.append({"role": "system", "content": values["system"]})
    for turn in values["conversations"]:
        if not isinstance(turn, dict):
            raise Unreadable("Every turn in `conversations` must be an object.")
        who, said = turn.get("from", turn.get("role")), turn.get("value", turn.get("content"))
        role = _ROLES.get(str(who).lower())
        if role is None:
            raise Unreadable(f"A turn is from {str(who)[:40]!r}, which is none of {', '.join(_ROLES)}.")
        if not isinstance(said, str):
            raise Unreadable("Every turn in `conversations` must have a text as `value`.")
        messages.append({"role": role, "content": said})
    if not messages:
        raise Unreadable("`conversations` is empty.")
    return messages


def _answer(message: dict[str, Any]) -> Any:
    """The text alone, where there is nothing else to the message that says it."""
    plain = message.keys() <= {"role", "content", "weight"} and message.get("weight", 1) == 1
    return message["content"] if plain and isinstance(message.get("content"), str) else message
