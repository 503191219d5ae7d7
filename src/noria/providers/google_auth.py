"""Access tokens for Google Cloud from a service account's key: a signed JWT is exchanged for a bearer token.

Source: https://developers.google.com/identity/protocols/oauth2/service-account, "HTTP/REST" (RFC 7523).
"""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Callable
from time import monotonic, time
from urllib.parse import urlencode, urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from noria.errors import ConfigError, UpstreamError
from noria.gateway.transport import Origin, Transport

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 3600
"""Seconds that a token is asked for; Google gives no more."""
AHEAD = 300.0
"""Seconds before its end at which a token is replaced, while calls go on with the old one."""
PAUSE = 10.0
"""Seconds between two exchanges while the old token serves, so that an outage is not hammered."""
PATIENCE = 10.0
"""Seconds for the whole exchange."""


class ServiceAccount(msgspec.Struct, frozen=True):
    """What a service account's key file holds, of which the rest is not needed."""

    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"
    type: str = "service_account"


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = LIFETIME


class _Refusal(msgspec.Struct, frozen=True):
    error: str = ""
    error_description: str = ""


def read_account(credentials: str) -> tuple[ServiceAccount, RSAPrivateKey]:
    """`credentials` is the key file's JSON. Raises ConfigError with what is wrong with it."""
    try:
        account = msgspec.json.decode(credentials, type=ServiceAccount)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ConfigError(f"The Google credentials are not a service account's key file: {error}") from None
    if account.type != "service_account":
        raise ConfigError(
            f"The Google credentials are of the type {account.type!r}; use the key of a service account."
        )
    try:
        key = load_pem_private_key(account.private_key.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError("The private key in the Google credentials is not an RSA key in PEM form.")
    return account, key


def assertion(account: ServiceAccount, key: RSAPrivateKey, *, now: float) -> str:
    """The JWT, signed with RS256; `now` is in Unix seconds."""
    head = {"alg": "RS256", "typ": "JWT", "kid": account.private_key_id}
    claims = {
        "iss": account.client_email,
        "scope": SCOPE,
        "aud": account.token_uri,
        "iat": int(now),
        "exp": int(now) + LIFETIME,
    }
    signed = b".".join(_base64(msgspec.json.encode(part)) for part in (head, claims))
    return b".".join((signed, _base64(key.sign(signed, PKCS1v15(), SHA256())))).decode()


def _base64(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


class GoogleSigner:
    """gateway.transport.Signer: one token for all calls, renewed ahead of its end, one exchange at a time."""

    def __init__(
        self,
        credentials: str,
        *,
        transport: Transport,
        proxy: Callable[[str], str] = lambda url: "",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`proxy` gives the proxy for the token endpoint's URL; `clock` counts seconds."""
        self._account, self._key = read_account(credentials)
        url = urlsplit(self._account.token_uri)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ConfigError("The token_uri in the Google credentials must be an http(s) URL.")
        tls = url.scheme == "https"
        self._origin = Origin(
            host=url.hostname,
            port=url.port or (443 if tls else 80),
            tls=tls,
            proxy=proxy(self._account.token_uri),
        )
        target = url.path or "/"
        if self._origin.proxy and not tls:
            target = f"http://{url.netloc}{target}"
        self._head = (
            f"POST {target} HTTP/1.1\r\nhost: {url.netloc}\r\nuser-agent: noria\r\n"
            "accept: application/json\r\ncontent-type: application/x-www-form-urlencoded\r\n"
        ).encode("latin-1")
        self._transport = transport
        self._clock = clock
        self._token = ""
        self._ends = 0.0
        self._again = 0.0
        self._exchange: asyncio.Task[None] | None = None

    async def headers(self, *, method: str, host: str, path: str, body: bytes) -> dict[str, str]:
        now = self._clock()
        left = self._ends - now
        idle = self._exchange is None or self._exchange.done()
        if idle and (left <= 0 or (left < AHEAD and now >= self._again)):
            self._again = now + PAUSE
            self._exchange = asyncio.get_running_loop().create_task(self._renew())
            # A failure is raised to those who wait for it; where nobody does, the old token still serves.
            self._exchange.add_done_callback(lambda task: task.cancelled() or task.exception())
        if left <= 0:
            assert self._exchange is not None
            # A caller who hangs up must not end the exchange that others wait for.
            await asyncio.shield(self._exchange)
        return {"authorization": f"Bearer {self._token}"}

    async def _renew(self) -> None:
        begun = self._clock()
        form = {"grant_type": GRANT, "assertion": assertion(self._account, self._key, now=time())}
        try:
            answer = await self._transport.send(
                self._origin,
                self._head,
                urlencode(form).encode(),
                connect=PATIENCE,
                first=PATIENCE,
                total_at=monotonic() + PATIENCE,
            )
            body = await answer.read()
        except UpstreamError as error:
            raise UpstreamError(
                f"No Google access token could be had: {error.message}", kind="auth"
            ) from error
        if answer.status != 200:
            raise UpstreamError(
                f"Google refused an access token ({answer.status}): {_said(body)}",
                kind="auth",
                status=answer.status,
                body=body[:65536],
            )
        try:
            token = msgspec.json.decode(body, type=_Token)
        except (msgspec.DecodeError, UnicodeError):
            raise UpstreamError("Google's token answer is not in its form.", kind="auth") from None
        self._token = token.access_token
        self._ends = begun + token.expires_in


def _said(body: bytes) -> str:
    try:
        found = msgspec.json.decode(body, type=_Refusal)
    except (msgspec.DecodeError, UnicodeError):
        found = _Refusal()
    return found.error_description or found.error or body[:200].decode("utf-8", "replace")
