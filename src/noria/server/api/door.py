"""What every request passes: Host, Origin, who calls, CSRF, and security headers on the way out. Pure ASGI.

Three ways to be somebody, tried in this order: `Authorization: Bearer` with a virtual key, the same with the
local token (only straight over control.sock, never through a worker), the session cookie. A cookie counts
for something that changes only together with the session's CSRF token.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from anyio.to_thread import run_sync
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from noria.access.role import EVERYWHERE, Principal
from noria.access.session import csrf_of
from noria.errors import Forbidden, InvalidRequest, RequestError, Unauthenticated
from noria.runtime.control import Control
from noria.server.api.cookies import secure, session_token
from noria.server.api.problem import problem

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_SAFE = ("GET", "HEAD", "OPTIONS")
_OPEN = ("/healthz",)
_SIGN_IN = ("/api/session", "/api/setup")
"""Begin a new session, whoever the old one was."""
_LOCAL = Principal(id="local", name="this machine", kind="local", roles={EVERYWHERE: "admin"})
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        # Mantine and the editor set styles of elements from script, and insert style sheets.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
]
_STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


class Door:
    """Around the FastAPI application."""

    def __init__(self, app: ASGIApp, control: Control) -> None:
        self.app = app
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        scope["scheme"] = "https" if self._is_tls(request) else "http"
        added = [*_HEADERS, _STRICT_TRANSPORT] if secure(request) else _HEADERS
        api = scope["path"].startswith(("/api", "/metrics", "/v1/feedback"))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                more = [*added, (b"cache-control", b"no-store")] if api else added
                message["headers"] = [
                    *message["headers"], *((name, value) for name, value in more if name not in present)
                ]  # fmt: skip
            await send(message)

        try:
            self._check_host(request)
            self._check_origin(request)
            if api:
                scope["noria.principal"] = await self._who(request)
        except RequestError as error:
            refusal = problem(error.status, error.code, error.message, retry_after=error.retry_after)
            await refusal(scope, receive, answer)
            return
        await self.app(scope, receive, answer)

    def _is_tls(self, request: HTTPConnection) -> bool:
        """Whether the client speaks TLS, to the worker or to what stands before it."""
        if request.headers.get("x-forwarded-proto") == "https":
            return True
        host = _host(request.headers.get("host", ""))
        return _through_worker(request) and host not in _LOOPBACK and self._control.declared.tls_in_front()

    def _check_host(self, request: HTTPConnection) -> None:
        """A page that makes its own name resolve to this machine (DNS rebinding) sends its own name."""
        if request.scope["path"] in _OPEN or not _through_worker(request):
            return
        host = _host(request.headers.get("host", ""))
        if host not in _LOOPBACK and host not in self._hosts():
            raise InvalidRequest(
                f"The host {host or 'of the request'!r} is not served here; name it in server.hosts of "
                "noria.toml.",
                code="unknown_host",
            )

    def _check_origin(self, request: HTTPConnection) -> None:
        if request.scope["method"] in _SAFE:
            return
        origin = request.headers.get("origin")
        if origin is None:
            return
        if origin != f"{request.scope['scheme']}://{request.headers.get('host', '')}":
            raise Forbidden(
                f"Pages of {urlsplit(origin).netloc or origin} may not call this API.", code="origin"
            )

    def _hosts(self) -> tuple[str, ...]:
        return () if self._control.versions.current() is None else self._control.serving().hosts

    async def _who(self, request: HTTPConnection) -> Principal | None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if token:
            return self._bearer(kind, token.strip(), request)
        if request.scope["path"].startswith("/v1"):
            return None  # There only keys count: no page of a browser calls a model with its cookie.
        cookie = session_token(request)
        signing_in = request.scope["method"] == "POST" and request.scope["path"] in _SIGN_IN
        if not cookie or signing_in:
            return None
        who = await run_sync(self._control.sign_in.resolve, cookie)
        if who is not None and request.scope["method"] not in _SAFE:
            expected = csrf_of(cookie, self._control.pepper)
            if not hmac.compare_digest(expected.encode(), request.headers.get("x-csrf-token", "").encode()):
                raise Forbidden(
                    "The request lacks the page's X-CSRF-Token; reload the page and try again.", code="csrf"
                )
        return who

    def _bearer(self, kind: str, token: str, request: HTTPConnection) -> Principal:
        who = None
        if kind.lower() == "bearer":
            local = self._control.local_token
            if local and hmac.compare_digest(token.encode(), local.encode()) and not _through_worker(request):
                return _LOCAL
            who = self._control.key_principal(token)
        if who is None:
            raise Unauthenticated("This key is unknown, expired or revoked.")
        return who


def _through_worker(request: HTTPConnection) -> bool:
    """Whether a gateway worker forwarded it; whoever speaks to control.sock itself runs on this machine."""
    return "x-forwarded-proto" in request.headers


def _host(text: str) -> str:
    """Without the port, lower case; IPv6 in brackets."""
    if text.startswith("["):
        return text.partition("]")[0].lower() + "]"
    return text.partition(":")[0].lower()
