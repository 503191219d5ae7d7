"""Google's error answers (google.rpc.Status as JSON) → UpstreamError."""

from __future__ import annotations

import msgspec

from noria.errors import UpstreamClass, UpstreamError


class _Detail(msgspec.Struct, rename="camel", frozen=True):
    reason: str = ""
    retry_delay: str = ""
    """RetryInfo: a duration such as "32s"."""


class _Status(msgspec.Struct, frozen=True):
    message: str = ""
    status: str = ""
    details: tuple[_Detail, ...] = ()


class _Body(msgspec.Struct, frozen=True):
    error: _Status = _Status()


_body = msgspec.json.Decoder(_Body | list[_Body])

_KINDS: dict[int, UpstreamClass] = {
    401: "auth",
    403: "auth",
    404: "not_found",
    408: "timeout",
    429: "rate_limited",
    504: "timeout",
}


def upstream_error(who: str, status: int, body: bytes, *, retry_after: float | None) -> UpstreamError:
    """`who` names the provider in the sentence."""
    try:
        found = _body.decode(body)
        error = (found[0] if found else _Body()).error if isinstance(found, list) else found.error
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        error = _Status()
    kind = _KINDS.get(status, "server" if status >= 500 else "invalid")
    if any(detail.reason == "API_KEY_INVALID" for detail in error.details):
        # Gemini answers 400 to a wrong key.
        kind = "auth"
    if retry_after is None:
        retry_after = next((s for d in error.details if (s := _seconds(d.retry_delay)) is not None), None)
    said = error.message or body[:500].decode("utf-8", "replace") or "no reason was given"
    return UpstreamError(
        f"{who} answered {status}: {said}",
        kind=kind,
        status=status,
        body=body[:65536],
        retry_after=retry_after,
    )


def _seconds(duration: str) -> float | None:
    try:
        return float(duration.removesuffix("s")) if duration else None
    except ValueError:
        return None
