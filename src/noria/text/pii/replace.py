"""Personal data taken out of a text: for good, as a hash, or as a token that a vault can turn back."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from noria.errors import StateError
from noria.text.pii.hit import Hit, Kind

_LETTERS = "bcdfghjklmnpqrst"
"""Sixteen consonants, so that no token reads as a number, an address or a word."""
_TOKEN = re.compile(r"<(?:[A-Z]+):([bcdfghjklmnpqrst]{16})>")

Replace = Callable[[Kind, str], str]
"""(kind, what was found): what stands there instead."""
Find = Callable[[str], list[Hit]]


def replaced(text: str, find: Find, replace: Replace) -> tuple[str, list[Kind]]:
    """(the text in which `find` finds nothing any more, the kinds that were replaced).

    What is left beside a replacement may look like something new, so it is looked through again; that ends,
    since a replacement is never a hit.
    """
    kinds: list[Kind] = []
    while hits := find(text):
        parts: list[str] = []
        at = 0
        for hit in hits:
            parts += (text[at : hit.start], replace(hit.kind, text[hit.start : hit.end]))
            at = hit.end
            kinds.append(hit.kind)
        text = "".join(parts) + text[at:]
    return text, kinds


def redacted(kind: Kind, value: str) -> str:
    """`<EMAIL>`."""
    return f"<{kind.upper()}>"


class Vault:
    """Hashes, tokens and sealed values under one secret; the same value always gives the same."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: 32 bytes or more that the texts' readers do not have."""
        self._hash = hmac.digest(secret, b"noria pii hash", "sha256")
        self._token = hmac.digest(secret, b"noria pii token", "sha256")
        self._siv = AESSIV(hmac.digest(secret, b"noria pii vault", "sha512"))

    def hashed(self, kind: Kind, value: str) -> str:
        """`<EMAIL:…>`, which tells equal values and cannot be turned back, even by whoever has the secret,
        but by trying values."""
        return f"<{kind.upper()}:{_spelled(self._hash, kind, value)}>"

    def token(self, kind: Kind, value: str) -> str:
        """As `hashed`, to be kept with `seal(value)`."""
        return f"<{kind.upper()}:{_spelled(self._token, kind, value)}>"

    def seal(self, value: str) -> bytes:
        """Encrypted (AES-SIV, RFC 5297: equal values seal alike)."""
        return self._siv.encrypt(value.encode(), None)

    def unseal(self, sealed: bytes) -> str:
        """Raises StateError where it was sealed under another secret."""
        try:
            return self._siv.decrypt(sealed, None).decode()
        except InvalidTag:
            raise StateError(
                "This token was made under another secret; restore the one of that time."
            ) from None


def tokens(text: str) -> list[str]:
    """The tokens in a text, as written."""
    return [found[0] for found in _TOKEN.finditer(text)]


def opened(text: str, values: dict[str, str]) -> str:
    """The text with tokens turned back; one that `values` lacks stays."""
    return _TOKEN.sub(lambda found: values.get(found[0], found[0]), text)


def _spelled(key: bytes, kind: Kind, value: str) -> str:
    raw = hmac.new(key, f"{kind}\0{value}".encode(), hashlib.sha256).digest()[:8]
    return "".join(_LETTERS[byte >> 4] + _LETTERS[byte & 15] for byte in raw)
