"""The mock's OpenAI responses."""

from __future__ import annotations

from typing import Any

import msgspec

from noria.testing.answer import (
    Ask,
    Call,
    Frame,
    Json,
    Said,
    Tool,
    arguments,
    count_tokens,
    fragments,
    tokens,
)
from noria.testing.frames import event_frame
from noria.testing.wire_chat import error_body, forced, token_logprob

_ECHOED: dict[str, Any] = {
    "background": False,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


class ResponsesWire:
    name, prefix, media = "responses", "resp_", "text/event-stream"

    def ask(self, body: Json, model: str, *, stream: bool) -> Ask:
        form = (body.get("text") or {}).get("format") or {}
        wanted = "message.output_text.logprobs" in (body.get("include") or ())
        return Ask(
            model=body.get("model") or "mock",
            stream=bool(body.get("stream")),
            input=count_tokens([body.get("instructions"), body.get("input"), body.get("tools")]),
            limit=body.get("max_output_tokens"),
            tools=tuple(
                Tool(one["name"], one.get("parameters") or {})
                for one in body.get("tools") or ()
                if one.get("type") == "function"
            ),
            force=forced(body.get("tool_choice")),
            schema=form.get("schema", {}) if form.get("type") == "json_schema" else None,
            logprobs=(body.get("top_logprobs") or 0) if wanted else -1,
            body=body,
        )

    def whole(self, ask: Ask, said: Said) -> Json:
        return response(ask, said, output=items(ask, said))

    def frames(self, ask: Ask, said: Said) -> list[Frame]:
        return _Stream(ask, said).frames()

    def error(self, status: int, message: str) -> Json:
        return error_body(status, message)

    def error_frame(self, status: int, message: str) -> bytes:
        code = error_body(status, message)["error"]["code"] or "server_error"
        value = {"type": "error", "sequence_number": 0, "code": code, "message": message, "param": None}
        return event_frame(value).data


def response(ask: Ask, said: Said, *, output: list[Json], status: str = "") -> Json:
    """The response object; without a status, ended as it was said."""
    body = ask.body
    reasoning = body.get("reasoning") or {}
    text = body.get("text") or {}
    ended = "incomplete" if said.stop == "length" else "completed"
    found: Json = {
        "id": ResponsesWire.prefix + said.id,
        "object": "response",
        "created_at": said.created,
        "status": status or ended,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"}
        if not status and ended == "incomplete"
        else None,
        "model": ask.model,
        "output": output,
        **{name: default if body.get(name) is None else body[name] for name, default in _ECHOED.items()},
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "service_tier": "default",
        "text": {
            "format": text.get("format") or {"type": "text"},
            "verbosity": text.get("verbosity") or "medium",
        },
        "usage": None,
        "completed_at": None,
    }
    found["tools"] = [_whole_tool(tool) for tool in found["tools"]]
    if not status:
        found["completed_at"] = said.created
        found["usage"] = usage(said) if said.usage else None
    return found


def _whole_tool(tool: Json) -> Json:
    if tool.get("type") != "function":
        return tool
    return {"description": None, "strict": True, "parameters": None, **tool}


def items(ask: Ask, said: Said) -> list[Json]:
    """The output: reasoning, message, calls."""
    found: list[Json] = []
    if said.reasoning:
        found.append(_reasoning(said))
    if said.pieces or said.refusal or not said.calls:
        found.append(_message(said, [_part(ask, said)], status="completed"))
    return found + [_call(call, arguments(call), status="completed") for call in said.calls]


def usage(said: Said) -> Json:
    return {
        "input_tokens": said.input,
        "input_tokens_details": {"cached_tokens": said.cached, "cache_write_tokens": said.cache_write},
        "output_tokens": said.output,
        "output_tokens_details": {"reasoning_tokens": said.reasoned},
        "total_tokens": said.input + said.output,
    }


def _reasoning(said: Said) -> Json:
    text = "".join(said.reasoning)
    summary = [{"type": "summary_text", "text": text}]
    return {"id": f"rs_{said.id}", "type": "reasoning", "summary": summary}


def _message(said: Said, content: list[Json], *, status: str) -> Json:
    return {
        "id": f"msg_{said.id}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    }


def _part(ask: Ask, said: Said) -> Json:
    if said.refusal:
        return {"type": "refusal", "refusal": said.refusal}
    return {
        "type": "output_text",
        "text": said.text,
        "annotations": [],
        "logprobs": _logprobs(ask, said.text),
    }


def _logprobs(ask: Ask, text: str) -> list[Json]:
    return [] if ask.logprobs < 0 else [token_logprob(piece, ask.logprobs) for piece in tokens(text)]


def _call(call: Call, text: str, *, status: str) -> Json:
    return {
        "id": call.id.replace("call_", "fc_"),
        "type": "function_call",
        "call_id": call.id,
        "name": call.name,
        "arguments": text,
        "status": status,
    }


class _Stream:
    """Builds the events, which are numbered."""

    def __init__(self, ask: Ask, said: Said) -> None:
        self._ask = ask
        self._said = said
        self._found: list[Frame] = []
        self._index = 0

    def frames(self) -> list[Frame]:
        ask, said = self._ask, self._said
        started = response(ask, said, output=[], status="in_progress")
        self._put("response.created", response=started)
        self._put("response.in_progress", response=started)
        if said.reasoning:
            self._reason()
        if said.pieces or said.refusal or not said.calls:
            self._speak()
        for call in said.calls:
            self._use(call)
        ended = response(ask, said, output=items(ask, said))
        self._put(f"response.{ended['status']}", response=ended)
        return self._found

    def _put(self, kind: str, *, count: int = 0, **fields: Any) -> None:
        value = {"type": kind, "sequence_number": len(self._found), **fields}
        self._found.append(event_frame(value, tokens=count))

    def _added(self, item: Json) -> None:
        self._put("response.output_item.added", output_index=self._index, item=item)

    def _done(self, item: Json) -> None:
        self._put("response.output_item.done", output_index=self._index, item=item)
        self._index += 1

    def _reason(self) -> None:
        item = _reasoning(self._said)
        at = {"item_id": item["id"], "output_index": self._index, "summary_index": 0}
        text = item["summary"][0]["text"]
        self._added({**item, "summary": []})
        self._put("response.reasoning_summary_part.added", **at, part={"type": "summary_text", "text": ""})
        for piece in self._said.reasoning:
            self._put("response.reasoning_summary_text.delta", count=1, **at, delta=piece)
        self._put("response.reasoning_summary_text.done", **at, text=text)
        self._put("response.reasoning_summary_part.done", **at, part=item["summary"][0])
        self._done(item)

    def _speak(self) -> None:
        ask, said = self._ask, self._said
        part = _part(ask, said)
        item = _message(said, [part], status="completed")
        at = {"item_id": item["id"], "output_index": self._index, "content_index": 0}
        self._added(_message(said, [], status="in_progress"))
        empty = (
            {**part, "refusal": ""}
            if said.refusal
            else {**part, "text": "", "logprobs": [], "annotations": []}
        )
        self._put("response.content_part.added", **at, part=empty)
        if said.refusal:
            for piece in tokens(said.refusal):
                self._put("response.refusal.delta", count=1, **at, delta=piece)
            self._put("response.refusal.done", **at, refusal=said.refusal)
        else:
            for piece in said.pieces:
                logprobs = _logprobs(ask, piece)
                count = len(tokens(piece))
                self._put("response.output_text.delta", count=count, **at, delta=piece, logprobs=logprobs)
            self._put("response.output_text.done", **at, text=said.text, logprobs=_logprobs(ask, said.text))
        self._put("response.content_part.done", **at, part=part)
        self._done(item)

    def _use(self, call: Call) -> None:
        item = _call(call, arguments(call), status="completed")
        at = {"item_id": item["id"], "output_index": self._index}
        self._added(_call(call, "", status="in_progress"))
        for piece in fragments(arguments(call)):
            self._put("response.function_call_arguments.delta", count=1, **at, delta=piece)
        self._put("response.function_call_arguments.done", **at, name=call.name, arguments=arguments(call))
        self._done(item)


def input_items(ask: Ask, said: Said) -> list[Json]:
    """The request's input as items, which have ids."""
    given = ask.body.get("input") or ""
    if isinstance(given, str):
        given = [{"role": "user", "content": [{"type": "input_text", "text": given}]}]
    return [
        {"id": f"msg_{said.id}{number:02d}", "type": "message", "status": "completed", **item}
        for number, item in enumerate(msgspec.to_builtins(given))
    ]
