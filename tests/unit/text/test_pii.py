"""Personal data: what is found, what is not, and that nothing is left when it was taken out."""

from __future__ import annotations

import ipaddress
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.errors import StateError
from noria.text.pii import Vault, find, opened, redacted, replaced, tokens
from noria.text.pii.account import luhn

pytest.importorskip("phonenumbers")


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("write to jane.doe+x@mail.example.co.uk.", "email", "jane.doe+x@mail.example.co.uk"),
        ("müller@exämple.de", "email", "müller@exämple.de"),
        ("call +1 (415) 555-2671 now", "phone", "+1 (415) 555-2671"),
        ("call 415-555-2671", "phone", "415-555-2671"),
        ("my phone is 4155552671", "phone", "4155552671"),
        ("ring +49 30 901820", "phone", "+49 30 901820"),
        ("to DE89 3704 0044 0532 0130 00 please", "iban", "DE89 3704 0044 0532 0130 00"),
        ("GB82WEST12345698765432", "iban", "GB82WEST12345698765432"),
        ("card 4111-1111-1111-1111", "card", "4111-1111-1111-1111"),
        ("amex 378282246310005", "card", "378282246310005"),
        ("SSN 536-90-4399", "ssn", "536-90-4399"),
        ("from 203.0.113.7 to", "ip", "203.0.113.7"),
        ("at 2001:db8::ff00:42:8329", "ip", "2001:db8::ff00:42:8329"),
        ("nic 00:1A:2B:3C:4D:5E", "mac", "00:1A:2B:3C:4D:5E"),
        ("AWS AKIAIOSFODNN7EXAMPLE ok", "secret", "AKIAIOSFODNN7EXAMPLE"),
        ('{"api_key": "a8f5f167f44f4964e6c998dee827110c"}', "secret", "a8f5f167f44f4964e6c998dee827110c"),
        ("password is hunter2000", "secret", "hunter2000"),
        ("https://bob:pa55word@host/x", "secret", "pa55word"),
        ("Authorization: Bearer abcdef123456.xyz", "secret", "abcdef123456.xyz"),
    ],
)
def test_found(text: str, kind: str, found: str) -> None:
    assert [(hit.kind, text[hit.start : hit.end]) for hit in find(text)] == [(kind, found)]


@pytest.mark.parametrize(
    "text",
    [
        "order 4155552671 of 2024-01-02 at 12:30:45",
        "card 4111 1111 1111 1112",  # the check digit is wrong
        "DE89 3704 0044 0532 0130 01",
        "666-12-3456 and 123-00-4567 and 078-05-1120",
        "version 1.2.3.4 and 999.1.1.1 and 127.0.0.1",
        "std::vector and a::b, 10:20:30",
        "your password is wrong, reset your password: please",
        "f(x) = 3.14159265358979 + 1234567890123",
        "ISBN 978-3-16-148410-0",
        "00:00:00:00:00:00",
        "@user mentioned #tag, see a@b",
    ],
)
def test_not_found(text: str) -> None:
    assert [(hit.kind, text[hit.start : hit.end]) for hit in find(text)] == []


_PART = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.(com|org)", fullmatch=True),
    st.from_regex(r"\+1 ?\(?[2-9][0-9]{2}\)?[ -]?[2-9][0-9]{2}[ -]?[0-9]{4}", fullmatch=True),
    st.from_regex(r"4[0-9]{15}", fullmatch=True),
    st.from_regex(r"[0-9]{3}-[0-9]{2}-[0-9]{4}", fullmatch=True),
    st.ip_addresses().map(str),
    st.sampled_from(["DE89370400440532013000", "password: hunter2000", "https://a:b1@c/", "sk-" + "a1" * 12]),
)
_TEXT = st.lists(st.tuples(_PART, st.sampled_from(["", " ", ", ", "\n", ":", "-"])), max_size=6).map(
    lambda parts: "".join(part + gap for part, gap in parts)
)


@settings(deadline=None)
@given(_TEXT)
def test_nothing_is_found_in_what_is_left(text: str) -> None:
    vault = Vault(b"x" * 32)
    for replace in (redacted, vault.hashed, vault.token):
        after, kinds = replaced(text, find, replace)
        assert find(after) == []
        assert bool(kinds) == bool(find(text))


@settings(deadline=None)
@given(_TEXT)
def test_tokens_go_there_and_back(text: str) -> None:
    vault = Vault(b"x" * 32)
    values: dict[str, bytes] = {}

    def put(kind: str, value: str) -> str:
        token = vault.token(kind, value)  # type: ignore[arg-type]
        values[token] = vault.seal(value)
        return token

    if tokens(text):
        return  # It has what looks like a token already.
    after, _ = replaced(text, find, put)
    assert opened(after, {token: vault.unseal(sealed) for token, sealed in values.items()}) == text


def test_the_same_value_has_the_same_token_and_another_secret_cannot_open_it() -> None:
    vault, other = Vault(b"x" * 32), Vault(b"y" * 32)
    assert vault.token("email", "a@b.c") == vault.token("email", "a@b.c") != other.token("email", "a@b.c")
    assert vault.hashed("email", "a@b.c") != vault.token("email", "a@b.c")
    with pytest.raises(StateError, match="another secret"):
        other.unseal(vault.seal("a@b.c"))


@settings(deadline=None)
@given(st.from_regex(r"[0-9]{12,18}", fullmatch=True))
def test_luhn_finds_every_single_wrong_digit(digits: str) -> None:
    check = next(str(one) for one in range(10) if luhn(digits + str(one)))
    for wrong in set("0123456789") - {check}:
        assert not luhn(digits + wrong)


@settings(deadline=None)
@given(st.ip_addresses())
def test_every_address_but_the_machines_own_is_found(address: ipaddress.IPv4Address) -> None:
    text = f"from {address} on"
    told = not (address.is_loopback or address.is_unspecified)
    assert [text[hit.start : hit.end] for hit in find(text, kinds=["ip"])] == ([str(address)] if told else [])


@pytest.mark.parametrize(
    "letters", ["a", "1", "1 ", "a.", "1-", "a@", "password: ", "://", "0:", "AA00 ", "eyJ"]
)
def test_hostile_texts_take_no_time(letters: str) -> None:
    began = time.monotonic()
    find(letters * 20_000)
    assert time.monotonic() - began < 5
