"""Sign-in through an OpenID Connect provider."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from noria.access.oidc import Oidc
from noria.errors import NotFound
from noria.server.api.caller import Parts
from noria.server.api.cookies import peer, secure, set_session, set_state, take_state
from noria.server.api.oidc_fetch import fetch

router = APIRouter(prefix="/api/oidc", tags=["session"])


@router.get("/login", status_code=302, response_class=RedirectResponse)
def begin(request: Request, parts: Parts, to: str = "/") -> RedirectResponse:
    """Go to the provider; `to` is the path of the page to come back to."""
    started = _oidc(request, parts).begin(callback=_callback(request, parts), to=to)
    response = RedirectResponse(started.url, 302)
    set_state(response, started.state, secure=secure(request))
    return response


@router.get("/callback", status_code=302, response_class=RedirectResponse)
def finish(
    request: Request, parts: Parts, state: str = "", code: str = "", error: str = "", iss: str = ""
) -> RedirectResponse:
    """Come back from the provider: checks everything, makes the account where allowed, and signs in."""
    identity, to = _oidc(request, parts).finish(
        callback=_callback(request, parts),
        saved=take_state(request),
        state=state,
        code=code,
        error=error,
        issuer=iss,
    )
    token, _ = parts.sign_in.with_identity(identity, peer=peer(request))
    response = RedirectResponse(to, 302)
    set_session(response, token, secure=secure(request))
    set_state(response, "", secure=secure(request))
    return response


def _oidc(request: Request, parts: Parts) -> Oidc:
    """The configured provider; kept, with what it has said of itself, until the configuration changes."""
    provider = parts.declared.oidc_provider()
    if provider is None:
        raise NotFound("No OpenID Connect provider is configured.")
    kept: Oidc | None = getattr(request.app.state, "oidc", None)
    if kept is None or kept.provider != provider:
        kept = request.app.state.oidc = Oidc(provider, fetch, parts.clock, pepper=parts.pepper)
    return kept


def _callback(request: Request, parts: Parts) -> str:
    """Where the provider sends the browser back to: the public URL of noria.toml, else as one came."""
    here = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
    return (parts.declared.public_url() or here).rstrip("/") + "/api/oidc/callback"
