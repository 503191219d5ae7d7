"""Streamed messages ↔ stream events."""

from __future__ import annotations

import msgspec

from noria.core import messages
from noria.core.usage import NO_USAGE
from noria.errors import UpstreamError
from noria.gateway.dialects import anthropic_response as answers
from noria.gateway.dialects import anthropic_wire as wire
from noria.gateway.dialects.leftovers import given
from noria.gateway.dialects.sse import SseSplitter, named_frame
from noria.gateway.dialects.usage import AnthropicUsage

_decoder = msgspec.json.Decoder(wire.Event)
_encode = msgspec.json.Encoder().encode


class _Open:
    """The block that is open."""

    __slots__ = ("citations", "encrypted", "index", "is_call", "said", "signature")

    def __init__(self, index: int, *, is_call: bool, encrypted: str | None) -> None:
        self.index = index
        self.is_call = is_call
        self.said = False
        self.signature = ""
        self.encrypted = encrypted
        self.citations: list[msgspec.Raw] = []


class AnthropicDecoder:
    """dialect.StreamDecoder."""

    def __init__(self) -> None:
        self._sse = SseSplitter()
        self._blocks: dict[int, _Open] = {}
        self._count = 0
        self._usage = AnthropicUsage()
        self._reported = False
        self._text = False
        self._started = False
        self._ended = False

    def feed(self, data: bytes) -> list[messages.StreamEvent]:
        events: list[messages.StreamEvent] = []
        for payload in self._sse.feed(data):
            self._event(payload, events)
        return events

    def close(self) -> list[messages.StreamEvent]:
        """message_stop is the end; without it the stream is not whole."""
        events: list[messages.StreamEvent] = []
        for payload in self._sse.close():
            self._event(payload, events)
        return events

    def _event(self, payload: bytes, events: list[messages.StreamEvent]) -> None:
        if self._ended:
            return
        try:
            event = _decoder.decode(payload)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise UpstreamError(
                f"The upstream's stream is not one of messages: {error}.", kind="server", body=payload[:65536]
            ) from None
        match event.type:
            case "content_block_delta":
                self._delta(event, events)
            case "content_block_start":
                self._start(event, events)
            case "content_block_stop":
                self._stop(event, events)
            case "message_start":
                if event.message is None or self._started:
                    raise _strange("a message_start that is not one")
                self._started = True
                self._report(event.message.usage)
                events.append(
                    messages.Start(
                        id=event.message.id,
                        model=event.message.model,
                        usage=self._usage.usage() if self._reported else None,
                        service_tier=answers.tier_of(event.message.usage),
                    )
                )
            case "message_delta":
                self._report(event.usage)
                if event.delta is not None and event.delta.stop_reason is not None:
                    self._finish(event.delta, events)
            case "message_stop":
                self._ended = True
                events.append(messages.Finish(usage=self._usage.usage() if self._reported else NO_USAGE))
            case "error":
                self._ended = True
                error = event.error or wire.Error()
                events.append(messages.StreamError(message=error.message or "no message", code=error.type))
            case _:
                pass  # ping, and what the API may add: it must be ignored.

    def _report(self, usage: AnthropicUsage | None) -> None:
        if usage is not None:
            self._usage = self._usage.merged(usage)
            self._reported = True

    def _start(self, event: wire.Event, events: list[messages.StreamEvent]) -> None:
        block = event.content_block
        if block is None or event.index in self._blocks or not self._started:
            raise _strange("a content_block_start that is not one")
        part = answers.part_of(block)
        first, part = _emptied(part)
        encrypted = part.encrypted if isinstance(part, messages.Reasoning) else None
        opened = _Open(self._count, is_call=isinstance(part, messages.ToolCall), encrypted=encrypted)
        if isinstance(part, messages.Reasoning):
            part = messages.Reasoning()
        self._text = self._text or isinstance(part, messages.Text)
        self._blocks[event.index] = opened
        self._count += 1
        opened.citations += block.citations or ()
        opened.signature = block.signature
        events.append(messages.PartStart(index=opened.index, part=part))
        if first:
            opened.said = True
            events.append(messages.Delta(index=opened.index, text=first))

    def _delta(self, event: wire.Event, events: list[messages.StreamEvent]) -> None:
        opened = self._blocks.get(event.index)
        delta = event.delta
        if opened is None or delta is None:
            raise _strange("a content_block_delta outside of a block")
        text = delta.text or delta.thinking or delta.partial_json
        if text:
            opened.said = True
            events.append(messages.Delta(index=opened.index, text=text))
        if delta.signature:
            opened.signature += delta.signature
        citation = given(delta.citation)
        if citation is not None:
            opened.citations.append(citation)

    def _stop(self, event: wire.Event, events: list[messages.StreamEvent]) -> None:
        opened = self._blocks.pop(event.index, None)
        if opened is None:
            raise _strange("a content_block_stop outside of a block")
        if opened.is_call and not opened.said:
            # A call without arguments streams none; elsewhere they are always an object.
            events.append(messages.Delta(index=opened.index, text="{}"))
        events.append(
            messages.PartEnd(
                index=opened.index,
                signature=opened.signature or None,
                encrypted=opened.encrypted,
                citations=tuple(opened.citations),
            )
        )

    def _finish(self, delta: wire.Delta, events: list[messages.StreamEvent]) -> None:
        said: list[messages.Part] = [messages.Text(text="")] if self._text else []
        refusal = answers.refusal_of(delta.stop_details, said)
        if refusal is not None:
            events.append(messages.PartStart(index=self._count, part=messages.Refusal(text="")))
            events.append(messages.Delta(index=self._count, text=refusal.text))
            events.append(messages.PartEnd(index=self._count))
        events.append(
            messages.Stop(
                stop_reason=answers.stop_reason(delta.stop_reason),
                stop_sequence=delta.stop_sequence,
                raw_stop_reason=delta.stop_reason,
            )
        )


_Part = messages.Text | messages.Reasoning | messages.ToolCall


def _emptied(part: _Part) -> tuple[str, _Part]:
    """What a block's start already says, and the part without it."""
    if isinstance(part, messages.ToolCall):
        said = "" if part.arguments == "{}" else part.arguments
        return said, msgspec.structs.replace(part, arguments="")
    if isinstance(part, messages.Text):
        return part.text, messages.Text(text="")
    return part.text, part


def _strange(what: str) -> UpstreamError:
    return UpstreamError(f"The upstream's stream has {what}.", kind="server")


class AnthropicEncoder:
    """dialect.StreamEncoder.

    A thinking block is opened with its first words, since a redacted one has none.
    """

    def __init__(self) -> None:
        self._next = 0
        self._blocks: dict[int, int] = {}
        """Wire index by part, of the blocks that are open."""
        self._kinds: dict[int, str] = {}
        self._stop = messages.Stop(stop_reason="error")
        self._refused = False

    def encode(self, event: messages.StreamEvent) -> bytes:
        match event:
            case messages.Delta():
                return self._delta(event)
            case messages.Start():
                usage = answers.usage_for_callers(event.usage or NO_USAGE, event.service_tier)
                start = answers.message(event.id, event.model, [], usage)
                return _frame("message_start", {"message": start})
            case messages.PartStart():
                return self._part(event)
            case messages.PartEnd():
                return self._end(event)
            case messages.Stop():
                self._stop = event
                return b""
            case messages.Finish():
                return self._finish(event)
            case messages.StreamError():
                raise UpstreamError(event.message, kind="server")

    def _open(self, part: int, block: dict[str, object]) -> bytes:
        index = self._blocks[part] = self._next
        self._next += 1
        return _frame("content_block_start", {"index": index, "content_block": block})

    def _part(self, event: messages.PartStart) -> bytes:
        part = event.part
        self._kinds[event.index] = type(part).__name__
        match part:
            case messages.Reasoning(text=text, encrypted=encrypted):
                if encrypted is not None:
                    self._kinds[event.index] = "Redacted"
                    return self._redacted(event.index, encrypted)
                return self._delta(messages.Delta(index=event.index, text=text)) if text else b""
            case messages.ToolCall(arguments=text):
                block = answers.tool_use(part, {})
            case messages.Text(text=text) | messages.Refusal(text=text):
                self._refused = self._refused or isinstance(part, messages.Refusal)
                block = answers.text_block("")
        out = self._open(event.index, block)
        return out + self._delta(messages.Delta(index=event.index, text=text)) if text else out

    def _redacted(self, part: int, data: str) -> bytes:
        out = self._open(part, {"type": "redacted_thinking", "data": data})
        return out + _frame("content_block_stop", {"index": self._blocks.pop(part)})

    def _delta(self, event: messages.Delta) -> bytes:
        if not event.text:
            return b""
        kind = self._kinds[event.index]
        out = b""
        if kind == "Reasoning":
            if event.index not in self._blocks:
                out = self._open(event.index, {"type": "thinking", "thinking": "", "signature": ""})
            delta = {"type": "thinking_delta", "thinking": event.text}
        elif kind == "ToolCall":
            delta = {"type": "input_json_delta", "partial_json": event.text}
        else:
            delta = {"type": "text_delta", "text": event.text}
        return out + _frame("content_block_delta", {"index": self._blocks[event.index], "delta": delta})

    def _end(self, event: messages.PartEnd) -> bytes:
        if self._kinds[event.index] == "Redacted":
            return b""
        out = b""
        if event.index not in self._blocks:
            if event.encrypted is not None and event.signature is None:
                return self._redacted(event.index, event.encrypted)
            out = self._open(event.index, {"type": "thinking", "thinking": "", "signature": ""})
        index = self._blocks.pop(event.index)
        if event.signature is not None:
            delta: dict[str, object] = {"type": "signature_delta", "signature": event.signature}
            out += _frame("content_block_delta", {"index": index, "delta": delta})
        for citation in event.citations:
            delta = {"type": "citations_delta", "citation": citation}
            out += _frame("content_block_delta", {"index": index, "delta": delta})
        out += _frame("content_block_stop", {"index": index})
        if event.encrypted is not None:
            out += self._redacted(event.index, event.encrypted)
        return out

    def _finish(self, event: messages.Finish) -> bytes:
        stop = self._stop
        word, details = answers.stop_word(
            stop.stop_reason, stop.stop_sequence, stop.raw_stop_reason, refused=self._refused
        )
        delta: dict[str, object] = {"stop_reason": word, "stop_sequence": stop.stop_sequence}
        if details is not None:
            delta["stop_details"] = details
        usage = answers.usage_for_callers(event.usage, None)
        return _frame("message_delta", {"delta": delta, "usage": usage}) + _frame("message_stop", {})


def _frame(name: str, fields: dict[str, object]) -> bytes:
    return named_frame(name, _encode({"type": name, **fields}))
