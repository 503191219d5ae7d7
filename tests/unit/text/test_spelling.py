"""Typos: corrected where there is one likely reading, and never in what is protected."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.text.spelling import corrector, protected

pytest.importorskip("symspellpy")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("when will i recieve it", "when will i receive it"),
        ("the amoutn was chargged", "the amount was charged"),
        ("Dear Jonh, recieve", "Dear Jonh, receive"),
    ],
)
def test_corrected(text: str, after: str) -> None:
    found, typos = corrector()(text)
    assert found == after
    assert typos


@pytest.mark.parametrize(
    "text",
    [
        "`recieve` and ```\nrecieve = 1\n```",
        "    recieve(x)",
        "Recieve RECIEVE recieve_it recieve.py /tmp/recieve http://x.y/recieve recieve@x.y #recieve",
        "recieve2 and 2recieve and $recieve$ and {{ recieve }} and <recieve>",
        "my favorite neighbor's color and my favourite neighbour's colour, traveled and travelled",
        "i havent, didnt, isnt, wasnt, youre",
        "crypto topup blog tokenizer embeddings",
    ],
)
def test_left_alone(text: str) -> None:
    assert corrector()(text) == (text, [])


def test_known_words_are_right() -> None:
    assert corrector(known=["Recieve"])("recieve") == ("recieve", [])


_PIECE = st.one_of(
    st.sampled_from(["recieve", "teh", "amoutn ", " ", "\n", "`recieve`", "```", "    recieve", "http://recieve.x",
                     "recieve_it", "Recieve", "12recieve", "<recieve>", "$recieve$", "don't", "a.recieve"]),
    st.text(max_size=8),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECE, max_size=8).map("".join))
def test_protected_spans_never_change(text: str) -> None:
    after, typos = corrector()(text)
    shift = 0
    at = 0
    for start, end in protected(text):
        # What stands between protected spans may change; each span is there again, in order.
        span = text[start:end]
        found = after.find(span, at)
        assert found >= 0
        shift, at = found - start, found + len(span)
    assert abs(shift) <= 2 * len(typos)
    assert not typos or after != text


@pytest.mark.parametrize("part", ["a", "a:", "<", "{{ ", "\\a{ ", "a.", "1", "$ ", "`"])
def test_a_text_of_a_megabyte_without_words_takes_linear_time(part: str) -> None:
    began = time.process_time()
    protected(part * (300_000 // len(part)))
    assert time.process_time() - began < 10
