"""The page's cookies, and who the client is.

The session cookie is HttpOnly and SameSite=Strict: the page is served without it and calls the API from its
own origin. The cookie that carries a sign-in to the OpenID Connect provider and back is Lax, since the way
back starts at another site.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

from noria.access.session import csrf_of
from noria.runtime.control import Control

SESSION = "noria_session"
_STATE = "noria_oidc"
_STATE_S = 600


def secure(request: HTTPConnection) -> bool:
    """Whether the client's connection is TLS, as `door.Door` has found."""
    return request.scope["scheme"] == "https"


def peer(request: HTTPConnection) -> str:
    """The client's address; "" over the local socket."""
    return request.headers.get("x-forwarded-for", "")


def session_token(request: HTTPConnection) -> str:
    """The session cookie's value, or ""; over TLS only the `__Host-` form counts."""
    return request.cookies.get(_name(SESSION, secure=secure(request)), "")


def set_session(response: Response, token: str, *, secure: bool) -> None:
    response.set_cookie(
        _name(SESSION, secure=secure), token, path="/", secure=secure, httponly=True, samesite="strict"
    )


def clear_session(response: Response, *, secure: bool) -> None:
    response.delete_cookie(
        _name(SESSION, secure=secure), path="/", secure=secure, httponly=True, samesite="strict"
    )


def set_state(response: Response, value: str, *, secure: bool) -> None:
    response.set_cookie(
        _name(_STATE, secure=secure),
        value,
        max_age=_STATE_S if value else 0,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def take_state(request: HTTPConnection) -> str:
    return request.cookies.get(_name(_STATE, secure=secure(request)), "")


def csrf_token(parts: Control, token: str) -> str:
    """What the page of this session has to send back."""
    return csrf_of(token, parts.pepper)


def _name(name: str, *, secure: bool) -> str:
    return f"__Host-{name}" if secure else name
