"""Bedrock's Converse answers → core.messages.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.
"""

from __future__ import annotations

import msgspec

from noria.core import messages
from noria.core.usage import NO_USAGE, Usage
from noria.errors import UpstreamError

STOPS: dict[str, messages.StopReason] = {
    "end_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
"""All others (malformed_model_output, malformed_tool_use, what is yet to come) are "error"."""


class Wire(msgspec.Struct, rename="camel", frozen=True):
    """Unknown keys are ignored: the API grows."""


class _ReasoningText(Wire, frozen=True):
    text: str = ""
    signature: str | None = None


class _Reasoning(Wire, frozen=True):
    reasoning_text: _ReasoningText | None = None
    redacted_content: str | None = None


class ToolUse(Wire, frozen=True):
    tool_use_id: str
    name: str
    input: msgspec.Raw = msgspec.Raw(b"{}")
    type: str | None = None


class _ImageSource(Wire, frozen=True):
    bytes: str | None = None


class _Image(Wire, frozen=True):
    format: str
    source: _ImageSource = _ImageSource()


class _Cited(Wire, frozen=True):
    text: str = ""


class _Citations(Wire, frozen=True):
    content: tuple[_Cited, ...] = ()
    citations: tuple[msgspec.Raw, ...] = ()


class _Block(Wire, frozen=True):
    text: str | None = None
    tool_use: ToolUse | None = None
    reasoning_content: _Reasoning | None = None
    image: _Image | None = None
    citations_content: _Citations | None = None
    tool_result: msgspec.Raw | None = None


class _Message(Wire, frozen=True):
    content: tuple[_Block, ...] = ()


class _Output(Wire, frozen=True):
    message: _Message


class _CacheDetail(Wire, frozen=True):
    ttl: str = ""
    input_tokens: int = 0


class TokenUsage(Wire, frozen=True):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_write_input_tokens: int = 0
    cache_details: tuple[_CacheDetail, ...] = ()


class _Tier(Wire, frozen=True):
    type: str | None = None


class _Answer(Wire, frozen=True):
    output: _Output
    stop_reason: str
    usage: TokenUsage | None = None
    service_tier: _Tier = _Tier()


_answer = msgspec.json.Decoder(_Answer)


def usage_of(wire: TokenUsage | None) -> Usage:
    """Converse counts tokens read from and written to the cache beside inputTokens."""
    if wire is None:
        return NO_USAGE
    hour = sum(detail.input_tokens for detail in wire.cache_details if detail.ttl == "1h")
    return Usage(
        input=wire.input_tokens + wire.cache_read_input_tokens + wire.cache_write_input_tokens,
        output=wire.output_tokens,
        cached=wire.cache_read_input_tokens,
        cache_write=max(wire.cache_write_input_tokens - hour, 0),
        cache_write_1h=hour,
        provenance="reported",
    )


def decode(body: bytes) -> messages.Response:
    """Converse names neither itself nor the model in its body: `id` and `model` are empty."""
    try:
        answer = _answer.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UpstreamError(
            f"Bedrock's answer is not in its form: {error}", kind="server", body=body[:65536]
        ) from None
    parts = tuple(part for block in answer.output.message.content if (part := _part(block)) is not None)
    choice = messages.Choice(
        message=messages.Message(role="assistant", parts=parts),
        stop_reason=STOPS.get(answer.stop_reason, "error"),
        raw_stop_reason=answer.stop_reason,
    )
    usage = usage_of(answer.usage)
    return messages.Response(
        id="", model="", choices=(choice,), usage=usage, service_tier=answer.service_tier.type
    )


def _part(block: _Block) -> messages.Part | None:
    if block.text is not None:
        return messages.Text(text=block.text)
    if block.tool_use is not None:
        use = block.tool_use
        try:
            arguments = bytes(use.input).decode()
        except UnicodeDecodeError:
            raise UpstreamError("Bedrock's tool call is not UTF-8.", kind="server") from None
        return messages.ToolCall(id=use.tool_use_id, name=use.name, arguments=arguments)
    if block.reasoning_content is not None:
        thought = block.reasoning_content.reasoning_text
        if thought is not None:
            return messages.Reasoning(text=thought.text, signature=thought.signature)
        return messages.Reasoning(encrypted=block.reasoning_content.redacted_content)
    if block.citations_content is not None:
        cited = block.citations_content
        return messages.Text(text="".join(c.text for c in cited.content), citations=cited.citations)
    if block.image is not None and block.image.source.bytes is not None:
        return messages.Image(data=block.image.source.bytes, media_type=f"image/{block.image.format}")
    if block.image is not None or block.tool_result is not None:
        raise UpstreamError("Bedrock answered with a part that Noria did not ask for.", kind="server")
    return None
