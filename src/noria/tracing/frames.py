"""From the frames of a streamed answer the answer that would have come in one piece.

Only as far as it is shown and searched: text, reasoning, tool calls and why it stopped. The frames themselves
are kept as they were sent. They are an upstream's, so nothing is taken for granted of their form.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

MAX_INDEX = 127
Object = dict[str, Any]
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def whole(frames: bytes) -> str | None:
    """The answer as JSON in its dialect's unstreamed form; None where the frames are of no known dialect."""
    choices: list[Object] | None = None
    message: Object | None = None
    output: str | None = None
    for event in _events(frames):
        kind = event.get("type")
        if "choices" in event:
            choices = [] if choices is None else choices
            for delta in _list(event["choices"]):
                _chat(choices, _object(delta))
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            return _encode(event.get("response")).decode()
        elif isinstance(kind, str) and kind.startswith("response."):
            said = _text(event.get("delta")) if kind == "response.output_text.delta" else ""
            output = (output or "") + said
        elif isinstance(kind, str):
            message = message or {"role": "assistant", "content": []}
            _anthropic(message, kind, event)
    if choices is not None:
        return _encode({"choices": choices}).decode()
    if output is not None:
        return _encode({"output_text": output}).decode()
    return None if message is None else _encode(message).decode()


def _events(frames: bytes) -> Iterator[Object]:
    for line in frames.splitlines():
        if line.startswith(b"data:") and line[5:].strip() != b"[DONE]":
            try:
                event = _decode(line[5:])
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue  # Cut off where the stream broke.
            if isinstance(event, dict):
                yield event


def _chat(choices: list[Object], delta: Object) -> None:
    choice = _at(choices, delta.get("index"))
    choice.setdefault("index", delta.get("index") or 0)
    if delta.get("finish_reason"):
        choice["finish_reason"] = delta["finish_reason"]
    if "text" in delta:
        choice["text"] = choice.get("text", "") + _text(delta["text"])
    said = _object(delta.get("delta"))
    if said:
        message = choice.setdefault("message", {"role": "assistant", "content": ""})
        for name in ("content", "reasoning_content", "refusal"):
            if _text(said.get(name)):
                message[name] = message.get(name, "") + said[name]
        for part in _list(said.get("tool_calls")):
            _tool_call(message.setdefault("tool_calls", []), _object(part))


def _tool_call(calls: list[Object], delta: Object) -> None:
    call = _at(calls, delta.get("index"))
    function = call.setdefault("function", {"name": "", "arguments": ""})
    call["id"] = _text(delta.get("id")) or call.get("id", "")
    call["type"] = "function"
    said = _object(delta.get("function"))
    function["name"] += _text(said.get("name"))
    function["arguments"] += _text(said.get("arguments"))


def _anthropic(message: Object, kind: str, event: Object) -> None:
    blocks: list[Object] = message["content"]
    delta = _object(event.get("delta"))
    if kind == "content_block_start":
        blocks.append(dict(_object(event.get("content_block"))))
    elif kind == "content_block_delta" and blocks:
        for source, target in (("text", "text"), ("thinking", "thinking"), ("partial_json", "input")):
            if isinstance(delta.get(source), str):
                blocks[-1][target] = _text(blocks[-1].get(target)) + delta[source]
    elif kind == "message_delta":
        message["stop_reason"] = delta.get("stop_reason")


def _at(items: list[Object], index: Any) -> Object:
    """The item at a position that a frame names; made, with those before it, where it is not there."""
    place = index if isinstance(index, int) and 0 <= index <= MAX_INDEX else 0
    while len(items) <= place:
        items.append({})
    return items[place]


def _object(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
