"""The back "gemini": Google's Gemini API (generativelanguage.googleapis.com).

The provider's base_url ends in the API version, such as
https://generativelanguage.googleapis.com/v1beta; its auth is "x-goog-api-key".
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from noria.core import messages
from noria.errors import Unsupported, UpstreamError
from noria.gateway.dialects import gemini_embeddings, gemini_response
from noria.gateway.dialects.dialect import Options, Prepared, StreamDecoder
from noria.gateway.dialects.gemini_request import generate_content
from noria.gateway.dialects.gemini_stream import GeminiStream
from noria.gateway.dialects.google_errors import upstream_error

_encode = msgspec.json.Encoder().encode


class _Count(msgspec.Struct, rename="camel", frozen=True):
    total_tokens: int


_count = msgspec.json.Decoder(_Count)


class GeminiBack:
    """dialect.Back and dialect.CountsTokens. No front speaks Gemini, so nothing passes through."""

    name = "gemini"

    def passes(self, front: str, options: Options) -> bool:
        return False

    def path(self, front: str, *, model: str, stream: bool, options: Options) -> str:
        raise Unsupported(f"Gemini does not take the bodies of {front}; they are translated.")

    def headers(self, front: str, *, options: Options) -> dict[str, str]:
        return {}

    def request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
        body = generate_content(request, model=model, options=options, vertex=False)
        return Prepared(path=f"/{_resource(model)}:{method}", body=_encode(body))

    def response(self, body: bytes) -> messages.Response:
        return gemini_response.decode(body)

    def decoder(self) -> StreamDecoder:
        return GeminiStream()

    def embeddings(self, request: messages.EmbeddingsRequest, *, model: str, options: Options) -> Prepared:
        resource = _resource(model)
        body = gemini_embeddings.batch(request, resource=resource)
        return Prepared(path=f"/{resource}:batchEmbedContents", body=_encode(body))

    def embeddings_response(self, body: bytes, *, model: str) -> messages.EmbeddingsResponse:
        return gemini_embeddings.decode(body, model=model)

    def error(self, status: int, body: bytes, *, retry_after: float | None) -> UpstreamError:
        return upstream_error("Gemini", status, body, retry_after=retry_after)

    def count_request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        resource = _resource(model)
        # The Gemini API counts tools and instructions only inside a whole request.
        body = {
            "generateContentRequest": {
                "model": resource,
                **generate_content(request, model=model, options=options, vertex=False),
            }
        }
        return Prepared(path=f"/{resource}:countTokens", body=_encode(body))

    def count_response(self, body: bytes) -> int:
        return decode_count(body)


def decode_count(body: bytes) -> int:
    """`totalTokens` of a countTokens answer."""
    try:
        return _count.decode(body).total_tokens
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UpstreamError(
            f"The token count is not in Google's form: {error}", kind="server", body=body[:65536]
        ) from None


def _resource(model: str) -> str:
    """A bare name is a base model; "tunedModels/…" and "models/…" are taken as they are."""
    return quote(model if "/" in model else f"models/{model}", safe="/:@")
