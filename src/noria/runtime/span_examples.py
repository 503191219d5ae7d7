"""A recorded span as an example: what went in as the input, what came out as the expected answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from noria.core.example import Example, Fields
from noria.core.messages import Message, Text, ToolCall
from noria.datasets.record import Problem
from noria.errors import InvalidRequest, RequestError, UpstreamError
from noria.gateway.dialects import openai_upstream
from noria.gateway.dialects.anthropic import AnthropicBack
from noria.gateway.dialects.fronts import FRONTS
from noria.gateway.dialects.openai import OpenAIBack
from noria.tracing.filters import Filter
from noria.tracing.store import SpanDetail, SpanReader, TraceDetail, Window

_BACKS = {"openai": OpenAIBack(), "anthropic": AnthropicBack()}
_GENERATES = ("chat", "text_completion", "generate_content")
_KEPT = ("tools", "response_format")
"""Of a request, what an evaluation needs beside the messages."""


def examples_of(
    spans: SpanReader, project: str, window: Window, filter: Filter, *, limit: int
) -> Iterator[Example | Problem]:
    """One of each trace that matches, newest first: of its first span that asked a model."""
    cursor: str | None = None
    left = limit
    while left > 0:
        page = spans.traces(project, window, filter=filter, cursor=cursor, limit=min(left, 200))
        for summary in page.items:
            left -= 1
            trace = spans.trace(project, bytes.fromhex(summary.id))
            if trace is None:
                continue
            span = main_span(trace)
            try:
                if span is None:
                    raise InvalidRequest("No span of the trace has a recorded input.")
                yield example_of(trace.id, span)
            except InvalidRequest as error:
                yield Problem(f"trace {trace.id}", 1, str(error))
        cursor = page.next
        if cursor is None:
            return


def main_span(trace: TraceDetail) -> SpanDetail | None:
    """The first that asked a model and whose input was kept; else the first with an input."""
    said = [span for span in trace.spans if span.input]
    asked = [span for span in said if span.operation in _GENERATES]
    return next(iter(asked or said), None)


def example_of(trace: str, span: SpanDetail) -> Example:
    """The id is the span's, so that the same span is the same example. Raises InvalidRequest."""
    if not span.input:
        raise InvalidRequest("The span's input was not kept, so there is nothing to make an example of.")
    dialect = str(span.attributes.get("noria.dialect", ""))
    metadata: Fields = {"model": span.response_model or span.model, "route": span.route}
    return Example(
        id=f"span-{span.id}",
        input=_input(dialect, span.input),
        expected=_expected(dialect, span.output),
        metadata={name: value for name, value in metadata.items() if value},
        source=f"span:{trace}/{span.id}",
        group=span.session,
    )


def _input(dialect: str, text: str) -> Fields:
    body = _json(text)
    if dialect in ("responses", "anthropic"):
        try:
            request = FRONTS[dialect].request(text.encode())
            body = _json(openai_upstream.encode(request, model="", options={}).decode())
        except RequestError as error:
            raise InvalidRequest(f"The span's request cannot be read as a chat: {error}") from None
    if isinstance(body, dict):
        if isinstance(body.get("messages"), list):
            return {name: body[name] for name in ("messages", *_KEPT) if name in body}
        if isinstance(body.get("prompt"), str):
            return {"input": body["prompt"]}
        return body
    if isinstance(body, list) and body and all(isinstance(one, dict) and "role" in one for one in body):
        return {"messages": [_plain(message) for message in body]}
    return {"input": text}


def _expected(dialect: str, text: str | None) -> Any:
    if not text:
        return None
    if dialect in _BACKS:
        try:
            response = _BACKS[dialect].response(text.encode())
        except UpstreamError:
            return None
        return _answer(response.choices[0].message) if response.choices else None
    body = _json(text)
    if isinstance(body, dict):
        if dialect == "completions":
            return next((one.get("text") for one in body.get("choices") or [] if isinstance(one, dict)), None)
        if dialect == "responses":
            return _output_text(body)
    if isinstance(body, list) and body and isinstance(body[-1], dict) and "role" in body[-1]:
        last = _plain(body[-1])
        return last["content"] if last.keys() == {"role", "content"} else last
    return text


def _answer(message: Message) -> Any:
    """The text alone, or the message where it calls tools."""
    text = "".join(part.text for part in message.parts if isinstance(part, Text))
    calls = [
        {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}
        for part in message.parts
        if isinstance(part, ToolCall)
    ]
    return {"role": "assistant", "content": text or None, "tool_calls": calls} if calls else text


def _output_text(body: dict[str, Any]) -> str:
    """Source: https://platform.openai.com/docs/api-reference/responses/object, `output`."""
    parts: list[str] = []
    for item in body.get("output") or []:
        for part in item.get("content") or [] if isinstance(item, dict) else []:
            if isinstance(part, dict) and part.get("type") == "output_text":
                parts.append(str(part.get("text", "")))
    return "".join(parts)


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """A message of the GenAI conventions (`parts`) in OpenAI's form; another as it is."""
    parts: Any = message.get("parts")
    if not isinstance(parts, list):
        return message
    return {"role": message["role"], "content": _parts_text(parts)}


def _parts_text(parts: Sequence[Any]) -> str:
    return "".join(str(part.get("content", "")) for part in parts if isinstance(part, dict))


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
