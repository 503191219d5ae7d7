"""Gemini's GenerateContentResponse → core.messages.

Source: https://ai.google.dev/api/generate-content (v1beta). A signature on a text, which has no place for it,
becomes an empty Reasoning after the text, and goes back in the same form.
"""

from __future__ import annotations

import hashlib

import msgspec

from noria.core import messages
from noria.core.usage import NO_USAGE, Usage
from noria.errors import UpstreamError

_FILTERED = frozenset(
    (
        "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "JAILBREAK",
        "ESCALATION", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
    )
)  # fmt: skip


class _Wire(msgspec.Struct, rename="camel", frozen=True):
    """Unknown keys are ignored: the API grows."""


class FunctionCall(_Wire, frozen=True):
    name: str
    id: str | None = None
    args: msgspec.Raw = msgspec.Raw(b"{}")


class _Blob(_Wire, frozen=True):
    data: str
    mime_type: str | None = None


class Part(_Wire, frozen=True):
    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    inline_data: _Blob | None = None
    executable_code: msgspec.Raw | None = None
    code_execution_result: msgspec.Raw | None = None
    file_data: msgspec.Raw | None = None


class _Content(_Wire, frozen=True):
    parts: tuple[Part, ...] = ()


class _Token(_Wire, frozen=True):
    token: str = ""
    log_probability: float = 0.0


class _Top(_Wire, frozen=True):
    candidates: tuple[_Token, ...] = ()


class _Logprobs(_Wire, frozen=True):
    chosen_candidates: tuple[_Token, ...] = ()
    top_candidates: tuple[_Top, ...] = ()


class Candidate(_Wire, frozen=True):
    index: int = 0
    content: _Content = _Content()
    finish_reason: str | None = None
    finish_message: str | None = None
    logprobs_result: _Logprobs | None = None


class Feedback(_Wire, frozen=True):
    block_reason: str | None = None
    block_reason_message: str | None = None


class _Modality(_Wire, frozen=True):
    modality: str = ""
    token_count: int = 0


class UsageMetadata(_Wire, frozen=True):
    prompt_token_count: int = 0
    candidates_token_count: int = 0
    cached_content_token_count: int = 0
    thoughts_token_count: int = 0
    tool_use_prompt_token_count: int = 0
    prompt_tokens_details: tuple[_Modality, ...] = ()
    cache_tokens_details: tuple[_Modality, ...] = ()
    candidates_tokens_details: tuple[_Modality, ...] = ()


class _Error(_Wire, frozen=True):
    message: str = ""
    status: str | None = None


class Answer(_Wire, frozen=True):
    candidates: tuple[Candidate, ...] = ()
    prompt_feedback: Feedback = Feedback()
    usage_metadata: UsageMetadata | None = None
    model_version: str = ""
    response_id: str = ""
    error: _Error | None = None


_answer = msgspec.json.Decoder(Answer)


def usage_of(wire: UsageMetadata | None) -> Usage:
    """Gemini counts thoughts beside the candidates, and the results of its own tools beside the prompt."""
    if wire is None:
        return NO_USAGE
    audio = _audio(wire.prompt_tokens_details) - _audio(wire.cache_tokens_details)
    return Usage(
        input=wire.prompt_token_count + wire.tool_use_prompt_token_count,
        output=wire.candidates_token_count + wire.thoughts_token_count,
        cached=wire.cached_content_token_count,
        reasoning=wire.thoughts_token_count,
        audio_input=max(audio, 0),
        audio_output=_audio(wire.candidates_tokens_details),
        provenance="reported",
    )


def _audio(details: tuple[_Modality, ...]) -> int:
    return sum(detail.token_count for detail in details if detail.modality == "AUDIO")


def decode(body: bytes) -> messages.Response:
    """Raises UpstreamError(kind="server") for what is not a GenerateContentResponse."""
    answer = decode_answer(body)
    choices = tuple(_choice(candidate, answer.response_id) for candidate in answer.candidates)
    if answer.prompt_feedback.block_reason is not None:
        refusal = messages.Refusal(text=blocked(answer.prompt_feedback))
        choices = (
            messages.Choice(
                message=messages.Message(role="assistant", parts=(refusal,)),
                stop_reason="content_filter",
                raw_stop_reason=answer.prompt_feedback.block_reason,
            ),
        )
    if not choices:
        raise UpstreamError("Gemini answered without a candidate.", kind="server", body=body[:65536])
    return messages.Response(
        id=answer.response_id,
        model=answer.model_version,
        choices=choices,
        usage=usage_of(answer.usage_metadata),
    )


def decode_answer(body: bytes) -> Answer:
    try:
        return _answer.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UpstreamError(
            f"Gemini's answer is not in its form: {error}", kind="server", body=body[:65536]
        ) from None


def blocked(feedback: Feedback) -> str:
    return feedback.block_reason_message or f"Gemini blocked the prompt: {feedback.block_reason}."


def _choice(candidate: Candidate, response_id: str) -> messages.Choice:
    parts: list[messages.Part] = []
    for index, part in enumerate(candidate.content.parts):
        check(part)
        if part.function_call is not None:
            parts.append(
                tool_call(part.function_call, part.thought_signature, (response_id, candidate.index, index))
            )
        elif part.inline_data is not None:
            parts.append(messages.Image(data=part.inline_data.data, media_type=part.inline_data.mime_type))
        elif part.thought:
            parts.append(messages.Reasoning(text=part.text or "", signature=part.thought_signature))
        else:
            if part.text:
                parts.append(messages.Text(text=part.text))
            if part.thought_signature is not None:
                parts.append(messages.Reasoning(signature=part.thought_signature))
    stop = stop_reason(candidate.finish_reason, any(isinstance(part, messages.ToolCall) for part in parts))
    if candidate.finish_message and not parts and stop == "content_filter":
        parts.append(messages.Refusal(text=candidate.finish_message))
    return messages.Choice(
        message=messages.Message(role="assistant", parts=tuple(parts)),
        stop_reason=stop,
        logprobs=token_logprobs(candidate.logprobs_result) if candidate.logprobs_result is not None else None,
        raw_stop_reason=candidate.finish_reason,
    )


def check(part: Part) -> None:
    if part.executable_code or part.code_execution_result or part.file_data:
        raise UpstreamError("Gemini answered with a part that Noria did not ask for.", kind="server")


def tool_call(call: FunctionCall, signature: str | None, place: tuple[str, int, int]) -> messages.ToolCall:
    """Calls without an id (older models) get one that depends on nothing but the answer itself."""
    try:
        arguments = bytes(call.args).decode()
    except UnicodeDecodeError:
        raise UpstreamError("Gemini's function call is not UTF-8.", kind="server") from None
    if arguments == "null":
        arguments = "{}"
    found = call.id
    if not found:
        seed = msgspec.json.encode((place, call.name, arguments))
        found = "call_" + hashlib.sha256(seed).hexdigest()[:24]
    return messages.ToolCall(id=found, name=call.name, arguments=arguments, signature=signature)


def stop_reason(raw: str | None, calls: bool) -> messages.StopReason:
    if raw == "STOP":
        return "tool_calls" if calls else "stop"
    if raw == "MAX_TOKENS":
        return "length"
    if raw == "CONTINUATION":
        return "pause"
    return "content_filter" if raw in _FILTERED else "error"


def token_logprobs(wire: _Logprobs) -> tuple[messages.TokenLogprob, ...]:
    tops = [top.candidates for top in wire.top_candidates]
    tops += [()] * (len(wire.chosen_candidates) - len(tops))
    return tuple(
        messages.TokenLogprob(
            token=chosen.token,
            logprob=chosen.log_probability,
            top=tuple(messages.TokenLogprob(token=t.token, logprob=t.log_probability) for t in top),
        )
        for chosen, top in zip(wire.chosen_candidates, tops, strict=False)
    )
