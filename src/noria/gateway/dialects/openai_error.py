"""Errors in OpenAI's form: read from an upstream, and written for callers."""

from __future__ import annotations

import msgspec

from noria.errors import RequestError, UpstreamClass, UpstreamError

_REFUSED = ("content_policy", "content_filter", "moderation", "responsibleaipolicy", "safety")
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}
_encode = msgspec.json.Encoder().encode


class _Error(msgspec.Struct):
    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class _Body(msgspec.Struct):
    """OpenAI nests the error; vLLM had it at the top, FastAPI says `detail`, others a plain string."""

    error: _Error | str | None = None
    message: str | None = None
    detail: str | None = None
    type: str | None = None
    code: str | int | None = None


_decoder = msgspec.json.Decoder(_Body)


def upstream_error(status: int, body: bytes, *, retry_after: float | None) -> UpstreamError:
    """A failed answer as an error of the right kind."""
    message, words = _read(body)
    return UpstreamError(
        f"The upstream answered {status}: {message}" if message else f"The upstream answered {status}.",
        kind=kind_of(status, words),
        status=status,
        body=body[:65536],
        retry_after=retry_after,
    )


def kind_of(status: int, words: str) -> UpstreamClass:
    """`words` are the codes and types that the upstream gave, in lower case."""
    match status:
        case 401 | 402 | 403:
            # 402: the account cannot pay, so another target may help.
            return "auth"
        case 404:
            return "not_found"
        case 408:
            return "timeout"
        case 429:
            return "rate_limited"
        case _ if status >= 500 or status < 400:
            return "server"
        case _:
            return "refused" if any(word in words for word in _REFUSED) else "invalid"


def _read(body: bytes) -> tuple[str, str]:
    """The upstream's sentence, and its codes."""
    try:
        found = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return body[:500].decode("utf-8", "replace").strip(), ""
    error = found.error
    if isinstance(error, str):
        return error, str(found.code or "").lower()
    if error is not None:
        return error.message or "", f"{error.type} {error.code}".lower()
    return found.message or found.detail or "", f"{found.type} {found.code}".lower()


class _Out(msgspec.Struct):
    message: str
    type: str
    param: str | None
    code: str


class _OutBody(msgspec.Struct):
    error: _Out


def body_of(error: RequestError) -> bytes:
    """What OpenAI's SDKs raise from."""
    return _encode(_OutBody(_Out(error.message, type_of(error), error.param, error.code)))


def type_of(error: RequestError) -> str:
    """OpenAI's word for the kind of error; a spent budget is what it calls an insufficient quota."""
    if error.code == "budget_exceeded":
        return "insufficient_quota"
    if error.status >= 500:
        return "server_error"
    return _TYPES.get(error.status, "invalid_request_error")
