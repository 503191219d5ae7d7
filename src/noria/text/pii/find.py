"""All recognisers together."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from noria.text.pii.account import card, iban, ssn
from noria.text.pii.address import email, ip, mac
from noria.text.pii.hit import PATTERNS, Hit, Kind, Recogniser, settled
from noria.text.pii.phone import phone
from noria.text.pii.secret import secret

_ALWAYS: dict[Kind, Recogniser] = {
    "email": email, "iban": iban, "card": card, "ssn": ssn, "ip": ip, "mac": mac, "secret": secret,
}  # fmt: skip
_WITH_DIGITS: frozenset[Kind] = frozenset(("phone", "iban", "card", "ssn", "mac"))


def find(text: str, *, kinds: Iterable[Kind] = PATTERNS, region: str = "US") -> list[Hit]:
    """Personal data of these kinds, in order and apart. Raises MissingExtra where phone numbers are asked for
    and the extra `curate` is not installed."""
    digits = any(letter in text for letter in "0123456789")
    hits: list[Hit] = []
    for kind in kinds:
        if digits or kind not in _WITH_DIGITS:
            recogniser = _phone(region) if kind == "phone" else _ALWAYS[kind]
            hits += recogniser(text)
    return settled(hits) if hits else hits


@lru_cache(maxsize=16)
def _phone(region: str) -> Recogniser:
    return phone(region)
