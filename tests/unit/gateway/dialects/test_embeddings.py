from __future__ import annotations

import json
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CreateEmbeddingResponse

from noria.core import messages
from noria.core.usage import Usage
from noria.errors import InvalidRequest, RequestError, Unsupported, UpstreamError
from noria.gateway.dialects.embeddings import EmbeddingsFront
from noria.gateway.dialects.openai import OpenAIBack

from .generated import examples, json_values, maybe, words

front, back = EmbeddingsFront(), OpenAIBack()
tokens = st.lists(st.integers(0, 9), min_size=1, max_size=3).map(tuple)
requests = st.builds(
    messages.EmbeddingsRequest,
    model=words,
    inputs=st.lists(st.one_of(words, tokens), min_size=1, max_size=3).map(tuple),
    dimensions=maybe(st.integers(1, 9)),
    encoding_format=st.sampled_from(["float", "base64"]),
    user=maybe(words),
)
floats = st.floats(-1e6, 1e6, width=32)
vectors = st.lists(st.lists(floats, min_size=1, max_size=4).map(tuple), min_size=1, max_size=3).map(tuple)


@given(requests)
@examples()
def test_a_request_comes_back(request: messages.EmbeddingsRequest) -> None:
    prepared = back.embeddings(request, model=request.model, options={})
    assert prepared.path == "/embeddings"
    assert front.decode(prepared.body) == request


@given(vectors, st.sampled_from(["float", "base64"]))
@examples()
def test_vectors_come_back(found: tuple[tuple[float, ...], ...], encoding: Any) -> None:
    request = messages.EmbeddingsRequest(model="m", inputs=("x",), encoding_format=encoding)
    usage = Usage(input=3, provenance="reported")
    response = messages.EmbeddingsResponse(model="m", vectors=found, usage=usage)
    body = front.encode(response, request)
    assert back.embeddings_response(body, model="m") == response
    if encoding == "float":
        CreateEmbeddingResponse.model_validate_json(body)


def test_rows_are_put_in_order() -> None:
    rows = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]
    assert back.embeddings_response(json.dumps({"data": rows}).encode(), model="m").vectors == (
        (1.0,),
        (2.0,),
    )


def test_base64_is_little_endian_float32() -> None:
    body = json.dumps({"data": [{"index": 0, "embedding": "AACAPw=="}]}).encode()
    assert back.embeddings_response(body, model="m").vectors == ((1.0,),)
    assert array("f", [1.0]).itemsize == 4


@pytest.mark.parametrize("value", [[], [1, "x"], 5, [[-1]], {}, None])
def test_wrong_input(value: Any) -> None:
    with pytest.raises(InvalidRequest) as error:
        front.decode(json.dumps({"model": "m", "input": value}).encode())
    assert error.value.param is not None and error.value.param.startswith("input")


@given(st.dictionaries(st.sampled_from(["model", "input", "dimensions"]), json_values))
@examples()
def test_only_request_errors_come_out(value: Any) -> None:
    try:
        front.decode(json.dumps(value).encode())
    except RequestError:
        pass


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"data": [{"index": 0, "embedding": "!"}]}',
        b'{"data": [{"index": 0, "embedding": "AAA="}]}',
    ],
)
def test_nonsense_is_the_upstreams_fault(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        back.embeddings_response(body, model="m")


def test_embeddings_are_not_streamed() -> None:
    with pytest.raises(Unsupported):
        front.encoder(messages.Request(model="m", messages=()))


def test_texts_bound_the_cost() -> None:
    request = front.request(b'{"model": "m", "input": ["a", [1, 2]]}')
    assert len(request.messages) == 2 and request.max_tokens == 0
