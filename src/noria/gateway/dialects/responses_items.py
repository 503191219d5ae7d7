"""What a response consists of, as callers of the Responses API read it: items, usage, and what they asked.

Another provider's proof of what its model thought goes out as `encrypted_content`, marked as Noria's, so that
a caller who sends the item back returns it (`proven`).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from noria.core import messages
from noria.core.usage import Usage

Json = dict[str, object]

_MARK = "noria:"
_encode = msgspec.json.Encoder().encode


class _Proof(msgspec.Struct, omit_defaults=True):
    signature: str | None = None
    encrypted: str | None = None


_decoder = msgspec.json.Decoder(_Proof)


def proof(signature: str | None, encrypted: str | None) -> str | None:
    """The `encrypted_content` of a reasoning item."""
    if signature is None and encrypted is None:
        return None
    return _MARK + _encode(_Proof(signature, encrypted)).decode()


def proven(content: str | None) -> tuple[str | None, str | None]:
    """Signature and encrypted reasoning; neither for what is not Noria's."""
    if content is None or not content.startswith(_MARK):
        return None, None
    try:
        found = _decoder.decode(content[len(_MARK) :])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None, None
    return found.signature, found.encrypted


def message(known: str, content: list[Json], *, status: str) -> Json:
    return {"id": known, "type": "message", "status": status, "role": "assistant", "content": content}


def output_text(text: str, annotations: Iterable[msgspec.Raw], logprobs: list[Json]) -> Json:
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": logprobs}


def refusal(text: str) -> Json:
    return {"type": "refusal", "refusal": text}


def function_call(known: str, call: messages.ToolCall, arguments: str, *, status: str) -> Json:
    return {
        "id": known,
        "type": "function_call",
        "status": status,
        "call_id": call.id,
        "name": call.name,
        "arguments": arguments,
    }


def reasoning(known: str, part: messages.Reasoning, *, as_summary: bool) -> Json:
    """With `as_summary` what the model thought is given as the summary that the caller asked for."""
    summary, text = list(part.summary), part.text
    if as_summary and text:
        summary, text = [*summary, text], ""
    item: Json = {
        "id": known,
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": one} for one in summary],
    }
    if text:
        item["content"] = [{"type": "reasoning_text", "text": text}]
    encrypted = proof(part.signature, part.encrypted)
    if encrypted is not None:
        item["encrypted_content"] = encrypted
    return item


def logprobs_of(said: Iterable[messages.TokenLogprob] | None) -> list[Json]:
    return [
        {
            "token": one.token,
            "logprob": one.logprob,
            "bytes": list(one.bytes or ()),
            "top_logprobs": [
                {"token": top.token, "logprob": top.logprob, "bytes": list(top.bytes or ())}
                for top in one.top
            ],
        }
        for one in said or ()
    ]


def usage_of(usage: Usage) -> Json | None:
    """None where nothing is known."""
    if usage.provenance == "none":
        return None
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.cached,
            "cache_write_tokens": usage.cache_write + usage.cache_write_1h,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def ended(stop: messages.StopReason, raw: str | None) -> Json:
    """Status, and what it says of an answer that is not whole."""
    match stop:
        case "length":
            return {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
        case "content_filter":
            return {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
        case "error":
            error = {"code": "server_error", "message": f"The upstream stopped with {raw or 'no reason'}."}
            return {"status": "failed", "error": error}
        case _:
            return {"status": "completed"}


def asked(request: messages.Request, *, known: str, model: str, created: int) -> Json:
    """The response before anything is in it; what the caller left out has the API's documented default."""
    notes = request.notes
    reasoning_ = request.reasoning or messages.ReasoningConfig()
    return {
        "id": known,
        "object": "response",
        "created_at": created,
        "completed_at": None,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": notes.get("instructions"),
        "max_output_tokens": request.max_tokens,
        "max_tool_calls": notes.get("max_tool_calls"),
        "model": model,
        "output": [],
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "previous_response_id": notes.get("previous_response_id"),
        "prompt_cache_key": notes.get("prompt_cache_key"),
        "reasoning": {"effort": reasoning_.effort, "summary": reasoning_.summary},
        "safety_identifier": notes.get("safety_identifier"),
        "service_tier": request.service_tier or "default",
        "store": request.store is not False,
        "background": False,
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "text": _text(request),
        "tool_choice": _choice(request.tool_choice),
        "tools": [_tool(tool) for tool in request.tools],
        "top_logprobs": request.top_logprobs or 0,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "truncation": "disabled",
        "usage": None,
        "user": request.user,
        "metadata": request.metadata or {},
    }


def _text(request: messages.Request) -> Json:
    form = request.response_format
    format_: Json = {"type": "text" if form is None else form.type}
    if form is not None and form.type == "json_schema":
        format_ |= {
            "name": form.name,
            "description": form.description,
            "schema": form.schema,
            "strict": form.strict,
        }
    text: Json = {"format": format_}
    if request.verbosity is not None:
        text["verbosity"] = request.verbosity
    return text


def _choice(choice: messages.ToolChoice | None) -> object:
    if choice is None:
        return "auto"
    if choice.name is not None:
        return {"type": "function", "name": choice.name}
    if choice.allowed:
        tools = [{"type": "function", "name": name} for name in choice.allowed]
        return {"type": "allowed_tools", "mode": choice.mode, "tools": tools}
    return choice.mode


def _tool(tool: messages.Tool) -> Json:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": tool.strict,
    }
