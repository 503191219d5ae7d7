"""core.messages → Gemini's GenerateContentRequest, which Vertex AI shares.

Source: https://ai.google.dev/api/generate-content (v1beta). Cache hints need no key, since Gemini caches
prefixes by itself; ids of messages and reasoning items name nothing to a model and are not sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from mimetypes import guess_type
from urllib.parse import urlsplit

import msgspec

from noria.core import messages
from noria.errors import InvalidRequest
from noria.gateway.dialects.dialect import Options
from noria.gateway.dialects.refusals import refuse, unsupported

Json = dict[str, object]

ADDED = {
    "functionCall.thoughtSignature": "Gemini 3 and later refuse a conversation whose calls lost their "
    "signatures (another model made them, or the caller's SDK has no place for them) and take this instead "
    '(option `unsigned_calls = "as_is"` of the provider leaves it out).',
}
"""What is sent upstream though the caller did not say it."""

_UNSIGNED = "skip_thought_signature_validator"
"""Source: https://ai.google.dev/gemini-api/docs/thought-signatures, FAQ."""

_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
"""Thinking tokens of an effort on models before Gemini 3, which know no levels.
Source: https://ai.google.dev/gemini-api/docs/openai, the table under "Thinking"."""

_GENERATION = re.compile(r"gemini-(\d+)")
_args = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NAME = "Gemini"
_TIERS = {"auto": None, "default": "standard", "standard": "standard", "flex": "flex", "priority": "priority"}


def generate_content(request: messages.Request, *, model: str, options: Options, vertex: bool) -> Json:
    """The body. Raises Unsupported with `param`."""
    refuse(request, dialect=_NAME, fields=("min_p", "logit_bias", "verbosity"))
    if vertex:
        refuse(request, dialect="Vertex AI", fields=("service_tier",))
    if request.parallel_tool_calls is False and request.tools:
        raise unsupported(_NAME, "a limit of one tool call at a time", "parallel_tool_calls")
    body: Json = {}
    system, rest = _split_system(request.messages)
    if system:
        body["systemInstruction"] = {"parts": [_system_part(part) for m in system for part in m.parts]}
    contents = _Contents(request.messages, model=model, options=options, vertex=vertex)
    body["contents"] = contents.encode(rest)
    if request.tools:
        body["tools"] = [{"functionDeclarations": [_declaration(tool) for tool in request.tools]}]
    config = _calling_config(request)
    if config:
        body["toolConfig"] = {"functionCallingConfig": config}
    generation = _generation_config(request, model=model)
    if generation:
        body["generationConfig"] = generation
    if request.service_tier is not None and not vertex:
        if request.service_tier not in _TIERS:
            raise unsupported(_NAME, f"the service tier {request.service_tier!r}", "service_tier")
        tier = _TIERS[request.service_tier]
        if tier is not None:
            body["serviceTier"] = tier
    return body


def generation_of(model: str) -> int | None:
    """The 3 of "gemini-3.5-flash"; None for models that are not named so."""
    found = _GENERATION.search(model)
    return int(found[1]) if found else None


def _split_system(
    conversation: tuple[messages.Message, ...],
) -> tuple[tuple[messages.Message, ...], tuple[messages.Message, ...]]:
    lead = 0
    while lead < len(conversation) and conversation[lead].role in ("system", "developer"):
        lead += 1
    rest = conversation[lead:]
    if any(message.role in ("system", "developer") for message in rest):
        raise unsupported(_NAME, "a system message after the conversation has begun", "messages")
    return conversation[:lead], rest


def _system_part(part: messages.Part) -> Json:
    if not isinstance(part, messages.Text):
        raise unsupported(_NAME, "anything but text in a system message", "messages")
    return {"text": part.text}


class _Contents:
    """Turns messages into contents; knows the names of calls, which Gemini wants with each result."""

    def __init__(
        self, conversation: tuple[messages.Message, ...], *, model: str, options: Options, vertex: bool
    ) -> None:
        generation = generation_of(model)
        self._resolutions = generation is not None and generation >= 3
        self._signed = self._resolutions and options.get("unsigned_calls") != "as_is"
        self._vertex = vertex
        self._names = {
            part.id: part.name
            for message in conversation
            for part in message.parts
            if isinstance(part, messages.ToolCall)
        }

    def encode(self, conversation: Iterable[messages.Message]) -> list[Json]:
        contents: list[Json] = []
        after_tool = False
        for message in conversation:
            if message.name is not None:
                raise unsupported(_NAME, "the name of a participant", "messages.name")
            parts = self._parts(message)
            tool = message.role == "tool"
            if tool and after_tool:
                # The results of parallel calls must be one content.
                last = contents[-1]["parts"]
                assert isinstance(last, list)
                last.extend(parts)
            else:
                role = "model" if message.role == "assistant" else "user"
                contents.append({"role": role, "parts": parts})
            after_tool = tool
        return contents

    def _parts(self, message: messages.Message) -> list[Json]:
        parts: list[Json] = []
        first_call = True
        for part in message.parts:
            match part:
                case messages.Text():
                    parts.append(_text(part))
                case messages.Refusal():
                    parts.append({"text": part.text})
                case messages.Image():
                    parts.append(self._image(part))
                case messages.File():
                    parts.append(self._file(part))
                case messages.Reasoning():
                    parts.append(_reasoning(part))
                case messages.ToolCall():
                    parts.append(self._call(part, first=first_call))
                    first_call = False
                case messages.ToolResult():
                    parts.append(self._result(part))
        return parts

    def _call(self, part: messages.ToolCall, *, first: bool) -> Json:
        call: Json = {"id": part.id, "name": part.name, "args": _arguments(part)}
        out: Json = {"functionCall": call}
        if part.signature is not None:
            out["thoughtSignature"] = part.signature
        elif self._signed and first:
            out["thoughtSignature"] = _UNSIGNED
        return out

    def _result(self, part: messages.ToolResult) -> Json:
        name = part.name or self._names.get(part.call_id)
        if name is None:
            raise InvalidRequest(
                f"The tool result for {part.call_id!r} answers no call of this conversation; send the call.",
                param="messages",
            )
        texts: list[str] = []
        media: list[Json] = []
        for item in part.parts:
            match item:
                case messages.Text():
                    texts.append(_plain(item))
                case messages.Image():
                    media.append(self._image(item))
                case messages.File():
                    media.append(self._file(item))
        response: Json = {"error" if part.is_error else "output": texts[0] if len(texts) == 1 else texts}
        result: Json = {"id": part.call_id, "name": name, "response": response}
        if media:
            result["parts"] = media
        return {"functionResponse": result}

    def _image(self, part: messages.Image) -> Json:
        out = _media(part.url, part.data, part.media_type, name=part.url)
        if part.detail in ("low", "high") and self._resolutions:
            out["mediaResolution"] = {"level": f"MEDIA_RESOLUTION_{part.detail.upper()}"}
        elif part.detail is not None and part.detail != "auto":
            raise unsupported(_NAME, f"the image detail {part.detail!r} for this model", "messages.detail")
        return out

    def _file(self, part: messages.File) -> Json:
        if part.file_id is not None:
            raise unsupported(_NAME, "a file by another provider's id", "messages.file_id")
        out = _media(part.url, part.data, part.media_type, name=part.name or part.url)
        inline = out.get("inlineData")
        if part.name is not None and self._vertex and isinstance(inline, dict):
            inline["displayName"] = part.name
        return out


def _plain(part: messages.Text) -> str:
    if part.citations:
        raise unsupported(_NAME, "citations of a text", "messages.citations")
    return part.text


def _text(part: messages.Text) -> Json:
    return {"text": _plain(part)}


def _reasoning(part: messages.Reasoning) -> Json:
    text = part.text or "\n\n".join(part.summary)
    # A signature without a thought belongs to the text before it, and comes back in a part of its own.
    out: Json = {"text": text, "thought": True} if text else {"text": ""}
    signature = part.signature if part.signature is not None else part.encrypted
    if signature is not None:
        out["thoughtSignature"] = signature
    return out


def _arguments(part: messages.ToolCall) -> msgspec.Raw:
    if not part.arguments:
        return msgspec.Raw(b"{}")
    try:
        _args.decode(part.arguments)
    except (msgspec.DecodeError, UnicodeError):
        raise InvalidRequest(
            f"The arguments of the tool call {part.id!r} must be a JSON object.", param="messages"
        ) from None
    return msgspec.Raw(part.arguments.encode())


def _media(url: str | None, data: str | None, media_type: str | None, *, name: str | None) -> Json:
    media_type = media_type or _guess(name)
    if data is not None:
        if media_type is None:
            raise InvalidRequest(
                "Inline data needs its media type, or a file name that shows it.", param="messages"
            )
        return {"inlineData": {"mimeType": media_type, "data": data}}
    source: Json = {"fileUri": url}
    if media_type is not None:
        source["mimeType"] = media_type
    return {"fileData": source}


def _guess(name: str | None) -> str | None:
    try:
        return guess_type(urlsplit(name).path)[0] if name else None
    except ValueError:  # not a URL at all, such as "//["
        return None


def _declaration(tool: messages.Tool) -> Json:
    out: Json = {"name": tool.name}
    if tool.description is not None:
        out["description"] = tool.description
    if tool.parameters is not None:
        out["parametersJsonSchema"] = tool.parameters
    return out


def _calling_config(request: messages.Request) -> Json:
    choice = request.tool_choice
    # VALIDATED holds every call to its declared schema; ANY does so anyway.
    auto = "VALIDATED" if any(tool.strict for tool in request.tools) else "AUTO"
    if choice is None:
        return {"mode": auto} if auto == "VALIDATED" else {}
    if choice.mode == "none":
        return {"mode": "NONE"}
    allowed = (choice.name,) if choice.name is not None else choice.allowed
    if choice.mode == "auto":
        return {"mode": "VALIDATED", "allowedFunctionNames": allowed} if allowed else {"mode": auto}
    return {"mode": "ANY", "allowedFunctionNames": allowed} if allowed else {"mode": "ANY"}


def _generation_config(request: messages.Request, *, model: str) -> Json:
    out: Json = {
        name: value
        for name, value in (
            ("maxOutputTokens", request.max_tokens),
            ("temperature", request.temperature),
            ("topP", request.top_p),
            ("topK", request.top_k),
            ("stopSequences", request.stop or None),
            ("seed", request.seed),
            ("candidateCount", request.n),
            ("responseLogprobs", request.logprobs),
            ("logprobs", request.top_logprobs),
            ("presencePenalty", request.presence_penalty),
            ("frequencyPenalty", request.frequency_penalty),
        )
        if value is not None
    }
    form = request.response_format
    if form is not None:
        out["responseMimeType"] = "text/plain" if form.type == "text" else "application/json"
        if form.schema is not None:
            out["responseJsonSchema"] = _described(form)
    if request.reasoning is not None:
        thinking = _thinking(request.reasoning, model=model)
        if thinking:
            out["thinkingConfig"] = thinking
    return out


def _described(form: messages.ResponseFormat) -> object:
    """The schema with the format's description, for which Gemini has no other place."""
    assert form.schema is not None
    if form.description is None:
        return form.schema
    try:
        schema = _args.decode(form.schema)
    except (msgspec.DecodeError, UnicodeError):
        raise InvalidRequest("The response schema must be a JSON object.", param="response_format") from None
    return {"description": form.description, **schema}


def _thinking(config: messages.ReasoningConfig, *, model: str) -> Json:
    if config.summary in ("concise", "detailed"):
        raise unsupported(_NAME, f"{config.summary} summaries of reasoning", "reasoning.summary")
    out: Json = {}
    generation = generation_of(model)
    if config.effort is not None and config.budget_tokens is not None:
        raise unsupported(_NAME, "a reasoning effort and a budget together", "reasoning")
    if config.enabled is False or config.effort == "none":
        out["thinkingBudget"] = 0
    elif config.budget_tokens is not None:
        out["thinkingBudget"] = config.budget_tokens
    elif config.effort == "max":
        raise unsupported(_NAME, "the reasoning effort 'max'", "reasoning.effort")
    elif config.effort is not None and (generation is None or generation >= 3):
        out["thinkingLevel"] = config.effort.upper()
    elif config.effort is not None:
        if config.effort not in _BUDGETS:
            raise unsupported(
                _NAME, f"the reasoning effort {config.effort!r} for this model", "reasoning.effort"
            )
        out["thinkingBudget"] = _BUDGETS[config.effort]
    elif config.adaptive:
        out["thinkingBudget"] = -1
    if config.summary is not None or config.enabled or config.adaptive:
        out["includeThoughts"] = True
    return out
