"""What Noria says of a call beside its answer, and what it says where it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

import msgspec

from noria import errors
from noria.errors import RequestError, UpstreamFailed


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """From the answer's headers; what they do not say is "" or None."""

    trace: str
    """Trace id, 32 hexadecimal digits: where the call is found, and what feedback is about."""
    target: str = ""
    """Model id, `provider/name`, that answered."""
    attempts: int = 0
    cache: str = ""
    """One of "hit", "miss", "off" or "bypass"."""
    cost: Decimal | None = None
    """US dollars; None where it is unknown, and of a stream, whose headers leave before it is known."""


def receipt_of(headers: Mapping[str, str]) -> Receipt:
    attempts = headers.get("x-noria-attempts", "")
    return Receipt(
        trace=headers.get("x-noria-trace-id", ""),
        target=headers.get("x-noria-target", ""),
        attempts=int(attempts) if attempts.isdigit() else 0,
        cache=headers.get("x-noria-cache", ""),
        cost=_dollars(headers.get("x-noria-cost")),
    )


def _dollars(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None


class _Error(msgspec.Struct, frozen=True):
    message: str | None = None
    code: str | int | None = None
    param: str | None = None


class _Body(msgspec.Struct):
    error: _Error = _Error()


_body = msgspec.json.Decoder(_Body)
_CLASSES: tuple[type[RequestError], ...] = (
    errors.InvalidRequest, errors.Unsupported, errors.Unauthenticated, errors.Forbidden, errors.NotFound,
    errors.Conflict, errors.TooLarge, errors.RateLimited, errors.BudgetExceeded, errors.Unavailable,
    errors.UpstreamFailed, errors.UpstreamTimeout,
)  # fmt: skip
_BY_CODE = {kind.code: kind for kind in _CLASSES}
_BY_STATUS = {kind.status: kind for kind in reversed(_CLASSES)}


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> RequestError:
    """A failed answer as the error that the gateway raised, with its sentence, code and status."""
    try:
        error = _body.decode(body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        error = _Error()
    code = str(error.code or "")
    fallback = _BY_STATUS.get(status, UpstreamFailed if status >= 500 else errors.InvalidRequest)
    kind = UpstreamFailed if code.startswith("upstream_") and code not in _BY_CODE else None
    found = (kind or _BY_CODE.get(code, fallback))(
        error.message or f"Noria answered {status} without saying why.",
        code=code or None,
        param=error.param,
        retry_after=_seconds(headers.get("retry-after")),
    )
    found.status = status
    return found


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
