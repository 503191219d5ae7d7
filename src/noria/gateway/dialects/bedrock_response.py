"""Bedrock's Converse answers → core.messages, whole and streamed.

A stream is: messageStart, then per block contentBlockStart (only for tools), contentBlockDelta and
contentBlockStop, then messageStop, and metadata with the usage at last.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

import msgspec

from noria.core import messages
from noria.core.usage import NO_USAGE, Usage
from noria.errors import UpstreamError
from noria.gateway.dialects import eventstream

_STOPS: dict[str, messages.StopReason] = {
    "end_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
"""All others (malformed_model_output, malformed_tool_use, what is yet to come) are "error"."""


class _Wire(msgspec.Struct, rename="camel", frozen=True):
    """Unknown keys are ignored: the API grows."""


class _ReasoningText(_Wire, frozen=True):
    text: str = ""
    signature: str | None = None


class _Reasoning(_Wire, frozen=True):
    reasoning_text: _ReasoningText | None = None
    redacted_content: str | None = None


class _ToolUse(_Wire, frozen=True):
    tool_use_id: str
    name: str
    input: msgspec.Raw = msgspec.Raw(b"{}")
    type: str | None = None


class _ImageSource(_Wire, frozen=True):
    bytes: str | None = None


class _Image(_Wire, frozen=True):
    format: str
    source: _ImageSource = _ImageSource()


class _Cited(_Wire, frozen=True):
    text: str = ""


class _Citations(_Wire, frozen=True):
    content: tuple[_Cited, ...] = ()
    citations: tuple[msgspec.Raw, ...] = ()


class _Block(_Wire, frozen=True):
    text: str | None = None
    tool_use: _ToolUse | None = None
    reasoning_content: _Reasoning | None = None
    image: _Image | None = None
    citations_content: _Citations | None = None
    tool_result: msgspec.Raw | None = None


class _Message(_Wire, frozen=True):
    content: tuple[_Block, ...] = ()


class _Output(_Wire, frozen=True):
    message: _Message


class _CacheDetail(_Wire, frozen=True):
    ttl: str = ""
    input_tokens: int = 0


class _TokenUsage(_Wire, frozen=True):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_write_input_tokens: int = 0
    cache_details: tuple[_CacheDetail, ...] = ()


class _Tier(_Wire, frozen=True):
    type: str | None = None


class _Answer(_Wire, frozen=True):
    output: _Output
    stop_reason: str
    usage: _TokenUsage | None = None
    service_tier: _Tier = _Tier()


class _StartedTool(_Wire, frozen=True):
    tool_use: _ToolUse | None = None
    tool_result: msgspec.Raw | None = None
    image: msgspec.Raw | None = None


class _ToolDelta(_Wire, frozen=True):
    input: str = ""


class _ReasoningDelta(_Wire, frozen=True):
    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class _Delta(_Wire, frozen=True):
    text: str | None = None
    tool_use: _ToolDelta | None = None
    reasoning_content: _ReasoningDelta | None = None
    citation: msgspec.Raw | None = None


class _Event(_Wire, frozen=True):
    """The keys of all event types; which are there depends on the type."""

    content_block_index: int = 0
    start: _StartedTool = _StartedTool()
    delta: _Delta = _Delta()
    stop_reason: str = ""
    usage: _TokenUsage | None = None
    message: str = ""


_answer = msgspec.json.Decoder(_Answer)
_event = msgspec.json.Decoder(_Event)


def usage_of(wire: _TokenUsage | None) -> Usage:
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
        stop_reason=_STOPS.get(answer.stop_reason, "error"),
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


class BedrockStream:
    """dialect.StreamDecoder over ConverseStream's binary frames."""

    def __init__(self) -> None:
        self._frames = eventstream.Splitter()
        self._index = 0
        self._kind = ""
        self._signature: str | None = None
        self._encrypted: list[str] = []
        self._citations: list[msgspec.Raw] = []
        self._stopped = False
        self._ended = False

    def feed(self, data: bytes) -> list[messages.StreamEvent]:
        events: list[messages.StreamEvent] = []
        for frame in self._frames.feed(data):
            if not self._ended:
                self._frame(frame, events)
        return events

    def close(self) -> list[messages.StreamEvent]:
        if self._ended or not self._stopped:
            return []
        self._ended = True
        return [messages.Finish(usage=NO_USAGE)]

    def _frame(self, frame: eventstream.Message, events: list[messages.StreamEvent]) -> None:
        if frame.headers.get(":message-type") == "error":
            self._ended = True
            code, said = frame.headers.get(":error-code", ""), frame.headers.get(":error-message", "")
            events.append(messages.StreamError(message=str(said or code), code=str(code)))
            return
        try:
            event = _event.decode(frame.payload or b"{}")
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise UpstreamError(f"Bedrock's event is not in its form: {error}", kind="server") from None
        if frame.headers.get(":message-type") == "exception":
            self._ended = True
            code = str(frame.headers.get(":exception-type", ""))
            events.append(messages.StreamError(message=event.message or code, code=code))
            return
        match frame.headers.get(":event-type"):
            case "messageStart":
                events.append(messages.Start(id="", model=""))
            case "contentBlockStart":
                self._block_start(event, events)
            case "contentBlockDelta":
                self._delta(event.delta, events)
            case "contentBlockStop":
                self._block_stop(events)
            case "messageStop":
                self._stopped = True
                stop = _STOPS.get(event.stop_reason, "error")
                events.append(messages.Stop(stop_reason=stop, raw_stop_reason=event.stop_reason))
            case "metadata":
                self._ended = True
                events.append(messages.Finish(usage=usage_of(event.usage)))
            case _:
                pass  # new kinds of events may come at any time

    def _open(
        self, kind: str, part: messages.Text | messages.Reasoning | messages.ToolCall
    ) -> messages.PartStart:
        self._kind = kind
        return messages.PartStart(index=self._index, part=part)

    def _block_start(self, event: _Event, events: list[messages.StreamEvent]) -> None:
        use = event.start.tool_use
        if use is not None:
            self._block_stop(events)
            events.append(
                self._open("call", messages.ToolCall(id=use.tool_use_id, name=use.name, arguments=""))
            )
        elif event.start.tool_result is not None or event.start.image is not None:
            raise UpstreamError("Bedrock streamed a part that Noria did not ask for.", kind="server")

    def _delta(self, delta: _Delta, events: list[messages.StreamEvent]) -> None:
        if delta.text is not None:
            if self._kind != "text":
                self._block_stop(events)
                events.append(self._open("text", messages.Text(text="")))
            events.append(messages.Delta(index=self._index, text=delta.text))
        elif delta.tool_use is not None:
            if self._kind != "call":
                raise UpstreamError("Bedrock streamed a tool's input without its start.", kind="server")
            events.append(messages.Delta(index=self._index, text=delta.tool_use.input))
        elif delta.reasoning_content is not None:
            self._reasoning(delta.reasoning_content, events)
        elif delta.citation is not None:
            if self._kind != "text":
                self._block_stop(events)
                events.append(self._open("text", messages.Text(text="")))
            self._citations.append(delta.citation)

    def _reasoning(self, delta: _ReasoningDelta, events: list[messages.StreamEvent]) -> None:
        if self._kind != "reasoning":
            self._block_stop(events)
            events.append(self._open("reasoning", messages.Reasoning()))
        if delta.text is not None:
            events.append(messages.Delta(index=self._index, text=delta.text))
        if delta.signature is not None:
            self._signature = (self._signature or "") + delta.signature
        if delta.redacted_content is not None:
            self._encrypted.append(delta.redacted_content)

    def _block_stop(self, events: list[messages.StreamEvent]) -> None:
        if not self._kind:
            return
        events.append(
            messages.PartEnd(
                index=self._index,
                signature=self._signature,
                encrypted=_joined(self._encrypted),
                citations=tuple(self._citations),
            )
        )
        self._index += 1
        self._kind, self._signature, self._encrypted, self._citations = "", None, [], []


def _joined(pieces: list[str]) -> str | None:
    """Base64 of the pieces' bytes, since padding makes text that is glued together invalid."""
    if len(pieces) < 2:
        return pieces[0] if pieces else None
    try:
        return b64encode(b"".join(b64decode(piece, validate=True) for piece in pieces)).decode()
    except ValueError:
        raise UpstreamError("Bedrock's redacted reasoning is not base64.", kind="server") from None
