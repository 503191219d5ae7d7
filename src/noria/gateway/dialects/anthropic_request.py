"""Messages requests of callers → core.messages.

A user message that holds tool results is taken apart: the results are a `tool` message, the rest a `user`
one.
"""

from __future__ import annotations

from base64 import b64encode

import msgspec

from noria.core import messages
from noria.errors import InvalidRequest
from noria.gateway.dialects import anthropic_wire as wire
from noria.gateway.dialects import leftovers

_KNOWN = leftovers.known_keys(wire.Request)
_decoder = msgspec.json.Decoder(wire.Request)
_TIERS = {"auto": "auto", "standard_only": "default"}


def decode(body: bytes) -> messages.Request:
    """Raises InvalidRequest with `param`."""
    said, extra = leftovers.decode(body, _decoder, _KNOWN)
    if said.output_format is not None and said.output_config is not None and said.output_config.format:
        raise InvalidRequest(
            "`output_format` and `output_config.format` say the same; send one.", param="output_format"
        )
    form = said.output_format or (said.output_config.format if said.output_config else None)
    choice = said.tool_choice
    return messages.Request(
        model=said.model,
        messages=_messages(said, whole="messages" not in extra),
        tools=tuple([_tool(tool) for tool in said.tools]) if said.tools else (),
        tool_choice=None if choice is None else _choice(choice),
        parallel_tool_calls=_parallel(choice),
        response_format=None
        if form is None
        else messages.ResponseFormat(type="json_schema", schema=form.schema),
        max_tokens=said.max_tokens,
        temperature=said.temperature,
        top_p=said.top_p,
        top_k=said.top_k,
        stop=tuple(said.stop_sequences or ()),
        reasoning=_reasoning(said, extra),
        stream=bool(said.stream),
        user=said.metadata.user_id if said.metadata else None,
        service_tier=None if said.service_tier is None else _TIERS[said.service_tier],
        dialect="anthropic",
        notes=leftovers.take(extra, wire.NOTES),
        extra=extra,
    )


def _messages(said: wire.Request, *, whole: bool) -> tuple[messages.Message, ...]:
    out: list[messages.Message] = []
    if said.system:
        out.append(messages.Message(role="system", parts=_texts(said.system)))
    for message in said.messages:
        if isinstance(message, wire.System):
            out.append(messages.Message(role="system", parts=_texts(message.content)))
            continue
        content = message.content
        by_user = isinstance(message, wire.User)
        if isinstance(content, str):
            parts = (messages.Text(text=content),) if content else ()
            out.append(messages.Message(role="user" if by_user else "assistant", parts=parts))
            continue
        blocks = [_part(block, whole=whole) for block in content]
        if by_user:
            _user(blocks, out)
        elif any(isinstance(part, messages.ToolResult) for part in blocks):
            raise InvalidRequest("A tool_result belongs into a user message.", param="messages.content")
        else:
            out.append(messages.Message(role="assistant", parts=tuple(filter(None, blocks))))
    return tuple(out)


def _user(parts: list[messages.Part | None], out: list[messages.Message]) -> None:
    """Results and the rest, each run as a message."""
    run: list[messages.Part] = []
    if not parts:
        out.append(messages.Message(role="user", parts=()))
    for part in parts:
        if part is None:
            continue
        if run and isinstance(part, messages.ToolResult) != isinstance(run[0], messages.ToolResult):
            _append(run, out)
            run = []
        run.append(part)
    if run:
        _append(run, out)


def _append(run: list[messages.Part], out: list[messages.Message]) -> None:
    if not isinstance(run[0], messages.ToolResult):
        out.append(messages.Message(role="user", parts=tuple(run)))
    elif out and out[-1].role == "tool":
        out[-1] = messages.Message(role="tool", parts=(*out[-1].parts, *run))
    else:
        out.append(messages.Message(role="tool", parts=tuple(run)))


def _texts(content: str | list[wire.Text]) -> tuple[messages.Part, ...]:
    if isinstance(content, str):
        return (messages.Text(text=content),)
    return tuple([_text(block) for block in content])


def _text(block: wire.Text) -> messages.Text:
    citations = tuple(block.citations) if block.citations else ()
    return messages.Text(text=block.text, cache=_cache(block.cache_control), citations=citations)


def _cache(control: wire.CacheControl | None) -> str | None:
    return None if control is None else control.ttl or "5m"


def _part(block: wire.Block, *, whole: bool) -> messages.Part | None:
    """None for a block whose source is in `extra`."""
    match block:
        case wire.Text():
            return _text(block)
        case wire.Image():
            return _image(block, whole=whole)
        case wire.Document():
            return _document(block, whole=whole)
        case wire.Thinking():
            return messages.Reasoning(text=block.thinking, signature=block.signature)
        case wire.Redacted():
            return messages.Reasoning(encrypted=block.data)
        case wire.ToolUse():
            return messages.ToolCall(
                id=block.id,
                name=block.name,
                arguments=bytes(block.input).decode(),
                cache=_cache(block.cache_control),
            )
        case wire.ToolResult():
            return _result(block, whole=whole)


def _result(block: wire.ToolResult, *, whole: bool) -> messages.ToolResult:
    content = block.content
    parts: list[messages.Text | messages.Image | messages.File | None] = []
    if isinstance(content, str):
        parts.append(messages.Text(text=content))
    for one in content if isinstance(content, list) else ():
        if isinstance(one, wire.Text):
            parts.append(_text(one))
        elif isinstance(one, wire.Image):
            parts.append(_image(one, whole=whole))
        else:
            parts.append(_document(one, whole=whole))
    return messages.ToolResult(
        call_id=block.tool_use_id,
        parts=tuple(filter(None, parts)),
        is_error=bool(block.is_error),
        cache=_cache(block.cache_control),
    )


def _image(block: wire.Image, *, whole: bool) -> messages.Image | None:
    cache = _cache(block.cache_control)
    match block.source:
        case wire.Base64(media_type=media_type, data=data):
            return messages.Image(data=data, media_type=media_type, cache=cache)
        case wire.Url(url=url):
            return messages.Image(url=url, cache=cache)
        case None:
            return _sourceless(whole)


def _document(block: wire.Document, *, whole: bool) -> messages.File | None:
    name, cache = block.title, _cache(block.cache_control)
    match block.source:
        case wire.Base64(media_type=media_type, data=data):
            return messages.File(data=data, media_type=media_type, name=name, cache=cache)
        case wire.Url(url=url):
            return messages.File(url=url, name=name, cache=cache)
        case wire.Plain(data=data):
            packed = b64encode(data.encode()).decode()
            return messages.File(data=packed, media_type="text/plain", name=name, cache=cache)
        case wire.FileId(file_id=file_id):
            return messages.File(file_id=file_id, name=name, cache=cache)
        case None:
            return _sourceless(whole)


def _sourceless(whole: bool) -> None:
    if whole:
        raise InvalidRequest("An image or document needs its `source`.", param="messages.content.source")


def _tool(said: wire.Tool) -> messages.Tool:
    return messages.Tool(
        name=said.name,
        description=said.description,
        parameters=said.input_schema,
        strict=said.strict,
        cache=_cache(said.cache_control),
    )


def _choice(said: wire.Choice) -> messages.ToolChoice:
    match said:
        case wire.AutoChoice():
            return messages.ToolChoice(mode="auto")
        case wire.AnyChoice():
            return messages.ToolChoice(mode="required")
        case wire.NamedChoice():
            return messages.ToolChoice(mode="required", name=said.name)
        case wire.NoChoice():
            return messages.ToolChoice(mode="none")


def _parallel(said: wire.Choice | None) -> bool | None:
    if said is None or isinstance(said, wire.NoChoice) or said.disable_parallel_tool_use is None:
        return None
    return not said.disable_parallel_tool_use


def _reasoning(said: wire.Request, extra: leftovers.Extra) -> messages.ReasoningConfig | None:
    thinking = said.thinking
    effort = said.output_config.effort if said.output_config else None
    if thinking is None:
        return None if effort is None else messages.ReasoningConfig(effort=effort)
    if isinstance(thinking, wire.ThinkingDisabled):
        return messages.ReasoningConfig(effort=effort, enabled=False)
    if thinking.display == "omitted":
        # Thoughts without their text; no other dialect has that.
        extra["thinking"] = msgspec.Raw(msgspec.json.encode(thinking))
    summary = "auto" if thinking.display == "summarized" else None
    if isinstance(thinking, wire.ThinkingAdaptive):
        return messages.ReasoningConfig(effort=effort, summary=summary, adaptive=True)
    return messages.ReasoningConfig(
        effort=effort, summary=summary, enabled=True, budget_tokens=thinking.budget_tokens
    )
