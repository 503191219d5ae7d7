from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Completion

from noria.core import messages
from noria.core.usage import Usage
from noria.errors import RequestError, Unsupported
from noria.gateway.dialects.completions import CompletionsFront
from noria.gateway.dialects.openai import OpenAIBack

from .generated import examples, json_values, streamed

front = CompletionsFront()


def request(**said: Any) -> messages.Request:
    return front.request(json.dumps({"model": "m", "prompt": "Once", **said}).encode())


RESPONSE = messages.Response(
    id="x1",
    model="m",
    choices=(
        messages.Choice(
            message=messages.Message(
                role="assistant",
                parts=(
                    messages.Reasoning(text="hm"),
                    messages.Text(text="upon"),
                    messages.Text(text=" a time"),
                ),
            ),
            stop_reason="stop_sequence",
        ),
    ),
    usage=Usage(input=1, output=4, provenance="reported"),
)


def test_the_prompt_is_a_user_message() -> None:
    found = request(max_tokens=5, stop="\n", temperature=0)
    assert found.messages == (messages.Message(role="user", parts=(messages.Text(text="Once"),)),)
    assert (found.max_tokens, found.stop, found.temperature, found.extra) == (5, ("\n",), 0.0, {})
    assert request(prompt=["Once"]) == request()


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"echo": True}, "echo"),
        ({"logprobs": 5}, "logprobs"),
        ({"suffix": "."}, "suffix"),
        ({"best_of": 3}, "best_of"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
    ],
)
def test_what_only_raw_text_has_is_refused(said: dict[str, Any], param: str) -> None:
    with pytest.raises(Unsupported) as refusal:
        OpenAIBack().request(request(**said), model="m", options={})
    assert refusal.value.param == param


def test_harmless_values_are_not() -> None:
    assert request(echo=False, best_of=1, logprobs=None, suffix=None).extra == {}


def test_the_answer() -> None:
    body = front.response(RESPONSE, request())
    found = Completion.model_validate_json(body)
    assert found.choices[0].text == "upon a time"
    assert found.choices[0].finish_reason == "stop"
    assert found.usage is not None and found.usage.total_tokens == 5


def test_the_stream() -> None:
    encoder = front.encoder(request(stream=True, stream_options={"include_usage": True}))
    frames = b"".join(encoder.encode(event) for event in streamed(RESPONSE, [1])).split(b"\n\n")
    assert frames[-2:] == [b"data: [DONE]", b""]
    chunks = [json.loads(frame.removeprefix(b"data: ")) for frame in frames[:-2]]
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks if chunk["choices"]) == "upon a time"
    assert chunks[-1]["usage"]["total_tokens"] == 5 and not chunks[-1]["choices"]
    assert {chunk["id"] for chunk in chunks} == {"cmpl-x1"}


@given(st.dictionaries(st.sampled_from(["model", "prompt", "stop", "n", "echo"]), json_values))
@examples()
def test_only_request_errors_come_out(value: Any) -> None:
    try:
        front.request(json.dumps(value).encode())
    except RequestError:
        pass
