from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response as SdkResponse
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from noria.core import messages
from noria.core.usage import Usage
from noria.errors import InvalidRequest, RequestError, Unavailable, Unsupported
from noria.gateway.dialects.openai import OpenAIBack
from noria.gateway.dialects.responses import ResponsesFront, with_previous
from noria.gateway.dialects.usage import usage_of, usage_of_tail

from .generated import (
    arguments,
    counts,
    examples,
    json_values,
    logprobs,
    maybe,
    names,
    streamed,
    usages,
    words,
)

front = ResponsesFront()
events_of_sdk: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def asked(**said: Any) -> messages.Request:
    return front.request(json.dumps({"model": "m", "input": "hi", **said}).encode())


PARAMETERS = {"type": "object", "properties": {}}
EVERYTHING = {
    "model": "m",
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": "hi"},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": "data:image/png;base64,aGk=", "detail": "low"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}],
         "encrypted_content": "openai's own"},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary",
         "content": [{"type": "output_text", "text": "let me", "annotations": [], "logprobs": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "g", "arguments": '{"a": 1}'},
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "two"}]},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": PARAMETERS, "strict": True}],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    "parallel_tool_calls": False,
    "text": {"format": {"type": "json_schema", "name": "n", "schema": PARAMETERS}, "verbosity": "low"},
    "reasoning": {"effort": "high", "summary": "auto"},
    "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
    "max_output_tokens": 9,
    "temperature": 0.5,
    "top_p": 0.5,
    "top_logprobs": 3,
    "truncation": "disabled",
    "store": False,
    "metadata": {"a": "b"},
    "user": "u",
    "previous_response_id": "resp_0",
    "prompt_cache_key": "k",
    "service_tier": "flex",
}  # fmt: skip


def test_a_request() -> None:
    found = front.request(json.dumps(EVERYTHING).encode())
    assert [message.role for message in found.messages] == ["system", "user", "user", "assistant", "tool"]
    assert found.messages[3].parts == (
        messages.Reasoning(id="rs_1", summary=("hm",)),
        messages.Text(text="let me"),
        messages.ToolCall(id="c1", name="f", arguments="{}"),
        messages.ToolCall(id="c2", name="g", arguments='{"a": 1}'),
    )
    assert found.messages[3].id == "msg_1"
    assert [part.call_id for part in found.messages[4].parts if isinstance(part, messages.ToolResult)] == [
        "c1",
        "c2",
    ]
    assert found.tool_choice == messages.ToolChoice(mode="auto", allowed=("f",))
    assert found.response_format is not None and found.response_format.name == "n"
    assert found.reasoning == messages.ReasoningConfig(effort="high", summary="auto")
    assert (found.logprobs, found.top_logprobs, found.verbosity, found.max_tokens) == (True, 3, "low", 9)
    assert found.extra == {} and found.dialect == "responses"
    assert set(found.notes) == {"instructions", "previous_response_id", "prompt_cache_key"}


def test_it_reaches_a_chat_provider_whole() -> None:
    found = front.request(json.dumps(EVERYTHING).encode())
    sent = json.loads(OpenAIBack().request(found, model="x", options={}).body)
    assert [message["role"] for message in sent["messages"]] == [
        "system", "user", "user", "assistant", "tool", "tool",
    ]  # fmt: skip
    assert sent["messages"][3]["reasoning_content"] == "hm"
    assert sent["reasoning_effort"] == "high" and sent["prompt_cache_key"] == "k"
    assert "metadata" not in sent and "store" not in sent and "previous_response_id" not in sent


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"tools": [{"type": "custom", "name": "x"}]}, "tools"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice"),
        ({"truncation": "auto"}, "truncation"),
        ({"background": True}, "background"),
        ({"conversation": "c"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"reasoning": {"effort": "low", "mode": "pro"}}, "reasoning"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input"),
        ({"input": [{"type": "web_search_call", "id": "w", "action": {"type": "search"}}]}, "input"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]}, "input"),
    ],
)
def test_what_only_openai_does_is_refused_elsewhere(said: dict[str, Any], param: str) -> None:
    request = asked(**said)
    assert json.loads(bytes(request.extra[param])) == said[param]
    with pytest.raises(Unsupported) as refusal:
        OpenAIBack().request(request, model="m", options={})
    assert refusal.value.param == param


def test_what_asks_nothing_is_not() -> None:
    request = asked(truncation="disabled", background=False, conversation=None, max_tool_calls=3, include=[])
    assert request.extra == {}


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"input": 5}, "input"),
        ({"input": [{"content": "x"}]}, "input.role"),
        ({"input": [{"role": "user"}]}, "input.content"),
        ({"input": [{"type": "function_call", "call_id": "x"}]}, "input"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input.content.image_url"),
        ({"max_output_tokens": -1}, "max_output_tokens"),
    ],
)
def test_a_wrong_request_names_the_place(said: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        asked(**said)
    assert error.value.param == param


@given(st.dictionaries(st.sampled_from(["model", "input", "tools", "text", "reasoning"]), json_values))
@examples()
def test_only_request_errors_come_out(value: Any) -> None:
    try:
        front.request(json.dumps(value).encode())
    except RequestError:
        pass


def test_the_turns_before_come_first() -> None:
    fields = {"model": msgspec.Raw(b'"m"'), "input": msgspec.Raw(b'"and now?"')}
    before = [
        msgspec.Raw(b'{"type":"message","id":"msg_0","role":"user","content":[{"type":"input_text","text":"a"}]}'),
        msgspec.Raw(b'{"type":"message","id":"msg_1","role":"assistant","status":"completed",'
                    b'"content":[{"type":"output_text","text":"b","annotations":[]}]}'),
    ]  # fmt: skip
    found = front.request(with_previous(fields, before)).messages
    assert [(message.role, message.parts[0]) for message in found] == [
        ("user", messages.Text(text="a")),
        ("assistant", messages.Text(text="b")),
        ("user", messages.Text(text="and now?")),
    ]
    listed = {**fields, "input": msgspec.Raw(b'[{"role":"user","content":"and now?"}]')}
    assert front.request(with_previous(listed, before)).messages == found
    with pytest.raises(InvalidRequest):
        with_previous({"input": msgspec.Raw(b"5")}, before)


# answers


@st.composite
def responses(draw: st.DrawFn) -> messages.Response:
    thoughts = st.builds(
        messages.Reasoning, text=words, signature=maybe(words), encrypted=maybe(words)
    ) | st.builds(messages.Reasoning, encrypted=words)
    said = st.builds(messages.Text, text=words) | st.builds(messages.Refusal, text=words)
    called = st.builds(messages.ToolCall, id=names, name=names, arguments=arguments)
    parts = tuple(draw(st.lists(st.one_of(thoughts, said, called), max_size=4)))
    stop = draw(st.sampled_from(["stop", "length", "tool_calls", "content_filter", "pause"]))
    choice = messages.Choice(
        message=messages.Message(role="assistant", parts=parts),
        stop_reason=stop,
        logprobs=draw(maybe(logprobs)) if any(isinstance(part, messages.Text) for part in parts) else None,
    )
    return messages.Response(
        id="chatcmpl-1",
        model=draw(words),
        choices=(choice,),
        usage=draw(usages(hours=False, audio=False)),
        created=draw(st.integers(1, 100_000)),
        service_tier=draw(st.sampled_from([None, "default", "priority"])),
    )


requests = st.builds(
    lambda summary, tools, temperature, limit: asked(
        reasoning={"summary": summary},
        tools=[{"type": "function", "name": "f", "parameters": PARAMETERS, "strict": None}] if tools else [],
        temperature=temperature,
        max_output_tokens=limit,
    ),
    st.sampled_from([None, "auto"]),
    st.booleans(),
    maybe(st.just(0.5)),
    maybe(counts),
)


@given(responses(), requests)
@examples(40)
def test_what_was_answered_can_be_sent_back(response: messages.Response, request: messages.Request) -> None:
    body = front.response(response, request)
    SdkResponse.model_validate_json(body)
    found = json.loads(body)
    again = front.request(json.dumps({"model": "m", "input": found["output"]}).encode())
    assert again.extra == {}
    parts = again.messages[0].parts if again.messages else ()
    said = response.choices[0].message.parts
    bare = [
        msgspec.structs.replace(part, id=None) if isinstance(part, messages.Reasoning) else part
        for part in parts
    ]
    if request.reasoning is None or all(
        part.signature is not None for part in said if isinstance(part, messages.Reasoning) and part.text
    ):
        assert tuple(bare) == said
    usage = usage_of("responses", body)
    assert usage == response.usage


def without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: without_ids(one)
            for name, one in value.items()
            if name not in ("id", "item_id", "completed_at", "logprobs")
        }
    return [without_ids(one) for one in value] if isinstance(value, list) else value


@given(responses(), requests, st.lists(st.integers(0, 9999), max_size=4))
@examples(40)
def test_a_stream_ends_in_the_same_response(
    response: messages.Response, request: messages.Request, cuts: list[int]
) -> None:
    encoder = front.encoder(request)
    events = streamed(response, cuts)
    events[0] = messages.Start(
        id=response.id, model=response.model, created=response.created, service_tier=response.service_tier
    )
    frames = [encoder.encode(event) for event in events]
    found = []
    for frame in b"".join(frames).split(b"\n\n")[:-1]:
        name, data = frame.split(b"\n")
        payload = data.removeprefix(b"data: ")
        events_of_sdk.validate_json(payload)
        found.append(json.loads(payload))
        assert name == b"event: " + found[-1]["type"].encode()
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert [event["type"] for event in found[:2]] == ["response.created", "response.in_progress"]
    assert without_ids(found[-1]["response"]) == without_ids(json.loads(front.response(response, request)))
    assert frames[-1].count(b"event: ") == 1
    assert usage_of_tail("responses", frames[-1]) == response.usage
    check_lifecycle(found)


def check_lifecycle(found: list[dict[str, Any]]) -> None:
    """Every item and part begins and ends once, and its deltas are its text."""
    items: dict[int, Any] = {}
    texts: dict[tuple[int, int], str] = {}
    for event in found:
        place = (event.get("output_index", -1), event.get("content_index", event.get("summary_index", -1)))
        match event["type"].removeprefix("response."):
            case "output_item.added":
                assert event["output_index"] == len(items)
                items[event["output_index"]] = event["item"]
            case "output_item.done":
                assert items[event["output_index"]]["id"] == event["item"]["id"]
            case "content_part.added" | "reasoning_summary_part.added":
                assert place not in texts
                texts[place] = ""
            case kind if kind.endswith(".delta"):
                assert event["item_id"] == items[event["output_index"]]["id"]
                texts[place] = texts.get(place, "") + event["delta"]
            case kind if kind.endswith(("text.done", "refusal.done", "arguments.done")):
                whole = event.get("text", event.get("refusal", event.get("arguments")))
                assert texts.get(place, "") == whole


def test_line_ends_in_a_schema_do_not_break_frames() -> None:
    body = (
        b'{"model": "m", "input": "x", "tools": [{"type": "function", "name": "f", "parameters": {\n\r\n}}]}'
    )
    encoder = front.encoder(front.request(body))
    frame = encoder.encode(messages.Start(id="x", model="m"))
    assert frame.count(b"\n") == 6


@pytest.mark.parametrize(
    ("stop", "status", "reason"),
    [("length", "incomplete", "max_output_tokens"), ("content_filter", "incomplete", "content_filter"),
     ("stop", "completed", None), ("error", "failed", None)],
)  # fmt: skip
def test_status(stop: Any, status: str, reason: str | None) -> None:
    choice = messages.Choice(message=messages.Message(role="assistant", parts=()), stop_reason=stop)
    response = messages.Response(id="x", model="m", choices=(choice,), usage=Usage())
    found = SdkResponse.model_validate_json(front.response(response, asked()))
    assert found.status == status
    assert (found.incomplete_details.reason if found.incomplete_details else None) == reason


def test_a_failed_stream_says_so() -> None:
    frame = front.stream_error(Unavailable("Full."))
    assert frame.startswith(b"event: error\ndata: ")
    events_of_sdk.validate_json(frame.partition(b"data: ")[2])
