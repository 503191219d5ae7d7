"""The dialect "anthropic": messages, as callers and as providers speak it.

Options of a provider: `anthropic_version` (2023-06-01), `anthropic_beta` (sent as it is), `max_tokens` (for
requests that say none, 4096). A body that passes should go up with the caller's own version: let the provider
forward the headers `anthropic-version` and `anthropic-beta`.
"""

from __future__ import annotations

import msgspec

from noria.core import messages
from noria.errors import RequestError, Unsupported, UpstreamError
from noria.gateway.dialects import (
    anthropic_error,
    anthropic_request,
    anthropic_response,
    anthropic_upstream,
)
from noria.gateway.dialects.anthropic_stream import AnthropicDecoder, AnthropicEncoder
from noria.gateway.dialects.dialect import Options, Prepared, StreamDecoder, StreamEncoder
from noria.gateway.dialects.sse import named_frame

_PATH = "/messages"


class _Count(msgspec.Struct):
    input_tokens: int


_count = msgspec.json.Decoder(_Count)


class AnthropicFront:
    """dialect.Front."""

    name = "anthropic"
    operation = "chat"

    def request(self, body: bytes) -> messages.Request:
        return anthropic_request.decode(body)

    def response(self, response: messages.Response, request: messages.Request) -> bytes:
        return anthropic_response.encode(response)

    def encoder(self, request: messages.Request) -> StreamEncoder:
        return AnthropicEncoder()

    def error(self, error: RequestError) -> bytes:
        return anthropic_error.body_of(error)

    def stream_error(self, error: RequestError) -> bytes:
        return named_frame("error", anthropic_error.body_of(error))


class AnthropicBack:
    """dialect.Back and dialect.CountsTokens."""

    name = "anthropic"

    def passes(self, front: str, options: Options) -> bool:
        return front == "anthropic"

    def path(self, front: str, *, model: str, stream: bool, options: Options) -> str:
        return _PATH

    def headers(self, front: str, *, options: Options) -> dict[str, str]:
        headers = {"anthropic-version": anthropic_upstream.version(options)}
        if "anthropic_beta" in options:
            headers["anthropic-beta"] = options["anthropic_beta"]
        return headers

    def request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        body = anthropic_upstream.encode(request, model=model, options=options)
        return Prepared(path=_PATH, body=body, headers=self.headers("anthropic", options=options))

    def response(self, body: bytes) -> messages.Response:
        return anthropic_response.decode(body)

    def decoder(self) -> StreamDecoder:
        return AnthropicDecoder()

    def embeddings(self, request: messages.EmbeddingsRequest, *, model: str, options: Options) -> Prepared:
        raise Unsupported("Anthropic has no embeddings; choose a model of another provider.", param="model")

    def embeddings_response(self, body: bytes, *, model: str) -> messages.EmbeddingsResponse:
        raise Unsupported("Anthropic has no embeddings; choose a model of another provider.", param="model")

    def error(self, status: int, body: bytes, *, retry_after: float | None) -> UpstreamError:
        return anthropic_error.upstream_error(status, body, retry_after=retry_after)

    def count_request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        body = anthropic_upstream.encode_count(request, model=model, options=options)
        headers = self.headers("anthropic", options=options)
        return Prepared(path=f"{_PATH}/count_tokens", body=body, headers=headers)

    def count_response(self, body: bytes) -> int:
        """Raises UpstreamError(kind="server") for what is not a count."""
        try:
            return _count.decode(body).input_tokens
        except (msgspec.DecodeError, UnicodeError) as error:
            raise UpstreamError(f"The upstream's answer is not a count: {error}.", kind="server") from None
