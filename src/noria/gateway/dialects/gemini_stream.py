"""Gemini's streamed GenerateContentResponses → stream events.

Gemini marks no end: a stream is whole when its body ends after every candidate has a finishReason, or after
the prompt was blocked.
"""

from __future__ import annotations

from noria.core import messages
from noria.core.usage import NO_USAGE
from noria.errors import UpstreamError
from noria.gateway.dialects.gemini_response import (
    Candidate,
    Part,
    blocked,
    check,
    decode_answer,
    stop_reason,
    token_logprobs,
    tool_call,
    usage_of,
)
from noria.gateway.dialects.sse import SseSplitter


class _Open:
    """One candidate's progress."""

    def __init__(self) -> None:
        self.parts = 0
        self.wire_parts = 0
        self.kind = ""
        self.calls = False
        self.stopped = False


class GeminiStream:
    """dialect.StreamDecoder over server-sent events (`alt=sse`)."""

    def __init__(self) -> None:
        self._sse = SseSplitter()
        self._choices: dict[int, _Open] = {}
        self._usage = NO_USAGE
        self._started = False
        self._blocked = False
        self._failed = False
        self._id = ""

    def feed(self, data: bytes) -> list[messages.StreamEvent]:
        events: list[messages.StreamEvent] = []
        for payload in self._sse.feed(data):
            self._answer(payload, events)
        return events

    def close(self) -> list[messages.StreamEvent]:
        events: list[messages.StreamEvent] = []
        for payload in self._sse.close():
            try:
                self._answer(payload, events)
            except UpstreamError:
                # The last event was cut short: it does not count, and the stream is not whole.
                return events
        whole = self._blocked or (self._choices and all(c.stopped for c in self._choices.values()))
        if whole and not self._failed:
            events.append(messages.Finish(usage=self._usage))
        return events

    def _answer(self, payload: bytes, events: list[messages.StreamEvent]) -> None:
        answer = decode_answer(payload)
        if self._failed:
            return
        if answer.error is not None:
            self._failed = True
            events.append(messages.StreamError(message=answer.error.message, code=answer.error.status))
            return
        if not self._started:
            self._started = True
            self._id = answer.response_id
            events.append(messages.Start(id=answer.response_id, model=answer.model_version))
        if answer.usage_metadata is not None:
            # Each chunk repeats the totals so far.
            self._usage = usage_of(answer.usage_metadata)
        feedback = answer.prompt_feedback
        if feedback.block_reason is not None and not self._blocked:
            self._blocked = True
            choice = self._choices.setdefault(0, _Open())
            if not choice.stopped:
                self._end(choice, 0, events)
                self._refuse(choice, 0, blocked(feedback), events)
                choice.stopped = True
                stop = messages.Stop(stop_reason="content_filter", raw_stop_reason=feedback.block_reason)
                events.append(stop)
        for candidate in answer.candidates:
            self._candidate(candidate, events)

    def _candidate(self, candidate: Candidate, events: list[messages.StreamEvent]) -> None:
        choice = self._choices.setdefault(candidate.index, _Open())
        if choice.stopped or self._blocked:
            return
        logprobs = token_logprobs(candidate.logprobs_result) if candidate.logprobs_result is not None else ()
        for part in candidate.content.parts:
            check(part)
            if part.function_call is not None:
                self._call(choice, candidate.index, part, events)
            elif part.inline_data is not None:
                raise UpstreamError("Gemini streamed an image; ask for it without streaming.", kind="server")
            elif self._text(choice, candidate.index, part, logprobs, events):
                logprobs = ()
            choice.wire_parts += 1
        if candidate.finish_reason is not None:
            stop = stop_reason(candidate.finish_reason, choice.calls)
            self._end(choice, candidate.index, events)
            if candidate.finish_message and not choice.parts and stop == "content_filter":
                self._refuse(choice, candidate.index, candidate.finish_message, events)
            choice.stopped = True
            events.append(
                messages.Stop(
                    stop_reason=stop, choice=candidate.index, raw_stop_reason=candidate.finish_reason
                )
            )

    def _text(
        self,
        choice: _Open,
        index: int,
        part: Part,
        logprobs: tuple[messages.TokenLogprob, ...],
        events: list[messages.StreamEvent],
    ) -> bool:
        """Whether a delta was made, which then carries the log-probabilities."""
        made = False
        if part.text or (part.thought and part.thought_signature is not None and choice.kind != "reasoning"):
            kind = "reasoning" if part.thought else "text"
            if choice.kind != kind:
                self._end(choice, index, events)
                choice.kind = kind
                start = messages.Reasoning() if part.thought else messages.Text(text="")
                events.append(messages.PartStart(index=choice.parts, part=start, choice=index))
            if part.text:
                delta = messages.Delta(index=choice.parts, text=part.text, choice=index, logprobs=logprobs)
                events.append(delta)
                made = True
        if part.thought_signature is not None:
            if not part.thought:
                # It belongs to a text, which has no place for it: an empty thought carries it.
                self._end(choice, index, events)
                choice.kind = "reasoning"
                start = messages.Reasoning()
                events.append(messages.PartStart(index=choice.parts, part=start, choice=index))
            self._end(choice, index, events, signature=part.thought_signature)
        return made

    def _call(self, choice: _Open, index: int, part: Part, events: list[messages.StreamEvent]) -> None:
        assert part.function_call is not None
        self._end(choice, index, events)
        call = tool_call(part.function_call, None, (self._id, index, choice.wire_parts))
        choice.kind, choice.calls = "call", True
        start = messages.ToolCall(id=call.id, name=call.name, arguments="")
        events.append(messages.PartStart(index=choice.parts, part=start, choice=index))
        events.append(messages.Delta(index=choice.parts, text=call.arguments, choice=index))
        self._end(choice, index, events, signature=part.thought_signature)

    def _end(
        self, choice: _Open, index: int, events: list[messages.StreamEvent], *, signature: str | None = None
    ) -> None:
        if choice.kind:
            events.append(messages.PartEnd(index=choice.parts, choice=index, signature=signature))
            choice.parts += 1
            choice.kind = ""

    def _refuse(self, choice: _Open, index: int, text: str, events: list[messages.StreamEvent]) -> None:
        at = choice.parts
        events.append(messages.PartStart(index=at, part=messages.Refusal(text=""), choice=index))
        events.append(messages.Delta(index=at, text=text, choice=index))
        events.append(messages.PartEnd(index=at, choice=index))
        choice.parts += 1
