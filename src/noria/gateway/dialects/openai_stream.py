"""Streamed chat completions of upstreams → stream events.

A choice's delta names no parts, so the decoder makes them: text, reasoning, a refusal and each tool call is a
part that lasts until another kind begins or the choice ends. Calls come one after another; the index of a
call that has ended must not come again.
"""

from __future__ import annotations

import msgspec

from noria.core import messages
from noria.core.ids import new_id
from noria.core.usage import NO_USAGE
from noria.errors import UpstreamError
from noria.gateway.dialects import openai_response as answers
from noria.gateway.dialects import openai_wire as wire
from noria.gateway.dialects.leftovers import given
from noria.gateway.dialects.sse import SseSplitter


class _Open:
    """What is known of one choice."""

    __slots__ = ("calls", "citations", "encrypted", "kind", "part", "plain", "signature", "stopped")

    def __init__(self) -> None:
        self.part = -1
        self.kind = ""
        """Of the part that is open: "text", "reasoning", "refusal", "call <n>", or "" for none."""
        self.calls: set[int] = set()
        self.stopped = False
        self.plain = False
        """Reasoning came as plain text, so that details repeat it."""
        self.signature: str | None = None
        self.encrypted: str | None = None
        self.citations: list[msgspec.Raw] = []


class OpenAIDecoder:
    """dialect.StreamDecoder."""

    def __init__(self) -> None:
        self._sse = SseSplitter()
        self._choices: dict[int, _Open] = {}
        self._usage = NO_USAGE
        self._started = False
        self._ended = False

    def feed(self, data: bytes) -> list[messages.StreamEvent]:
        events: list[messages.StreamEvent] = []
        for payload in self._sse.feed(data):
            self._event(payload, events)
        return events

    def close(self) -> list[messages.StreamEvent]:
        """Some servers leave out [DONE]: the stream is whole when every choice has ended."""
        events: list[messages.StreamEvent] = []
        for payload in self._sse.close():
            self._event(payload, events)
        if not self._ended and self._choices and all(choice.stopped for choice in self._choices.values()):
            self._ended = True
            events.append(messages.Finish(usage=self._usage))
        return events

    def _event(self, payload: bytes, events: list[messages.StreamEvent]) -> None:
        if self._ended:
            return
        if payload == b"[DONE]":
            if not self._choices:
                raise UpstreamError("The upstream ended its stream without a choice.", kind="server")
            self._ended = True
            for index, choice in self._choices.items():
                if not choice.stopped:
                    self._stop(choice, index, None, events)
            events.append(messages.Finish(usage=self._usage))
            return
        chunk = answers.decode_answer(payload)
        error = given(chunk.error)
        if error is not None:
            self._ended = True
            events.append(error_event(bytes(error)))
            return
        if not self._started:
            self._started = True
            events.append(
                messages.Start(
                    id=chunk.id or "",
                    model=chunk.model or "",
                    created=int(chunk.created or 0),
                    service_tier=chunk.service_tier,
                    system_fingerprint=chunk.system_fingerprint,
                )
            )
        if chunk.usage is not None:
            self._usage = chunk.usage.usage()
        for said in chunk.choices or ():
            choice = self._choices.get(said.index)
            if choice is None:
                choice = self._choices[said.index] = _Open()
            if choice.stopped:
                continue
            if said.delta is not None:
                self._delta(choice, said.index, said.delta, said.logprobs, events)
            if said.finish_reason is not None:
                self._stop(choice, said.index, said.finish_reason, events)

    def _delta(
        self,
        choice: _Open,
        index: int,
        delta: wire.AnswerMessage,
        logprobs: wire.Logprobs | None,
        events: list[messages.StreamEvent],
    ) -> None:
        thought = delta.thoughts()
        if thought:
            choice.plain = True
        elif delta.reasoning_details and not choice.plain:
            thought = "".join(one.text or one.summary or "" for one in delta.reasoning_details)
        if thought or delta.reasoning_details:
            self._open(choice, index, "reasoning", messages.Reasoning(), events)
            for detail in delta.reasoning_details or ():
                choice.signature = detail.signature or choice.signature
                choice.encrypted = detail.data or choice.encrypted
            if thought:
                events.append(messages.Delta(index=choice.part, text=thought, choice=index))
        probabilities = () if logprobs is None else answers.logprobs_of(logprobs)
        text = delta.words()
        if text:
            self._open(choice, index, "text", messages.Text(text=""), events)
            events.append(messages.Delta(index=choice.part, text=text, choice=index, logprobs=probabilities))
            probabilities = ()
        if delta.annotations:
            self._open(choice, index, "text", messages.Text(text=""), events)
            choice.citations += delta.annotations
        if delta.refusal:
            self._open(choice, index, "refusal", messages.Refusal(text=""), events)
            events.append(
                messages.Delta(index=choice.part, text=delta.refusal, choice=index, logprobs=probabilities)
            )
            probabilities = ()
        for position, call in enumerate(delta.tool_calls or ()):
            self._call(choice, index, call, position, events)
        if probabilities and choice.kind in ("text", "refusal"):
            # A token may be a piece of a character, and then has no text.
            events.append(messages.Delta(index=choice.part, text="", choice=index, logprobs=probabilities))

    def _call(
        self,
        choice: _Open,
        index: int,
        call: wire.AnswerCall,
        position: int,
        events: list[messages.StreamEvent],
    ) -> None:
        function = call.function or wire.CalledFunction()
        # Some servers leave the index out, and send each call whole.
        number = call.index
        if number is None:
            number = len(choice.calls) if call.id or function.name else max(choice.calls, default=position)
        if number not in choice.calls:
            choice.calls.add(number)
            part = messages.ToolCall(
                id=call.id or new_id("call"),
                name=function.name or "",
                arguments="",
                signature=answers.signature_of(call),
            )
            self._open(choice, index, f"call {number}", part, events)
        elif choice.kind != f"call {number}":
            raise UpstreamError("The upstream mixed the pieces of several tool calls.", kind="server")
        if function.arguments:
            events.append(messages.Delta(index=choice.part, text=function.arguments, choice=index))

    def _open(
        self,
        choice: _Open,
        index: int,
        kind: str,
        part: messages.Text | messages.Reasoning | messages.ToolCall | messages.Refusal,
        events: list[messages.StreamEvent],
    ) -> None:
        if choice.kind != kind:
            self._end(choice, index, events)
            choice.kind = kind
            choice.part += 1
            events.append(messages.PartStart(index=choice.part, part=part, choice=index))

    def _end(self, choice: _Open, index: int, events: list[messages.StreamEvent]) -> None:
        if not choice.kind:
            return
        events.append(
            messages.PartEnd(
                index=choice.part,
                choice=index,
                signature=choice.signature,
                encrypted=choice.encrypted,
                citations=tuple(choice.citations),
            )
        )
        choice.kind, choice.signature, choice.encrypted, choice.citations = "", None, None, []

    def _stop(
        self, choice: _Open, index: int, finish: str | None, events: list[messages.StreamEvent]
    ) -> None:
        self._end(choice, index, events)
        choice.stopped = True
        stop = answers.stop_reason(finish, calls=bool(choice.calls))
        events.append(messages.Stop(stop_reason=stop, choice=index, raw_stop_reason=finish))


class _Error(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None
    type: str | None = None


def error_event(raw: bytes) -> messages.StreamError:
    """An error object inside a stream, with the upstream's own words."""
    try:
        found = msgspec.json.decode(raw, type=_Error)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        found = _Error()
    code = found.type if found.code is None else str(found.code)
    return messages.StreamError(message=found.message or raw[:500].decode("utf-8", "replace"), code=code)
