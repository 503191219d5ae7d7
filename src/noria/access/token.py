"""Short-lived tokens for calls that Noria makes on a principal's behalf: `nt-<claims>.<mac>`.

Control, Apps and jobs call the gateway with one of these, so that keys, budgets, spans and guards need no
second path. The claims are the Key as the worker is to see it; the mac is keyed BLAKE2b under the
installation's secret. A revoked key makes its tokens useless only when they expire: keep `ttl` short.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

import msgspec

from noria.access.key import Key

PREFIX = "nt-"
MAX_TTL = 900
"""Seconds."""


class _Claims(msgspec.Struct, frozen=True, array_like=True):
    key: Key
    expires_at: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Claims).decode


def issue(key: Key, *, pepper: bytes, now: float, ttl: int = 300) -> str:
    """A token that acts as `key` for `ttl` seconds (at most 900). `now` is in Unix seconds."""
    bare = msgspec.structs.replace(key, hash=b"", previous_hash=b"", lookup="")
    claims = urlsafe_b64encode(_encode(_Claims(bare, int(now) + min(ttl, MAX_TTL)))).decode()
    return f"{PREFIX}{claims}.{_mac(claims.encode(), pepper)}"


def verify(token: bytes, *, pepper: bytes, now: float) -> Key | None:
    """The key that the token acts as, or None where it is forged, damaged or expired."""
    claims, dot, mac = token.removeprefix(b"nt-").partition(b".")
    if not dot or not hmac.compare_digest(mac, _mac(claims, pepper).encode()):
        return None
    try:
        found = _decode(urlsafe_b64decode(claims))
    except (Base64Error, msgspec.DecodeError):
        return None
    return found.key if now < found.expires_at else None


def _mac(claims: bytes, pepper: bytes) -> str:
    return hashlib.blake2b(claims, key=pepper, digest_size=24, person=b"noria-token").hexdigest()
