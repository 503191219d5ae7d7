"""The back "vertex-anthropic": Anthropic's models on Google Cloud's Vertex AI.

Bodies are Anthropic's without `model`, which is in the path, and with the version inside, so that even a
caller's own Anthropic body is rewritten. base_url, auth and options are those of "vertex"; `anthropic_beta`
and `max_tokens` are those of "anthropic".
"""

from __future__ import annotations

import msgspec

from noria.core import messages
from noria.errors import Unsupported, UpstreamError
from noria.gateway.dialects.anthropic import AnthropicBack
from noria.gateway.dialects.dialect import Options, Prepared, StreamDecoder
from noria.gateway.dialects.google_errors import upstream_error
from noria.gateway.dialects.vertex import resource

VERSION = "vertex-2023-10-16"
"""Of the API on Vertex AI; the only one. Source: Claude API reference, "Claude on Vertex AI"."""

_COUNTER = "count-tokens"
"""The model that counts for all others, which are named in its body."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


class VertexAnthropicBack:
    """dialect.Back and dialect.CountsTokens."""

    name = "vertex-anthropic"

    def __init__(self) -> None:
        self._anthropic = AnthropicBack()

    def passes(self, front: str, options: Options) -> bool:
        return False

    def path(self, front: str, *, model: str, stream: bool, options: Options) -> str:
        raise Unsupported(f"Vertex AI does not take the bodies of {front}; they are translated.")

    def headers(self, front: str, *, options: Options) -> dict[str, str]:
        return {"anthropic-beta": options["anthropic_beta"]} if "anthropic_beta" in options else {}

    def request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        made = self._anthropic.request(request, model=model, options=options)
        fields = _fields.decode(made.body)
        del fields["model"]
        method = "streamRawPredict" if request.stream else "rawPredict"
        return self._prepared(f"{_place(model, options)}:{method}", fields, options)

    def response(self, body: bytes) -> messages.Response:
        return self._anthropic.response(body)

    def decoder(self) -> StreamDecoder:
        return self._anthropic.decoder()

    def embeddings(self, request: messages.EmbeddingsRequest, *, model: str, options: Options) -> Prepared:
        return self._anthropic.embeddings(request, model=model, options=options)

    def embeddings_response(self, body: bytes, *, model: str) -> messages.EmbeddingsResponse:
        return self._anthropic.embeddings_response(body, model=model)

    def error(self, status: int, body: bytes, *, retry_after: float | None) -> UpstreamError:
        """Vertex AI's own errors and Anthropic's have their message in the same place."""
        return upstream_error("Vertex AI", status, body, retry_after=retry_after)

    def count_request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        made = self._anthropic.count_request(request, model=model, options=options)
        path = f"{_place(_COUNTER, options)}:rawPredict"
        return self._prepared(path, _fields.decode(made.body), options)

    def count_response(self, body: bytes) -> int:
        return self._anthropic.count_response(body)

    def _prepared(self, path: str, fields: dict[str, msgspec.Raw], options: Options) -> Prepared:
        body = _encode({"anthropic_version": VERSION, **fields})
        return Prepared(path=path, body=body, headers=self.headers("anthropic", options=options))


def _place(model: str, options: Options) -> str:
    return resource(model if "/" in model else f"anthropic/{model}", options)
