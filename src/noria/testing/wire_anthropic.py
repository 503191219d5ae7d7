"""The mock's Anthropic messages."""

from __future__ import annotations

from noria.testing.answer import Ask, Frame, Json, Said, Tool, arguments, count_tokens, fragments, tokens
from noria.testing.frames import event_frame

_STOPS = {
    "stop": "end_turn",
    "sequence": "stop_sequence",
    "length": "max_tokens",
    "calls": "tool_use",
    "refusal": "refusal",
}
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
SIGNATURE = "bW9jaw=="
_CALLER: Json = {"type": "direct"}


class AnthropicWire:
    name, prefix, media = "anthropic", "msg_", "text/event-stream"

    def ask(self, body: Json, model: str, *, stream: bool) -> Ask:
        choice = body.get("tool_choice") or {}
        form = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
        return Ask(
            model=body.get("model", model),
            stream=bool(body.get("stream")),
            input=count_tokens([body.get("system"), body.get("messages"), body.get("tools")]),
            limit=body.get("max_tokens"),
            tools=tuple(
                Tool(one["name"], one["input_schema"])
                for one in body.get("tools") or ()
                if "input_schema" in one
            ),
            force={"any": "*", "tool": choice.get("name", "")}.get(choice.get("type", ""), ""),
            schema=form.get("schema"),
            stops=tuple(body.get("stop_sequences") or ()),
            body=body,
        )

    def whole(self, ask: Ask, said: Said) -> Json:
        content: list[Json] = []
        if said.reasoning:
            content.append({"type": "thinking", "thinking": "".join(said.reasoning), "signature": SIGNATURE})
        text = said.text or said.refusal
        if text:
            content.append({"type": "text", "text": text, "citations": None})
        content += [
            {
                "type": "tool_use",
                "id": call.id,
                "name": call.name,
                "input": call.arguments,
                "caller": _CALLER,
            }
            for call in said.calls
        ]
        return {
            "id": self.prefix + said.id,
            "type": "message",
            "role": "assistant",
            "model": ask.model,
            "content": content,
            "stop_reason": said.finish or _STOPS[said.stop],
            "stop_sequence": said.stop_sequence,
            "stop_details": None,
            "container": None,
            "usage": _usage(said, output=said.output)
            if said.usage
            else {"input_tokens": 0, "output_tokens": 0},
        }

    def frames(self, ask: Ask, said: Said) -> list[Frame]:
        start = self.whole(ask, said)
        start |= {"content": [], "stop_reason": None, "stop_sequence": None}
        if said.usage:
            start["usage"] = _usage(said, output=1)
        found = [event_frame({"type": "message_start", "message": start}), event_frame({"type": "ping"})]
        index = 0

        def block(value: Json, deltas: list[tuple[Json, int]]) -> None:
            nonlocal index
            found.append(event_frame({"type": "content_block_start", "index": index, "content_block": value}))
            for delta, count in deltas:
                event = {"type": "content_block_delta", "index": index, "delta": delta}
                found.append(event_frame(event, tokens=count))
            found.append(event_frame({"type": "content_block_stop", "index": index}))
            index += 1

        if said.reasoning:
            thought: list[tuple[Json, int]] = [
                ({"type": "thinking_delta", "thinking": one}, 1) for one in said.reasoning
            ]
            thought.append(({"type": "signature_delta", "signature": SIGNATURE}, 0))
            block({"type": "thinking", "thinking": "", "signature": ""}, thought)
        pieces = said.pieces or tokens(said.refusal)
        if pieces:
            block(
                {"type": "text", "text": "", "citations": None},
                [({"type": "text_delta", "text": one}, len(tokens(one))) for one in pieces],
            )
        for call in said.calls:
            block(
                {"type": "tool_use", "id": call.id, "name": call.name, "input": {}, "caller": _CALLER},
                [
                    ({"type": "input_json_delta", "partial_json": one}, 1)
                    for one in ["", *fragments(arguments(call))]
                ],
            )
        delta: Json = {
            "type": "message_delta",
            "delta": {
                "stop_reason": said.finish or _STOPS[said.stop],
                "stop_sequence": said.stop_sequence,
            },
            "usage": _usage(said, output=said.output) if said.usage else {"output_tokens": 0},
        }
        found.append(event_frame(delta))
        found.append(event_frame({"type": "message_stop"}))
        return found

    def error(self, status: int, message: str) -> Json:
        return {
            "type": "error",
            "error": {"type": _ERRORS.get(status, "api_error"), "message": message},
            "request_id": "req_mock",
        }

    def error_frame(self, status: int, message: str) -> bytes:
        return event_frame(self.error(status, message)).data


def _usage(said: Said, *, output: int) -> Json:
    """Anthropic counts what the cache read and wrote beside `input_tokens`."""
    return {
        "input_tokens": said.input - said.cached - said.cache_write,
        "cache_read_input_tokens": said.cached,
        "cache_creation_input_tokens": said.cache_write,
        "cache_creation": {"ephemeral_5m_input_tokens": said.cache_write, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": said.reasoned},
        "service_tier": "standard",
        "inference_geo": None,
        "server_tool_use": None,
    }
