"""Streamed chat completions ↔ stream events.

A choice's delta names no parts, so the decoder makes them: text, reasoning, a refusal and each tool call is a
part that lasts until another kind begins or the choice ends. Calls come one after another; the index of a
call that has ended must not come again.
"""

from __future__ import annotations

from time import time

import msgspec

from noria.core import messages
from noria.core.ids import new_id
from noria.core.usage import NO_USAGE
from noria.errors import UpstreamError
from noria.gateway.dialects import openai_response as answers
from noria.gateway.dialects import openai_wire as wire
from noria.gateway.dialects.leftovers import given
from noria.gateway.dialects.reasoning_details import details_of
from noria.gateway.dialects.sse import SseSplitter, data_frame

_encode = msgspec.json.Encoder().encode


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


class _Delta(msgspec.Struct, omit_defaults=True):
    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning_details: list[wire.Detail] | None = None
    annotations: list[msgspec.Raw] | None = None
    tool_calls: list[wire.AnswerCall] | None = None


class _Choice(msgspec.Struct):
    index: int
    delta: _Delta
    logprobs: wire.Logprobs | None
    finish_reason: str | None


class _Chunk(msgspec.Struct):
    id: str
    object: str
    created: int
    model: str
    choices: list[_Choice]
    service_tier: str | msgspec.UnsetType
    system_fingerprint: str | msgspec.UnsetType
    usage: answers.CompletionUsage | msgspec.UnsetType = msgspec.UNSET


class _Part(msgspec.Struct):
    """A part on its way to the caller."""

    kind: str
    number: int = 0
    """Which of the choice's calls, or of its thoughts."""
    thought: list[str] = []


class OpenAIEncoder:
    """dialect.StreamEncoder. The choice's first chunk has its role, and nothing else."""

    def __init__(self, *, include_usage: bool) -> None:
        self._include_usage = include_usage
        self._start = messages.Start(id="", model="")
        self._parts: dict[tuple[int, int], _Part] = {}
        self._counts: dict[tuple[int, str], int] = {}

    def encode(self, event: messages.StreamEvent) -> bytes:
        match event:
            case messages.Delta():
                return self._delta(event)
            case messages.Start():
                self._start = msgspec.structs.replace(
                    event, id=answers.completion_id(event.id), created=event.created or int(time())
                )
                return b""
            case messages.PartStart():
                return self._part(event)
            case messages.PartEnd():
                return self._part_end(event)
            case messages.Stop():
                role = self._role(event.choice)
                return role + self._frame(
                    event.choice, _Delta(), finish=answers.finish_reason(event.stop_reason)
                )
            case messages.Finish():
                return self._finish(event)
            case messages.StreamError():
                raise UpstreamError(event.message, kind="server")

    def _role(self, choice: int) -> bytes:
        if (choice, "") in self._counts:
            return b""
        self._counts[choice, ""] = 1
        return self._frame(choice, _Delta(role="assistant", content=""))

    def _part(self, event: messages.PartStart) -> bytes:
        kind = type(event.part).__name__
        number = self._counts.get((event.choice, kind), 0)
        self._counts[event.choice, kind] = number + 1
        self._parts[event.choice, event.index] = _Part(kind, number)
        out = self._role(event.choice)
        match event.part:
            case messages.ToolCall():
                call = wire.AnswerCall(
                    index=number,
                    id=event.part.id,
                    type="function",
                    function=wire.CalledFunction(name=event.part.name, arguments=event.part.arguments),
                    extra_content=answers.google(event.part),
                )
                out += self._frame(event.choice, _Delta(tool_calls=[call]))
            case messages.Reasoning(text=text, encrypted=encrypted):
                if text:
                    out += self._delta(messages.Delta(index=event.index, text=text, choice=event.choice))
                if encrypted is not None:
                    out += self._part_end(
                        messages.PartEnd(index=event.index, choice=event.choice, encrypted=encrypted)
                    )
            case messages.Text(text=text) | messages.Refusal(text=text):
                if text:
                    out += self._delta(messages.Delta(index=event.index, text=text, choice=event.choice))
        return out

    def _delta(self, event: messages.Delta) -> bytes:
        part = self._parts[event.choice, event.index]
        logprobs = answers.encode_logprobs(event.logprobs or None, refusal=part.kind == "Refusal")
        match part.kind:
            case "Text":
                delta = _Delta(content=event.text)
            case "Reasoning":
                part.thought.append(event.text)
                delta = _Delta(reasoning_content=event.text)
            case "Refusal":
                delta = _Delta(refusal=event.text)
            case _:
                function = wire.CalledFunction(arguments=event.text)
                delta = _Delta(tool_calls=[wire.AnswerCall(index=part.number, function=function)])
        return self._frame(event.choice, delta, logprobs=logprobs)

    def _part_end(self, event: messages.PartEnd) -> bytes:
        part = self._parts[event.choice, event.index]
        if part.kind == "Reasoning":
            # The text is said again beside its signature, since callers must return both unchanged.
            whole = messages.Reasoning(
                text="".join(part.thought), signature=event.signature, encrypted=event.encrypted
            )
            details = details_of([whole], start=part.number)
            return self._frame(event.choice, _Delta(reasoning_details=details)) if details else b""
        if event.citations:
            return self._frame(event.choice, _Delta(annotations=list(event.citations)))
        return b""

    def _finish(self, event: messages.Finish) -> bytes:
        usage = answers.usage_for_callers(event.usage)
        if not self._include_usage or usage is msgspec.UNSET:
            return b"data: [DONE]\n\n"
        return data_frame(_encode(self._chunk([], usage))) + b"data: [DONE]\n\n"

    def _frame(
        self, choice: int, delta: _Delta, *, logprobs: wire.Logprobs | None = None, finish: str | None = None
    ) -> bytes:
        return data_frame(_encode(self._chunk([_Choice(choice, delta, logprobs, finish)])))

    def _chunk(
        self, choices: list[_Choice], usage: answers.CompletionUsage | msgspec.UnsetType = msgspec.UNSET
    ) -> _Chunk:
        start = self._start
        return _Chunk(
            start.id,
            "chat.completion.chunk",
            start.created,
            start.model,
            choices,
            start.service_tier or msgspec.UNSET,
            start.system_fingerprint or msgspec.UNSET,
            usage,
        )
