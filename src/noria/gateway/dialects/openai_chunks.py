"""Stream events → streamed chat completions for callers."""

from __future__ import annotations

from time import time

import msgspec

from noria.core import messages
from noria.errors import UpstreamError
from noria.gateway.dialects import openai_response as answers
from noria.gateway.dialects import openai_wire as wire
from noria.gateway.dialects.reasoning_details import details_of
from noria.gateway.dialects.sse import data_frame

_encode = msgspec.json.Encoder().encode


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
