"""Normal form of text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.text.normal import normal

_TEXT = st.text(
    st.one_of(st.characters(), st.sampled_from(" \t\n\r\u00a0\u200b\u0301\u2028ae|\ufb01")), max_size=60
)


@settings(deadline=None)
@given(_TEXT, st.sampled_from(["NFC", "NFKC"]))
def test_twice_is_once(text: str, form: str) -> None:
    once = normal(text, form=form)  # type: ignore[arg-type]
    assert normal(once, form=form) == once  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  b", "a b"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("e\u0301", "é"),
        ("soft\u00adhyphen \ufeffmark", "softhyphen mark"),
        ("one \n\n\n\n two", "one\n\n two"),
        ("    def f():\n\treturn 1  ", "    def f():\n\treturn 1"),
        ("| a   | b |", "| a   | b |"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("", ""),
    ],
)
def test_forms(text: str, expected: str) -> None:
    assert normal(text) == expected
