"""Rendered messages and a prompt's parameters, written into a caller's body in the caller's dialect.

What the caller says wins over what the prompt says; what a dialect has no place for is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from noria.errors import InvalidRequest, Unsupported
from noria.gateway.ask import Fields, encode
from noria.prompts.compiled import CompiledPrompt, Turn

Write = Callable[[Fields, Sequence[Turn], CompiledPrompt], Fields]
_list = msgspec.json.Decoder(list[msgspec.Raw])
_SAME = ("max_tokens", "max_completion_tokens")
"""One thing under two names: what the caller says under either counts."""


def chat(fields: Fields, said: Sequence[Turn], prompt: CompiledPrompt) -> Fields:
    """Chat completions. Several samples are asked for as `n` choices."""
    messages = [_raw({"role": one.role, "content": one.text}) for one in said]
    out = {**fields, "messages": _raw([*messages, *_given(fields, "messages")])}
    samples = prompt.technique.samples
    wanted: dict[str, Any] = dict(prompt.parameters)
    if samples is not None:
        wanted = {"temperature": samples.temperature, **wanted, "n": samples.n}
    if any(name in fields for name in _SAME):
        wanted = {name: value for name, value in wanted.items() if name not in _SAME}
    if prompt.tools:
        wanted["tools"] = prompt.tools
    if prompt.response_format is not None:
        wanted["response_format"] = prompt.response_format
    return _with(out, wanted)


def responses(fields: Fields, said: Sequence[Turn], prompt: CompiledPrompt) -> Fields:
    """The Responses API."""
    _one_sample(prompt)
    if not _absent(fields, "previous_response_id"):
        raise Unsupported(
            "The earlier response holds the prompt's messages already; leave the prompt out where there is a "
            "`previous_response_id`.",
            param="previous_response_id",
        )
    items = [_raw({"type": "message", "role": one.role, "content": one.text}) for one in said]
    raw = fields.get("input")
    if raw is not None and bytes(raw)[:1] == b'"':
        given = [msgspec.Raw(b'{"type":"message","role":"user","content":' + bytes(raw) + b"}")]
    else:
        given = _given(fields, "input")
    out = {name: value for name, value in fields.items() if name != "prompt"}
    out["input"] = _raw([*items, *given])
    wanted = _renamed(prompt, _RESPONSES, "the Responses API")
    if prompt.tools:
        wanted["tools"] = [{"type": "function", **_function(one)} for one in prompt.tools]
    if prompt.response_format is not None:
        inner = prompt.response_format.get("json_schema", {})
        wanted["text"] = {"format": {"type": prompt.response_format.get("type"), **inner}}
    return _with(out, wanted)


def anthropic(fields: Fields, said: Sequence[Turn], prompt: CompiledPrompt) -> Fields:
    """The Messages API."""
    _one_sample(prompt)
    leading = 0
    while leading < len(said) and said[leading].role in ("system", "developer"):
        leading += 1
    rest = said[leading:]
    if any(one.role in ("system", "developer") for one in rest):
        raise Unsupported(
            f"The prompt {prompt.name!r} has a system message behind others, which the Messages API has no "
            "place for; call it at /v1/chat/completions.",
            param="model",
        )
    messages = [_raw({"role": one.role, "content": one.text}) for one in rest]
    out = {**fields, "messages": _raw([*messages, *_given(fields, "messages")])}
    system = [_raw({"type": "text", "text": one.text}) for one in said[:leading] if one.text]
    raw = fields.get("system")
    if raw is not None and bytes(raw)[:1] == b'"':
        system.append(msgspec.Raw(b'{"type":"text","text":' + bytes(raw) + b"}"))
    else:
        system += _given(fields, "system")
    if system:
        out["system"] = _raw(system)
    wanted = _renamed(prompt, _ANTHROPIC, "the Messages API")
    if isinstance(wanted.get("stop_sequences"), str):
        wanted["stop_sequences"] = [wanted["stop_sequences"]]
    if prompt.tools:
        wanted["tools"] = [_anthropic_tool(_function(one)) for one in prompt.tools]
    if prompt.response_format is not None:
        schema = prompt.response_format.get("json_schema", {}).get("schema")
        if schema is None:
            raise _no_place(prompt, "a response format without a schema", "the Messages API")
        wanted["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return _with(out, wanted)


BODIES: dict[str, Write] = {"openai": chat, "responses": responses, "anthropic": anthropic}
"""By front."""
_RESPONSES = {
    "max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens",
    "temperature": "temperature", "top_p": "top_p", "parallel_tool_calls": "parallel_tool_calls",
    "service_tier": "service_tier", "top_logprobs": "top_logprobs",
}  # fmt: skip
_ANTHROPIC = {
    "max_tokens": "max_tokens", "max_completion_tokens": "max_tokens", "temperature": "temperature",
    "top_p": "top_p", "top_k": "top_k", "stop": "stop_sequences",
}  # fmt: skip


def _renamed(prompt: CompiledPrompt, names: dict[str, str], where: str) -> dict[str, Any]:
    for name in prompt.parameters:
        if name not in names:
            raise _no_place(prompt, f"the parameter {name!r}", where)
    return {names[name]: value for name, value in prompt.parameters.items()}


def _with(fields: Fields, wanted: dict[str, Any]) -> Fields:
    return {**{name: _raw(value) for name, value in wanted.items() if _absent(fields, name)}, **fields}


def _absent(fields: Fields, name: str) -> bool:
    return name not in fields or bytes(fields[name]) == b"null"


def _given(fields: Fields, name: str) -> list[msgspec.Raw]:
    if _absent(fields, name):
        return []
    try:
        return _list.decode(fields[name])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidRequest(f"`{name}` must be an array.", param=name) from None


def _function(tool: dict[str, Any]) -> dict[str, Any]:
    return tool["function"] if isinstance(tool.get("function"), dict) else tool


def _anthropic_tool(function: dict[str, Any]) -> dict[str, Any]:
    parameters = function.get("parameters") or {"type": "object"}
    kept = {name: function[name] for name in ("name", "description", "strict") if name in function}
    return {**kept, "input_schema": parameters}


def _one_sample(prompt: CompiledPrompt) -> None:
    if prompt.technique.samples is not None:
        raise Unsupported(
            f"The prompt {prompt.name!r} wants several answers, which only /v1/chat/completions can give.",
            param="model",
        )


def _no_place(prompt: CompiledPrompt, what: str, where: str) -> Unsupported:
    return Unsupported(
        f"The prompt {prompt.name!r} has {what}, which {where} has no place for; call it at "
        "/v1/chat/completions.",
        param="model",
    )


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(encode(value))
