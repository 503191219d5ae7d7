"""Embeddings of Gemini and of Vertex AI, in the three forms that they have.

Source: https://ai.google.dev/api/embeddings; Vertex AI reference of models.predict for text embeddings.
"""

from __future__ import annotations

import msgspec

from noria.core import messages
from noria.core.usage import NO_USAGE, Usage
from noria.errors import UpstreamError
from noria.gateway.dialects.refusals import unsupported

Json = dict[str, object]


class _Statistics(msgspec.Struct, frozen=True):
    token_count: float | None = None


class _Vector(msgspec.Struct, frozen=True):
    values: tuple[float, ...]
    statistics: _Statistics = _Statistics()


class _Prediction(msgspec.Struct, frozen=True):
    embeddings: _Vector


class _UsageMetadata(msgspec.Struct, rename="camel", frozen=True):
    prompt_token_count: int | None = None


class _Answer(msgspec.Struct, frozen=True):
    embeddings: tuple[_Vector, ...] = ()
    embedding: _Vector | None = None
    predictions: tuple[_Prediction, ...] = ()
    usage_metadata: _UsageMetadata = msgspec.field(name="usageMetadata", default=_UsageMetadata())


_answer = msgspec.json.Decoder(_Answer)


def texts(request: messages.EmbeddingsRequest, dialect: str) -> list[str]:
    """The inputs; Unsupported for lists of token ids and for extras."""
    for name in request.extra:
        raise unsupported(dialect, name, name)
    found: list[str] = []
    for item in request.inputs:
        if not isinstance(item, str):
            raise unsupported(dialect, "input as token ids", "input")
        found.append(item)
    return found


def batch(request: messages.EmbeddingsRequest, *, resource: str) -> Json:
    """batchEmbedContents of the Gemini API; `resource` is "models/…"."""
    requests: list[Json] = []
    for text in texts(request, "Gemini"):
        one: Json = {"model": resource, "content": {"parts": [{"text": text}]}}
        if request.dimensions is not None:
            one["outputDimensionality"] = request.dimensions
        requests.append(one)
    return {"requests": requests}


def vertex(request: messages.EmbeddingsRequest) -> tuple[str, Json]:
    """Method and body of Vertex AI for Gemini models: embedContent, batchEmbedContents for several texts."""
    bodies: list[Json] = []
    for text in texts(request, "Vertex AI"):
        one: Json = {"content": {"role": "user", "parts": [{"text": text}]}}
        if request.dimensions is not None:
            one["embedContentConfig"] = {"outputDimensionality": request.dimensions}
        bodies.append(one)
    return ("embedContent", bodies[0]) if len(bodies) == 1 else ("batchEmbedContents", {"requests": bodies})


def predict(request: messages.EmbeddingsRequest) -> Json:
    """predict of Vertex AI, for text-embedding models."""
    body: Json = {"instances": [{"content": text} for text in texts(request, "Vertex AI")]}
    if request.dimensions is not None:
        body["parameters"] = {"outputDimensionality": request.dimensions}
    return body


def decode(body: bytes, *, model: str) -> messages.EmbeddingsResponse:
    """Any of the three answers. Usage has no provenance where none was reported (the Gemini API)."""
    try:
        answer = _answer.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UpstreamError(
            f"The embeddings are not in Google's form: {error}", kind="server", body=body[:65536]
        ) from None
    vectors = answer.embeddings or tuple(p.embeddings for p in answer.predictions)
    if answer.embedding is not None:
        vectors = (answer.embedding,)
    if not vectors:
        raise UpstreamError("The answer holds no embedding.", kind="server", body=body[:65536])
    return messages.EmbeddingsResponse(
        model=model, vectors=tuple(vector.values for vector in vectors), usage=_usage(answer, vectors)
    )


def _usage(answer: _Answer, vectors: tuple[_Vector, ...]) -> Usage:
    total = answer.usage_metadata.prompt_token_count
    if total is None:
        counts = [vector.statistics.token_count for vector in vectors]
        if any(count is None for count in counts):
            return NO_USAGE
        total = round(sum(count for count in counts if count is not None))
    return Usage(input=total, provenance="reported")
