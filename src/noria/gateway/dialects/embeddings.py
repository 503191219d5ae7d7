"""The dialect "embeddings": POST /v1/embeddings, which is not a conversation.

Vectors of `base64` are little-endian float32, as OpenAI sends them.
"""

from __future__ import annotations

import binascii
import sys
from array import array
from base64 import b64decode, b64encode
from typing import Annotated, Literal

import msgspec

from noria.core import messages
from noria.core.usage import NO_USAGE
from noria.errors import InvalidRequest, RequestError, Unsupported, UpstreamError
from noria.gateway.dialects import leftovers, openai_error
from noria.gateway.dialects.dialect import StreamEncoder
from noria.gateway.dialects.usage import OpenAIUsage

_Token = Annotated[int, msgspec.Meta(ge=0)]


class _Request(msgspec.Struct, frozen=True, omit_defaults=True):
    model: str
    input: str | list[str | _Token | list[_Token]]
    dimensions: Annotated[int, msgspec.Meta(ge=1)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


class _Embedding(msgspec.Struct, frozen=True):
    index: int
    embedding: list[float] | str


class _Answer(msgspec.Struct, frozen=True):
    data: list[_Embedding]
    model: str = ""
    usage: OpenAIUsage | None = None


class _OutUsage(msgspec.Struct):
    prompt_tokens: int
    total_tokens: int


class _OutEmbedding(msgspec.Struct):
    object: str
    index: int
    embedding: tuple[float, ...] | str


class _OutAnswer(msgspec.Struct):
    object: str
    data: list[_OutEmbedding]
    model: str
    usage: _OutUsage


_KNOWN = leftovers.known_keys(_Request)
_request = msgspec.json.Decoder(_Request)
_answer = msgspec.json.Decoder(_Answer)
_encode = msgspec.json.Encoder().encode


class EmbeddingsFront:
    """dialect.Front for what both have; `decode` and `encode` are its own request and response."""

    name = "embeddings"
    operation = "embeddings"

    def decode(self, body: bytes) -> messages.EmbeddingsRequest:
        """Raises InvalidRequest with `param`."""
        said, extra = leftovers.decode(body, _request, _KNOWN)
        return messages.EmbeddingsRequest(
            model=said.model,
            inputs=_inputs(said.input),
            dimensions=said.dimensions,
            encoding_format=said.encoding_format or "float",
            user=said.user,
            extra=extra,
        )

    def encode(self, response: messages.EmbeddingsResponse, request: messages.EmbeddingsRequest) -> bytes:
        packed = request.encoding_format == "base64"
        return _encode(
            _OutAnswer(
                object="list",
                data=[
                    _OutEmbedding("embedding", index, _pack(vector) if packed else vector)
                    for index, vector in enumerate(response.vectors)
                ],
                model=response.model,
                usage=_OutUsage(response.usage.input, response.usage.input),
            )
        )

    def request(self, body: bytes) -> messages.Request:
        """The texts as messages: what bounds the cost."""
        said = self.decode(body)
        texts = (one if isinstance(one, str) else " ".join(map(str, one)) for one in said.inputs)
        return messages.Request(
            model=said.model,
            messages=tuple(
                messages.Message(role="user", parts=(messages.Text(text=text),)) for text in texts
            ),
            max_tokens=0,
            user=said.user,
            dialect="embeddings",
            extra=said.extra,
        )

    def response(self, response: messages.Response, request: messages.Request) -> bytes:
        raise Unsupported("Embeddings are answered with vectors only.")

    def encoder(self, request: messages.Request) -> StreamEncoder:
        raise Unsupported("Embeddings are not streamed; leave `stream` out.", param="stream")

    def error(self, error: RequestError) -> bytes:
        return openai_error.body_of(error)

    def stream_error(self, error: RequestError) -> bytes:
        return b"data: " + openai_error.body_of(error) + b"\n\n"


def _inputs(said: str | list[str | int | list[int]]) -> tuple[str | tuple[int, ...], ...]:
    if isinstance(said, str):
        return (said,)
    if not said:
        raise InvalidRequest("`input` is empty; send at least one text.", param="input")
    numbers = [one for one in said if isinstance(one, int)]
    if numbers:
        if len(numbers) != len(said):
            raise InvalidRequest("`input` mixes tokens and texts; send one kind.", param="input")
        return (tuple(numbers),)
    return tuple(one if isinstance(one, str) else tuple(one) for one in said if not isinstance(one, int))


def encode_request(request: messages.EmbeddingsRequest, *, model: str) -> bytes:
    """The body for an upstream of OpenAI's form. `extra` is the caller's own, of the same dialect."""
    inputs = request.inputs
    only = inputs[0] if len(inputs) == 1 else None
    fields: dict[str, object] = {"model": model, "input": only if isinstance(only, str) else inputs}
    if request.dimensions is not None:
        fields["dimensions"] = request.dimensions
    if request.encoding_format != "float":
        fields["encoding_format"] = request.encoding_format
    if request.user is not None:
        fields["user"] = request.user
    return _encode({**fields, **request.extra})


def decode_response(body: bytes, *, model: str) -> messages.EmbeddingsResponse:
    """Raises UpstreamError(kind="server") for what is not a list of embeddings."""
    try:
        answer = _answer.decode(body)
        rows = sorted(answer.data, key=lambda one: one.index)
        vectors = tuple(
            _unpack(one.embedding) if isinstance(one.embedding, str) else tuple(one.embedding) for one in rows
        )
    except (msgspec.DecodeError, UnicodeError, RecursionError, binascii.Error, ValueError) as error:
        raise UpstreamError(
            f"The upstream's answer is not a list of embeddings: {error}.", kind="server", body=body[:65536]
        ) from None
    usage = NO_USAGE if answer.usage is None else answer.usage.usage()
    return messages.EmbeddingsResponse(model=answer.model or model, vectors=vectors, usage=usage)


def _pack(vector: tuple[float, ...]) -> str:
    values = array("f", vector)
    if sys.byteorder == "big":
        values.byteswap()
    return b64encode(values.tobytes()).decode()


def _unpack(text: str) -> tuple[float, ...]:
    values = array("f", b64decode(text, validate=True))
    if sys.byteorder == "big":
        values.byteswap()
    return tuple(values)
