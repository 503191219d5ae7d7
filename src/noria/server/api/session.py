"""Signing in and out, the first account, and accounts' invitations."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from noria.access.role import Principal, Role
from noria.server.api.body import Body
from noria.server.api.caller import Anyone, Parts
from noria.server.api.cookies import clear_session, csrf_token, peer, secure, session_token, set_session

router = APIRouter(prefix="/api", tags=["session"])


class Me(BaseModel):
    """Who is signed in."""

    id: str
    name: str
    email: str | None = None
    kind: Literal["account", "key", "local"]
    roles: dict[str, Role]
    """By project; `*` stands for every project."""


class SessionState(BaseModel):
    """What the page needs to know before it draws anything."""

    principal: Me | None
    needs_setup: bool
    """No account exists yet: open the link that `noria up` printed."""
    methods: list[Literal["password", "oidc"]]
    csrf: str | None
    """To be sent as `X-CSRF-Token` with every POST, PATCH, PUT and DELETE of a signed-in page."""
    version: str
    projects: list[str]
    role: Role | None
    """In the project asked for."""


class PasswordSignIn(Body):
    email: str = Field(min_length=3, max_length=254)
    password: str = Field(min_length=1, max_length=1024)


class Setup(Body):
    """Redeems a one-time link: of the first account, of an invitation, or of a forgotten password."""

    token: str = Field(min_length=10, max_length=200)
    email: str | None = Field(None, min_length=3, max_length=254)
    """Needed for the first account only."""
    name: str = Field("", max_length=120)
    password: str = Field(min_length=1, max_length=1024)


@router.get("/session")
def read_sign_in(request: Request, parts: Parts, who: Anyone, project: str = "default") -> SessionState:
    """Who is signed in, and how one could."""
    return _state(request, parts, who, project)


@router.post("/session")
def sign_in(request: Request, response: Response, parts: Parts, body: PasswordSignIn) -> SessionState:
    """Sign in with a password. Sets the session cookie; repeated failures are slowed down."""
    token, who = parts.sign_in.with_password(body.email, body.password, peer=peer(request))
    set_session(response, token, secure=secure(request))
    return _state(request, parts, who, "default", token=token)


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response, parts: Parts, who: Anyone) -> None:
    """End this session."""
    token = session_token(request)
    if token and who is not None:
        parts.sign_in.sign_out(token, who)
    clear_session(response, secure=secure(request))


@router.post("/setup")
def setup(request: Request, response: Response, parts: Parts, body: Setup) -> SessionState:
    """Make the account of a one-time link, or give it a new password, and sign in."""
    token, who = parts.sign_in.redeem(
        body.token, email=body.email, name=body.name, password=body.password, peer=peer(request)
    )
    set_session(response, token, secure=secure(request))
    return _state(request, parts, who, "default", token=token)


def _methods(parts: Parts) -> list[Literal["password", "oidc"]]:
    found: list[Literal["password", "oidc"]] = ["password"] if parts.declared.rules().password else []
    if parts.declared.has_oidc():
        found.append("oidc")
    return found


def me(who: Principal) -> Me:
    return Me(id=who.id, name=who.name, email=who.email or None, kind=who.kind, roles=dict(who.roles))


def _state(
    request: Request, parts: Parts, who: Principal | None, project: str, *, token: str | None = None
) -> SessionState:
    token = token or session_token(request)
    return SessionState(
        principal=me(who) if who else None,
        needs_setup=parts.sign_in.needs_setup(),
        methods=_methods(parts),
        csrf=csrf_token(parts, token) if who and who.kind == "account" and token else None,
        version=parts.version,
        projects=parts.projects(who) if who else [],
        role=who.role(project) if who else None,
    )
