"""The Vertex AI back: Gemini's bodies at Google Cloud's paths."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from noria.core import messages as m
from noria.core.usage import NO_USAGE, Usage
from noria.errors import ConfigError, Unsupported, UpstreamError
from noria.gateway.dialects.gemini import GeminiBack
from noria.gateway.dialects.vertex import VertexBack

BACK = VertexBack()
PLACE = {"project": "my-project", "location": "europe-west4"}
GOOGLE = "/projects/my-project/locations/europe-west4/publishers/google/models"


def ask(**fields: Any) -> m.Request:
    turn = m.Message(role="user", parts=(m.Text(text="Hello"),))
    return m.Request(model="public", messages=(turn,), **fields)


def test_paths_and_bodies() -> None:
    request = ask(temperature=0.5, reasoning=m.ReasoningConfig(effort="low"))
    prepared = BACK.request(request, model="gemini-2.5-pro", options=PLACE)
    assert prepared.path == f"{GOOGLE}/gemini-2.5-pro:generateContent"
    assert prepared.body == GeminiBack().request(request, model="gemini-2.5-pro", options={}).body
    streamed = BACK.request(ask(stream=True), model="gemini-2.5-pro", options=PLACE)
    assert streamed.path == f"{GOOGLE}/gemini-2.5-pro:streamGenerateContent?alt=sse"
    other = BACK.request(ask(), model="acme/model@001", options=PLACE)
    assert other.path.endswith("/publishers/acme/models/model@001:generateContent")


@pytest.mark.parametrize("missing", ["project", "location"])
def test_project_and_location_are_needed(missing: str) -> None:
    options = {name: value for name, value in PLACE.items() if name != missing}
    with pytest.raises(ConfigError, match=missing):
        BACK.request(ask(), model="gemini-2.5-pro", options=options)


@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("service_tier", "flex", "service_tier"),
        ("min_p", 0.5, "min_p"),
        ("logit_bias", {"1": 1.0}, "logit_bias"),
        ("verbosity", "low", "verbosity"),
        ("extra", {"x": msgspec.Raw(b"1")}, "x"),
    ],
)
def test_what_vertex_cannot_express_is_refused(field: str, value: Any, param: str) -> None:
    with pytest.raises(Unsupported) as caught:
        BACK.request(ask(**{field: value}), model="gemini-2.5-pro", options=PLACE)
    assert caught.value.param == param


def test_a_files_name_travels() -> None:
    file = m.File(data="aGk=", media_type="application/pdf", name="q3.pdf")
    request = m.Request(model="public", messages=(m.Message(role="user", parts=(file,)),))
    body = json.loads(BACK.request(request, model="gemini-2.5-pro", options=PLACE).body)
    expected = {"mimeType": "application/pdf", "data": "aGk=", "displayName": "q3.pdf"}
    assert body["contents"][0]["parts"] == [{"inlineData": expected}]


def test_answers_are_geminis() -> None:
    answer = b'{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}],"responseId":"r"}'
    assert BACK.response(answer) == GeminiBack().response(answer)
    decoder = BACK.decoder()
    events = decoder.feed(b"data: " + answer + b"\n\n") + decoder.close()
    assert events[1:] == [
        m.PartStart(index=0, part=m.Text(text="")),
        m.Delta(index=0, text="Hi"),
        m.PartEnd(index=0),
        m.Stop(stop_reason="stop", raw_stop_reason="STOP"),
        m.Finish(usage=NO_USAGE),
    ]
    error = BACK.error(403, b'{"error":{"message":"No."}}', retry_after=None)
    assert (error.kind, error.message) == ("auth", "Vertex AI answered 403: No.")


def test_counting_tokens() -> None:
    request = ask(tools=(m.Tool(name="f"),), tool_choice=m.ToolChoice(mode="auto"))
    counted = BACK.count_request(request, model="gemini-2.5-pro", options=PLACE)
    assert counted.path == f"{GOOGLE}/gemini-2.5-pro:countTokens"
    assert json.loads(counted.body).keys() == {"contents", "tools"}
    assert BACK.count_response(b'{"totalTokens":9,"totalBillableCharacters":5}') == 9
    with pytest.raises(UpstreamError):
        BACK.count_response(b"{}")


def test_embeddings() -> None:
    request = m.EmbeddingsRequest(model="public", inputs=("a", "b"), dimensions=2)
    text = BACK.embeddings(request, model="text-embedding-005", options=PLACE)
    assert text.path == f"{GOOGLE}/text-embedding-005:predict"
    assert json.loads(text.body) == {
        "instances": [{"content": "a"}, {"content": "b"}],
        "parameters": {"outputDimensionality": 2},
    }
    predictions = [
        {"embeddings": {"values": [i, 2], "statistics": {"token_count": 3.0, "truncated": False}}}
        for i in (1, 5)
    ]
    answer = BACK.embeddings_response(json.dumps({"predictions": predictions}).encode(), model="e")
    assert answer.vectors == ((1.0, 2.0), (5.0, 2.0))
    assert answer.usage == Usage(input=6, provenance="reported")

    gemini = BACK.embeddings(request, model="gemini-embedding-2", options=PLACE)
    assert gemini.path == f"{GOOGLE}/gemini-embedding-2:batchEmbedContents"
    assert json.loads(gemini.body)["requests"][1] == {
        "content": {"role": "user", "parts": [{"text": "b"}]},
        "embedContentConfig": {"outputDimensionality": 2},
    }
    one = BACK.embeddings(
        m.EmbeddingsRequest(model="public", inputs=("a",)), model="gemini-embedding-2", options=PLACE
    )
    assert one.path == f"{GOOGLE}/gemini-embedding-2:embedContent"
    assert json.loads(one.body) == {"content": {"role": "user", "parts": [{"text": "a"}]}}
    single = BACK.embeddings_response(b'{"embedding":{"values":[1]},"truncated":false}', model="e")
    assert single.vectors == ((1.0,),)
    body = b'{"embeddings":[{"values":[1]}],"usageMetadata":{"promptTokenCount":4}}'
    assert BACK.embeddings_response(body, model="e").usage == Usage(input=4, provenance="reported")
