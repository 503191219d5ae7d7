"""core.messages → chat completion requests for upstreams.

Rules where the two sides differ:
- Cache hints other than OpenAI's own breakpoints are not sent: these servers cache prefixes by themselves.
- Reasoning goes up as `reasoning_content`, as DeepSeek, vLLM and llama.cpp take it back (option
  `reasoning_content = "drop"` leaves it out). Another provider's proof of it (signature, encrypted text)
  names nothing here and is sent only for callers of this dialect, who sent it themselves.
- A tool result that is an error starts with "Error: ", since the dialect has no flag for it.
- A message's parts are put in this order: reasoning, text and refusals, tool calls.
- `metadata` and `store` are Noria's to keep, and go up only for callers of this dialect.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from noria.core import messages
from noria.errors import InvalidRequest
from noria.gateway.dialects import openai_wire as wire
from noria.gateway.dialects.dialect import Options
from noria.gateway.dialects.leftovers import MaybeRaw, joined
from noria.gateway.dialects.reasoning_details import details_of
from noria.gateway.dialects.refusals import unsupported

ADDED = {
    "stream_options": 'Usage is asked for in every stream (option `ask_usage = "no"` of the provider).',
    "messages.file.filename": "OpenAI takes no inline file without a name; `document` and its type's ending.",
    "response_format.json_schema.name": "OpenAI takes no schema without a name; `response`.",
}
"""What is sent upstream though the caller did not say it."""

Mode = Literal["auto", "none", "required"]
_NAME = "The openai dialect"
_ASK = wire.StreamOptions(include_usage=True)
_encode = msgspec.json.Encoder().encode
_SOUNDS: dict[str, Literal["wav", "mp3"]] = {"audio/wav": "wav", "audio/mpeg": "mp3"}


def encode(request: messages.Request, *, model: str, options: Options) -> bytes:
    """Raises Unsupported with `param`."""
    own = request.dialect == "openai"
    extra = request.extra
    if extra and not own:
        raise unsupported(_NAME, f"`{next(iter(extra))}`", next(iter(extra)))
    reasoning = request.reasoning
    if reasoning is not None:
        _check(reasoning)
    stop = request.stop
    limit = request.max_tokens
    completion = options.get("max_tokens_field", "max_tokens") == "max_completion_tokens"
    body = wire.Request(
        model=model,
        messages=_Encoder(own=own, options=options).messages(request.messages),
        tools=[_encode_tool(tool) for tool in request.tools] or None,
        tool_choice=None if request.tool_choice is None else _encode_choice(request.tool_choice),
        parallel_tool_calls=request.parallel_tool_calls,
        response_format=None if request.response_format is None else _encode_format(request.response_format),
        max_tokens=None if completion else limit,
        max_completion_tokens=limit if completion else None,
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        min_p=request.min_p,
        stop=list(stop) if stop else None,
        seed=request.seed,
        n=request.n,
        logprobs=request.logprobs,
        top_logprobs=request.top_logprobs,
        presence_penalty=request.presence_penalty,
        frequency_penalty=request.frequency_penalty,
        logit_bias=_whole(request.logit_bias),
        reasoning_effort=_effort(reasoning),
        verbosity=request.verbosity,
        stream=True if request.stream else None,
        stream_options=_ASK if request.stream and options.get("ask_usage") != "no" else None,
        user=request.user,
        metadata=request.metadata if own else None,
        service_tier=request.service_tier,
        store=request.store if own else None,
    )
    notes = {name: raw for name, raw in request.notes.items() if name in wire.NOTES}
    return joined(_encode(body), {**notes, **extra})


def _check(reasoning: messages.ReasoningConfig) -> None:
    if reasoning.budget_tokens is not None:
        raise unsupported(_NAME, "a reasoning budget in tokens (say `effort`)", "reasoning.budget_tokens")
    if reasoning.summary in ("concise", "detailed"):
        raise unsupported(_NAME, f"{reasoning.summary} summaries of reasoning", "reasoning.summary")


def _effort(reasoning: messages.ReasoningConfig | None) -> messages.Effort | None:
    """That the model may think, or may decide, is what it does without a word."""
    if reasoning is None:
        return None
    return "none" if reasoning.enabled is False else reasoning.effort


def _whole(bias: dict[str, float] | None) -> dict[str, float] | None:
    """Whole numbers as such, since some servers take only those."""
    if bias is None:
        return None
    return {token: int(value) if value.is_integer() else value for token, value in bias.items()}


class _Encoder:
    """Messages for upstream."""

    def __init__(self, *, own: bool, options: Options) -> None:
        self._own = own
        self._reasoning = options.get("reasoning_content") != "drop"

    def messages(self, said: tuple[messages.Message, ...]) -> list[wire.Message]:
        out: list[wire.Message] = []
        for message in said:
            role = message.role
            if role == "user":
                out.append(wire.User(content=self._user(message.parts), name=message.name))
            elif role == "assistant":
                out.append(self._assistant(message))
            elif role == "tool":
                out += [self._result(part) for part in message.parts]
            else:
                form = wire.System if role == "system" else wire.Developer
                out.append(form(content=_texts(message.parts), name=message.name))
        return out

    def _user(
        self, parts: tuple[messages.Part, ...]
    ) -> str | list[wire.TextPart | wire.ImagePart | wire.AudioPart | wire.FilePart]:
        if len(parts) == 1:
            only = parts[0]
            if isinstance(only, messages.Text) and only.cache is None and not only.citations:
                return only.text
        out: list[wire.TextPart | wire.ImagePart | wire.AudioPart | wire.FilePart] = []
        for part in parts:
            match part:
                case messages.Text():
                    out.append(_text(part))
                case messages.Image():
                    out.append(_image(part))
                case messages.File():
                    out.append(_encode_file(part))
                case _:
                    raise unsupported(_NAME, f"a {_word(part)} in a user message", "messages.content")
        return out

    def _assistant(self, message: messages.Message) -> wire.Assistant:
        content: list[wire.TextPart | wire.RefusalPart] = []
        refusal: str | None = None
        calls: list[wire.Call] = []
        thoughts: list[messages.Reasoning] = []
        for part in message.parts:
            match part:
                case messages.Text():
                    content.append(_text(part))
                case messages.Refusal():
                    if refusal is not None:
                        content.append(wire.RefusalPart(refusal=part.text))
                    refusal = refusal or part.text
                case messages.Reasoning():
                    thoughts.append(part)
                case messages.ToolCall():
                    calls.append(self._call(part))
                case _:
                    raise unsupported(_NAME, f"a {_word(part)} in an assistant message", "messages.content")
        reasoning = "\n\n".join(filter(None, (t.text or "\n\n".join(t.summary) for t in thoughts)))
        return wire.Assistant(
            content=_short(content) or (None if calls or refusal is not None else ""),
            refusal=refusal,
            tool_calls=calls or None,
            name=message.name,
            reasoning_content=reasoning if reasoning and self._reasoning else None,
            reasoning_details=details_of(thoughts) or None if self._own else None,
        )

    def _call(self, part: messages.ToolCall) -> wire.Call:
        extra = None
        if part.signature is not None and self._own:
            extra = wire.ExtraContent(google=wire.Google(thought_signature=part.signature))
        return wire.Call(
            id=part.id, function=wire.Function(name=part.name, arguments=part.arguments), extra_content=extra
        )

    def _result(self, part: messages.Part) -> wire.Tool:
        if not isinstance(part, messages.ToolResult):
            raise unsupported(_NAME, f"a {_word(part)} in a tool message", "messages.content")
        content = _texts(part.parts)
        if part.is_error:
            content = (
                "Error: " + content if isinstance(content, str) else [wire.TextPart(text="Error: "), *content]
            )
        return wire.Tool(content=content, tool_call_id=part.call_id, name=part.name)


def _short(content: list[wire.TextPart | wire.RefusalPart]) -> str | list[wire.TextPart | wire.RefusalPart]:
    """One plain text as a string, which every server takes."""
    if len(content) == 1:
        only = content[0]
        if isinstance(only, wire.TextPart) and only.prompt_cache_breakpoint is None:
            return only.text
    return content


def _word(part: messages.Part) -> str:
    return type(part).__name__.lower()


def _texts(parts: tuple[messages.Part, ...]) -> str | list[wire.TextPart]:
    if len(parts) == 1:
        only = parts[0]
        if isinstance(only, messages.Text) and only.cache is None and not only.citations:
            return only.text
    out: list[wire.TextPart] = []
    for part in parts:
        if not isinstance(part, messages.Text):
            raise unsupported(_NAME, f"a {_word(part)} outside of a user message", "messages.content")
        out.append(_text(part))
    return out or ""


def _text(part: messages.Text) -> wire.TextPart:
    if part.citations:
        raise unsupported(_NAME, "citations of a text", "messages.citations")
    return wire.TextPart(text=part.text, prompt_cache_breakpoint=_point(part.cache))


def _point(cache: str | None) -> wire.Breakpoint | None:
    if cache == "30m":
        return wire.Breakpoint()
    return wire.Breakpoint(ttl="12h") if cache == "12h" else None


def _image(part: messages.Image) -> wire.ImagePart:
    url = part.url
    if part.data is not None:
        if part.media_type is None:
            raise InvalidRequest("Inline images need their media type.", param="messages.content")
        url = f"data:{part.media_type};base64,{part.data}"
    assert url is not None
    return wire.ImagePart(wire.ImageUrl(url=url, detail=part.detail), _point(part.cache))


def _encode_file(part: messages.File) -> wire.AudioPart | wire.FilePart:
    point = _point(part.cache)
    if part.url is not None:
        raise unsupported(_NAME, "a file by its URL", "messages.content.file")
    if part.data is not None and part.media_type in _SOUNDS:
        return wire.AudioPart(wire.Audio(data=part.data, format=_SOUNDS[part.media_type]), point)
    data, name = part.data, part.name
    if data is not None and part.media_type is not None:
        data = f"data:{part.media_type};base64,{data}"
        name = name or f"document.{part.media_type.rpartition('/')[2].replace('plain', 'txt')}"
    return wire.FilePart(wire.FileSource(file_data=data, file_id=part.file_id, filename=name), point)


def _encode_tool(tool: messages.Tool) -> wire.FunctionTool:
    return wire.FunctionTool(wire.Definition(tool.name, tool.description, _raw(tool.parameters), tool.strict))


def _raw(raw: msgspec.Raw | None) -> MaybeRaw:
    return msgspec.UNSET if raw is None else raw


def _encode_choice(choice: messages.ToolChoice) -> Mode | wire.NamedChoice | wire.AllowedChoice:
    if choice.name is not None:
        return wire.NamedChoice(wire.Named(choice.name))
    if choice.allowed and choice.mode != "none":
        tools = [wire.AllowedTool(wire.Named(name)) for name in choice.allowed]
        return wire.AllowedChoice(wire.Allowed(mode=choice.mode, tools=tools))
    return choice.mode


def _encode_format(
    form: messages.ResponseFormat,
) -> wire.TextFormat | wire.ObjectFormat | wire.SchemaFormat:
    if form.type == "json_schema":
        return wire.SchemaFormat(
            wire.Schema(form.name or "response", form.description, _raw(form.schema), form.strict)
        )
    return wire.TextFormat() if form.type == "text" else wire.ObjectFormat()
