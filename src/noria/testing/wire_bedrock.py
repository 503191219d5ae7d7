"""The mock's Bedrock Converse and ConverseStream."""

from __future__ import annotations

from noria.testing.answer import Ask, Frame, Json, Said, Tool, arguments, count_tokens, fragments, tokens
from noria.testing.frames import binary_frame

_STOPS = {
    "stop": "end_turn",
    "sequence": "stop_sequence",
    "length": "max_tokens",
    "calls": "tool_use",
    "refusal": "content_filtered",
}
EXCEPTIONS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
SIGNATURE = "bW9jaw=="


class BedrockWire:
    name, prefix, media = "bedrock", "", "application/vnd.amazon.eventstream"

    def ask(self, body: Json, model: str, *, stream: bool) -> Ask:
        config = body.get("inferenceConfig") or {}
        tools = body.get("toolConfig") or {}
        choice = tools.get("toolChoice") or {}
        specs = [one["toolSpec"] for one in tools.get("tools") or () if "toolSpec" in one]
        return Ask(
            model=model,
            stream=stream,
            input=count_tokens([body.get("system"), body.get("messages"), specs]),
            limit=config.get("maxTokens"),
            tools=tuple(Tool(one["name"], one["inputSchema"].get("json") or {}) for one in specs),
            force="*" if "any" in choice else (choice.get("tool") or {}).get("name", ""),
            stops=tuple(config.get("stopSequences") or ()),
            body=body,
        )

    def whole(self, ask: Ask, said: Said) -> Json:
        content: list[Json] = []
        if said.reasoning:
            text = {"text": "".join(said.reasoning), "signature": SIGNATURE}
            content.append({"reasoningContent": {"reasoningText": text}})
        if said.text or said.refusal:
            content.append({"text": said.text or said.refusal})
        content += [
            {"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}}
            for call in said.calls
        ]
        found: Json = {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": said.finish or _STOPS[said.stop],
            "metrics": {"latencyMs": 1},
        }
        if said.usage:
            found["usage"] = _usage(said)
        return found

    def frames(self, ask: Ask, said: Said) -> list[Frame]:
        found = [_event("messageStart", {"role": "assistant"})]
        index = 0

        def block(start: Json | None, deltas: list[tuple[Json, int]]) -> None:
            nonlocal index
            if start is not None:
                found.append(_event("contentBlockStart", {"contentBlockIndex": index, "start": start}))
            for delta, count in deltas:
                value = {"contentBlockIndex": index, "delta": delta}
                found.append(_event("contentBlockDelta", value, tokens=count))
            found.append(_event("contentBlockStop", {"contentBlockIndex": index}))
            index += 1

        if said.reasoning:
            thought: list[tuple[Json, int]] = [
                ({"reasoningContent": {"text": one}}, 1) for one in said.reasoning
            ]
            block(None, [*thought, ({"reasoningContent": {"signature": SIGNATURE}}, 0)])
        pieces = said.pieces or tokens(said.refusal)
        if pieces:
            block(None, [({"text": one}, len(tokens(one))) for one in pieces])
        for call in said.calls:
            block(
                {"toolUse": {"toolUseId": call.id, "name": call.name}},
                [({"toolUse": {"input": one}}, 1) for one in fragments(arguments(call))],
            )
        found.append(_event("messageStop", {"stopReason": said.finish or _STOPS[said.stop]}))
        last: Json = {"metrics": {"latencyMs": 1}}
        if said.usage:
            last["usage"] = _usage(said)
        found.append(_event("metadata", last))
        return found

    def error(self, status: int, message: str) -> Json:
        return {"message": message}

    def error_frame(self, status: int, message: str) -> bytes:
        name = EXCEPTIONS.get(status, "InternalServerException")
        headers = {
            ":message-type": "exception",
            ":exception-type": name[0].lower() + name[1:],
            ":content-type": "application/json",
        }
        return binary_frame(headers, {"message": message}).data


def _event(kind: str, value: Json, *, tokens: int = 0) -> Frame:
    headers = {":message-type": "event", ":event-type": kind, ":content-type": "application/json"}
    return binary_frame(headers, value, tokens=tokens)


def _usage(said: Said) -> Json:
    """Converse counts what the cache read and wrote beside `inputTokens`."""
    return {
        "inputTokens": said.input - said.cached - said.cache_write,
        "outputTokens": said.output,
        "totalTokens": said.input + said.output,
        "cacheReadInputTokens": said.cached,
        "cacheWriteInputTokens": said.cache_write,
    }
