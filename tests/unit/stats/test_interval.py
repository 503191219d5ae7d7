import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import InvalidRequest

np = pytest.importorskip("numpy")
stats = pytest.importorskip("scipy.stats")
proportion = pytest.importorskip("statsmodels.stats.proportion")

from noria.stats.interval import mean, share, share_of, statistic  # noqa: E402

numbers = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=2, max_size=40)


@pytest.mark.parametrize(("successes", "n"), [(0, 7), (1, 20), (3, 50), (37, 80), (999, 1000), (12, 12)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_a_share_has_wilsons_interval(successes: int, n: int, level: float) -> None:
    low, high = proportion.proportion_confint(successes, n, alpha=1 - level, method="wilson")
    found = share(successes, n, level=level)
    assert found.estimate == successes / n
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert found.method == "Wilson"


def test_few_values_have_students_interval() -> None:
    values = [0.2, 0.5, 0.4, 0.9]
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    found = mean(values)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert found.method == "Student"


def test_the_bootstrap_is_close_to_scipys_bca_on_many_values() -> None:
    values = np.random.default_rng(3).gamma(2, size=400)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=9999, rng=1).confidence_interval
    found = mean(values.tolist())
    width = theirs.high - theirs.low
    assert found.low == pytest.approx(theirs.low, abs=0.06 * width)
    assert found.high == pytest.approx(theirs.high, abs=0.06 * width)
    assert found.method == "BCa bootstrap"


def test_values_of_0_and_1_are_a_share() -> None:
    assert mean([1, 0, 1, 1, 0] * 4) == share(12, 20)


def test_groups_of_one_are_no_groups() -> None:
    values = np.random.default_rng(4).random(30).tolist()
    assert mean(values, groups=[""] * 30) == mean(values) == mean(values, groups=[str(i) for i in range(30)])


def test_values_that_depend_on_one_another_have_a_wider_interval() -> None:
    rng = np.random.default_rng(5)
    values = np.repeat(rng.random(30), 5) + rng.normal(0, 0.01, 150)
    groups = [str(i // 5) for i in range(150)]
    alone, grouped = mean(values.tolist()), mean(values.tolist(), groups=groups)
    assert grouped.method == "BCa bootstrap by group"
    assert grouped.estimate == pytest.approx(alone.estimate)
    assert (grouped.high - grouped.low) > 1.8 * (alone.high - alone.low)
    right = (np.repeat(rng.random(30), 5) > 0.5).tolist()
    assert share_of(right, groups=groups).low < share(sum(right), 150).low


def test_equal_answers_of_a_group_count_about_once() -> None:
    groups = [str(i // 10) for i in range(100)]
    ours = share_of([True] * 100, groups=groups)
    alone, worst = share(100, 100), share(10, 10)
    assert ours.low < worst.low < alone.low


@pytest.mark.parametrize(
    ("values", "estimate", "why"),
    [([], None, "too few"), ([0.4], 0.4, "too few"), ([0.4] * 30, 0.4, "no variation")],
)
def test_where_nothing_can_be_said_it_says_so(values: list[float], estimate: float | None, why: str) -> None:
    found = mean(values)
    assert (found.estimate, found.low, found.high, found.method) == (estimate, None, None, why)


def test_one_group_is_too_few() -> None:
    assert mean([0.1, 0.5, 0.3], groups=["a"] * 3).method == "too few"
    assert share_of([True, False], groups=["a"] * 2).method == "too few"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, None])
def test_a_value_that_is_no_number_is_named(bad: float) -> None:
    with pytest.raises(InvalidRequest, match="Number 2 of values"):
        mean([0.1, 0.2, bad, 0.3])


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, math.nan])
def test_a_level_is_between_0_and_1(level: float) -> None:
    with pytest.raises(InvalidRequest, match="level"):
        mean([0.1, 0.2], level=level)


@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 4), (0.5, 4)])
def test_successes_are_among_trials(successes: int, n: int) -> None:
    with pytest.raises(InvalidRequest, match="successes"):
        share(successes, n)


def test_groups_are_as_many_as_values() -> None:
    with pytest.raises(InvalidRequest, match="equally many"):
        mean([0.1, 0.2, 0.3], groups=["a", "b"])


@given(numbers, st.integers(0, 5))
def test_an_interval_holds_its_estimate_and_repeats(values: list[float], seed: int) -> None:
    found = mean(values, seed=seed)
    assert found == mean(values, seed=seed)
    if found.low is not None and found.high is not None and found.estimate is not None:
        slack = 1e-9 * max(map(abs, values))
        assert found.low - slack <= found.estimate <= found.high + slack


@given(
    st.lists(st.floats(0, 1), min_size=12, max_size=30, unique=True), st.floats(0.5, 100), st.floats(-50, 50)
)
def test_an_interval_moves_and_scales_with_its_values(
    values: list[float], scale: float, shift: float
) -> None:
    if np.ptp(values) < 1e-3:
        return
    one, other = mean(values), mean([scale * value + shift for value in values])
    assert one.low is not None and other.low is not None
    assert other.low == pytest.approx(scale * one.low + shift, abs=1e-6 * (scale + abs(shift)))


def test_the_unit_makes_no_difference() -> None:
    # Resampled means that equal the estimate but for rounding are ties in dollars as in picodollars.
    values = [0.0, 1.0, 0.75, 0.625, 0.53125, 0.25, 1e-13, 2e-13, 0.5, 0.1, 0.2, 0.3]
    one = mean(values)
    for scale in (0.5, 1e-12, 1e9):
        other = mean([scale * value for value in values])
        assert (other.low, other.high) == pytest.approx((scale * one.low, scale * one.high), rel=1e-9)


def test_a_statistic_of_sums_is_that_of_the_resampled_examples() -> None:
    parts = np.random.default_rng(6).integers(1, 20, size=(40, 2)).astype(float)
    ratio = statistic(parts.tolist(), lambda sums: sums[0] / sums[1], seed=3, resamples=2000)
    assert ratio.estimate == pytest.approx(parts[:, 0].sum() / parts[:, 1].sum())
    theirs = stats.bootstrap(
        (parts[:, 0], parts[:, 1]),
        lambda a, b, axis=-1: a.sum(axis) / b.sum(axis),
        paired=True,
        n_resamples=9999,
        rng=1,
    ).confidence_interval
    assert (ratio.low, ratio.high) == pytest.approx((theirs.low, theirs.high), rel=0.04)


def test_a_mean_is_a_statistic_of_sums() -> None:
    values = np.random.default_rng(7).random(50)
    ours = statistic([[v, 1] for v in values], lambda sums: sums[0] / sums[1], resamples=2000)
    assert (ours.low, ours.high) == pytest.approx((mean(values).low, mean(values).high), abs=1e-9)


def test_a_statistic_that_is_often_undefined_has_no_interval() -> None:
    parts = [[1.0, 1.0]] + [[0.0, 0.0]] * 30
    found = statistic(parts, lambda sums: sums[0] / sums[1] if sums[1] else math.nan)
    assert (found.estimate, found.low, found.method) == (1, None, "often undefined")
    assert statistic([], lambda sums: 0.0).method == "too few"
    assert statistic([[0.0]] * 20, lambda sums: math.nan).method == "undefined"
    with pytest.raises(InvalidRequest, match="same number of parts"):
        statistic([[1.0], [1.0, 2.0]], lambda sums: 0.0)


def test_many_values_are_resampled_in_blocks() -> None:
    values = np.random.default_rng(8).normal(size=30_000)
    found = mean(values)
    assert found.n == 30_000
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert (found.high - found.low) == pytest.approx(2 * 1.96 * error, rel=0.06)
