"""The whole error tree. Every message is one sentence that says what to change.

NoriaError
├── UserError                 the command line prints it without a traceback, exit code 2
│   ├── ConfigError           noria.toml or a file that it names is wrong
│   ├── MissingExtra          an optional dependency is not installed
│   ├── StateError            what is on disk cannot be used: too new, damaged, locked, full
│   └── Unreachable           a process that the command needs does not answer
├── RequestError              a call that is refused; has an HTTP status and a stable code
│   ├── InvalidRequest 400    malformed, or breaks a stated limit
│   ├── Unsupported 400       well-formed, and this target or Noria cannot express it
│   ├── Unauthenticated 401
│   ├── Forbidden 403
│   ├── NotFound 404
│   ├── Conflict 409
│   ├── TooLarge 413
│   ├── RateLimited 429       a rate limit or a concurrency queue; may say when to retry
│   ├── BudgetExceeded 429    a hard money cap; retrying does not help within the window
│   ├── UpstreamFailed 502    every attempt failed; the status may be the upstream's own 4xx
│   ├── Unavailable 503       Noria cannot serve now: no room in the spool, draining, queue
│   └── UpstreamTimeout 504   every attempt took too long
└── UpstreamError             an attempt failed; its class decides on retry and fallback
"""

from __future__ import annotations

from typing import Literal

UpstreamClass = Literal[
    "connect", "timeout", "rate_limited", "server", "auth", "invalid", "not_found", "refused", "stream"
]
"""connect: no connection or it broke before the answer; timeout: total, first token or gap;
rate_limited: 429; server: 5xx or an error inside a 200; auth: 401 or 403; invalid: other 4xx;
not_found: 404; refused: content policy; stream: broke after commitment, so no fallback is legal."""


class NoriaError(Exception):
    """Root of the tree; `str(error)` is the sentence shown to a person."""


class UserError(NoriaError):
    """Something that the person at the command line can change."""


class ConfigError(UserError):
    """noria.toml, or a file that it names, is wrong; the message starts with `file:line` where known."""


class MissingExtra(UserError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: run `pip install 'noria[{extra}]'`.")
        self.extra = extra


class StateError(UserError):
    """What is on disk cannot be used as it is."""


class Unreachable(UserError):
    """A process or server that the command needs does not answer."""


class RequestError(NoriaError):
    """A call that Noria refuses. `code` is stable and documented; `param` names the offending field."""

    status = 400
    code = "invalid_request"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.param = param
        self.retry_after = retry_after
        """Seconds, where waiting helps."""


class InvalidRequest(RequestError):
    status, code = 400, "invalid_request"


class Unsupported(RequestError):
    status, code = 400, "unsupported"


class Unauthenticated(RequestError):
    status, code = 401, "invalid_api_key"


class Forbidden(RequestError):
    status, code = 403, "forbidden"


class NotFound(RequestError):
    status, code = 404, "not_found"


class Conflict(RequestError):
    status, code = 409, "conflict"


class TooLarge(RequestError):
    status, code = 413, "too_large"


class RateLimited(RequestError):
    status, code = 429, "rate_limited"


class BudgetExceeded(RequestError):
    status, code = 429, "budget_exceeded"


class Unavailable(RequestError):
    status, code = 503, "unavailable"


class UpstreamFailed(RequestError):
    status, code = 502, "upstream_failed"


class UpstreamTimeout(UpstreamFailed):
    status, code = 504, "upstream_timeout"


class UpstreamError(NoriaError):
    """One attempt at a target failed.

    `status` is the upstream's HTTP status (0 when there was none), `body` its first 64 KiB,
    `retry_after` its own wish in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: UpstreamClass,
        status: int = 0,
        body: bytes = b"",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind: UpstreamClass = kind
        self.status = status
        self.body = body
        self.retry_after = retry_after
