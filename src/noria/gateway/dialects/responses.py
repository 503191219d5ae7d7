"""The dialect "responses": OpenAI's Responses API, as callers speak it.

Built-in tools, and whatever else only OpenAI can do, stay in `Request.extra`, which other dialects refuse.
"""

from __future__ import annotations

from time import time

import msgspec

from noria.core import messages
from noria.core.ids import new_id
from noria.errors import RequestError, UpstreamError
from noria.gateway.dialects import openai_error, responses_request
from noria.gateway.dialects import responses_items as items
from noria.gateway.dialects.dialect import StreamEncoder
from noria.gateway.dialects.responses_items import Json
from noria.gateway.dialects.responses_request import with_previous
from noria.gateway.dialects.responses_stream import ResponsesEncoder
from noria.gateway.dialects.sse import named_frame

__all__ = ["ResponsesFront", "with_previous"]

_encode = msgspec.json.Encoder().encode


class ResponsesFront:
    """dialect.Front."""

    name = "responses"
    operation = "generate_content"

    def request(self, body: bytes) -> messages.Request:
        return responses_request.decode(body)

    def response(self, response: messages.Response, request: messages.Request) -> bytes:
        created = response.created or int(time())
        body = items.asked(request, known=new_id("resp"), model=response.model, created=created)
        if response.service_tier is not None:
            body["service_tier"] = response.service_tier
        choice = response.choices[0]
        body |= items.ended(choice.stop_reason, choice.raw_stop_reason)
        body["output"] = _output(choice, request)
        body["usage"] = items.usage_of(response.usage)
        if body["status"] == "completed":
            body["completed_at"] = int(time())
        return _encode(body)

    def encoder(self, request: messages.Request) -> StreamEncoder:
        return ResponsesEncoder(request)

    def error(self, error: RequestError) -> bytes:
        return openai_error.body_of(error)

    def stream_error(self, error: RequestError) -> bytes:
        """`error` is repeated in the form of chat completions, from which OpenAI's SDKs raise."""
        said = {"type": openai_error.type_of(error), "code": error.code, "message": error.message}
        fields = {"code": error.code, "message": error.message, "param": error.param, "error": said}
        return named_frame("error", _encode({"type": "error", "sequence_number": 0, **fields}))


def _output(choice: messages.Choice, request: messages.Request) -> list[Json]:
    as_summary = request.reasoning is not None and request.reasoning.summary is not None
    output: list[Json] = []
    contents: list[Json] = []
    logprobs = items.logprobs_of(choice.logprobs)
    for part in choice.message.parts:
        if not isinstance(part, messages.Text | messages.Refusal):
            contents = []
        match part:
            case messages.Text() | messages.Refusal():
                if not contents:
                    output.append(items.message(new_id("msg"), contents, status="completed"))
                if isinstance(part, messages.Text):
                    contents.append(items.output_text(part.text, part.citations, logprobs))
                    logprobs = []
                else:
                    contents.append(items.refusal(part.text))
            case messages.Reasoning():
                output.append(items.reasoning(new_id("rs"), part, as_summary=as_summary))
            case messages.ToolCall():
                output.append(items.function_call(new_id("fc"), part, part.arguments, status="completed"))
            case _:
                made = type(part).__name__.lower()
                raise UpstreamError(f"A response has no place for the model's {made}.", kind="server")
    if contents and choice.stop_reason == "length":
        output[-1]["status"] = "incomplete"
    return output
