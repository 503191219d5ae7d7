"""Errors in Anthropic's form: read from an upstream, and written for callers."""

from __future__ import annotations

import msgspec

from noria.errors import RequestError, UpstreamError
from noria.gateway.dialects.openai_error import kind_of

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_encode = msgspec.json.Encoder().encode


class _Error(msgspec.Struct):
    type: str | None = None
    message: str | None = None


class _Body(msgspec.Struct):
    error: _Error | None = None


_decoder = msgspec.json.Decoder(_Body)


def upstream_error(status: int, body: bytes, *, retry_after: float | None) -> UpstreamError:
    """A failed answer as an error of the right kind."""
    try:
        error = _decoder.decode(body).error or _Error()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        error = _Error(message=body[:500].decode("utf-8", "replace").strip())
    message = error.message or ""
    # The only sign of a blocked output is in the sentence.
    words = "content_filter" if "content filtering policy" in message else ""
    return UpstreamError(
        f"The upstream answered {status}: {message}" if message else f"The upstream answered {status}.",
        kind=kind_of(status, words),
        status=status,
        body=body[:65536],
        retry_after=retry_after,
    )


class _Out(msgspec.Struct, omit_defaults=True):
    type: str
    message: str
    code: str
    param: str | None = None


class _OutBody(msgspec.Struct):
    type: str
    error: _Out


def body_of(error: RequestError) -> bytes:
    """What Anthropic's SDKs raise from; `code` and `param` are Noria's."""
    fallback = "api_error" if error.status >= 500 else "invalid_request_error"
    kind = _TYPES.get(error.status, fallback)
    return _encode(_OutBody("error", _Out(kind, error.message, error.code, error.param)))
