"""core.messages → messages requests for upstreams.

Rules where the two sides differ:
- System and developer messages at the beginning are `system`; later ones stay where they are, as `system`
  messages.
- Only reasoning with a signature, or redacted, is sent back: the API refuses any other, and does without.
- Cache hints of OpenAI's are kept at least as long: `30m` is `1h`.
- A tool result, and the user's words after it, are one user message.
- The name of a response format is not sent, since nothing reads it; its description goes into the schema.
- Image detail `high` is what every image gets.
- A tool choice among some tools is sent as only those tools.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Literal, cast

import msgspec

from noria.core import messages
from noria.errors import InvalidRequest
from noria.gateway.dialects import anthropic_wire as wire
from noria.gateway.dialects.dialect import Options
from noria.gateway.dialects.leftovers import joined
from noria.gateway.dialects.refusals import refuse, unsupported

ADDED = {
    "max_tokens": "Required; option `max_tokens` of the provider, else 4096, which every model allows.",
    "tools.input_schema": "Required; a function without parameters gets an empty object's schema.",
}
"""What is sent upstream though the caller did not say it."""

VERSION = "2023-06-01"
"""Of the API, and what is spoken unless the provider says otherwise: it still takes all of the next."""
_UNSAMPLED = "2026-10-21"
"""From here on temperature, top_p and top_k are refused, even at their defaults.
Source: https://platform.claude.com/docs/en/api/versioning."""
_NAME = "The anthropic dialect"
_MAX_TOKENS = "4096"
_EMPTY_SCHEMA = msgspec.Raw(b'{"type":"object","properties":{}}')
_REFUSED = (
    "n",
    "seed",
    "min_p",
    "logprobs",
    "top_logprobs",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "verbosity",
)
_SAMPLING = ("temperature", "top_p", "top_k")
_COUNTED = ("messages", "tools", "tool_choice", "system", "thinking", "output_config", "speed")
"""The extra keys that counting tokens knows."""
_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def version(options: Options) -> str:
    """Of the API that the provider is spoken to in."""
    return options.get("anthropic_version", VERSION)


def encode(request: messages.Request, *, model: str, options: Options) -> bytes:
    """Raises Unsupported with `param`."""
    own = request.dialect == "anthropic"
    sent = _sent(request, model=model, options=options, own=own)
    more = {**request.extra, **_notes(request)} if own else {}
    return joined(_encode(sent), more)


def encode_count(request: messages.Request, *, model: str, options: Options) -> bytes:
    """The body for counting tokens, which takes only what has an influence on them."""
    own = request.dialect == "anthropic"
    sent = _sent(request, model=model, options=options, own=own)
    counted = wire.Sent(
        model=sent.model,
        messages=sent.messages,
        system=sent.system,
        tools=sent.tools,
        tool_choice=sent.tool_choice,
        thinking=sent.thinking,
        output_config=sent.output_config,
    )
    more = {name: raw for name, raw in request.extra.items() if name in _COUNTED} if own else {}
    return joined(_encode(counted), more)


def _notes(request: messages.Request) -> dict[str, msgspec.Raw]:
    return {name: raw for name, raw in request.notes.items() if name in wire.NOTES}


def _sent(request: messages.Request, *, model: str, options: Options, own: bool) -> wire.Sent:
    fields = _REFUSED if version(options) < _UNSAMPLED else _REFUSED + _SAMPLING
    refuse(msgspec.structs.replace(request, extra={}) if own else request, dialect=_NAME, fields=fields)
    lead = 0
    said = request.messages
    while lead < len(said) and said[lead].role in ("system", "developer"):
        lead += 1
    system = [_text(part) for message in said[:lead] for part in _system_parts(message)]
    limit = request.max_tokens
    thinking, effort = _reasoning(request.reasoning)
    form = _format(request.response_format)
    return wire.Sent(
        model=model,
        messages=_Encoder(own=own).messages(said[lead:]),
        max_tokens=int(options.get("max_tokens", _MAX_TOKENS)) if limit is None else limit,
        system=_short(system) or None,
        tools=[_tool(tool) for tool in _allowed(request)] or None,
        tool_choice=_choice(request),
        thinking=thinking,
        output_config=wire.OutputConfig(effort, form) if effort or form else None,
        stop_sequences=list(request.stop) or None,
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        stream=True if request.stream else None,
        metadata=None if request.user is None else wire.Metadata(request.user),
        service_tier=_tier(request.service_tier),
    )


def _tier(tier: str | None) -> str | None:
    if tier is None or tier == "auto":
        return tier
    if tier != "default":
        raise unsupported(_NAME, f"the service tier {tier!r}", "service_tier")
    return "standard_only"


def _allowed(request: messages.Request) -> tuple[messages.Tool, ...]:
    choice = request.tool_choice
    if choice is None or not choice.allowed:
        return request.tools
    return tuple(tool for tool in request.tools if tool.name in choice.allowed)


def _choice(request: messages.Request) -> wire.Choice | None:
    said = request.tool_choice
    parallel = request.parallel_tool_calls
    single = None if parallel is None else not parallel
    if said is None:
        return None if single is None or not request.tools else wire.AutoChoice(single)
    if said.name is not None:
        return wire.NamedChoice(said.name, single)
    match said.mode:
        case "auto":
            return wire.AutoChoice(single)
        case "required":
            return wire.AnyChoice(single)
        case "none":
            return wire.NoChoice()


def _format(form: messages.ResponseFormat | None) -> wire.Format | None:
    if form is None or form.type == "text":
        return None
    if form.type == "json_object":
        raise unsupported(_NAME, "JSON without a schema", "response_format")
    schema = form.schema or _EMPTY_SCHEMA
    if form.description is not None:
        try:
            fields = _object.decode(schema)
        except (msgspec.DecodeError, UnicodeError):
            raise InvalidRequest("The schema must be a JSON object.", param="response_format") from None
        schema = msgspec.Raw(_encode({"description": form.description, **fields}))
    return wire.Format(schema)


_Effort = Literal["low", "medium", "high", "xhigh", "max"]


def _reasoning(
    config: messages.ReasoningConfig | None,
) -> tuple[wire.ThinkingConfig | None, _Effort | None]:
    if config is None:
        return None, None
    if config.summary in ("concise", "detailed"):
        raise unsupported(_NAME, f"{config.summary} summaries of reasoning", "reasoning.summary")
    if config.effort == "minimal":
        raise unsupported(_NAME, "the reasoning effort 'minimal'", "reasoning.effort")
    effort = None if config.effort == "none" else config.effort
    if config.enabled is False or config.effort == "none":
        return wire.ThinkingDisabled(), effort
    display = "summarized" if config.summary is not None else None
    if config.budget_tokens is not None:
        return wire.ThinkingEnabled(config.budget_tokens, display), effort
    if config.adaptive or config.enabled or display is not None:
        return wire.ThinkingAdaptive(display), effort
    return None, effort


def _tool(tool: messages.Tool) -> wire.SentTool:
    schema = _EMPTY_SCHEMA if tool.parameters is None else tool.parameters
    return wire.SentTool(tool.name, schema, tool.description, tool.strict, _cache(tool.cache))


def _cache(cache: str | None) -> wire.CacheControl | None:
    match cache:
        case None:
            return None
        case "5m":
            return wire.CacheControl()
        case "1h" | "30m":
            return wire.CacheControl(ttl="1h")
        case _:
            raise unsupported(_NAME, f"a cache of {cache}", "messages.cache")


def _system_parts(message: messages.Message) -> tuple[messages.Text, ...]:
    if message.name is not None:
        raise unsupported(_NAME, "the name of a participant", "messages.name")
    if any(not isinstance(part, messages.Text) for part in message.parts):
        raise unsupported(_NAME, "anything but text in a system message", "messages.content")
    return cast(tuple[messages.Text, ...], message.parts)


def _text(part: messages.Text) -> wire.Text:
    return wire.Text(part.text, _cache(part.cache), list(part.citations) or None)


def _short(texts: list[wire.Text]) -> str | list[wire.Text]:
    """One plain text as a string."""
    if len(texts) == 1 and texts[0].cache_control is None and texts[0].citations is None:
        return texts[0].text
    return texts


class _Encoder:
    """Messages for upstream."""

    def __init__(self, *, own: bool) -> None:
        self._own = own

    def messages(self, said: tuple[messages.Message, ...]) -> list[wire.Message]:
        out: list[wire.Message] = []
        results: list[wire.Block] = []
        for message in said:
            if message.role in ("system", "developer"):
                if results:
                    out.append(wire.User(results))
                    results = []
                texts = [_text(part) for part in _system_parts(message)]
                out.append(wire.System(_short(texts) or ""))
                continue
            if message.name is not None:
                raise unsupported(_NAME, "the name of a participant", "messages.name")
            blocks = [block for part in message.parts for block in self._blocks(part, message.role)]
            if message.role == "tool":
                results += blocks
            elif message.role == "assistant":
                if results:
                    out.append(wire.User(results))
                    results = []
                out.append(wire.Assistant(self._brief(blocks)))
            else:
                out.append(wire.User(self._brief([*results, *blocks])))
                results = []
        if results:
            out.append(wire.User(results))
        return out

    def _brief(self, blocks: list[wire.Block]) -> str | list[wire.Block]:
        if len(blocks) == 1:
            only = blocks[0]
            if isinstance(only, wire.Text) and only.cache_control is None and only.citations is None:
                return only.text
        return blocks

    def _blocks(self, part: messages.Part, role: str) -> list[wire.Block]:
        match part:
            case messages.Text():
                if part.citations and not self._own:
                    raise unsupported(_NAME, "citations of another dialect", "messages.citations")
                return [_text(part)]
            case messages.Refusal():
                return [wire.Text(part.text)]
            case messages.Image():
                return [self._image(part)]
            case messages.File():
                return [self._file(part)]
            case messages.Reasoning():
                return _thinking(part)
            case messages.ToolCall():
                return [wire.ToolUse(part.id, part.name, _input(part), _cache(part.cache))]
            case messages.ToolResult():
                if role != "tool":
                    raise InvalidRequest("A tool result belongs into a tool message.", param="messages")
                return [self._result(part)]

    def _result(self, part: messages.ToolResult) -> wire.ToolResult:
        content: list[wire.Text | wire.Image | wire.Document] = []
        for one in part.parts:
            match one:
                case messages.Text():
                    content.append(_text(one))
                case messages.Image():
                    content.append(self._image(one))
                case messages.File():
                    content.append(self._file(one))
        short: str | list[wire.Text | wire.Image | wire.Document] = content
        if len(content) == 1:
            only = content[0]
            if isinstance(only, wire.Text) and only.cache_control is None and only.citations is None:
                short = only.text
        return wire.ToolResult(part.call_id, short or None, part.is_error or None, _cache(part.cache))

    def _image(self, part: messages.Image) -> wire.Image:
        if part.detail in ("low", "original"):
            raise unsupported(_NAME, f"the image detail {part.detail!r}", "messages.content.detail")
        if part.url is not None:
            return wire.Image(wire.Url(part.url), _cache(part.cache))
        if part.media_type is None:
            raise InvalidRequest("Inline images need their media type.", param="messages.content")
        return wire.Image(wire.Base64(part.media_type, part.data or ""), _cache(part.cache))

    def _file(self, part: messages.File) -> wire.Document:
        cache = _cache(part.cache)
        if part.url is not None:
            return wire.Document(wire.Url(part.url), part.name, cache)
        if part.file_id is not None:
            if not self._own:
                raise unsupported(_NAME, "a file by another provider's id", "messages.content.file_id")
            return wire.Document(wire.FileId(part.file_id), part.name, cache)
        data = part.data or ""
        if part.media_type == "text/plain":
            try:
                return wire.Document(
                    wire.Plain("text/plain", b64decode(data, validate=True).decode()), part.name, cache
                )
            except (binascii.Error, ValueError):
                raise InvalidRequest(
                    "A text file must be base64 of UTF-8 text.", param="messages.content.file"
                ) from None
        pdf = part.media_type == "application/pdf" or (
            part.media_type is None and (part.name or "").lower().endswith(".pdf")
        )
        if not pdf:
            raise unsupported(_NAME, f"a file of type {part.media_type!r}", "messages.content.file")
        return wire.Document(wire.Base64("application/pdf", data), part.name, cache)


def _thinking(part: messages.Reasoning) -> list[wire.Block]:
    blocks: list[wire.Block] = []
    if part.signature is not None:
        blocks.append(wire.Thinking(part.text or "\n\n".join(part.summary), part.signature))
    if part.encrypted is not None:
        blocks.append(wire.Redacted(part.encrypted))
    return blocks


def _input(part: messages.ToolCall) -> msgspec.Raw:
    if not part.arguments.strip():
        return msgspec.Raw(b"{}")
    raw = part.arguments.encode()
    try:
        _object.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise InvalidRequest(
            f"The arguments of the tool call {part.id!r} must be a JSON object.", param="messages.tool_calls"
        ) from None
    return msgspec.Raw(raw)
