"""Tools for models whose chat template knows none, and tool calls that small models write as plain JSON.

Pure: messages and text in, messages and calls out.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

import msgspec

from noria.errors import InvalidRequest

Body = dict[str, Any]

MARKS = ("```", "{", "[", "<tool_call>")
"""How a line begins that may be a tool call."""
_FENCE = re.compile(r"```\w*\s*\n?(.*?)(?:```|\Z)", re.DOTALL)
_TAG = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)


class Call(msgspec.Struct, frozen=True):
    name: str
    arguments: str
    """JSON text of an object."""

    def body(self, index: int) -> Body:
        """OpenAI's form of it."""
        function = {"name": self.name, "arguments": self.arguments}
        return {
            "index": index,
            "id": "call_" + secrets.token_hex(12),
            "type": "function",
            "function": function,
        }


def named(tools: list[Body]) -> dict[str, Body]:
    """The functions by name; raises InvalidRequest for a list that is not one of function tools."""
    found: dict[str, Body] = {}
    for tool in tools:
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise InvalidRequest("Each tool must be a function with a name.", param="tools")
        found[function["name"]] = function
    return found


def instruction(functions: dict[str, Body]) -> str:
    """What tells a model that was never told how to call functions."""
    described = "\n".join(
        msgspec.json.encode(
            {key: value for key, value in function.items() if key in ("name", "description", "parameters")}
        ).decode()
        for function in functions.values()
    )
    return (
        "You can call these functions:\n"
        f"{described}\n"
        'To call one, answer with nothing but JSON: {"name": "<function>", "arguments": {<its arguments>}}.'
    )


def as_plain(messages: list[Body]) -> list[Body]:
    """The messages with calls and results as text, for a template that has no place for them."""
    plain: list[Body] = []
    for message in messages:
        calls = message.get("tool_calls")
        if message.get("role") == "tool":
            plain.append(
                {"role": "user", "content": "The function returned: " + text_of(message.get("content"))}
            )
        elif calls:
            written = [_written(call) for call in calls]
            content = text_of(message.get("content"))
            plain.append(
                {"role": "assistant", "content": "\n".join([*([content] if content else []), *written])}
            )
        else:
            plain.append(message)
    return plain


def text_of(content: Any) -> str:
    """The text of a message's content, whichever form it has."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return "" if content is None else str(content)


def call_schema(functions: dict[str, Body]) -> Body:
    """A JSON Schema of a call of any of these functions."""
    every = [
        {
            "type": "object",
            "properties": {
                "name": {"const": name},
                "arguments": function.get("parameters") or {"type": "object"},
            },
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for name, function in functions.items()
    ]
    return every[0] if len(every) == 1 else {"anyOf": every}


def parse_calls(text: str, names: set[str]) -> list[Call] | None:
    """The calls that the text consists of; None where it is anything else.

    Understood are JSON objects with `name` and `arguments` (or `parameters`), also inside `function`, also
    several in a list or one after another, bare, fenced or in <tool_call> tags.
    """
    for pattern in (_TAG, _FENCE):
        blocks = pattern.findall(text)
        if blocks:
            text = "\n".join(blocks)
            break
    values = _values(text)
    calls = [_call(value, names) for value in values or ()]
    return [call for call in calls if call] if calls and all(calls) else None


class CallFinder:
    """Text of an answer in, piece by piece; what is surely no tool call comes out at once.

    From a line on that begins like a call everything is held back until the end, when it is one or is not.
    """

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._line = ""
        self._line_start = True
        self._held: str | None = None

    def feed(self, text: str) -> str:
        """What can be shown now."""
        if self._held is not None:
            self._held += text
            return ""
        shown = ""
        for piece in re.split(r"(?<=\n)", text):
            if self._held is not None:
                self._held += piece
                continue
            if not self._line_start:
                shown += piece
                self._line_start = piece.endswith("\n")
                continue
            self._line += piece
            begun = self._line.lstrip()
            if begun.startswith(MARKS):
                self._held, self._line = self._line, ""
            elif begun and not any(mark.startswith(begun) for mark in MARKS):
                shown += self._line
                self._line_start = self._line.endswith("\n")
                self._line = ""
        return shown

    def close(self) -> tuple[str, list[Call]]:
        """The rest of the text, and the calls; one of them is empty."""
        rest = self._held if self._held is not None else self._line
        calls = parse_calls(rest, self._names) if self._held is not None else None
        return ("", calls) if calls else (rest, [])


def _written(call: Body) -> str:
    function = call.get("function") or {}
    arguments = function.get("arguments") or "{}"
    name = msgspec.json.encode(function.get("name")).decode()
    return f'{{"name": {name}, "arguments": {arguments}}}'


def _values(text: str) -> list[Any] | None:
    """All JSON values that the text consists of, commas, semicolons and white space between them."""
    decoder = json.JSONDecoder()
    values: list[Any] = []
    at = 0
    while at < len(text):
        if text[at].isspace() or text[at] in ",;":
            at += 1
            continue
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
        values += value if isinstance(value, list) else [value]
    return values


def _call(value: Any, names: set[str]) -> Call | None:
    if not isinstance(value, dict):
        return None
    inner = value.get("function")
    if isinstance(inner, dict):
        value = inner
    name = value.get("name", inner)
    arguments = value.get("arguments", value.get("parameters"))
    if isinstance(arguments, str):
        try:
            arguments = msgspec.json.decode(arguments)
        except msgspec.DecodeError:
            return None
    if name not in names or not isinstance(arguments, dict):
        return None
    return Call(name, msgspec.json.encode(arguments).decode())
