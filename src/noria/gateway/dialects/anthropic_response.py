"""Messages that the model made ↔ core.messages.Response."""

from __future__ import annotations

import msgspec

from noria.core import messages
from noria.core.ids import new_id
from noria.core.usage import NO_USAGE, Usage
from noria.errors import UpstreamError
from noria.gateway.dialects import anthropic_wire as wire
from noria.gateway.dialects.leftovers import given
from noria.gateway.dialects.usage import AnthropicUsage

_decoder = msgspec.json.Decoder(wire.Answer)
_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STOPS: dict[str, messages.StopReason] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "content_filter",
}
_WORDS: dict[messages.StopReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_calls": "tool_use",
    "pause": "pause_turn",
    "content_filter": "refusal",
    "error": "refusal",
}
"""`error` has no word; `refusal` is the one with which no caller goes on as if the answer were whole."""
_TIERS = {"standard": "default", "priority": "priority"}
_TIER_WORDS = {"default": "standard", "priority": "priority"}


# upstream body → Response


def decode(body: bytes) -> messages.Response:
    """Raises UpstreamError(kind="server") for what is not a message."""
    try:
        answer = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UpstreamError(
            f"The upstream's answer is not a message: {error}.", kind="server", body=body[:65536]
        ) from None
    parts: list[messages.Part] = [part_of(block) for block in answer.content]
    refusal = refusal_of(answer.stop_details, parts)
    if refusal is not None:
        parts.append(refusal)
    return messages.Response(
        id=answer.id,
        model=answer.model,
        choices=(
            messages.Choice(
                message=messages.Message(role="assistant", parts=tuple(parts)),
                stop_reason=stop_reason(answer.stop_reason),
                stop_sequence=answer.stop_sequence,
                raw_stop_reason=answer.stop_reason,
            ),
        ),
        usage=NO_USAGE if answer.usage is None else answer.usage.usage(),
        service_tier=tier_of(answer.usage),
    )


def tier_of(usage: AnthropicUsage | None) -> str | None:
    """The tier that served the call, in OpenAI's words."""
    return None if usage is None or usage.service_tier is None else _TIERS.get(usage.service_tier)


def part_of(block: wire.AnswerBlock) -> messages.Text | messages.Reasoning | messages.ToolCall:
    """Raises UpstreamError for a block that no request of Noria's asks for."""
    match block.type:
        case "text":
            return messages.Text(text=block.text, citations=tuple(block.citations or ()))
        case "thinking":
            return messages.Reasoning(text=block.thinking, signature=block.signature or None)
        case "redacted_thinking":
            return messages.Reasoning(encrypted=block.data)
        case "tool_use":
            arguments = given(block.input)
            return messages.ToolCall(
                id=block.id,
                name=block.name,
                arguments="{}" if arguments is None else bytes(arguments).decode(),
            )
        case _:
            raise UpstreamError(
                f"The upstream answered with a {block.type} that was not asked for.", kind="server"
            )


def stop_reason(word: str | None) -> messages.StopReason:
    return "error" if word is None else _STOPS.get(word, "error")


def refusal_of(details: wire.StopDetails | None, parts: list[messages.Part]) -> messages.Refusal | None:
    """Why the model declined, where it said nothing itself."""
    if details is None or not details.explanation or any(isinstance(part, messages.Text) for part in parts):
        return None
    return messages.Refusal(text=details.explanation)


# Response → caller's body


class CacheCreation(msgspec.Struct):
    ephemeral_5m_input_tokens: int
    ephemeral_1h_input_tokens: int


class _OutputDetails(msgspec.Struct):
    thinking_tokens: int


class MessageUsage(msgspec.Struct):
    """Usage as callers of messages read it: the cache is counted beside the input. The API leaves nothing
    out; what no other dialect tells is null."""

    input_tokens: int
    output_tokens: int
    cache_read_input_tokens: int
    cache_creation_input_tokens: int
    cache_creation: CacheCreation | None = None
    output_tokens_details: _OutputDetails | None = None
    service_tier: str | None = None
    inference_geo: None = None
    server_tool_use: None = None


class _Message(msgspec.Struct):
    id: str
    type: str
    role: str
    model: str
    content: list[dict[str, object]]
    stop_reason: str | None
    stop_sequence: str | None
    usage: MessageUsage
    stop_details: dict[str, str] | None
    container: None = None


def encode(response: messages.Response) -> bytes:
    """The body of the answer. Raises UpstreamError for what a message has no place for."""
    choice = response.choices[0]
    content = [block for part in choice.message.parts for block in _blocks(part)]
    refused = any(isinstance(part, messages.Refusal) for part in choice.message.parts)
    word, details = stop_word(
        choice.stop_reason, choice.stop_sequence, choice.raw_stop_reason, refused=refused
    )
    return _encode(
        message(
            response.id,
            response.model,
            content,
            usage_for_callers(response.usage, response.service_tier),
            stop=(word, choice.stop_sequence),
            details=details,
        )
    )


def message(
    known: str,
    model: str,
    content: list[dict[str, object]],
    usage: MessageUsage,
    *,
    stop: tuple[str | None, str | None] = (None, None),
    details: dict[str, str] | None = None,
) -> _Message:
    """A message; in message_start, one without content."""
    name = known if known.startswith("msg_") else f"msg_{known}" if known else new_id("msg")
    return _Message(name, "message", "assistant", model, content, *stop, usage, details)


def stop_word(
    stop: messages.StopReason, sequence: str | None, raw: str | None, *, refused: bool
) -> tuple[str, dict[str, str] | None]:
    """The dialect's word for why the answer ended, and its details."""
    if stop == "error":
        return "refusal", {
            "type": "refusal",
            "explanation": f"The upstream stopped with {raw or 'no reason'}.",
        }
    if stop == "length" and raw == "model_context_window_exceeded":
        return raw, None
    if stop == "stop" and refused:
        return "refusal", None
    return _WORDS[stop], None


def usage_for_callers(usage: Usage, tier: str | None) -> MessageUsage:
    """Zeros where nothing is known, since the dialect requires numbers."""
    written = usage.cache_write + usage.cache_write_1h
    return MessageUsage(
        input_tokens=max(usage.input - usage.cached - written, 0),
        output_tokens=usage.output,
        cache_read_input_tokens=usage.cached,
        cache_creation_input_tokens=written,
        cache_creation=CacheCreation(usage.cache_write, usage.cache_write_1h) if written else None,
        output_tokens_details=_OutputDetails(usage.reasoning) if usage.reasoning else None,
        service_tier=_TIER_WORDS.get(tier) if tier is not None else None,
    )


def _blocks(part: messages.Part) -> list[dict[str, object]]:
    match part:
        case messages.Text():
            return [text_block(part.text, part.citations)]
        case messages.Refusal():
            return [text_block(part.text)]
        case messages.Reasoning():
            return thoughts(part)
        case messages.ToolCall():
            return [tool_use(part, _input(part))]
        case _:
            made = type(part).__name__.lower()
            raise UpstreamError(f"A message has no place for the model's {made}.", kind="server")


def text_block(text: str, citations: tuple[msgspec.Raw, ...] = ()) -> dict[str, object]:
    return {"type": "text", "text": text, "citations": citations or None}


def tool_use(call: messages.ToolCall, arguments: object) -> dict[str, object]:
    """The model itself calls, and no program that it runs."""
    known = {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}
    return {**known, "caller": {"type": "direct"}}


def thoughts(part: messages.Reasoning) -> list[dict[str, object]]:
    """Thinking, redacted thinking, or both."""
    blocks: list[dict[str, object]] = []
    text = part.text or "\n\n".join(part.summary)
    if text or part.signature is not None or part.encrypted is None:
        blocks.append({"type": "thinking", "thinking": text, "signature": part.signature or ""})
    if part.encrypted is not None:
        blocks.append({"type": "redacted_thinking", "data": part.encrypted})
    return blocks


def _input(part: messages.ToolCall) -> msgspec.Raw:
    raw = part.arguments.encode()
    if not raw.strip():
        return msgspec.Raw(b"{}")
    try:
        _object.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise UpstreamError(
            f"The model wrote arguments of {part.name!r} that are not a JSON object.", kind="server"
        ) from None
    return msgspec.Raw(raw)
