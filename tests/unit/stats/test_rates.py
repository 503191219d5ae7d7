import math

import pytest

from noria.errors import InvalidRequest

np = pytest.importorskip("numpy")
pytest.importorskip("scipy")

from noria.stats.interval import share  # noqa: E402
from noria.stats.rates import (  # noqa: E402
    corrected_rate,
    false_positive_rate,
    prediction_powered_mean,
    true_positive_rate,
)


def test_the_judges_rates_are_shares_of_what_is_true() -> None:
    judged = [True, True, False, True, False, False, True, False]
    truth = [True, True, True, False, False, False, False, True]
    assert true_positive_rate(judged, truth) == share(2, 4)
    assert false_positive_rate(judged, truth) == share(2, 4)
    assert true_positive_rate([True], [False]).method == "too few"
    assert true_positive_rate(judged * 4, truth * 4, groups=list("abcdefgh") * 4).method == "Wilson by group"
    with pytest.raises(InvalidRequest, match="equally many"):
        true_positive_rate([True], [True, False])


def test_a_corrected_rate_undoes_the_judges_errors() -> None:
    # 30 % truly yes; sensitivity 0.9, specificity 0.8: 0.3·0.9 + 0.7·0.2 = 0.41 are judged yes.
    found = corrected_rate(410, 1000, sensitivity=(90, 100), specificity=(80, 100))
    assert found.estimate == pytest.approx(0.3)
    assert found.low < 0.3 < found.high
    few = corrected_rate(410, 1000, sensitivity=(9, 10), specificity=(16, 20))
    assert few.low < found.low and few.high > found.high


def test_lang_and_reiczigels_interval() -> None:
    # From their equations by hand: n = 200, 60 yes; 45 of 50; 92 of 100; 95 %.
    z = 1.959963984540054
    n, n1, n0 = 200 + z * z, 52, 102
    p, se, sp = (60 + z * z / 2) / n, 46 / n1, 93 / n0
    rate = (p + sp - 1) / (se + sp - 1)
    shift = 2 * z * z * (rate * se * (1 - se) / n1 - (1 - rate) * sp * (1 - sp) / n0)
    variance = (p * (1 - p) / n + rate**2 * se * (1 - se) / n1 + (1 - rate) ** 2 * sp * (1 - sp) / n0) / (
        se + sp - 1
    ) ** 2
    found = corrected_rate(60, 200, sensitivity=(45, 50), specificity=(92, 100))
    assert (found.low, found.high) == pytest.approx(
        (rate + shift - z * math.sqrt(variance), rate + shift + z * math.sqrt(variance)), abs=1e-12
    )


def test_a_judge_that_guesses_corrects_nothing() -> None:
    for sensitivity, specificity in (((50, 100), (50, 100)), ((3, 5), (3, 5)), ((10, 100), (20, 100))):
        found = corrected_rate(400, 1000, sensitivity=sensitivity, specificity=specificity)
        assert (found.estimate, found.low, found.method) == (None, None, "judge not better than chance")
    assert corrected_rate(0, 0, sensitivity=(9, 10), specificity=(9, 10)).method == "too few"
    assert corrected_rate(5, 10, sensitivity=(0, 0), specificity=(9, 10)).method == "too few"


def test_a_corrected_rate_stays_a_rate() -> None:
    found = corrected_rate(1, 1000, sensitivity=(95, 100), specificity=(90, 100))
    assert found.estimate == 0 and found.low == 0
    with pytest.raises(InvalidRequest, match="specificity"):
        corrected_rate(1, 10, sensitivity=(5, 6), specificity=(7, 6))


def test_the_prediction_powered_mean_is_ppi_plus_plus() -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(0.5, 1, 80)
    f, g = y + rng.normal(0.3, 0.5, 80), rng.normal(0.8, 1.1, 2000)
    found = prediction_powered_mean(y, f, g)
    # Angelopoulos, Duchi, Zrnic 2023, example 6.1 (mean estimation), with unbiased variances.
    trust = np.cov(y, f)[0, 1] / ((1 + 80 / 2000) * np.concatenate([f, g]).var(ddof=1))
    assert 0 < trust < 1
    assert found.estimate == pytest.approx(y.mean() - trust * (f.mean() - g.mean()), abs=1e-12)
    assert found.high - found.low < 1.2 * 4 * 0.65 / math.sqrt(80)


def test_a_useless_judge_is_not_used() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(0, 1, 50)
    found = prediction_powered_mean(y, -y, rng.normal(5, 1, 500))
    assert found.estimate == pytest.approx(y.mean())
    same = prediction_powered_mean(y, [1.0] * 50, [1.0] * 500)
    assert same.estimate == pytest.approx(y.mean())
    assert prediction_powered_mean([1.0], [1.0], [1.0] * 9).method == "too few"
    assert prediction_powered_mean([1.0] * 9, [1.0] * 9, [1.0] * 9).method == "no variation"
