"""Account numbers with checks: IBAN, payment cards, US social security numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from noria.text.pii.hit import Hit

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28,
    "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25,
    "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
"""Characters by country: SWIFT's IBAN Registry (ISO 13616)."""
_CARD = re.compile(r"(?<![\d.-])(?:\d[ -]?){12,18}\d(?![\d-]|\.\d)")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}([ -])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])")
_SAMPLES = {"078051120", "219099999"}
"""Numbers that were printed on specimen cards and are nobody's."""


def iban(text: str) -> Iterator[Hit]:
    """ISO 13616: the country's length, and the remainder 1 modulo 97."""
    for found in _IBAN.finditer(text):
        end = _iban_end(found[0])
        if end:
            yield Hit(found.start(), found.start() + end, "iban")


def card(text: str) -> Iterator[Hit]:
    """An issuer's prefix and length (ISO/IEC 7812), and Luhn's check digit."""
    for found in _CARD.finditer(text):
        digits = found[0].replace(" ", "").replace("-", "")
        if _issued(digits) and luhn(digits):
            yield Hit(found.start(), found.end(), "card")


def ssn(text: str) -> Iterator[Hit]:
    """With separators only, and in the ranges that the Social Security Administration gives out."""
    for found in _SSN.finditer(text):
        if re.sub("[ -]", "", found[0]) not in _SAMPLES:
            yield Hit(found.start(), found.end(), "ssn")


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _iban_end(candidate: str) -> int:
    """Characters of it that are an IBAN; 0: none."""
    length = _LENGTHS.get(candidate[:2], 0)
    taken = 0
    for place, letter in enumerate(candidate):
        taken += letter.isalnum()
        if taken == length:
            rest = candidate[place + 1 : place + 2]
            bare = "".join(one for one in candidate[: place + 1] if one.isalnum())
            return place + 1 if not rest.isalnum() and _remainder(bare) == 1 else 0
    return 0


def _remainder(bare: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in bare[4:] + bare[:4])) % 97


def _issued(digits: str) -> bool:
    """Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay, Maestro."""
    length, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if digits[0] == "4":
        return length in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return length == 16
    if two in (34, 37):
        return length == 15
    if four == 6011 or two == 65 or 644 <= int(digits[:3]) <= 649:
        return length in (16, 19)
    if two in (36, 38, 39) or 300 <= int(digits[:3]) <= 305:
        return length in (14, 16, 19)
    if 3528 <= four <= 3589:
        return 16 <= length <= 19
    if two == 62:
        return 16 <= length <= 19
    return four in (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763) and 13 <= length <= 19
