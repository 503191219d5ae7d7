import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.errors import InvalidRequest

np = pytest.importorskip("numpy")
stats = pytest.importorskip("scipy.stats")
tables = pytest.importorskip("statsmodels.stats.contingency_tables")
multitest = pytest.importorskip("statsmodels.stats.multitest")

from noria.stats.interval import Rows  # noqa: E402
from noria.stats.multiplicity import holm  # noqa: E402
from noria.stats.paired import compare, mcnemar, swapped  # noqa: E402


def _scipys(a: list[float], b: list[float]) -> float:
    differences = np.subtract(a, b)
    return stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
    ).pvalue


@pytest.mark.parametrize("seed", range(8))
def test_few_differences_flip_in_every_way(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.random(10)
    b = a + rng.normal(0.1, 0.2, 10)
    found = compare(a.tolist(), b.tolist())
    assert found.method == "exact sign flips"
    assert found.p == pytest.approx(_scipys(a, b), abs=1e-9)


def test_ties_of_the_sum_count_as_reached() -> None:
    a, b = [0.1, 0.2, 0.3, 0.7, 0.1], [0.3, 0.1, 0.1, 0.5, 0.2]
    assert compare(a, b).p == pytest.approx(_scipys(a, b), abs=1e-9)


def test_many_differences_flip_at_random() -> None:
    rng = np.random.default_rng(9)
    a = rng.random(300)
    b = a + rng.normal(0.02, 0.2, 300)
    theirs = stats.ttest_rel(a, b).pvalue
    found = compare(a.tolist(), b.tolist())
    assert found.method == "sign flips"
    assert found.p == pytest.approx(theirs, abs=0.02)


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (0, 5), (3, 9), (40, 12), (7, 7), (300, 350)])
def test_yes_and_no_are_compared_by_mcnemar(only_a: int, only_b: int) -> None:
    a = [1] * only_a + [0] * only_b + [1] * 10
    b = [0] * only_a + [1] * only_b + [1] * 10
    found = compare(a, b)
    theirs = tables.mcnemar([[10, only_b], [only_a, 0]], exact=True).pvalue if only_a + only_b else 1.0
    assert found.method == "McNemar"
    assert found.p == mcnemar(only_a, only_b) == pytest.approx(theirs, abs=1e-9)
    assert (found.wins, found.losses, found.ties) == (only_a, only_b, 10)
    assert found.interval.estimate == pytest.approx((only_a - only_b) / len(a))
    assert found.interval.low < found.interval.estimate < found.interval.high


def test_lower_may_be_better() -> None:
    found = compare([1.0, 2.0, 3.0], [2.0, 3.0, 3.0], better="lower")
    assert (found.wins, found.ties, found.losses) == (2, 1, 0)
    assert found.interval.estimate == pytest.approx(-2 / 3)


def test_groups_flip_and_are_resampled_whole() -> None:
    rng = np.random.default_rng(10)
    shifts = np.repeat(rng.normal(0.1, 0.3, 12), 8)
    a, b = shifts + rng.normal(0, 0.05, 96), rng.normal(0, 0.05, 96)
    groups = [str(i // 8) for i in range(96)]
    alone, grouped = compare(a, b), compare(a, b, groups=groups)
    sums = (a - b).reshape(12, 8).sum(axis=1)
    assert grouped.p == pytest.approx(_scipys(sums, np.zeros(12)), abs=1e-9)
    assert grouped.p > alone.p
    assert grouped.method == "exact sign flips by group"
    yes = compare([1, 0] * 20, [0, 0] * 20, groups=[str(i // 3) for i in range(40)])
    assert yes.method == "exact sign flips by group"


def test_the_effect_is_the_standardised_difference() -> None:
    a, b = [0.5, 0.7, 0.9, 0.2], [0.4, 0.8, 0.5, 0.1]
    differences = np.subtract(a, b)
    assert compare(a, b).effect == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert compare([0.5, 0.5], [0.2, 0.2]).effect is None


def test_nothing_to_compare_says_so() -> None:
    found = compare([], [])
    assert (found.p, found.n, found.interval.method) == (None, 0, "too few")
    equal = compare([0.3] * 20, [0.3] * 20)
    assert (equal.p, equal.ties, equal.interval.low) == (1, 20, None)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="equally many"):
        compare([1.0], [1.0, 2.0])
    with pytest.raises(InvalidRequest, match="Number 1 of b"):
        compare([1.0, 2.0], [1.0, math.nan])


SHARE = Rows(lambda sums: sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan))


def test_parts_that_change_places_are_sign_flips_of_a_mean() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.random(200), rng.random(200) + 0.05
    p = swapped([(x, 1) for x in a], [(x, 1) for x in b], SHARE)
    assert p == pytest.approx(compare(a, b).p, abs=0.03)
    groups = [str(i // 20) for i in range(200)]
    grouped = swapped([(x, 1) for x in a], [(x, 1) for x in b], SHARE, groups=groups)
    assert grouped == pytest.approx(compare(a, b, groups=groups).p, abs=0.03)
    assert swapped([(x, 1) for x in a], [(x, 1) for x in a], SHARE) == 1


def test_what_is_undefined_shows_no_difference() -> None:
    assert swapped([], [], SHARE) is None
    assert swapped([(0, 0)] * 20, [(1, 1)] * 20, SHARE) is None
    # Defined for all together, and not where the one example that counts changes places.
    assert swapped([(1, 1)] + [(0, 0)] * 20, [(0, 1)] + [(0, 0)] * 20, SHARE) == 1
    lone = swapped([(9, 1)] + [(0, 0)] * 20, [(0, 0)] * 20 + [(0, 1)], SHARE)
    assert lone is not None and lone > 0.4


values = st.lists(st.integers(0, 20), min_size=1, max_size=25)


@given(values, st.data())
def test_a_comparison_turned_round_is_its_mirror(a: list[int], data: st.DataObject) -> None:
    b = data.draw(st.lists(st.integers(0, 20), min_size=len(a), max_size=len(a)))
    one, other = compare(a, b), compare(b, a)
    assert one.p == pytest.approx(other.p, abs=1e-12)
    assert (one.wins, one.ties, one.losses) == (other.losses, other.ties, other.wins)
    assert one.wins + one.ties + one.losses == len(a)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=10)
def test_holm_is_statsmodels(ps: list[float]) -> None:
    assert holm(ps) == pytest.approx(multitest.multipletests(ps, method="holm")[1].tolist(), abs=1e-9)


def test_holm_of_nothing_is_nothing_and_of_nonsense_refused() -> None:
    assert holm([]) == []
    with pytest.raises(InvalidRequest, match="Number 1"):
        holm([0.1, 1.2])
    with pytest.raises(InvalidRequest):
        holm([math.nan])
