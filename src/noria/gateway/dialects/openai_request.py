"""Chat completion requests of callers → core.messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from noria.core import messages
from noria.errors import InvalidRequest
from noria.gateway.dialects import leftovers
from noria.gateway.dialects import openai_wire as wire
from noria.gateway.dialects.leftovers import given
from noria.gateway.dialects.reasoning_details import reasoning_of

_KNOWN = leftovers.known_keys(wire.Request)
_decoder = msgspec.json.Decoder(wire.Request)
_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}


def decode(body: bytes) -> messages.Request:
    """Raises InvalidRequest with `param`."""
    said, extra = leftovers.decode(body, _decoder, _KNOWN)
    limit = said.max_completion_tokens
    if limit is None:
        limit = said.max_tokens
    elif said.max_tokens is not None and said.max_tokens != limit:
        raise InvalidRequest(
            "`max_tokens` and `max_completion_tokens` differ; send only one of them.", param="max_tokens"
        )
    stream = bool(said.stream)
    options = said.stream_options
    stop = said.stop
    return messages.Request(
        model=said.model,
        messages=_messages(said.messages),
        tools=tuple([_tool(tool.function) for tool in said.tools]) if said.tools else (),
        tool_choice=None if said.tool_choice is None else _choice(said.tool_choice),
        parallel_tool_calls=said.parallel_tool_calls,
        response_format=None if said.response_format is None else _format(said.response_format),
        max_tokens=limit,
        temperature=said.temperature,
        top_p=said.top_p,
        top_k=said.top_k,
        min_p=said.min_p,
        stop=() if stop is None else (stop,) if isinstance(stop, str) else tuple(stop),
        seed=said.seed,
        n=said.n,
        logprobs=said.logprobs,
        top_logprobs=said.top_logprobs,
        presence_penalty=said.presence_penalty,
        frequency_penalty=said.frequency_penalty,
        logit_bias=said.logit_bias,
        reasoning=messages.ReasoningConfig(effort=said.reasoning_effort) if said.reasoning_effort else None,
        verbosity=said.verbosity,
        stream=stream,
        include_usage=not stream or (options is not None and bool(options.include_usage)),
        user=said.user,
        metadata=said.metadata,
        service_tier=said.service_tier,
        store=said.store,
        dialect="openai",
        notes=leftovers.take(extra, wire.NOTES),
        extra=extra,
    )


def _messages(said: list[wire.Message]) -> tuple[messages.Message, ...]:
    out: list[messages.Message] = []
    results: list[messages.Part] = []
    for message in said:
        if isinstance(message, wire.Tool):
            parts = _parts(message.content)
            results.append(
                messages.ToolResult(call_id=message.tool_call_id, parts=parts, name=message.name)  # pyright: ignore[reportArgumentType]
            )
            continue
        if results:
            out.append(messages.Message(role="tool", parts=tuple(results)))
            results = []
        if isinstance(message, wire.User):
            out.append(messages.Message(role="user", parts=_parts(message.content), name=message.name))
        elif isinstance(message, wire.Assistant):
            out.append(_assistant(message))
        else:
            role = "system" if isinstance(message, wire.System) else "developer"
            out.append(messages.Message(role=role, parts=_parts(message.content), name=message.name))
    if results:
        out.append(messages.Message(role="tool", parts=tuple(results)))
    return tuple(out)


WirePart = wire.TextPart | wire.ImagePart | wire.AudioPart | wire.FilePart | wire.RefusalPart


def _parts(content: str | Iterable[WirePart]) -> tuple[messages.Part, ...]:
    if isinstance(content, str):
        return (messages.Text(text=content),)
    return tuple([_part(part) for part in content])


def _part(part: WirePart) -> messages.Part:
    if isinstance(part, wire.TextPart):
        return messages.Text(text=part.text, cache=_cache(part.prompt_cache_breakpoint))
    if isinstance(part, wire.ImagePart):
        source = part.image_url
        url, detail = (source, None) if isinstance(source, str) else (source.url, source.detail)
        cache = _cache(part.prompt_cache_breakpoint)
        if url.startswith("data:"):
            media_type, data = data_url(url, param="messages.content.image_url")
            return messages.Image(data=data, media_type=media_type, detail=detail, cache=cache)
        return messages.Image(url=url, detail=detail, cache=cache)
    if isinstance(part, wire.AudioPart):
        sound = part.input_audio
        cache = _cache(part.prompt_cache_breakpoint)
        return messages.File(data=sound.data, media_type=_TYPES[sound.format], cache=cache)
    if isinstance(part, wire.FilePart):
        return _file(part)
    return messages.Refusal(text=part.refusal)


def _file(part: wire.FilePart) -> messages.File:
    source = part.file
    cache = _cache(part.prompt_cache_breakpoint)
    if (source.file_data is None) == (source.file_id is None):
        raise InvalidRequest(
            "A file part needs exactly one of `file_data` and `file_id`.", param="messages.content.file"
        )
    if source.file_data is None:
        return messages.File(file_id=source.file_id, name=source.filename, cache=cache)
    if not source.file_data.startswith("data:"):
        return messages.File(data=source.file_data, name=source.filename, cache=cache)
    media_type, data = data_url(source.file_data, param="messages.content.file.file_data")
    return messages.File(data=data, media_type=media_type, name=source.filename, cache=cache)


def data_url(url: str, *, param: str) -> tuple[str, str]:
    """Media type and base64 text of a data: URL. Raises InvalidRequest."""
    head, comma, data = url[5:].partition(",")
    media_type, semicolon, coding = head.rpartition(";")
    if not comma or not semicolon or coding != "base64" or not media_type:
        raise InvalidRequest("A data: URL must look like `data:image/png;base64,…`.", param=param)
    return media_type, data


def _cache(point: wire.Breakpoint | None) -> str | None:
    return None if point is None else point.ttl or "30m"


def _assistant(message: wire.Assistant) -> messages.Message:
    parts: list[messages.Part] = []
    if message.reasoning_details or message.reasoning_content or message.reasoning:
        parts += reasoning_of(message.reasoning_details, message.reasoning_content or message.reasoning)
    if message.content:
        parts += _parts(message.content)
    if message.refusal is not None:
        parts.append(messages.Refusal(text=message.refusal))
    for call in message.tool_calls or ():
        extra = call.extra_content
        parts.append(
            messages.ToolCall(
                id=call.id,
                name=call.function.name,
                arguments=call.function.arguments,
                signature=extra.google.thought_signature if extra and extra.google else None,
            )
        )
    return messages.Message(role="assistant", parts=tuple(parts), name=message.name)


def _tool(said: wire.Definition) -> messages.Tool:
    return messages.Tool(
        name=said.name, description=said.description, parameters=given(said.parameters), strict=said.strict
    )


def _choice(
    said: Literal["auto", "none", "required"] | wire.NamedChoice | wire.AllowedChoice,
) -> messages.ToolChoice:
    if isinstance(said, str):
        return messages.ToolChoice(mode=said)
    if isinstance(said, wire.NamedChoice):
        return messages.ToolChoice(mode="required", name=said.function.name)
    allowed = said.allowed_tools
    if not allowed.tools:
        raise InvalidRequest("`allowed_tools` names no tool.", param="tool_choice.allowed_tools.tools")
    return messages.ToolChoice(
        mode=allowed.mode, allowed=tuple([tool.function.name for tool in allowed.tools])
    )


def _format(said: wire.TextFormat | wire.ObjectFormat | wire.SchemaFormat) -> messages.ResponseFormat:
    if isinstance(said, wire.SchemaFormat):
        schema = said.json_schema
        return messages.ResponseFormat(
            type="json_schema",
            name=schema.name,
            description=schema.description,
            schema=given(schema.schema),
            strict=schema.strict,
        )
    return messages.ResponseFormat(type="text" if isinstance(said, wire.TextFormat) else "json_object")
