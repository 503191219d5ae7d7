"""E-mail, IP and MAC addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from noria.text.pii.hit import Hit

_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![\w-])",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"(?<![\d.\w])(?<!version )(?<!Version )(?:\d{1,3}\.){3}\d{1,3}(?![\d\w]|\.\d)")
_IPV6 = re.compile(
    r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])", re.I
)
_MAC = re.compile(
    r"(?<![0-9a-f:-])(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![0-9a-f:-])"
    r"|(?<![0-9a-f.])(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}(?![0-9a-f.])",
    re.IGNORECASE,
)


def email(text: str) -> Iterator[Hit]:
    """RFC 5322's dot-atom form, and non-ASCII letters as RFC 6531 has them; no quoted local parts."""
    if "@" not in text:
        return
    for found in _EMAIL.finditer(text):
        local = found[0].partition("@")[0]
        lead = len(local) - len(local.lstrip(".'`/{|}!#$%&*=?^~"))
        if lead < len(local):
            yield Hit(found.start() + lead, found.end(), "email")


def ip(text: str) -> Iterator[Hit]:
    """IPv4 and IPv6, less those that say nothing of a person: loopback and unspecified."""
    if text.count(".") >= 3:
        for found in _IPV4.finditer(text):
            if _tells(found[0]):
                yield Hit(found.start(), found.end(), "ip")
    if text.count(":") >= 2:
        for found in _IPV6.finditer(text):
            if len(found[0]) > 4 and _tells(found[0]):
                yield Hit(found.start(), found.end(), "ip")


def mac(text: str) -> Iterator[Hit]:
    """IEEE 802 in its three spellings; all-zero and broadcast are nobody's."""
    for found in _MAC.finditer(text):
        if len(set(re.sub("[:.-]", "", found[0].lower())) - {"0", "f"}) > 0:
            yield Hit(found.start(), found.end(), "mac")


def _tells(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_unspecified)
