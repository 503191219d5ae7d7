"""[access]: who may call and who may sign in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from noria.config.reference import HttpUrl, Secret
from noria.config.section import Section, Some
from noria.config.units import Duration

Role = Literal["viewer", "editor", "admin"]


class OidcSection(Section):
    """Sign-in through an OpenID Connect provider."""

    issuer: HttpUrl
    client_id: str
    client_secret: Secret
    scopes: Some[str] = ("openid", "profile", "email")
    groups_claim: str = "groups"
    roles: dict[str, Role] = {}
    """The role that a member of a group has; the highest counts."""
    default_role: Role | None = None
    """Of people whom no group gives a role; left out: they may not sign in."""
    domains: Some[str] | None = None
    """Only addresses at these domains may sign in."""


class PasswordSection(Section):
    """Rules for local accounts."""

    enabled: bool = True
    min_length: Annotated[int, Field(ge=8, le=128)] = 12
    max_attempts: Annotated[int, Field(ge=1)] = 10
    """Failed sign-ins within `window` after which an account and an address must wait."""
    window: Duration = 900.0


class AccessSection(Section):
    """Who may call and who may sign in."""

    require_key: bool = True
    """Whether calls without a key are refused; false is possible only on a loopback address."""
    session: Duration = 43_200.0
    """How long a sign-in lasts."""
    password: PasswordSection = PasswordSection()
    oidc: OidcSection | None = None
