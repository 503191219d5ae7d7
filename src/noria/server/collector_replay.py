"""A stored response as the stream of events that it would have been: `GET /v1/responses/{id}?stream=true`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

Json = dict[str, Any]
_encode = msgspec.json.Encoder().encode


def replay(response: Json, *, after: int = -1) -> Iterator[bytes]:
    """Server-sent events; those up to sequence number `after` are left out."""
    for number, event in enumerate(_events(response)):
        if number > after:
            name = event["type"].encode()
            yield b"event: %s\ndata: %s\n\n" % (name, _encode(event | {"sequence_number": number}))


def _events(response: Json) -> Iterator[Json]:
    begun = response | {"status": "in_progress", "output": []}
    begun = {name: value for name, value in begun.items() if name not in ("usage", "completed_at")}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    output = response.get("output")
    for index, item in enumerate(output if isinstance(output, list) else ()):
        if isinstance(item, dict):
            yield from _item(index, item)
    status = response.get("status")
    end = status if status in ("incomplete", "failed") else "completed"
    yield {"type": f"response.{end}", "response": response}


def _item(index: int, item: Json) -> Iterator[Json]:
    where = {"output_index": index, "item_id": item.get("id", "")}
    empty = item | {"status": "in_progress"}
    for name in ("content", "summary"):
        if name in item:
            empty[name] = []
    if "arguments" in item:
        empty["arguments"] = ""
    yield {"type": "response.output_item.added", "output_index": index, "item": empty}
    if item.get("type") == "function_call":
        arguments = item.get("arguments", "")
        yield {"type": "response.function_call_arguments.delta", **where, "delta": arguments}
        yield {
            "type": "response.function_call_arguments.done", **where,
            "name": item.get("name", ""), "arguments": arguments,
        }  # fmt: skip
    for place, part in _parts(item, "summary"):
        at = {**where, "summary_index": place}
        text = part.get("text", "")
        yield {"type": "response.reasoning_summary_part.added", **at, "part": part | {"text": ""}}
        yield {"type": "response.reasoning_summary_text.delta", **at, "delta": text}
        yield {"type": "response.reasoning_summary_text.done", **at, "text": text}
        yield {"type": "response.reasoning_summary_part.done", **at, "part": part}
    for place, part in _parts(item, "content"):
        yield from _content({**where, "content_index": place}, part)
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _content(at: Json, part: Json) -> Iterator[Json]:
    kind = part.get("type")
    field, name = {
        "output_text": ("text", "output_text"),
        "refusal": ("refusal", "refusal"),
        "reasoning_text": ("text", "reasoning_text"),
    }.get(kind if isinstance(kind, str) else "", ("", ""))
    yield {"type": "response.content_part.added", **at, "part": part | ({field: ""} if field else {})}
    if field:
        logprobs = {"logprobs": part.get("logprobs") or []} if name == "output_text" else {}
        yield {"type": f"response.{name}.delta", **at, "delta": part.get(field, ""), **logprobs}
        yield {"type": f"response.{name}.done", **at, field: part.get(field, ""), **logprobs}
    yield {"type": "response.content_part.done", **at, "part": part}


def _parts(item: Json, name: str) -> Iterator[tuple[int, Json]]:
    parts = item.get(name)
    for place, part in enumerate(parts if isinstance(parts, list) else ()):
        if isinstance(part, dict):
            yield place, part
