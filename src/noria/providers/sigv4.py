"""AWS Signature Version 4 in the Authorization header.

Source: AWS IAM User Guide, "Create a signed AWS API request". All of the time, the region and the service are
arguments, so that the arithmetic is a pure function.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

import msgspec


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """An AWS access key; `session_token` only for temporary ones."""

    access_key: str
    secret_key: str
    session_token: str = ""


class Scope(msgspec.Struct, frozen=True):
    """What a signature is good for."""

    region: str
    service: str


def authorization(
    credentials: Credentials,
    scope: Scope,
    *,
    method: str,
    path: str,
    headers: dict[str, str],
    payload_hash: str,
    at: datetime,
) -> str:
    """The value of the Authorization header.

    `path` is the request target as it is sent, with its query. `headers` are those that are signed, `host`
    and `x-amz-date` among them, with lower-case names. `payload_hash` is the hex SHA-256 of the body.
    """
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    target, _, query = path.partition("?")
    signed = ";".join(sorted(headers))
    canonical = "\n".join(
        (
            method,
            # Every service but S3 wants the path as sent, encoded once more.
            quote(target or "/", safe="/-_.~"),
            _canonical_query(query),
            *(f"{name}:{' '.join(headers[name].split())}" for name in sorted(headers)),
            "",
            signed,
            payload_hash,
        )
    )
    range_ = f"{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{range_}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(
        _key(credentials.secret_key, scope, stamp[:8]), to_sign.encode(), "sha256"
    ).hexdigest()
    return (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{range_}, "
        f"SignedHeaders={signed}, Signature={signature}"
    )


def _canonical_query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _key(secret: str, scope: Scope, day: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in (day, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return key


def _now() -> datetime:
    return datetime.now(UTC)


class SigV4Signer:
    """gateway.transport.Signer for one account, region and service."""

    def __init__(self, credentials: Credentials, scope: Scope, *, now: Callable[[], datetime] = _now) -> None:
        self._credentials = credentials
        self._scope = scope
        self._now = now

    async def headers(self, *, method: str, host: str, path: str, body: bytes) -> dict[str, str]:
        at = self._now()
        made = {"x-amz-date": at.strftime("%Y%m%dT%H%M%SZ")}
        if self._credentials.session_token:
            made["x-amz-security-token"] = self._credentials.session_token
        made["authorization"] = authorization(
            self._credentials,
            self._scope,
            method=method,
            path=path,
            headers={"host": host, **made},
            payload_hash=hashlib.sha256(body).hexdigest(),
            at=at,
        )
        return made
