"""Chat completions ↔ core.messages.Response, with usage and log-probabilities."""

from __future__ import annotations

from collections.abc import Iterable
from time import time

import msgspec

from noria.core import messages
from noria.core.ids import new_id
from noria.core.usage import NO_USAGE, Usage
from noria.errors import UpstreamError
from noria.gateway.dialects import openai_wire as wire
from noria.gateway.dialects.reasoning_details import details_of, reasoning_of

_decoder = msgspec.json.Decoder(wire.Answer)
_encode = msgspec.json.Encoder().encode
_STOPS: dict[str, messages.StopReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
_FINISHES: dict[messages.StopReason, str] = {"stop_sequence": "stop", "pause": "stop"}
"""Where the dialect has no word of its own. `error` is said as it is: no word of the dialect means it."""


# upstream body → Response


def decode_answer(body: bytes) -> wire.Answer:
    """A completion or a chunk. Raises UpstreamError(kind="server")."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UpstreamError(
            f"The upstream's answer is not a chat completion: {error}.", kind="server", body=body[:65536]
        ) from None


def decode(body: bytes) -> messages.Response:
    """Raises UpstreamError(kind="server") for what is not a chat completion."""
    answer = decode_answer(body)
    choices = [_choice(choice) for choice in answer.choices or () if choice.message is not None]
    if not choices:
        raise UpstreamError("The upstream answered without a choice.", kind="server", body=body[:65536])
    return messages.Response(
        id=answer.id or "",
        model=answer.model or "",
        choices=tuple(choices),
        usage=NO_USAGE if answer.usage is None else answer.usage.usage(),
        created=int(answer.created or 0),
        service_tier=answer.service_tier,
        system_fingerprint=answer.system_fingerprint,
    )


def _choice(choice: wire.AnswerChoice) -> messages.Choice:
    said = choice.message
    assert said is not None
    parts: list[messages.Part] = list(reasoning_of(said.reasoning_details, said.thoughts()))
    text = said.words()
    if text:
        parts.append(messages.Text(text=text, citations=tuple(said.annotations or ())))
    if said.refusal is not None:
        parts.append(messages.Refusal(text=said.refusal))
    parts += [_call(call) for call in said.tool_calls or ()]
    return messages.Choice(
        message=messages.Message(role="assistant", parts=tuple(parts)),
        stop_reason=stop_reason(choice.finish_reason, calls=bool(said.tool_calls)),
        logprobs=None if choice.logprobs is None else logprobs_of(choice.logprobs),
        raw_stop_reason=choice.finish_reason,
    )


def _call(call: wire.AnswerCall) -> messages.ToolCall:
    function = call.function or wire.CalledFunction()
    return messages.ToolCall(
        id=call.id or new_id("call"),
        name=function.name or "",
        arguments=function.arguments or "",
        signature=signature_of(call),
    )


def signature_of(call: wire.AnswerCall) -> str | None:
    """Google's thought signature of a call."""
    extra = call.extra_content
    return extra.google.thought_signature if extra and extra.google else None


def stop_reason(finish: str | None, *, calls: bool) -> messages.StopReason:
    """Servers say `stop` after a call that the caller forced, and some after any."""
    if finish is None:
        return "error"
    if calls and finish == "stop":
        return "tool_calls"
    return _STOPS.get(finish, "error")


def logprobs_of(said: wire.Logprobs) -> tuple[messages.TokenLogprob, ...]:
    """Those of the content, else of the refusal."""
    return tuple(
        [
            messages.TokenLogprob(
                token=one.token,
                logprob=one.logprob,
                bytes=None if one.bytes is None else tuple(one.bytes),
                top=tuple(
                    [
                        messages.TokenLogprob(
                            token=top.token,
                            logprob=top.logprob,
                            bytes=None if top.bytes is None else tuple(top.bytes),
                        )
                        for top in one.top_logprobs or ()
                    ]
                ),
            )
            for one in said.content or said.refusal or ()
        ]
    )


# Response → caller's body


class _Function(msgspec.Struct):
    name: str
    arguments: str


class _Call(msgspec.Struct, omit_defaults=True):
    id: str
    type: str
    function: _Function
    extra_content: wire.ExtraContent | None = None


class _Message(msgspec.Struct):
    role: str
    content: str | None
    refusal: str | None
    annotations: list[msgspec.Raw]
    tool_calls: list[_Call] | msgspec.UnsetType = msgspec.UNSET
    reasoning_content: str | msgspec.UnsetType = msgspec.UNSET
    reasoning_details: list[wire.Detail] | msgspec.UnsetType = msgspec.UNSET


class _Choice(msgspec.Struct):
    index: int
    message: _Message
    logprobs: wire.Logprobs | None
    finish_reason: str


class _PromptDetails(msgspec.Struct):
    cached_tokens: int
    audio_tokens: int
    cache_write_tokens: int


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: int
    audio_tokens: int
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0


class CompletionUsage(msgspec.Struct):
    """Usage as callers of chat and text completions read it."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _PromptDetails
    completion_tokens_details: _CompletionDetails


class _Completion(msgspec.Struct):
    id: str
    object: str
    created: int
    model: str
    choices: list[_Choice]
    usage: CompletionUsage | msgspec.UnsetType
    service_tier: str | msgspec.UnsetType
    system_fingerprint: str | msgspec.UnsetType


def encode(response: messages.Response) -> bytes:
    """The body of the answer. Where nothing is known of usage, it says nothing of it."""
    return _encode(
        _Completion(
            id=completion_id(response.id),
            object="chat.completion",
            created=response.created or int(time()),
            model=response.model,
            choices=[_encode_choice(index, choice) for index, choice in enumerate(response.choices)],
            usage=usage_for_callers(response.usage),
            service_tier=response.service_tier or msgspec.UNSET,
            system_fingerprint=response.system_fingerprint or msgspec.UNSET,
        )
    )


def completion_id(known: str) -> str:
    """The upstream's id in the form of this dialect."""
    if known.startswith(("chatcmpl", "cmpl")):
        return known
    return f"chatcmpl-{known}" if known else new_id("chatcmpl")


def finish_reason(stop: messages.StopReason) -> str:
    """The dialect's word for why a choice ended."""
    return _FINISHES.get(stop, stop)


def usage_for_callers(usage: Usage) -> CompletionUsage | msgspec.UnsetType:
    """UNSET where nothing is known."""
    if usage.provenance == "none":
        return msgspec.UNSET
    return CompletionUsage(
        prompt_tokens=usage.input,
        completion_tokens=usage.output,
        total_tokens=usage.input + usage.output,
        prompt_tokens_details=_PromptDetails(
            cached_tokens=usage.cached,
            audio_tokens=usage.audio_input,
            cache_write_tokens=usage.cache_write + usage.cache_write_1h,
        ),
        completion_tokens_details=_CompletionDetails(
            reasoning_tokens=usage.reasoning, audio_tokens=usage.audio_output
        ),
    )


def _encode_choice(index: int, choice: messages.Choice) -> _Choice:
    texts: list[str] = []
    refusals: list[str] = []
    thoughts: list[messages.Reasoning] = []
    calls: list[_Call] = []
    citations: list[msgspec.Raw] = []
    for part in choice.message.parts:
        match part:
            case messages.Text():
                texts.append(part.text)
                citations += part.citations
            case messages.Refusal():
                refusals.append(part.text)
            case messages.Reasoning():
                thoughts.append(part)
            case messages.ToolCall():
                calls.append(_Call(part.id, "function", _Function(part.name, part.arguments), google(part)))
            case _:
                made = type(part).__name__.lower()
                raise UpstreamError(f"A chat completion has no place for the model's {made}.", kind="server")
    reasoning = "\n\n".join(filter(None, (part.text or "\n\n".join(part.summary) for part in thoughts)))
    return _Choice(
        index=index,
        message=_Message(
            role="assistant",
            content="".join(texts) if texts else None,
            refusal="".join(refusals) if refusals else None,
            annotations=citations,
            tool_calls=calls or msgspec.UNSET,
            reasoning_content=reasoning or msgspec.UNSET,
            reasoning_details=details_of(thoughts) or msgspec.UNSET,
        ),
        logprobs=encode_logprobs(choice.logprobs, refusal=bool(refusals and not texts)),
        finish_reason=finish_reason(choice.stop_reason),
    )


def google(part: messages.ToolCall) -> wire.ExtraContent | None:
    """Where the signature of a call is, for clients that return it."""
    if part.signature is None:
        return None
    return wire.ExtraContent(google=wire.Google(thought_signature=part.signature))


def encode_logprobs(
    said: Iterable[messages.TokenLogprob] | None, *, refusal: bool = False
) -> wire.Logprobs | None:
    """None where there are none."""
    if said is None:
        return None
    tokens = [
        wire.Logprob(
            token=one.token,
            logprob=one.logprob,
            bytes=None if one.bytes is None else list(one.bytes),
            top_logprobs=[
                wire.TopLogprob(top.token, top.logprob, None if top.bytes is None else list(top.bytes))
                for top in one.top
            ],
        )
        for one in said
    ]
    return wire.Logprobs(refusal=tokens) if refusal else wire.Logprobs(content=tokens)
