"""Whole answers put together from streams.

llama-server goes on generating for a caller who hung up, unless it streams: so it always does, and what was
not asked for as a stream is gathered here.
"""

from __future__ import annotations

from contextlib import aclosing

from noria.runtime.engine import Llama
from noria.server.engine_front import Body


async def chat(llama: Llama, body: Body) -> Body:
    """The answer of /v1/chat/completions with one choice."""
    answer: Body = {}
    usage: Body = {}
    finish: str | None = None
    text: dict[str, str] = {}
    calls: dict[int, Body] = {}
    logprobs: list[Body] = []
    asked = {**body, "stream": True, "stream_options": {"include_usage": True}}
    async with aclosing(llama.events("/v1/chat/completions", asked)) as events:
        async for event in events:
            answer.update(event)
            usage = event.get("usage") or usage
            for choice in event["choices"]:
                finish = choice["finish_reason"] or finish
                logprobs += (choice.get("logprobs") or {}).get("content") or ()
                for name, value in choice["delta"].items():
                    if name == "tool_calls":
                        _add_calls(calls, value)
                    elif name != "role" and value is not None:
                        text[name] = text.get(name, "") + value
    message: Body = {"role": "assistant", "content": None if calls else "", **text}
    if calls:
        message["tool_calls"] = [calls[index] for index in sorted(calls)]
    made: Body = {"index": 0, "message": message, "finish_reason": finish}
    made["logprobs"] = {"content": logprobs} if logprobs else None
    return {**answer, "object": "chat.completion", "choices": [made], "usage": usage}


async def completion(llama: Llama, body: Body) -> tuple[Body, Body]:
    """The one choice of /v1/completions, log-probabilities in llama-server's form, and the usage."""
    usage: Body = {}
    finish: str | None = None
    text = ""
    logprobs: list[Body] = []
    asked = {**body, "stream": True, "stream_options": {"include_usage": True}}
    async with aclosing(llama.events("/v1/completions", asked)) as events:
        async for event in events:
            usage = event.get("usage") or usage
            for choice in event["choices"]:
                text += choice["text"]
                finish = choice["finish_reason"] or finish
                logprobs += (choice.get("logprobs") or {}).get("content") or ()
    return {"text": text, "logprobs": {"content": logprobs}, "finish_reason": finish}, usage


async def probabilities(llama: Llama, body: Body) -> list[Body]:
    """What /completion reports of each token that it generates."""
    items: list[Body] = []
    async with aclosing(llama.events("/completion", {**body, "stream": True})) as events:
        async for event in events:
            if not event["stop"]:
                items += event.get("completion_probabilities") or ()
    return items


def _add_calls(calls: dict[int, Body], deltas: list[Body]) -> None:
    for delta in deltas:
        function = delta.get("function") or {}
        call = calls.setdefault(
            delta["index"],
            {"id": delta.get("id"), "type": "function", "function": {"name": "", "arguments": ""}},
        )
        call["function"]["name"] += function.get("name") or ""
        call["function"]["arguments"] += function.get("arguments") or ""
