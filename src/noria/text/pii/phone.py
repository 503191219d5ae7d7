"""Telephone numbers that phonenumbers holds to be in use, of any country when written with a plus."""

from __future__ import annotations

import re
from collections.abc import Iterator

from noria.errors import MissingExtra
from noria.text.pii.hit import Hit, Recogniser

_CANDIDATE = re.compile(r"(?<![\w.,/-])(?:\+\d|\(\d|\(\+|\d)(?:[ \u00a0().-]{0,3}\d){6,15}(?![\w-]|[.,/]\d)")
_CALLED = re.compile(
    r"(?i)\b(?:tel|telephone|phone|mobile|cell|call|fax|whatsapp|sms|number)\b"
    r"[^\w\n]{0,4}(?:me |us |is |at |on |no\.? )?[^\w\n]{0,3}$"
)
_BEFORE = 40
"""Characters in which it may be called one."""
_APART = re.compile(r"[ \u00a0().-]")
_DATE = re.compile(r"(?:19|20)\d\d[.-]\d\d?[.-]\d\d?|\d\d?[.-]\d\d?[.-](?:19|20)\d\d")


def phone(region: str) -> Recogniser:
    """Numbers without a country's code are read as those of `region` (ISO 3166), and only where they are
    written in groups or called a number: ten digits in a row are more often an order's.

    Raises MissingExtra.
    """
    try:
        import phonenumbers
    except ImportError as error:
        raise MissingExtra("Finding telephone numbers", "curate") from error

    def find(text: str) -> Iterator[Hit]:
        for found in _CANDIDATE.finditer(text):
            written = found[0]
            plus = "+" in written[:2]
            if (
                not plus
                and not _APART.search(written)
                and not _CALLED.search(text[max(found.start() - _BEFORE, 0) : found.start()])
            ):
                continue
            if _DATE.match(written):
                continue
            try:
                number = phonenumbers.parse(written, region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                yield Hit(found.start(), found.end(), "phone")

    return find
