"""Bedrock's ConverseStream → stream events.

A stream is: messageStart, then per block contentBlockStart (only for tools), contentBlockDelta and
contentBlockStop, then messageStop, and metadata with the usage at last.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

import msgspec

from noria.core import messages
from noria.core.usage import NO_USAGE
from noria.errors import UpstreamError
from noria.gateway.dialects import eventstream
from noria.gateway.dialects.bedrock_response import STOPS, TokenUsage, ToolUse, Wire, usage_of


class _StartedTool(Wire, frozen=True):
    tool_use: ToolUse | None = None
    tool_result: msgspec.Raw | None = None
    image: msgspec.Raw | None = None


class _ToolDelta(Wire, frozen=True):
    input: str = ""


class _ReasoningDelta(Wire, frozen=True):
    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class _Delta(Wire, frozen=True):
    text: str | None = None
    tool_use: _ToolDelta | None = None
    reasoning_content: _ReasoningDelta | None = None
    citation: msgspec.Raw | None = None


class _Event(Wire, frozen=True):
    """The keys of all event types; which are there depends on the type."""

    content_block_index: int = 0
    start: _StartedTool = _StartedTool()
    delta: _Delta = _Delta()
    stop_reason: str = ""
    usage: TokenUsage | None = None
    message: str = ""


_event = msgspec.json.Decoder(_Event)


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
                stop = STOPS.get(event.stop_reason, "error")
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
