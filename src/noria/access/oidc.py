"""OpenID Connect sign-in: Authorization Code with PKCE, state and nonce. Protocol logic; HTTP is a `Fetch`.

Sources: OpenID Connect Core 1.0 (sections 3.1.2 and 3.1.3.7), RFC 7636 (PKCE), RFC 9207 (`iss` in the
answer). What has to be remembered between the two requests is in a signed cookie, so nothing is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote_plus, urlencode

import msgspec

from noria.access.role import EVERYWHERE, Role, highest
from noria.access.session import Identity
from noria.core.clock import Clock
from noria.errors import Forbidden, InvalidRequest, MissingExtra, UpstreamError

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric only: with a symmetric one the client secret could sign tokens."""
_PATIENCE_S = 600
_LEEWAY_S = 60


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """As [access.oidc] of noria.toml says."""

    issuer: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    groups_claim: str = "groups"
    roles: dict[str, Role] = {}
    """The role that a member of a group has; the highest counts."""
    default_role: Role | None = None
    domains: tuple[str, ...] | None = None
    """Only addresses at these domains may sign in."""


class Fetch(Protocol):
    """A GET, or a POST of a form; the body of a 2xx answer. Raises UpstreamError for any other."""

    def __call__(
        self, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes: ...


class Started(msgspec.Struct, frozen=True):
    """Where to send the browser, and what its cookie has to hold."""

    url: str
    state: str


class _Saved(msgspec.Struct, frozen=True, array_like=True):
    state: str
    nonce: str
    verifier: str
    to: str
    until: int
    """Unix seconds."""


class _Discovery(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str = ""


class Oidc:
    """One provider's sign-in."""

    def __init__(self, provider: Provider, fetch: Fetch, clock: Clock, *, pepper: bytes) -> None:
        self.provider = provider
        self._fetch = fetch
        self._clock = clock
        self._pepper = pepper
        self._found: _Discovery | None = None

    def begin(self, *, callback: str, to: str) -> Started:
        """`to` is the path of the page to come back to; another site's address becomes "/"."""
        verifier = secrets.token_urlsafe(48)
        saved = _Saved(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=verifier,
            to=_own_path(to),
            until=self._now() + _PATIENCE_S,
        )
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.provider.client_id,
                "redirect_uri": callback,
                "scope": " ".join(self.provider.scopes),
                "state": saved.state,
                "nonce": saved.nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        endpoint = self._discovery().authorization_endpoint
        return Started(f"{endpoint}{'&' if '?' in endpoint else '?'}{query}", self._seal(saved))

    def finish(
        self, *, callback: str, saved: str, state: str, code: str, error: str = "", issuer: str = ""
    ) -> tuple[Identity, str]:
        """Who it is, and the path to go on to. Raises Forbidden, or UpstreamError."""
        kept = self._open(saved)
        if kept is None or not hmac.compare_digest(kept.state.encode(), state.encode()):
            raise Forbidden("This sign-in was not begun here or took too long; begin again.")
        if error:
            raise Forbidden(f"The sign-in provider refused: {error[:200]}.")
        if issuer and issuer != self.provider.issuer:
            raise Forbidden("The answer is not from the configured sign-in provider; begin again.")
        if not code:
            raise InvalidRequest("The sign-in provider sent no code; begin again.", param="code")
        tokens = self._exchange(code, callback=callback, verifier=kept.verifier)
        claims = self._claims(tokens.id_token, nonce=kept.nonce)
        found = self._discovery()
        if "email" not in claims and found.userinfo_endpoint and tokens.access_token:
            headers = {"authorization": f"Bearer {tokens.access_token}"}
            more = _object(self._fetch(found.userinfo_endpoint, headers=headers))
            # OpenID Connect Core 5.3.2: another subject's answer must not be used.
            if more.get("sub") == claims["sub"]:
                claims = {**more, **claims}
        return self._identity(claims), kept.to

    def _exchange(self, code: str, *, callback: str, verifier: str) -> _Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "code_verifier": verifier,
        }
        headers: dict[str, str] = {}
        found = self._discovery()
        if "client_secret_basic" in found.token_endpoint_auth_methods_supported:
            # RFC 6749, section 2.3.1: both are form-encoded before they are joined.
            pair = quote_plus(self.provider.client_id), quote_plus(self.provider.client_secret)
            headers["authorization"] = "Basic " + b64encode(":".join(pair).encode()).decode()
        else:
            form |= {"client_id": self.provider.client_id, "client_secret": self.provider.client_secret}
        try:
            return msgspec.json.decode(
                self._fetch(found.token_endpoint, form=form, headers=headers), type=_Tokens
            )
        except msgspec.DecodeError as error:
            raise UpstreamError(
                f"The sign-in provider's tokens cannot be read: {error}.", kind="server"
            ) from None

    def _claims(self, token: str, *, nonce: str) -> dict[str, Any]:
        """The verified claims of an id token. Raises Forbidden."""
        try:
            from joserfc import jwt
            from joserfc.errors import JoseError
            from joserfc.jwk import KeySet
        except ImportError as error:
            raise MissingExtra("Sign-in through OpenID Connect", "oidc") from error
        try:
            keys = KeySet.import_key_set(_object(self._fetch(self._discovery().jwks_uri)))  # pyright: ignore[reportArgumentType]
            claims = jwt.decode(token, keys, algorithms=list(_ALGORITHMS)).claims
            jwt.JWTClaimsRegistry(
                now=self._now(),
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": self.provider.issuer},
                aud={"essential": True, "value": self.provider.client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError) as error:
            raise Forbidden(f"The sign-in provider's token does not hold: {error}") from None
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        if (several or "azp" in claims) and claims.get("azp") != self.provider.client_id:
            raise Forbidden("The sign-in provider's token was made for another client.")
        return claims

    def _identity(self, claims: dict[str, Any]) -> Identity:
        email = claims.get("email")
        if not isinstance(email, str) or claims.get("email_verified") is False:
            raise Forbidden("The sign-in provider names no verified e-mail address for you.")
        allowed = self.provider.domains
        if allowed is not None and email.rpartition("@")[2].lower() not in {one.lower() for one in allowed}:
            raise Forbidden(f"Addresses such as {email} may not sign in here.")
        name = claims.get("name")
        return Identity(
            issuer=self.provider.issuer,
            subject=str(claims["sub"]),
            email=email,
            verified=claims.get("email_verified") is True,
            name=name if isinstance(name, str) else "",
            roles=self._roles(claims.get(self.provider.groups_claim)),
        )

    def _roles(self, groups: object) -> dict[str, Role] | None:
        """None: the provider's groups give no roles here, administrators do."""
        if not self.provider.roles and self.provider.default_role is None:
            return None
        names: set[object] = set(groups if isinstance(groups, list) else [groups])
        found: list[Role] = [role for name, role in self.provider.roles.items() if name in names]
        if self.provider.default_role is not None:
            found.append(self.provider.default_role)
        role = highest(found)
        return {} if role is None else {EVERYWHERE: role}

    def _discovery(self) -> _Discovery:
        if self._found is None:
            url = self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
            try:
                found = msgspec.json.decode(self._fetch(url), type=_Discovery)
            except msgspec.DecodeError as error:
                raise UpstreamError(f"{url} cannot be read: {error}.", kind="server") from None
            if found.issuer != self.provider.issuer:
                raise UpstreamError(
                    f"{url} says that the issuer is {found.issuer!r}, and noria.toml says otherwise.",
                    kind="invalid",
                )
            self._found = found
        return self._found

    def _seal(self, saved: _Saved) -> str:
        body = urlsafe_b64encode(msgspec.msgpack.encode(saved))
        return f"{body.decode()}.{self._mac(body)}"

    def _open(self, text: str) -> _Saved | None:
        body, _, mac = text.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(body.encode()).encode()):
            return None
        saved = msgspec.msgpack.decode(urlsafe_b64decode(body), type=_Saved)
        return saved if self._now() < saved.until else None

    def _mac(self, body: bytes) -> str:
        return hmac.new(self._pepper, b"oidc:" + body, hashlib.sha256).hexdigest()

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000_000


def _own_path(to: str) -> str:
    """`to` where it is a path of this page; a browser reads "//x" and "/\\x" as another host."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() else "/"


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise UpstreamError(
            f"The sign-in provider's answer cannot be read: {error}.", kind="server"
        ) from None
