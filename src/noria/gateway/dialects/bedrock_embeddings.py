"""Embeddings through Bedrock's InvokeModel: Amazon Titan and Cohere, each with its own body.

Source: Amazon Bedrock user guide, "Amazon Titan Text Embeddings" and "Cohere Embed".
"""

from __future__ import annotations

import msgspec

from noria.core import messages
from noria.core.usage import NO_USAGE, Usage
from noria.errors import InvalidRequest, UpstreamError
from noria.gateway.dialects.bedrock_families import family_of
from noria.gateway.dialects.dialect import Options
from noria.gateway.dialects.refusals import unsupported

Json = dict[str, object]
Vectors = tuple[tuple[float, ...], ...]


class _ByType(msgspec.Struct, frozen=True):
    float: Vectors = ()


class _Answer(msgspec.Struct, frozen=True):
    embedding: tuple[float, ...] | None = None
    input_text_token_count: int | None = msgspec.field(name="inputTextTokenCount", default=None)
    embeddings: Vectors | _ByType = ()


_answer = msgspec.json.Decoder(_Answer)


def encode(request: messages.EmbeddingsRequest, *, model: str, options: Options) -> Json:
    """The body of InvokeModel. Raises Unsupported with `param`."""
    texts: list[str] = []
    for item in request.inputs:
        if not isinstance(item, str):
            raise unsupported("Bedrock", "input as token ids", "input")
        texts.append(item)
    family = family_of(model, options)
    if family == "titan":
        return _titan(request, texts, model=model)
    if family == "cohere":
        return _cohere(request, texts, options=options)
    raise unsupported("Bedrock", f"embeddings of {model}, only those of Titan and Cohere models", "model")


def _titan(request: messages.EmbeddingsRequest, texts: list[str], *, model: str) -> Json:
    for name in request.extra:
        raise unsupported("Bedrock", name, name)
    if len(texts) != 1:
        raise unsupported("Titan", "more than one text in a call", "input")
    body: Json = {"inputText": texts[0]}
    if request.dimensions is not None:
        if "text-v1" in model:
            raise unsupported("Titan G1", "the number of dimensions", "dimensions")
        body["dimensions"] = request.dimensions
    return body


def _cohere(request: messages.EmbeddingsRequest, texts: list[str], *, options: Options) -> Json:
    for name in request.extra:
        if name != "input_type":
            raise unsupported("Bedrock", name, name)
    input_type: object = request.extra.get("input_type") or options.get("input_type")
    if input_type is None:
        raise InvalidRequest(
            "Cohere needs to know what the texts are for: send input_type ('search_document', "
            "'search_query', 'classification' or 'clustering'), or set it in the provider's options.",
            param="input_type",
        )
    body: Json = {"texts": texts, "input_type": input_type, "embedding_types": ["float"]}
    if request.dimensions is not None:
        body["output_dimension"] = request.dimensions
    return body


def decode(body: bytes, *, model: str) -> messages.EmbeddingsResponse:
    """Usage has no provenance for Cohere, which reports none in its body."""
    try:
        answer = _answer.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UpstreamError(
            f"The embeddings are not in Bedrock's form: {error}", kind="server", body=body[:65536]
        ) from None
    found = answer.embeddings.float if isinstance(answer.embeddings, _ByType) else answer.embeddings
    vectors = (answer.embedding,) if answer.embedding is not None else found
    if not vectors:
        raise UpstreamError("The answer holds no embedding.", kind="server", body=body[:65536])
    usage = NO_USAGE
    if answer.input_text_token_count is not None:
        usage = Usage(input=answer.input_text_token_count, provenance="reported")
    return messages.EmbeddingsResponse(model=model, vectors=vectors, usage=usage)
