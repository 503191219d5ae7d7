"""Vectorised n-grams and MinHash, against the same in plain Python."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.text.minhash import PERMUTATIONS, bands, signatures
from noria.text.shingle import shingles

numpy = pytest.importorskip("numpy")
_WORDS = st.lists(
    st.sampled_from(["a", "b", "cat", "dog", "x1", "straße", "日本", "Ünï", "“q”", "…", "a_b"]), max_size=9
)
_TEXT = _WORDS.map(" ".join)
_GAPS = re.compile(r"[\W_]+")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")


def _grams(text: str, n: int, *, whole: bool) -> list[tuple[str, ...]]:
    words = [word for word in _GAPS.split(_CJK.sub(r" \g<0> ", text.lower())) if word]
    if len(words) < n:
        return [tuple(words)] if whole and words else []
    return [tuple(words[place : place + n]) for place in range(len(words) - n + 1)]


@settings(deadline=None)
@given(st.lists(_TEXT, max_size=6), st.integers(1, 4), st.booleans())
def test_hashes_are_equal_exactly_where_ngrams_are(texts: list[str], n: int, whole: bool) -> None:
    found = shingles(texts, words=n, whole=whole)
    expected = [gram for text in texts for gram in _grams(text, n, whole=whole)]
    sizes = [len(_grams(text, n, whole=whole)) for text in texts]
    assert numpy.diff(found.bounds).tolist() == sizes
    hashes = found.hashes.tolist()
    assert len(hashes) == len(expected)
    assert {(one == other) for one in expected for other in expected} or not expected
    by_gram = dict(zip(expected, hashes, strict=True))
    assert [by_gram[gram] for gram in expected] == hashes
    assert len(set(by_gram.values())) == len(by_gram)


@settings(deadline=None)
@given(st.lists(_TEXT, min_size=1, max_size=5), st.integers(1, 4))
def test_a_text_alone_and_among_others_hashes_alike(texts: list[str], n: int) -> None:
    together = shingles(texts, words=n)
    for place, text in enumerate(texts):
        alone = shingles([text], words=n)
        part = together.hashes[together.bounds[place] : together.bounds[place + 1]]
        assert part.tolist() == alone.hashes.tolist()


def test_signatures_estimate_jaccard_as_theory_says() -> None:
    random.seed(3)
    words = [f"w{number}" for number in range(3000)]
    errors: list[float] = []
    expected = 0.0
    for _ in range(300):
        one = random.choices(words, k=100)
        other = list(one)
        for _ in range(random.randint(1, 12)):
            other[random.randrange(100)] = "changed"
        left, right = set(_grams(" ".join(one), 5, whole=True)), set(_grams(" ".join(other), 5, whole=True))
        true = len(left & right) / len(left | right)
        found = signatures([" ".join(one), " ".join(other)])
        errors.append(float((found[0] == found[1]).mean()) - true)
        expected += true * (1 - true) / PERMUTATIONS
    # The standard error of a MinHash estimate is sqrt(J(1-J)/k).
    assert sum(error**2 for error in errors) / 300 < 1.3 * expected / 300
    assert abs(sum(errors) / 300) < 0.01


def test_a_text_without_words_has_no_signature() -> None:
    assert (signatures(["", "…!", "word"]).min(axis=1) == 0xFFFFFFFF).tolist() == [True, True, False]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_pairs_at_the_threshold_meet_in_a_band(threshold: float) -> None:
    count, rows = bands(threshold)
    assert count * rows <= PERMUTATIONS
    assert 1 - (1 - threshold**rows) ** count >= 0.97
