"""The back "vertex": Gemini models on Google Cloud's Vertex AI.

The provider's base_url is https://LOCATION-aiplatform.googleapis.com/v1 (https://aiplatform.googleapis.com/v1
for the location "global"), its auth "google", and its options name `project` and `location`. A model is
"gemini-…", or "PUBLISHER/MODEL" for another publisher's model with Gemini's form.
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from noria.core import messages
from noria.errors import ConfigError, Unsupported, UpstreamError
from noria.gateway.dialects import gemini_embeddings, gemini_response
from noria.gateway.dialects.dialect import Options, Prepared, StreamDecoder
from noria.gateway.dialects.gemini import decode_count
from noria.gateway.dialects.gemini_request import generate_content
from noria.gateway.dialects.gemini_stream import GeminiStream
from noria.gateway.dialects.google_errors import upstream_error

_encode = msgspec.json.Encoder().encode


class VertexBack:
    """dialect.Back and dialect.CountsTokens."""

    name = "vertex"

    def passes(self, front: str, options: Options) -> bool:
        return False

    def path(self, front: str, *, model: str, stream: bool, options: Options) -> str:
        raise Unsupported(f"Vertex AI does not take the bodies of {front}; they are translated.")

    def headers(self, front: str, *, options: Options) -> dict[str, str]:
        return {}

    def request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
        body = generate_content(request, model=model, options=options, vertex=True)
        return Prepared(path=f"{resource(model, options)}:{method}", body=_encode(body))

    def response(self, body: bytes) -> messages.Response:
        return gemini_response.decode(body)

    def decoder(self) -> StreamDecoder:
        return GeminiStream()

    def embeddings(self, request: messages.EmbeddingsRequest, *, model: str, options: Options) -> Prepared:
        method, body = "predict", gemini_embeddings.predict(request)
        if "gemini" in model or "maas" in model:
            method, body = gemini_embeddings.vertex(request)
        return Prepared(path=f"{resource(model, options)}:{method}", body=_encode(body))

    def embeddings_response(self, body: bytes, *, model: str) -> messages.EmbeddingsResponse:
        return gemini_embeddings.decode(body, model=model)

    def error(self, status: int, body: bytes, *, retry_after: float | None) -> UpstreamError:
        return upstream_error("Vertex AI", status, body, retry_after=retry_after)

    def count_request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        whole = generate_content(request, model=model, options=options, vertex=True)
        counted = ("systemInstruction", "contents", "tools", "generationConfig")
        body = {name: whole[name] for name in counted if name in whole}
        return Prepared(path=f"{resource(model, options)}:countTokens", body=_encode(body))

    def count_response(self, body: bytes) -> int:
        return decode_count(body)


def resource(model: str, options: Options) -> str:
    """/projects/…/locations/…/publishers/…/models/… of `model`."""
    for name in ("project", "location"):
        if not options.get(name):
            raise ConfigError(
                f"A vertex provider needs the option {name!r}; add it under its options in noria.toml."
            )
    publisher, _, bare = model.rpartition("/")
    place = f"/projects/{quote(options['project'], safe='')}/locations/{quote(options['location'], safe='')}"
    return f"{place}/publishers/{quote(publisher or 'google', safe='')}/models/{quote(bare, safe=':@')}"
