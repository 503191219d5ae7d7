"""Passwords are kept as scrypt hashes: `scrypt$<log2 n>$<r>$<p>$<salt>$<hash>`, both in base 64.

Source of the cost: OWASP Password Storage Cheat Sheet, scrypt N = 2^16, r = 8, p = 2 (64 MiB, about 0.2 s).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from base64 import b64decode, b64encode
from functools import cache

from noria.errors import InvalidRequest, RateLimited

_LOG_N, _R, _P = 16, 8, 2
_at_once = threading.BoundedSemaphore(2)
"""64 MiB each: whoever sends many passwords together must not use up the memory."""
PATIENCE = 5.0
"""Seconds that one waits for its turn."""


def hash_password(password: str) -> str:
    """A fresh hash, with its own salt."""
    salt = os.urandom(16)
    return _render(password, salt, _LOG_N, _R, _P)


def matches(password: str, stored: str) -> bool:
    """Whether `password` is the one that was hashed. Takes as long where `stored` is "" (no password)."""
    scheme, *rest = (stored or _nobody()).split("$")
    if scheme != "scrypt" or len(rest) != 5:
        return False
    log_n, r, p, salt, _ = rest
    found = _render(password, b64decode(salt), int(log_n), int(r), int(p))
    return hmac.compare_digest(found, stored)


def check_new(password: str, *, email: str, shortest: int) -> None:
    """Raises InvalidRequest where the password is too easy to guess.

    Source: NIST SP 800-63B asks for a length (`shortest`, in characters) and against rules about kinds of
    characters.
    """
    if len(password) < shortest:
        raise InvalidRequest(f"A password needs at least {shortest} characters.", param="password")
    plain = password.lower()
    if plain in (email.lower(), email.lower().partition("@")[0]) or len(set(plain)) < 4:
        raise InvalidRequest("This password is too easy to guess; choose another.", param="password")


def _render(password: str, salt: bytes, log_n: int, r: int, p: int) -> str:
    n = 1 << log_n
    if not _at_once.acquire(timeout=PATIENCE):
        raise RateLimited("Too many passwords are being checked; try again shortly.", retry_after=1)
    try:
        found = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=32)
    finally:
        _at_once.release()
    return f"scrypt${log_n}${r}${p}${b64encode(salt).decode()}${b64encode(found).decode()}"


@cache
def _nobody() -> str:
    return _render("", bytes(16), _LOG_N, _R, _P)
