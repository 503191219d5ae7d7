"""The dialect "openai": chat completions, as callers and as providers speak it.

Options of a provider: `max_tokens_field` ("max_tokens", or "max_completion_tokens" as OpenAI's newer models
ask for), `ask_usage` ("no" for servers that refuse `stream_options`), `reasoning_content` ("drop" for
servers that refuse it in requests), `responses` ("pass" for servers that speak the Responses API too).
"""

from __future__ import annotations

from noria.core import messages
from noria.errors import RequestError, UpstreamError
from noria.gateway.dialects import embeddings, openai_error, openai_request, openai_response, openai_upstream
from noria.gateway.dialects.dialect import Options, Prepared, StreamDecoder, StreamEncoder
from noria.gateway.dialects.openai_chunks import OpenAIEncoder
from noria.gateway.dialects.openai_stream import OpenAIDecoder

PATHS = {
    "openai": "/chat/completions",
    "completions": "/completions",
    "embeddings": "/embeddings",
    "responses": "/responses",
}
"""By front, after a base URL that ends in /v1."""


class OpenAIFront:
    """dialect.Front."""

    name = "openai"
    operation = "chat"

    def request(self, body: bytes) -> messages.Request:
        return openai_request.decode(body)

    def response(self, response: messages.Response, request: messages.Request) -> bytes:
        return openai_response.encode(response)

    def encoder(self, request: messages.Request) -> StreamEncoder:
        return OpenAIEncoder(include_usage=request.include_usage)

    def error(self, error: RequestError) -> bytes:
        return openai_error.body_of(error)

    def stream_error(self, error: RequestError) -> bytes:
        return b"data: " + openai_error.body_of(error) + b"\n\n"


class OpenAIBack:
    """dialect.Back."""

    name = "openai"

    def passes(self, front: str, options: Options) -> bool:
        return front in PATHS and (front != "responses" or options.get("responses") == "pass")

    def path(self, front: str, *, model: str, stream: bool, options: Options) -> str:
        return PATHS[front]

    def headers(self, front: str, *, options: Options) -> dict[str, str]:
        return {}

    def request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        body = openai_upstream.encode(request, model=model, options=options)
        path = self.path("openai", model=model, stream=request.stream, options=options)
        return Prepared(path=path, body=body)

    def response(self, body: bytes) -> messages.Response:
        return openai_response.decode(body)

    def decoder(self) -> StreamDecoder:
        return OpenAIDecoder()

    def embeddings(self, request: messages.EmbeddingsRequest, *, model: str, options: Options) -> Prepared:
        path = self.path("embeddings", model=model, stream=False, options=options)
        return Prepared(path=path, body=embeddings.encode_request(request, model=model))

    def embeddings_response(self, body: bytes, *, model: str) -> messages.EmbeddingsResponse:
        return embeddings.decode_response(body, model=model)

    def error(self, status: int, body: bytes, *, retry_after: float | None) -> UpstreamError:
        return openai_error.upstream_error(status, body, retry_after=retry_after)
