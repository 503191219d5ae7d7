"""Passwords: kept as hashes, compared whole, refused when easy."""

from __future__ import annotations

import pytest

from noria.access import password
from noria.errors import InvalidRequest


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "_LOG_N", 4)


def test_only_the_password_itself_matches() -> None:
    stored = password.hash_password("correct horse")
    assert password.matches("correct horse", stored)
    for wrong in ("", "correct hors", "correct horse ", "Correct horse"):
        assert not password.matches(wrong, stored)
    assert "correct" not in stored and stored != password.hash_password("correct horse")


def test_nothing_matches_an_account_without_a_password() -> None:
    for word in ("", "x"):
        assert not password.matches(word, "")
    assert not password.matches("x", "plain$x")


@pytest.mark.parametrize("easy", ["short", "aaaaaaaaaaaaaaaa", "ann@example.com", "abababababab"])
def test_easy_ones_are_refused(easy: str) -> None:
    with pytest.raises(InvalidRequest):
        password.check_new(easy, email="ann@example.com", shortest=12)
