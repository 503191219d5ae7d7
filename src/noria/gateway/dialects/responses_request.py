"""Responses requests of callers → core.messages.

Items that follow one another on the assistant's side are one message: what it thought, said and called.
Reasoning that an OpenAI model encrypted is left out, since no other provider can read it; what Noria gave out
in its place (`responses_items.proof`) becomes what it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from noria.core import messages
from noria.errors import InvalidRequest
from noria.gateway.dialects import leftovers
from noria.gateway.dialects import responses_wire as wire
from noria.gateway.dialects.leftovers import given
from noria.gateway.dialects.openai_request import data_url
from noria.gateway.dialects.openai_wire import Breakpoint
from noria.gateway.dialects.responses_items import proven

_KNOWN = leftovers.known_keys(wire.Request)
_decoder = msgspec.json.Decoder(wire.Request)
_encode = msgspec.json.Encoder().encode
_items = msgspec.json.Decoder(list[msgspec.Raw])
_TRUE = msgspec.Raw(b"true")


def decode(body: bytes) -> messages.Request:
    """Raises InvalidRequest with `param`."""
    said, extra = leftovers.decode(body, _decoder, _KNOWN)
    notes = leftovers.take(extra, wire.NOTES)
    if said.instructions is not None:
        notes["instructions"] = msgspec.Raw(_encode(said.instructions))
    if said.truncation == "auto":
        extra["truncation"] = msgspec.Raw(b'"auto"')
    if said.background:
        extra["background"] = _TRUE
    text = said.text or wire.TextConfig()
    probable = wire.LOGPROBS in (said.include or ()) or bool(said.top_logprobs)
    return messages.Request(
        model=said.model,
        messages=_messages(said, extra),
        tools=tuple([_tool(tool) for tool in said.tools]) if said.tools else (),
        tool_choice=None if said.tool_choice is None else _choice(said.tool_choice),
        parallel_tool_calls=said.parallel_tool_calls,
        response_format=None if text.format is None else _format(text.format),
        max_tokens=said.max_output_tokens,
        temperature=said.temperature,
        top_p=said.top_p,
        logprobs=True if probable else None,
        top_logprobs=said.top_logprobs,
        reasoning=_reasoning(said.reasoning),
        verbosity=text.verbosity,
        stream=bool(said.stream),
        user=said.user,
        metadata=said.metadata,
        service_tier=said.service_tier,
        store=said.store,
        dialect="responses",
        extra=extra,
        notes=notes,
    )


def with_previous(fields: leftovers.Extra, before: Sequence[msgspec.Raw]) -> bytes:
    """The body with the items of the turns before it, for `decode`; its top level is `fields`."""
    raw = fields.get("input")
    now: list[msgspec.Raw] = []
    if raw is not None and bytes(raw)[:1] == b'"':
        now.append(msgspec.Raw(b'{"type":"message","role":"user","content":' + bytes(raw) + b"}"))
    elif raw is not None and bytes(raw) != b"null":
        try:
            now += _items.decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise InvalidRequest("`input` must be a string or a list of items.", param="input") from None
    return _encode({**fields, "input": [*before, *now]})


def _messages(said: wire.Request, extra: leftovers.Extra) -> tuple[messages.Message, ...]:
    out: list[messages.Message] = []
    if said.instructions:
        out.append(messages.Message(role="system", parts=(messages.Text(text=said.instructions),)))
    if isinstance(said.input, str):
        out.append(messages.Message(role="user", parts=(messages.Text(text=said.input),)))
        return tuple(out)
    run = _Run(out)
    whole = "input" not in extra
    for item in said.input or ():
        match item.type:
            case None | "message":
                if item.role is None:
                    raise InvalidRequest("A message needs its `role`.", param="input.role")
                parts = _parts(item.content, whole=whole, param="input.content")
                run.add("assistant" if item.role == "assistant" else item.role, parts, item.id)
            case "reasoning":
                run.add("assistant", [_thought(item)], None)
            case "function_call":
                run.add("assistant", [_call(item)], None)
            case "function_call_output":
                run.add("tool", [_result(item, whole=whole)], None)
            case _:
                # Of a built-in tool, or a reference: only OpenAI knows what to do with it.
                extra.setdefault("input", msgspec.Raw(_encode(said.input)))
    run.end()
    return tuple(out)


class _Run:
    """Gathers items into messages."""

    def __init__(self, out: list[messages.Message]) -> None:
        self._out = out
        self._role: messages.Role | None = None
        self._parts: list[messages.Part] = []
        self._id: str | None = None

    def add(self, role: messages.Role, parts: Sequence[messages.Part], known: str | None) -> None:
        if role != self._role or role not in ("assistant", "tool"):
            self.end()
        self._role = role
        self._parts += parts
        self._id = self._id or (known if role == "assistant" else None)

    def end(self) -> None:
        if self._role is not None:
            self._out.append(messages.Message(role=self._role, parts=tuple(self._parts), id=self._id))
        self._role, self._parts, self._id = None, [], None


def _parts(content: str | list[wire.Content] | None, *, whole: bool, param: str) -> list[messages.Part]:
    if content is None:
        if whole:
            raise InvalidRequest("A message needs its `content`.", param=param)
        return []
    if isinstance(content, str):
        return [messages.Text(text=content)]
    return [part for part in (_part(one, whole=whole) for one in content) if part is not None]


def _part(part: wire.Content, *, whole: bool) -> messages.Part | None:
    match part:
        case wire.InputText():
            return messages.Text(text=part.text, cache=_cache(part.prompt_cache_breakpoint))
        case wire.OutputText():
            return messages.Text(text=part.text, citations=tuple(part.annotations or ()))
        case wire.InputImage():
            return _image(part, whole=whole)
        case wire.InputFile():
            return _file(part, whole=whole)
        case wire.Refusal():
            return messages.Refusal(text=part.refusal)
        case wire.ReasoningText():
            raise InvalidRequest("Reasoning text belongs into a reasoning item.", param="input.content")


def _cache(point: Breakpoint | None) -> str | None:
    return None if point is None else point.ttl or "30m"


def _image(part: wire.InputImage, *, whole: bool) -> messages.Image | None:
    url = part.image_url
    if url is None:
        if whole:
            raise InvalidRequest("An image needs its `image_url`.", param="input.content.image_url")
        return None
    cache = _cache(part.prompt_cache_breakpoint)
    if url.startswith("data:"):
        media_type, data = data_url(url, param="input.content.image_url")
        return messages.Image(data=data, media_type=media_type, detail=part.detail, cache=cache)
    return messages.Image(url=url, detail=part.detail, cache=cache)


def _file(part: wire.InputFile, *, whole: bool) -> messages.File | None:
    sources = [part.file_data, part.file_id, part.file_url]
    if sum(source is not None for source in sources) != 1:
        if whole:
            raise InvalidRequest(
                "A file needs exactly one of `file_data`, `file_id` and `file_url`.",
                param="input.content.file_data",
            )
        return None
    name, cache = part.filename, _cache(part.prompt_cache_breakpoint)
    if part.file_data is None:
        return messages.File(url=part.file_url, file_id=part.file_id, name=name, cache=cache)
    if not part.file_data.startswith("data:"):
        return messages.File(data=part.file_data, name=name, cache=cache)
    media_type, data = data_url(part.file_data, param="input.content.file_data")
    return messages.File(data=data, media_type=media_type, name=name, cache=cache)


def _thought(item: wire.Item) -> messages.Reasoning:
    text = ""
    for part in item.content if isinstance(item.content, list) else ():
        if not isinstance(part, wire.ReasoningText):
            raise InvalidRequest("A reasoning item holds reasoning text only.", param="input.content")
        text += part.text
    summary = tuple([part.text for part in item.summary or ()])
    signature, encrypted = proven(item.encrypted_content)
    if signature is not None and not text:
        # The signed text was given out as a summary, since the caller had asked for one.
        text, summary = "\n\n".join(summary), ()
    return messages.Reasoning(
        text=text, summary=summary, signature=signature, encrypted=encrypted, id=item.id
    )


def _call(item: wire.Item) -> messages.ToolCall:
    if item.call_id is None or item.name is None or item.arguments is None:
        raise InvalidRequest("A function_call needs `call_id`, `name` and `arguments`.", param="input")
    return messages.ToolCall(id=item.call_id, name=item.name, arguments=item.arguments)


def _result(item: wire.Item, *, whole: bool) -> messages.ToolResult:
    if item.call_id is None or item.output is None:
        raise InvalidRequest("A function_call_output needs `call_id` and `output`.", param="input")
    if isinstance(item.output, str):
        return messages.ToolResult(call_id=item.call_id, parts=(messages.Text(text=item.output),))
    parts: list[messages.Text | messages.Image | messages.File | None] = []
    for part in item.output:
        match part:
            case wire.InputText():
                cache = _cache(part.prompt_cache_breakpoint)
                parts.append(messages.Text(text=part.text, cache=cache))
            case wire.InputImage():
                parts.append(_image(part, whole=whole))
            case wire.InputFile():
                parts.append(_file(part, whole=whole))
    return messages.ToolResult(call_id=item.call_id, parts=tuple(filter(None, parts)))


def _tool(said: wire.Tool) -> messages.Tool:
    return messages.Tool(
        name=said.name, description=said.description, parameters=given(said.parameters), strict=said.strict
    )


def _choice(
    said: Literal["none", "auto", "required"] | wire.NamedChoice | wire.AllowedChoice,
) -> messages.ToolChoice:
    if isinstance(said, str):
        return messages.ToolChoice(mode=said)
    if isinstance(said, wire.NamedChoice):
        return messages.ToolChoice(mode="required", name=said.name)
    if not said.tools:
        raise InvalidRequest("`allowed_tools` names no tool.", param="tool_choice.tools")
    return messages.ToolChoice(mode=said.mode, allowed=tuple([tool.name for tool in said.tools]))


def _format(said: wire.Format) -> messages.ResponseFormat:
    if isinstance(said, wire.SchemaFormat):
        return messages.ResponseFormat(
            type="json_schema",
            name=said.name,
            description=said.description,
            schema=said.schema,
            strict=said.strict,
        )
    return messages.ResponseFormat(type="text" if isinstance(said, wire.TextFormat) else "json_object")


def _reasoning(said: wire.Reasoning | None) -> messages.ReasoningConfig | None:
    if said is None:
        return None
    summary = said.summary or said.generate_summary
    if said.effort is None and summary is None:
        return None
    return messages.ReasoningConfig(effort=said.effort, summary=summary)
