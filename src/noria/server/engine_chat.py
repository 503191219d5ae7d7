"""/v1/chat/completions of an engine: llama-server's own where it is right, made right where it is not.

Changed is: `n` (llama-server counts only the last choice), tools (for templates that know none, and calls
that small models write as text), the system prompt (ours when a chat brings none), adapters by name.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import time
from typing import Any

import msgspec

from noria.errors import InvalidRequest
from noria.runtime.engine import Llama
from noria.server import engine_gather, engine_sampling
from noria.server.engine_front import SSE, Body, Names, answer, asked, flag, whole
from noria.server.engine_tools import CallFinder, as_plain, call_schema, instruction, named, text_of
from noria.server.protocol import HttpExchange

PATH = "/v1/chat/completions"
MOST_CHOICES = 32


class Chat:
    """Chats with one loaded model. `system` is said to the model where a chat has no system message."""

    def __init__(self, llama: Llama, names: Names, *, system: str | None) -> None:
        self._llama = llama
        self._names = names
        self._system = system

    async def serve(self, exchange: HttpExchange) -> None:
        given = asked(exchange)
        choices = whole(given, "n", 1, least=1, most=MOST_CHOICES)
        stream = flag(given, "stream")
        body, tools = self._prepared(given)
        if stream and choices == 1 and tools is None:
            await self._relay(exchange, body)
        elif stream:
            await self._stream(exchange, body, choices, tools)
        else:
            await self._whole(exchange, body, choices, tools)

    async def count(self, exchange: HttpExchange) -> None:
        """/v1/chat/completions/count: the input tokens of the same body, without an answer."""
        body, _ = self._prepared(asked(exchange))
        chosen = {key: body[key] for key in ("messages", "tools", "chat_template_kwargs") if key in body}
        prompt = (await self._llama.post("/apply-template", chosen))["prompt"]
        found = await self._llama.post(
            "/tokenize", {"content": prompt, "add_special": True, "parse_special": True}
        )
        answer(exchange, {"input_tokens": len(found["tokens"])})

    def _prepared(self, given: Body) -> tuple[Body, set[str] | None]:
        """The body for llama-server, and the names of the functions that may be called as text."""
        body = engine_sampling.only(given, engine_sampling.CHAT)
        body["lora"] = self._names.lora(given)
        limit = body.pop("max_completion_tokens", None)
        if limit is not None:
            body["max_tokens"] = limit
        if body.get("max_tokens") is not None:
            whole(body, "max_tokens", 1, least=1, most=2**31 - 1)
        body["messages"] = self._messages(body.get("messages"))
        return body, self._tools(body)

    def _messages(self, given: Any) -> list[Body]:
        if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
            raise InvalidRequest("messages must be a list of at least one message.", param="messages")
        messages: list[Body] = [
            {**one, "role": "system"} if one.get("role") == "developer" else one for one in given
        ]
        for message in messages:
            if message.get("role") not in ("system", "user", "assistant", "tool"):
                raise InvalidRequest(
                    "Each message must have the role system, developer, user, assistant or tool.",
                    param="messages",
                )
            calls = message.get("tool_calls")
            if calls is not None and not _are_calls(calls):
                raise InvalidRequest(
                    "tool_calls must be a list of functions with a name and arguments.", param="messages"
                )
        if self._system is not None and messages[0]["role"] != "system":
            messages.insert(0, {"role": "system", "content": self._system})
        return messages

    def _tools(self, body: Body) -> set[str] | None:
        tools = body.get("tools")
        choice = body.get("tool_choice", "auto")
        if not self._llama.supports_tools:
            body["messages"] = as_plain(body["messages"])
        if not tools or choice == "none":
            body.pop("tools", None)
            body.pop("tool_choice", None)
            return None
        if not isinstance(tools, list):
            raise InvalidRequest("tools must be a list.", param="tools")
        functions = named(tools)
        if isinstance(choice, dict):
            function = choice.get("function")
            name = function.get("name") if isinstance(function, dict) else None
            if not isinstance(name, str) or name not in functions:
                raise InvalidRequest(
                    f"tool_choice names {name!r}, which is not among the tools.", param="tool_choice"
                )
            functions = {name: functions[name]}
            choice = "required"
        elif choice not in ("auto", "required", None):
            raise InvalidRequest(
                "tool_choice must be auto, none, required or a function.", param="tool_choice"
            )
        if choice == "required":
            # llama-server enforces this for few templates, and lets others run on; a schema holds for all.
            schema = {"name": "call", "schema": call_schema(functions)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if self._llama.supports_tools:
            body["tools"] = [{"type": "function", "function": function} for function in functions.values()]
            body["tool_choice"] = "auto"
            return set(functions)
        del body["tools"]
        body.pop("tool_choice", None)
        messages = body["messages"]
        said = text_of(messages[0]["content"]) if messages[0]["role"] == "system" else ""
        first = {"role": "system", "content": f"{said}\n\n{instruction(functions)}".strip()}
        body["messages"] = [first, *messages[1 if said else 0 :]]
        return set(functions)

    async def _relay(self, exchange: HttpExchange, body: Body) -> None:
        """The stream as it is: what is generated reaches the caller without being parsed."""
        upstream = await self._llama.stream(PATH, msgspec.json.encode(body))
        complete = False
        try:
            exchange.start(200, SSE)
            while data := await upstream.chunk():
                exchange.write(data)
                if exchange.congested:
                    await exchange.drain()
            complete = True
            exchange.finish()
        finally:
            if complete:
                upstream.release()
            else:
                upstream.abort()

    async def _whole(self, exchange: HttpExchange, body: Body, choices: int, tools: set[str] | None) -> None:
        answers = await asyncio.gather(
            *(engine_gather.chat(self._llama, reseeded(body, number)) for number in range(choices))
        )
        first = answers[0]
        made: list[Body] = []
        for number, one in enumerate(answers):
            choice = one["choices"][0]
            choice["index"] = number
            if tools is not None:
                _find_calls(choice, tools, parallel=body.get("parallel_tool_calls", True))
            made.append(choice)
        first["choices"] = made
        first["usage"] = summed([one["usage"] for one in answers], prompts=1)
        answer(exchange, first)

    async def _stream(self, exchange: HttpExchange, body: Body, choices: int, tools: set[str] | None) -> None:
        options = body.get("stream_options")
        wants_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        body["stream_options"] = {"include_usage": True}
        finders = [CallFinder(tools) if tools is not None else None for _ in range(choices)]
        parallel = body.get("parallel_tool_calls", True)
        head = {
            "id": "chatcmpl-" + secrets.token_hex(12),
            "object": "chat.completion.chunk",
            "created": int(time()),
        }
        usages: list[Body] = []
        streams = [self._llama.events(PATH, reseeded(body, number)) for number in range(choices)]
        async with aclosing(merged(streams)) as events:
            async for number, event in events:
                if not exchange.started:
                    exchange.start(200, SSE)
                if event.get("usage"):
                    usages.append(event["usage"])
                for choice in event.get("choices", ()):
                    choice["index"] = number
                    finder = finders[number]
                    for one in _found(choice, finder, parallel=parallel) if finder else (choice,):
                        _write(exchange, {**head, "model": event["model"], "choices": [one]})
                if exchange.congested:
                    await exchange.drain()
        if wants_usage:
            usage = summed(usages, prompts=1)
            _write(exchange, {**head, "model": self._llama.model, "choices": [], "usage": usage})
        exchange.finish(b"data: [DONE]\n\n")


def _are_calls(calls: Any) -> bool:
    return isinstance(calls, list) and all(
        isinstance(call, dict)
        and isinstance(call.get("function"), dict)
        and isinstance(call["function"].get("name"), str)
        and isinstance(call["function"].get("arguments", ""), str)
        for call in calls
    )


def _write(exchange: HttpExchange, chunk: Body) -> None:
    exchange.write(b"data: " + msgspec.json.encode(chunk) + b"\n\n")


def reseeded(body: Body, number: int) -> Body:
    """The body of the choice `number`: the same seed would make equal choices."""
    seed = body.get("seed")
    return {**body, "seed": seed + number} if isinstance(seed, int) and number else body


def summed(usages: list[Body], *, prompts: int) -> Body:
    """Usage of all choices; the first `prompts` of them count their prompt."""
    counted = usages[:prompts]
    tokens_in = sum(usage["prompt_tokens"] for usage in counted)
    tokens_out = sum(usage["completion_tokens"] for usage in usages)
    cached = sum(usage.get("prompt_tokens_details", {}).get("cached_tokens", 0) for usage in counted)
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


async def merged(streams: list[AsyncGenerator[Body]]) -> AsyncGenerator[tuple[int, Body]]:
    """Events of all streams as they come, with the stream's number; closing it closes them all."""
    queue: asyncio.Queue[tuple[int, Body | BaseException | None]] = asyncio.Queue(64)

    async def follow(number: int, stream: AsyncGenerator[Body]) -> None:
        try:
            async with aclosing(stream) as events:
                async for event in events:
                    await queue.put((number, event))
        except Exception as error:
            # Carried over to whoever reads the queue.
            await queue.put((number, error))
        else:
            await queue.put((number, None))

    tasks = [asyncio.create_task(follow(number, stream)) for number, stream in enumerate(streams)]
    try:
        left = len(streams)
        while left:
            number, event = await queue.get()
            if isinstance(event, BaseException):
                raise event
            if event is None:
                left -= 1
            else:
                yield number, event
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _find_calls(choice: Body, tools: set[str], *, parallel: bool) -> None:
    """Turn calls written as text in a whole answer into tool_calls."""
    message = choice["message"]
    if message.get("tool_calls"):
        return
    finder = CallFinder(tools)
    shown = finder.feed(message.get("content") or "")
    rest, calls = finder.close()
    if calls:
        kept = calls if parallel else calls[:1]
        message["content"] = shown.strip() or None
        message["tool_calls"] = [
            {key: value for key, value in call.body(number).items() if key != "index"}
            for number, call in enumerate(kept)
        ]
        choice["finish_reason"] = "tool_calls"
        choice["logprobs"] = None
    else:
        message["content"] = shown + rest


def _found(choice: Body, finder: CallFinder, *, parallel: bool) -> list[Body]:
    """The streamed choice without text that may be a call, which comes before the choice that ends."""
    delta = choice["delta"]
    index = choice["index"]
    content = delta.get("content")
    if content:
        delta["content"] = finder.feed(content)
    if choice["finish_reason"] is None:
        empty = not delta.get("content") and not delta.get("tool_calls") and "role" not in delta
        return [] if empty and not delta.get("reasoning_content") else [choice]
    rest, calls = finder.close()
    before: list[Body] = []
    if calls:
        kept = calls if parallel else calls[:1]
        made = [call.body(number) for number, call in enumerate(kept)]
        before.append({"index": index, "delta": {"tool_calls": made}, "finish_reason": None})
        choice["finish_reason"] = "tool_calls"
    elif rest:
        before.append({"index": index, "delta": {"content": rest}, "finish_reason": None})
    return [*before, choice]
