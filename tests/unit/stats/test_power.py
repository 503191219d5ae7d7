import pytest

from noria.errors import InvalidRequest

np = pytest.importorskip("numpy")
stats = pytest.importorskip("scipy.stats")
statsmodels_power = pytest.importorskip("statsmodels.stats.power")

from noria.stats import power  # noqa: E402


@pytest.mark.parametrize("effect", [0.05, 0.2, 0.5, 1.0, -0.3])
@pytest.mark.parametrize("n", [5, 20, 200])
def test_power_is_that_of_the_paired_t_test(n: int, effect: float) -> None:
    theirs = statsmodels_power.TTestPower().power(effect, n, 0.05)
    assert power.power_of(n, effect * 0.3, 0.3) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("effect", [0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("wanted", [0.8, 0.95])
def test_examples_needed_is_the_first_number_that_is_enough(effect: float, wanted: float) -> None:
    theirs = statsmodels_power.TTestPower().solve_power(effect, None, 0.05, wanted)
    assert power.examples_needed(effect, 1, power=wanted) == np.ceil(theirs)


def test_what_n_examples_can_show_needs_n_examples() -> None:
    for n in (8, 60, 700):
        shown = power.detectable_difference(n, 0.4)
        assert power.examples_needed(shown * 1.0001, 0.4) == n
    assert power.detectable_difference(50, 0) == 0


def test_normal_theory_takes_over_where_it_is_equal() -> None:
    assert power.power_of(10_001, 0.02, 1) == pytest.approx(power.power_of(10_000, 0.02, 1), abs=1e-4)
    assert power.examples_needed(0.001, 1) == pytest.approx(7.849e6, rel=1e-3)


@pytest.mark.parametrize(("better", "worse"), [(0.2, 0.1), (0.1, 0.02), (0.05, 0.0), (0.5, 0.4)])
@pytest.mark.parametrize("n", [10, 45])
def test_power_of_yes_and_no_sums_over_every_outcome(n: int, better: float, worse: float) -> None:
    total = 0.0
    for a in range(n + 1):
        for b in range(n + 1 - a):
            if a + b and stats.binomtest(a, a + b).pvalue <= 0.05:
                total += stats.multinomial.pmf([a, b, n - a - b], n, [better, worse, 1 - better - worse])
    assert power.power_of_yes_no(n, better, worse) == pytest.approx(total, abs=1e-9)


def test_examples_needed_for_yes_and_no() -> None:
    n = power.examples_needed_yes_no(0.15, 0.05)
    assert power.power_of_yes_no(n, 0.15, 0.05) >= 0.8 > power.power_of_yes_no(n - 1, 0.15, 0.05)
    assert power.examples_needed_yes_no(0.05, 0.15) == n
    assert power.examples_needed_yes_no(0.101, 0.1) > 1_000_000


@pytest.mark.parametrize(
    "call",
    [
        lambda: power.examples_needed(0, 1),
        lambda: power.examples_needed_yes_no(0.2, 0.2),
        lambda: power.examples_needed(0.1, 1, power=1),
        lambda: power.examples_needed(0.1, 1, level=95),
        lambda: power.power_of_yes_no(10, 0.8, 0.4),
        lambda: power.detectable_difference(1, 1),
    ],
)
def test_what_has_no_answer_is_refused(call) -> None:
    with pytest.raises(InvalidRequest):
        call()
