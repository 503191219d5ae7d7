"""From the frames of a streamed answer the answer that would have come in one piece.

Only as far as it is shown and searched: text, reasoning, tool calls and why it stopped. The frames themselves
are kept as they were sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

_decode = msgspec.json.Decoder().decode


def whole(frames: bytes) -> str | None:
    """The answer as JSON in its dialect's unstreamed form; None where the frames are of no known dialect."""
    answer: dict[str, Any] | None = None
    for event in _events(frames):
        if "choices" in event:
            answer = answer or {"choices": []}
            _chat(answer["choices"], event["choices"])
        elif isinstance(event.get("type"), str):
            kind: str = event["type"]
            if kind in ("response.completed", "response.incomplete", "response.failed"):
                return msgspec.json.encode(event.get("response")).decode()
            if kind.startswith("response."):
                answer = answer or {"output_text": ""}
                if kind == "response.output_text.delta":
                    answer["output_text"] += _text(event.get("delta"))
            else:
                answer = answer or {"role": "assistant", "content": []}
                _anthropic(answer, kind, event)
    return None if answer is None else msgspec.json.encode(answer).decode()


def _events(frames: bytes) -> Iterator[dict[str, Any]]:
    for line in frames.splitlines():
        if line.startswith(b"data:") and line[5:].strip() != b"[DONE]":
            try:
                event = _decode(line[5:])
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # Cut off where the stream broke.
            if isinstance(event, dict):
                yield event


def _chat(choices: list[dict[str, Any]], deltas: Any) -> None:
    for delta in deltas if isinstance(deltas, list) else ():
        index = delta.get("index") or 0
        while len(choices) <= index < 128:
            choices.append({"index": len(choices)})
        choice = choices[min(index, 127)]
        if delta.get("finish_reason"):
            choice["finish_reason"] = delta["finish_reason"]
        if "text" in delta:
            choice["text"] = choice.get("text", "") + _text(delta["text"])
        said = delta.get("delta")
        if isinstance(said, dict):
            message = choice.setdefault("message", {"role": "assistant", "content": ""})
            for name in ("content", "reasoning_content", "refusal"):
                if said.get(name):
                    message[name] = message.get(name, "") + _text(said[name])
            for call in said.get("tool_calls") or ():
                _tool_call(message.setdefault("tool_calls", []), call)


def _tool_call(calls: list[dict[str, Any]], delta: dict[str, Any]) -> None:
    index = delta.get("index") or 0
    while len(calls) <= index < 128:
        calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
    call = calls[min(index, 127)]
    call["id"] = delta.get("id") or call["id"]
    function = delta.get("function") or {}
    call["function"]["name"] += _text(function.get("name"))
    call["function"]["arguments"] += _text(function.get("arguments"))


def _anthropic(answer: dict[str, Any], kind: str, event: dict[str, Any]) -> None:
    blocks: list[dict[str, Any]] = answer["content"]
    if kind == "content_block_start" and isinstance(event.get("content_block"), dict):
        blocks.append(dict(event["content_block"]))
    elif kind == "content_block_delta" and blocks:
        delta = event.get("delta") or {}
        block = blocks[-1]
        for source, target in (("text", "text"), ("thinking", "thinking"), ("partial_json", "input")):
            if isinstance(delta.get(source), str):
                old = block.get(target)
                block[target] = (old if isinstance(old, str) else "") + delta[source]
    elif kind == "message_delta":
        answer["stop_reason"] = (event.get("delta") or {}).get("stop_reason")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
