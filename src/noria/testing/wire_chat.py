"""The mock's OpenAI chat completions."""

from __future__ import annotations

from typing import Any

import msgspec

from noria.testing.answer import (
    Ask,
    Frame,
    Json,
    Said,
    Tool,
    arguments,
    count_tokens,
    fragments,
    logprob,
    tokens,
)
from noria.testing.frames import data_frame

FINGERPRINT = "fp_mock"
_STOPS = {
    "stop": "stop",
    "sequence": "stop",
    "length": "length",
    "calls": "tool_calls",
    "refusal": "stop",
}
_DONE = Frame(b"data: [DONE]\n\n")


class ChatWire:
    name, prefix, media = "openai", "chatcmpl-", "text/event-stream"

    def ask(self, body: Json, model: str, *, stream: bool) -> Ask:
        form = body.get("response_format") or {}
        top = body.get("top_logprobs") or 0
        stops = body.get("stop") or ()
        return Ask(
            model=body.get("model", model),
            stream=bool(body.get("stream")),
            input=count_tokens([body.get("messages"), body.get("tools")]),
            limit=body.get("max_completion_tokens") or body.get("max_tokens"),
            choices=body.get("n") or 1,
            tools=tuple(
                Tool(one["function"]["name"], one["function"].get("parameters") or {})
                for one in body.get("tools") or ()
                if one.get("type") == "function"
            ),
            force=forced(body.get("tool_choice")),
            schema=form.get("json_schema", {}).get("schema", {})
            if form.get("type") == "json_schema"
            else None,
            stops=(stops,) if isinstance(stops, str) else tuple(stops),
            logprobs=top if body.get("logprobs") else -1,
            usage_in_stream=bool((body.get("stream_options") or {}).get("include_usage")),
            body=body,
        )

    def whole(self, ask: Ask, said: Said) -> Json:
        message: Json = {
            "role": "assistant",
            "content": said.text if said.pieces else None,
            "refusal": said.refusal or None,
            "annotations": [],
        }
        if said.reasoning:
            message["reasoning_content"] = "".join(said.reasoning)
        if said.calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": arguments(call)},
                }
                for call in said.calls
            ]
        choices = [
            {
                "index": index,
                "message": message,
                "logprobs": logprobs(ask, said.text),
                "finish_reason": said.finish or _STOPS[said.stop],
            }
            for index in range(ask.choices)
        ]
        found: Json = {
            "id": self.prefix + said.id,
            "object": "chat.completion",
            "created": said.created,
            "model": ask.model,
            "choices": choices,
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
        }
        if ask.body.get("store"):
            found["metadata"] = ask.body.get("metadata") or {}
        if said.usage:
            found["usage"] = usage(said)
        return found

    def frames(self, ask: Ask, said: Said) -> list[Frame]:
        base: Json = {
            "id": self.prefix + said.id,
            "object": "chat.completion.chunk",
            "created": said.created,
            "model": ask.model,
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
        }
        if ask.usage_in_stream and said.usage:
            base["usage"] = None
        found: list[Frame] = []

        def put(
            index: int, delta: Json, *, count: int = 0, finish: str | None = None, text: str = ""
        ) -> None:
            choice = {
                "index": index,
                "delta": delta,
                "logprobs": logprobs(ask, text) if text else None,
                "finish_reason": finish,
            }
            found.append(data_frame({**base, "choices": [choice]}, tokens=count))

        for index in range(ask.choices):
            put(index, {"role": "assistant", "content": "", "refusal": None})
            for piece in said.reasoning if index == 0 else ():
                put(index, {"reasoning_content": piece}, count=1)
            for piece in said.pieces:
                put(index, {"content": piece}, count=len(tokens(piece)), text=piece)
            for piece in tokens(said.refusal):
                put(index, {"refusal": piece}, count=1)
            for at, call in enumerate(said.calls):
                function = {"name": call.name, "arguments": ""}
                put(
                    index,
                    {"tool_calls": [{"index": at, "id": call.id, "type": "function", "function": function}]},
                )
                for piece in fragments(arguments(call)):
                    put(index, {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}, count=1)
            put(index, {}, finish=said.finish or _STOPS[said.stop])
        if ask.usage_in_stream and said.usage:
            found.append(data_frame({**base, "choices": [], "usage": usage(said)}))
        found.append(_DONE)
        return found

    def error(self, status: int, message: str) -> Json:
        return error_body(status, message)

    def error_frame(self, status: int, message: str) -> bytes:
        return b"data: " + msgspec.json.encode(error_body(status, message)) + b"\n\n"


def forced(choice: Any) -> str:
    """The tool that a `tool_choice` of OpenAI's demands."""
    if choice == "required":
        return "*"
    if isinstance(choice, dict):
        function = choice.get("function") or {}
        return function.get("name") or choice.get("name") or ""
    return ""


def usage(said: Said) -> Json:
    return {
        "prompt_tokens": said.input,
        "completion_tokens": said.output,
        "total_tokens": said.input + said.output,
        "prompt_tokens_details": {
            "cached_tokens": said.cached,
            "cache_write_tokens": said.cache_write,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": said.reasoned,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def logprobs(ask: Ask, text: str) -> Json | None:
    """The object of chat completions, where asked for."""
    if ask.logprobs < 0:
        return None
    return {"content": [token_logprob(piece, ask.logprobs) for piece in tokens(text)], "refusal": None}


def token_logprob(piece: str, alternatives: int) -> Json:
    own = logprob(piece)
    top = [(piece, own)] + [(f"{piece}~{number}", own - number) for number in range(1, alternatives)]
    return {
        "token": piece,
        "logprob": own,
        "bytes": list(piece.encode()),
        "top_logprobs": [
            {"token": name, "logprob": value, "bytes": list(name.encode())}
            for name, value in top[:alternatives]
        ],
    }


_TYPES = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    403: "permission_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
}
_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded", 500: "server_error"}


def error_body(status: int, message: str) -> Json:
    kind = _TYPES.get(status, "server_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": _CODES.get(status)}}
