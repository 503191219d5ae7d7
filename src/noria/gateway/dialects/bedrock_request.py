"""core.messages → Amazon Bedrock's Converse request.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html. Rules where the two
sides differ:
- What Converse has no field for but a family of models has is in bedrock_families.
- Other providers' proofs of reasoning and of tool calls name nothing here and are not sent; nor is, to
  Claude, reasoning without a proof, which it refuses.
- Cache hints of OpenAI's are kept at least as long: `30m` is `1h`.
- Neighbouring turns of one role are one turn; a cache hint inside a tool's result is set behind the result.
- A tool choice among some tools is sent as only those tools; image detail "high" is what every image gets.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

import msgspec

from noria.core import messages
from noria.errors import InvalidRequest
from noria.gateway.dialects.bedrock_families import (
    NAME,
    Json,
    family_of,
    reasoning_fields,
    top_k,
    unsupported,
)
from noria.gateway.dialects.dialect import Options
from noria.gateway.dialects.refusals import refuse

ADDED = {
    "document.name": "Converse takes no document without a name, and no two of one name.",
    "toolSpec.inputSchema": "Converse takes no tool without a schema; an object without properties.",
}
"""What is sent upstream though the caller did not say it."""

_FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
_SOUNDS = ("mp3", "wav", "aac", "flac", "ogg", "opus", "mp4", "m4a", "webm", "pcm")
_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_NOT_IN_NAMES = re.compile(r"[^\w\s\-()\[\]]|_", re.ASCII)
_TIERS = ("priority", "default", "flex", "reserved")
_args = msgspec.json.Decoder(dict[str, msgspec.Raw])


def converse(request: messages.Request, *, model: str, options: Options) -> Json:
    """The body. Raises Unsupported with `param`."""
    fields = (
        "min_p", "seed", "n", "logprobs", "top_logprobs", "presence_penalty", "frequency_penalty",
        "logit_bias", "verbosity",
    )  # fmt: skip
    refuse(request, dialect=NAME, fields=fields)
    if request.parallel_tool_calls is False and request.tools:
        raise unsupported("a limit of one tool call at a time", "parallel_tool_calls")
    family = family_of(model, options)
    lead = 0
    while lead < len(request.messages) and request.messages[lead].role in ("system", "developer"):
        lead += 1
    body: Json = {"messages": _Blocks(family).conversation(request.messages[lead:])}
    system = [block for m in request.messages[:lead] for part in m.parts for block in _system(part)]
    if system:
        body["system"] = system
    inference = _inference(request)
    if inference:
        body["inferenceConfig"] = inference
    tools = _tool_config(request)
    if tools:
        body["toolConfig"] = tools
    additional, output = reasoning_fields(request.reasoning, family=family)
    if request.top_k is not None:
        additional |= top_k(request.top_k, family=family)
    if additional:
        body["additionalModelRequestFields"] = additional
    text_format = _text_format(request.response_format)
    if text_format:
        output["textFormat"] = text_format
    if output:
        body["outputConfig"] = output
    if request.service_tier not in (None, "auto"):
        if request.service_tier not in _TIERS:
            raise unsupported(f"the service tier {request.service_tier!r}", "service_tier")
        body["serviceTier"] = {"type": request.service_tier}
    return body


def _system(part: messages.Part) -> list[Json]:
    if not isinstance(part, messages.Text):
        raise unsupported("anything but text in a system message", "messages")
    return [{"text": _plain(part)}, *_cache_point(part.cache)]


def _cache_point(cache: str | None) -> list[Json]:
    match cache:
        case None:
            return []
        case "5m":
            # The default; models without other lifetimes refuse the key.
            return [{"cachePoint": {"type": "default"}}]
        case "1h" | "30m":
            return [{"cachePoint": {"type": "default", "ttl": "1h"}}]
        case _:
            raise unsupported(f"a cache of {cache}", "messages.cache")


def _plain(part: messages.Text) -> str:
    if part.citations:
        raise unsupported("citations of a text", "messages.citations")
    return part.text


class _Blocks:
    """Turns messages into content blocks; keeps the names of documents apart, as Converse demands."""

    def __init__(self, family: str) -> None:
        self._proven = family == "anthropic"
        self._names: set[str] = set()

    def conversation(self, conversation: Iterable[messages.Message]) -> list[Json]:
        out: list[Json] = []
        blocks: list[Json] = []
        last = ""
        for message in conversation:
            if message.name is not None:
                raise unsupported("the name of a participant", "messages.name")
            role = {"tool": "user", "developer": "system"}.get(message.role, message.role)
            if role != last:
                # Turns must alternate, so that neighbours of one role become one.
                blocks = []
                out.append({"role": role, "content": blocks})
                last = role
            for part in message.parts:
                blocks += self._part(part)
        return out

    def _part(self, part: messages.Part) -> list[Json]:
        match part:
            case messages.Text():
                return [{"text": _plain(part)}, *_cache_point(part.cache)]
            case messages.Refusal():
                return [{"text": part.text}]
            case messages.Image():
                return [_image(part), *_cache_point(part.cache)]
            case messages.File():
                sound = (part.media_type or "").startswith("audio/")
                return [_audio(part) if sound else self._document(part), *_cache_point(part.cache)]
            case messages.Reasoning():
                return _reasoning(part, proven=self._proven)
            case messages.ToolCall():
                return [_call(part), *_cache_point(part.cache)]
            case messages.ToolResult():
                # A result holds no cache points: the next place is behind it.
                cache = part.cache or next((item.cache for item in part.parts if item.cache), None)
                return [self._result(part), *_cache_point(cache)]

    def _result(self, part: messages.ToolResult) -> Json:
        content: list[Json] = []
        for item in part.parts:
            match item:
                case messages.Text():
                    content.append({"text": _plain(item)})
                case messages.Image():
                    content.append(_image(item))
                case messages.File():
                    content.append(self._document(item))
        result: Json = {"toolUseId": call_id(part.call_id), "content": content}
        if part.is_error:
            result["status"] = "error"
        return {"toolResult": result}

    def _document(self, part: messages.File) -> Json:
        if part.file_id is not None:
            raise unsupported("a file by another provider's id", "messages.file_id")
        name = part.name or part.url
        suffix = PurePosixPath(name).suffix[1:].lower() if name else ""
        form = _DOCUMENTS.get(part.media_type or "") or (suffix if suffix in _DOCUMENTS.values() else None)
        if form is None:
            what = f"a document of the type {part.media_type or suffix or 'unknown'!r}"
            raise unsupported(what, "messages.media_type")
        document: Json = {"format": form, "name": self._name(name), "source": _source(part.url, part.data)}
        return {"document": document}

    def _name(self, name: str | None) -> str:
        """Letters, digits, single spaces, hyphens, brackets; unlike the others of the request."""
        base = _NOT_IN_NAMES.sub("-", PurePosixPath(name).stem) if name else "document"
        base = " ".join(base.split())[:180] or "document"
        found, count = base, 1
        while found in self._names:
            count += 1
            found = f"{base} ({count})"
        self._names.add(found)
        return found


def _source(url: str | None, data: str | None) -> Json:
    if data is not None:
        return {"bytes": data}
    if url is None or not url.startswith("s3://"):
        raise unsupported("media by a URL other than s3://", "messages.url")
    return {"s3Location": {"uri": url}}


def _image(part: messages.Image) -> Json:
    if part.detail not in (None, "auto", "high"):
        raise unsupported(f"the image detail {part.detail!r}", "messages.detail")
    suffix = PurePosixPath(part.url).suffix[1:].lower().replace("jpg", "jpeg") if part.url else ""
    form = _FORMATS.get(part.media_type or "") or (suffix if suffix in _FORMATS.values() else None)
    if form is None:
        raise unsupported(f"an image of the type {part.media_type or 'unknown'!r}", "messages.media_type")
    return {"image": {"format": form, "source": _source(part.url, part.data)}}


def _audio(part: messages.File) -> Json:
    if part.file_id is not None:
        raise unsupported("a file by another provider's id", "messages.file_id")
    form = (part.media_type or "").removeprefix("audio/").removeprefix("x-")
    form = "mp3" if form == "mpeg" else form
    if form not in _SOUNDS:
        raise unsupported(f"sound of the type {part.media_type!r}", "messages.media_type")
    return {"audio": {"format": form, "source": _source(part.url, part.data)}}


def _reasoning(part: messages.Reasoning, *, proven: bool) -> list[Json]:
    """With `proven` only what carries Claude's own proof: its signature, or its redacted text."""
    text = part.text or "\n\n".join(part.summary)
    if part.encrypted is not None and not text:
        return [{"reasoningContent": {"redactedContent": part.encrypted}}]
    if part.signature is not None:
        return [{"reasoningContent": {"reasoningText": {"text": text, "signature": part.signature}}}]
    return [] if proven or not text else [{"reasoningContent": {"reasoningText": {"text": text}}}]


def call_id(given: str) -> str:
    """`given`, or a digest of it where Converse would refuse its characters or length."""
    if _ID.fullmatch(given):
        return given
    return "call_" + hashlib.sha256(given.encode()).hexdigest()[:32]


def _call(part: messages.ToolCall) -> Json:
    arguments = part.arguments or "{}"
    try:
        _args.decode(arguments)
    except (msgspec.DecodeError, UnicodeError):
        raise InvalidRequest(
            f"The arguments of the tool call {part.id!r} must be a JSON object.", param="messages"
        ) from None
    use = {"toolUseId": call_id(part.id), "name": part.name, "input": msgspec.Raw(arguments.encode())}
    return {"toolUse": use}


def _inference(request: messages.Request) -> Json:
    pairs = (
        ("maxTokens", request.max_tokens),
        ("temperature", request.temperature),
        ("topP", request.top_p),
        ("stopSequences", request.stop or None),
    )
    return {name: value for name, value in pairs if value is not None}


def _tool_config(request: messages.Request) -> Json:
    choice = request.tool_choice
    if not request.tools:
        if choice is not None and choice.mode == "required":
            raise InvalidRequest("A required tool call needs tools; send them too.", param="tool_choice")
        return {}
    if choice is not None and choice.mode == "none":
        if any(
            isinstance(p, messages.ToolCall | messages.ToolResult) for m in request.messages for p in m.parts
        ):
            raise unsupported("a ban on tools after tools were called", "tool_choice")
        # What the model is not told of it cannot call.
        return {}
    allowed = choice.allowed if choice is not None else ()
    shown = [tool for tool in request.tools if tool.name in allowed] if allowed else request.tools
    if not shown:
        raise InvalidRequest("None of the allowed tools is among the tools.", param="tool_choice")
    tools = [block for tool in shown for block in _tool(tool)]
    if choice is None:
        return {"tools": tools}
    if choice.mode == "auto":
        return {"tools": tools, "toolChoice": {"auto": {}}}
    named: Json = {"any": {}} if choice.name is None else {"tool": {"name": choice.name}}
    return {"tools": tools, "toolChoice": named}


def _tool(tool: messages.Tool) -> list[Json]:
    parameters = tool.parameters if tool.parameters is not None else {"type": "object", "properties": {}}
    spec: Json = {"name": tool.name, "inputSchema": {"json": parameters}}
    if tool.description:
        spec["description"] = tool.description
    if tool.strict:
        spec["strict"] = True
    return [{"toolSpec": spec}, *_cache_point(tool.cache)]


def _text_format(form: messages.ResponseFormat | None) -> Json:
    if form is None or form.type == "text":
        return {}
    if form.type == "json_object" or form.schema is None:
        raise unsupported("JSON without a schema", "response_format")
    try:
        schema: Json = {"schema": bytes(form.schema).decode()}
    except UnicodeDecodeError:
        raise InvalidRequest("The response schema is not UTF-8.", param="response_format") from None
    if form.name is not None:
        schema["name"] = form.name
    if form.description is not None:
        schema["description"] = form.description
    return {"type": "json_schema", "structure": {"jsonSchema": schema}}
