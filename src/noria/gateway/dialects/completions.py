"""The dialect "completions": legacy text completions, as callers speak it.

Providers of the openai dialect get the body as it is. For any other the prompt becomes a user message; what
only raw text has (`echo`, `logprobs`, `suffix`, `best_of`, prompts of tokens, several prompts) is refused.
"""

from __future__ import annotations

from time import time
from typing import Annotated

import msgspec

from noria.core import messages
from noria.core.ids import new_id
from noria.errors import RequestError, UpstreamError
from noria.gateway.dialects import leftovers, openai_error
from noria.gateway.dialects import openai_response as answers
from noria.gateway.dialects.dialect import StreamEncoder
from noria.gateway.dialects.leftovers import MaybeRaw
from noria.gateway.dialects.openai_wire import Count, StreamOptions


class _Request(msgspec.Struct, frozen=True):
    model: str
    prompt: MaybeRaw = msgspec.UNSET
    echo: bool | None = None
    best_of: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_tokens: Count | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=128)] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None


_KNOWN = leftovers.known_keys(_Request)
_decoder = msgspec.json.Decoder(_Request)
_text = msgspec.json.Decoder(str | list[str])
_encode = msgspec.json.Encoder().encode


class CompletionsFront:
    """dialect.Front."""

    name = "completions"
    operation = "text_completion"

    def request(self, body: bytes) -> messages.Request:
        said, extra = leftovers.decode(body, _decoder, _KNOWN)
        prompt = _prompt(said.prompt, extra)
        if said.echo:
            extra["echo"] = msgspec.Raw(b"true")
        if said.best_of is not None and said.best_of != (said.n or 1):
            extra["best_of"] = msgspec.Raw(str(said.best_of).encode())
        stream = bool(said.stream)
        stop = said.stop
        return messages.Request(
            model=said.model,
            messages=(messages.Message(role="user", parts=(messages.Text(text=prompt),)),),
            max_tokens=said.max_tokens,
            temperature=said.temperature,
            top_p=said.top_p,
            top_k=said.top_k,
            min_p=said.min_p,
            stop=() if stop is None else (stop,) if isinstance(stop, str) else tuple(stop),
            seed=said.seed,
            n=said.n,
            presence_penalty=said.presence_penalty,
            frequency_penalty=said.frequency_penalty,
            logit_bias=said.logit_bias,
            stream=stream,
            include_usage=not stream
            or (said.stream_options is not None and bool(said.stream_options.include_usage)),
            user=said.user,
            dialect="completions",
            extra=extra,
        )

    def response(self, response: messages.Response, request: messages.Request) -> bytes:
        return _encode(
            _completion(
                response.id,
                response.created,
                response.model,
                [
                    _Choice(index, _said(choice.message), None, answers.finish_reason(choice.stop_reason))
                    for index, choice in enumerate(response.choices)
                ],
                answers.usage_for_callers(response.usage),
            )
        )

    def encoder(self, request: messages.Request) -> StreamEncoder:
        return _Encoder(include_usage=request.include_usage)

    def error(self, error: RequestError) -> bytes:
        return openai_error.body_of(error)

    def stream_error(self, error: RequestError) -> bytes:
        return b"data: " + openai_error.body_of(error) + b"\n\n"


def _prompt(raw: MaybeRaw, extra: leftovers.Extra) -> str:
    """The one text to continue. Anything else stays in `extra` as it is."""
    prompt = leftovers.given(raw)
    if prompt is None:
        return ""
    try:
        found = _text.decode(prompt)
    except (msgspec.DecodeError, UnicodeError):
        extra["prompt"] = prompt
        return ""
    if isinstance(found, str):
        return found
    if len(found) != 1:
        extra["prompt"] = prompt
    return found[0] if found else ""


class _Choice(msgspec.Struct):
    index: int
    text: str
    logprobs: None
    finish_reason: str | None


class _Completion(msgspec.Struct):
    id: str
    object: str
    created: int
    model: str
    choices: list[_Choice]
    usage: answers.CompletionUsage | msgspec.UnsetType


def _completion(
    known: str,
    created: int,
    model: str,
    choices: list[_Choice],
    usage: answers.CompletionUsage | msgspec.UnsetType = msgspec.UNSET,
) -> _Completion:
    name = known if known.startswith("cmpl") else f"cmpl-{known}" if known else new_id("cmpl")
    return _Completion(name, "text_completion", created or int(time()), model, choices, usage)


def _said(message: messages.Message) -> str:
    """Text and refusals; a text completion has no place for what the model thought."""
    return "".join(part.text for part in message.parts if isinstance(part, messages.Text | messages.Refusal))


class _Encoder:
    """dialect.StreamEncoder."""

    def __init__(self, *, include_usage: bool) -> None:
        self._include_usage = include_usage
        self._start = messages.Start(id="", model="")
        self._hidden: set[tuple[int, int]] = set()

    def encode(self, event: messages.StreamEvent) -> bytes:
        match event:
            case messages.Start():
                self._start = msgspec.structs.replace(
                    event, id=event.id or new_id("cmpl"), created=event.created or int(time())
                )
                return b""
            case messages.PartStart():
                if isinstance(event.part, messages.Reasoning | messages.ToolCall):
                    self._hidden.add((event.choice, event.index))
                    return b""
                return (
                    self._frame(_Choice(event.choice, event.part.text, None, None))
                    if event.part.text
                    else b""
                )
            case messages.Delta():
                if (event.choice, event.index) in self._hidden:
                    return b""
                return self._frame(_Choice(event.choice, event.text, None, None))
            case messages.PartEnd():
                return b""
            case messages.Stop():
                return self._frame(_Choice(event.choice, "", None, answers.finish_reason(event.stop_reason)))
            case messages.Finish():
                usage = answers.usage_for_callers(event.usage)
                if not self._include_usage or usage is msgspec.UNSET:
                    return b"data: [DONE]\n\n"
                return self._frame(usage=usage) + b"data: [DONE]\n\n"
            case messages.StreamError():
                raise UpstreamError(event.message, kind="server")

    def _frame(
        self, *choices: _Choice, usage: answers.CompletionUsage | msgspec.UnsetType = msgspec.UNSET
    ) -> bytes:
        start = self._start
        chunk = _completion(start.id, start.created, start.model, list(choices), usage)
        return b"data: " + _encode(chunk) + b"\n\n"
