import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import InvalidRequest

pytest.importorskip("numpy")

from noria.stats.interval import mean
from noria.stats.passk import pass_at_k, pass_hat_k


@given(st.integers(1, 8), st.data())
def test_both_are_what_drawing_k_of_the_tries_gives(n: int, data: st.DataObject) -> None:
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    tries = [1] * c + [0] * (n - c)
    drawn = list(itertools.combinations(tries, k))
    assert pass_at_k([c], [n], k).estimate == pytest.approx(sum(map(any, drawn)) / len(drawn), abs=1e-9)
    assert pass_hat_k([c], [n], k).estimate == pytest.approx(sum(map(all, drawn)) / len(drawn), abs=1e-9)


def test_examples_are_averaged_and_have_an_interval() -> None:
    successes, tries = [0, 5, 10, 3, 7, 2] * 5, [10] * 30
    each = [1 - math.comb(10 - c, 3) / math.comb(10, 3) for c in successes]
    found = pass_at_k(successes, tries, 3)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (mean(each).estimate, mean(each).low, mean(each).high), abs=1e-9
    )
    assert pass_hat_k(successes, tries, 1).estimate == pytest.approx(sum(successes) / 300)


def test_large_counts_do_not_overflow() -> None:
    assert pass_at_k([1], [100_000], 1000).estimate == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("successes", "tries", "k", "said"),
    [
        ([1, 2], [5, 2], 3, "Number 1 has 2 tries"),
        ([6], [5], 1, "Number 0 has 6 successes"),
        ([1], [5], 0, "k must be"),
        ([1], [5, 5], 1, "equally many"),
        ([0.5], [5], 1, "must be a count"),
        ([-1], [5], 1, "must be a count"),
    ],
)
def test_counts_must_fit(successes: list[int], tries: list[int], k: int, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        pass_at_k(successes, tries, k)
