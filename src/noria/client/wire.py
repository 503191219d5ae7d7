"""What goes over the wire, without I/O: requests made ready, answers read.

The client speaks the dialect "openai" as a provider's client would, through the same hook as the gateway.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from noria import hooks
from noria.client.about import NOTHING, current
from noria.client.once import HEADER, key_of
from noria.core import messages
from noria.core.ids import traceparent
from noria.errors import ConfigError, Unreachable, UpstreamError, UpstreamFailed

DEFAULT_URL = "http://127.0.0.1:8400"
TIMEOUT = 600.0
"""Seconds; as long as a route gives its targets in all."""
OPENAI = "/v1"

Messages = str | Sequence[Mapping[str, Any]]
"""What a user says, or a conversation in OpenAI's form."""

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Prepared(Protocol):
    @property
    def path(self) -> str: ...
    @property
    def body(self) -> bytes: ...


class Decoder(Protocol):
    def feed(self, data: bytes) -> list[messages.StreamEvent]: ...
    def close(self) -> list[messages.StreamEvent]: ...


class Dialect(Protocol):
    """The part of `gateway.dialects.dialect.Back` that a client needs."""

    def request(self, request: messages.Request, *, model: str, options: dict[str, str]) -> Prepared: ...
    def response(self, body: bytes) -> messages.Response: ...
    def decoder(self) -> Decoder: ...
    def embeddings(
        self, request: messages.EmbeddingsRequest, *, model: str, options: dict[str, str]
    ) -> Prepared: ...
    def embeddings_response(self, body: bytes, *, model: str) -> messages.EmbeddingsResponse: ...


@cache
def dialect() -> Dialect:
    """The dialect "openai"."""
    return hooks.load("back", "openai")()


class Ask(msgspec.Struct, frozen=True):
    """A request to Noria; `path` may have a query."""

    path: str
    body: bytes


def base_url_of(given: str | None) -> str:
    """NORIA_BASE_URL where none is given; a `/v1` at its end is taken off."""
    found = (given or os.environ.get("NORIA_BASE_URL") or DEFAULT_URL).rstrip("/").removesuffix(OPENAI)
    if urlsplit(found).scheme not in ("http", "https"):
        raise ConfigError(f"The base URL of Noria must begin with http:// or https://, not be {found!r}.")
    return found


def key_headers(given: str | None) -> dict[str, str]:
    """NORIA_API_KEY where none is given; without any the call is anonymous."""
    key = given or os.environ.get("NORIA_API_KEY")
    return {"authorization": f"Bearer {key}"} if key else {}


def chat(model: str, said: Messages, options: Mapping[str, Any], *, stream: bool = False) -> Ask:
    """`options` are further keys of a chat completion."""
    conversation = [{"role": "user", "content": said}] if isinstance(said, str) else list(said)
    body = {"model": model, "messages": conversation, **options}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return Ask(f"{OPENAI}/chat/completions", _encode(_with_about(body)))


def respond(request: messages.Request, *, stream: bool = False) -> Ask:
    """Raises Unsupported for what the dialect cannot express."""
    request = msgspec.structs.replace(request, stream=stream)
    prepared = dialect().request(request, model=request.model, options={})
    return Ask(OPENAI + prepared.path, _encode(_with_about(_fields(prepared.body))))


def embed(request: messages.EmbeddingsRequest) -> Ask:
    prepared = dialect().embeddings(request, model=request.model, options={})
    return Ask(OPENAI + prepared.path, _encode(_with_about(_fields(prepared.body))))


def embeddings_request(model: str, texts: str | Sequence[str]) -> messages.EmbeddingsRequest:
    inputs = (texts,) if isinstance(texts, str) else tuple(texts)
    # base64 is a quarter of the bytes that numbers take as text.
    return messages.EmbeddingsRequest(model=model, inputs=inputs, encoding_format="base64")


def completions(model: str, prompt: str, options: Mapping[str, Any]) -> Ask:
    """`options` are further keys of OpenAI's older completions."""
    body = {"model": model, "prompt": prompt, **options}
    return Ask(f"{OPENAI}/completions", _encode(_with_about(body)))


def responses(model: str, said: str | Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Ask:
    """`options` are further keys of the Responses API."""
    body = {"model": model, "input": said, **options}
    return Ask(f"{OPENAI}/responses", _encode(_with_about(body)))


def _with_about(body: dict[str, Any]) -> dict[str, Any]:
    said = current()
    return body if said == NOTHING or "noria" in body else {**body, "noria": said}


def headers_of(ask: Ask) -> dict[str, str]:
    """Of a call that is answered whole: its idempotency key within `once`, and `trace_headers`."""
    key = key_of(ask.path, ask.body)
    return {**trace_headers(), HEADER: key} if key else trace_headers()


def trace_headers() -> dict[str, str]:
    """`traceparent` of the span that is open around here, where OpenTelemetry is installed."""
    span = _current_span()
    context = None if span is None else span().get_span_context()
    if context is None or not context.is_valid:
        return {}
    return {
        "traceparent": traceparent(context.trace_id.to_bytes(16, "big"), context.span_id.to_bytes(8, "big"))
    }


@cache
def _current_span() -> Callable[[], Any] | None:
    try:
        from opentelemetry.trace import get_current_span
    except ImportError:
        return None
    return get_current_span


def read_chat(body: bytes) -> messages.Response:
    """Raises UpstreamFailed where it is not a chat completion."""
    try:
        return dialect().response(body)
    except UpstreamError as error:
        raise UpstreamFailed(error.message) from None


def read_embeddings(body: bytes, model: str) -> messages.EmbeddingsResponse:
    """Raises UpstreamFailed where these are not embeddings."""
    try:
        return dialect().embeddings_response(body, model=model)
    except UpstreamError as error:
        raise UpstreamFailed(error.message) from None


def unreachable(base_url: str, error: Exception) -> Unreachable:
    """What is said when no answer comes."""
    why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Unreachable(
        f"Noria does not answer at {base_url} ({why}); start it with `noria up`, or set NORIA_BASE_URL."
    )


class Reading:
    """A streamed answer as it comes in: bytes in, events out; the last is a Finish."""

    def __init__(self) -> None:
        self._decoder = dialect().decoder()
        self._whole = False

    def feed(self, data: bytes) -> list[messages.StreamEvent]:
        """Raises UpstreamFailed for an error inside the stream."""
        return self._checked(self._decoder.feed, data)

    def close(self) -> list[messages.StreamEvent]:
        """The body has ended. Raises UpstreamFailed where the answer is not whole."""
        events = self._checked(self._decoder.close)
        if not self._whole:
            raise UpstreamFailed("The stream ended before the answer was whole; ask again.")
        return events

    def _checked(
        self, step: Callable[..., list[messages.StreamEvent]], *given: bytes
    ) -> list[messages.StreamEvent]:
        try:
            events = step(*given)
        except UpstreamError as error:
            raise UpstreamFailed(error.message) from None
        for event in events:
            if isinstance(event, messages.StreamError):
                raise UpstreamFailed(event.message, code=event.code)
            self._whole = self._whole or isinstance(event, messages.Finish)
        return events
