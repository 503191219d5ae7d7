"""The back "bedrock": Amazon Bedrock's Converse API.

The provider's base_url is https://bedrock-runtime.REGION.amazonaws.com, its auth "sigv4" (or "bearer" with a
Bedrock API key), and its options name `region`; `family` says who made a model whose id does not
("anthropic", "nova", "openai", "mistral", "cohere", "titan").
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from noria.core import messages
from noria.errors import Unsupported, UpstreamClass, UpstreamError
from noria.gateway.dialects import bedrock_embeddings, bedrock_response
from noria.gateway.dialects.bedrock_request import converse
from noria.gateway.dialects.bedrock_stream import BedrockStream
from noria.gateway.dialects.dialect import Options, Prepared, StreamDecoder

_encode = msgspec.json.Encoder().encode

_KINDS: dict[int, UpstreamClass] = {
    401: "auth",
    403: "auth",
    404: "not_found",
    408: "timeout",
    424: "server",
    429: "rate_limited",
}
"""424 is ModelErrorException: the model failed, not the request."""


class _Error(msgspec.Struct, frozen=True):
    message: str = ""
    Message: str = ""
    """Errors of authentication are spelt so."""
    type: str = msgspec.field(name="__type", default="")


class _Count(msgspec.Struct, rename="camel", frozen=True):
    input_tokens: int


_error = msgspec.json.Decoder(_Error)
_count = msgspec.json.Decoder(_Count)


class BedrockBack:
    """dialect.Back and dialect.CountsTokens."""

    name = "bedrock"

    def passes(self, front: str, options: Options) -> bool:
        return False

    def path(self, front: str, *, model: str, stream: bool, options: Options) -> str:
        raise Unsupported(f"Bedrock Converse does not take the bodies of {front}; they are translated.")

    def headers(self, front: str, *, options: Options) -> dict[str, str]:
        return {}

    def request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        action = "converse-stream" if request.stream else "converse"
        return Prepared(
            path=_path(model, action), body=_encode(converse(request, model=model, options=options))
        )

    def response(self, body: bytes) -> messages.Response:
        return bedrock_response.decode(body)

    def decoder(self) -> StreamDecoder:
        return BedrockStream()

    def embeddings(self, request: messages.EmbeddingsRequest, *, model: str, options: Options) -> Prepared:
        body = bedrock_embeddings.encode(request, model=model, options=options)
        return Prepared(path=_path(model, "invoke"), body=_encode(body))

    def embeddings_response(self, body: bytes, *, model: str) -> messages.EmbeddingsResponse:
        return bedrock_embeddings.decode(body, model=model)

    def error(self, status: int, body: bytes, *, retry_after: float | None) -> UpstreamError:
        try:
            found = _error.decode(body)
        except (msgspec.DecodeError, UnicodeError):
            found = _Error()
        kind = _KINDS.get(status, "server" if status >= 500 else "invalid")
        if kind == "invalid" and ("Throttling" in found.type or "ServiceQuota" in found.type):
            kind = "rate_limited"
        said = (
            found.message or found.Message or body[:500].decode("utf-8", "replace") or "no reason was given"
        )
        return UpstreamError(
            f"Bedrock answered {status}: {said}",
            kind=kind,
            status=status,
            body=body[:65536],
            retry_after=retry_after,
        )

    def count_request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        whole = converse(request, model=model, options=options)
        counted = ("messages", "system", "toolConfig", "additionalModelRequestFields")
        body = {"input": {"converse": {name: whole[name] for name in counted if name in whole}}}
        return Prepared(path=_path(model, "count-tokens"), body=_encode(body))

    def count_response(self, body: bytes) -> int:
        try:
            return _count.decode(body).input_tokens
        except (msgspec.DecodeError, UnicodeError) as error:
            raise UpstreamError(
                f"The token count is not in Bedrock's form: {error}", kind="server", body=body[:65536]
            ) from None


def _path(model: str, action: str) -> str:
    return f"/model/{quote(model, safe='')}/{action}"
