"""Virtual keys: `nk-<lookup, 12 chars><secret, 32 chars>`, stored as a keyed hash only.

Every process authenticates with the one pure function here. The lookup part finds the record; the hash is
keyed BLAKE2b over the whole token and is compared in constant time over its whole length.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

import msgspec

PREFIX = "nk-"
_LOOKUP = 12
_SECRET = 32
_LENGTH = len(PREFIX) + _LOOKUP + _SECRET
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class RateLimit(msgspec.Struct, frozen=True, array_like=True):
    """At most `amount` of `unit` within any `window_s` seconds; money in nano-dollars."""

    unit: str
    """One of "requests", "tokens", "money"."""
    amount: int
    window_s: int
    name: str = ""
    """Empty: the limit counts for its owner alone; else all who carry a limit of this name share it."""


class Budget(msgspec.Struct, frozen=True, array_like=True):
    """A cap on money for one subject in one calendar window (UTC)."""

    name: str
    subject: str
    """What is counted together, rendered: "key:key_01…", "team:search", "user:*" (each user apart)."""
    amount_nano: int
    window: str
    """One of "hour", "day", "week", "month" or "total"."""
    hard: bool = True
    """Hard: reserve before the call, refuse beyond. Soft: count and warn only."""
    warn_share: float = 0.8
    """Share of the amount from which a warning is recorded."""


class Key(msgspec.Struct, frozen=True, array_like=True):
    """One virtual key as workers see it. Empty `routes` means none; ("*",) means all."""

    id: str
    lookup: str
    hash: bytes
    name: str = ""
    project: str = "default"
    team: str = ""
    user: str = ""
    role: str = "caller"
    """One of "caller" may call models; "viewer", "editor" and "admin" may also use the API."""
    routes: tuple[str, ...] = ()
    expires_at: int = 0
    """Unix seconds; 0: never."""
    tags: dict[str, str] = {}
    limits: tuple[RateLimit, ...] = ()
    budgets: tuple[str, ...] = ()
    """Names of budgets that count this key's calls, beside those whose subject it matches."""
    capture: str | None = None
    """One of "full", "metadata", or a share such as "0.1"; None: as the route says."""
    previous_hash: bytes = b""
    """The hash before the last rotation, honoured until `previous_until`."""
    previous_until: int = 0


def new_token() -> tuple[str, str]:
    """(token, lookup) of a fresh key; the token is shown once and never stored."""
    lookup = "".join(secrets.choice(_ALPHABET) for _ in range(_LOOKUP))
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET))
    return PREFIX + lookup + secret, lookup


def hash_token(token: bytes, pepper: bytes) -> bytes:
    """32 bytes; `pepper` is the installation's secret (16 to 64 bytes)."""
    return hashlib.blake2b(token, key=pepper, digest_size=32).digest()


def authenticate(token: bytes, keys: dict[str, Key], *, pepper: bytes, now: float) -> Key | None:
    """The key that `token` is, or None where it is unknown, revoked (absent) or expired.

    `keys` maps lookup to Key; `now` is in Unix seconds. Takes about 2 µs.
    """
    if len(token) != _LENGTH:
        return None
    key = keys.get(token[3:15].decode("latin-1"))
    if key is None:
        return None
    found = hash_token(token, pepper)
    current = hmac.compare_digest(found, key.hash)
    previous = hmac.compare_digest(found, key.previous_hash) and now < key.previous_until
    if not (current or previous) or (key.expires_at and now >= key.expires_at):
        return None
    return key
