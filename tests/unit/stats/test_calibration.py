import pytest

from noria.errors import InvalidRequest

np = pytest.importorskip("numpy")
metrics = pytest.importorskip("sklearn.metrics")

from noria.stats.calibration import auroc, brier, calibration_error, reliability  # noqa: E402


def _drawn(n: int, seed: int, power: float = 1) -> tuple[list[float], list[bool]]:
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return p.tolist(), (rng.random(n) < p**power).tolist()


@pytest.mark.parametrize("seed", range(4))
def test_brier_and_auroc_are_scikit_learns(seed: int) -> None:
    p, right = _drawn(200, seed)
    rounded = [round(value, 1) for value in p]
    assert brier(p, right).estimate == pytest.approx(metrics.brier_score_loss(right, p), abs=1e-9)
    for scores in (p, rounded):
        found = auroc(scores, right)
        assert found.estimate == pytest.approx(metrics.roc_auc_score(right, scores), abs=1e-9)
        assert found.low < found.estimate < found.high


def test_auroc_needs_both() -> None:
    assert auroc([0.1] * 20, [True] * 20).method == "undefined"
    assert auroc([], []).method == "too few"
    assert auroc([0.1, 0.2], [True, False]).method == "too few"
    assert auroc(list(range(40)), [i > 19 for i in range(40)]).method == "no variation"


def test_bins_hold_equally_many_and_keep_equal_confidences_together() -> None:
    p, right = _drawn(300, 1)
    bins = reliability(p, right)
    assert [found.share.n for found in bins] == [20] * 15
    assert [found.confidence for found in bins] == sorted(found.confidence for found in bins)
    order = np.argsort(p)
    assert bins[0].share.estimate == pytest.approx(np.asarray(right)[order[:20]].mean())
    few = reliability([0.2] * 50 + [0.9] * 50, [False] * 50 + [True] * 50)
    assert [(found.confidence, found.share.estimate) for found in few] == [
        (pytest.approx(0.2), 0),
        (pytest.approx(0.9), 1),
    ]


def test_calibration_error_is_the_weighted_distance_of_bins() -> None:
    p, right = _drawn(500, 2, power=3)
    expected = sum(
        found.share.n / 500 * abs(found.confidence - found.share.estimate) for found in reliability(p, right)
    )
    found = calibration_error(p, right)
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert found.value > found.floor


def test_calibrated_confidences_are_mostly_under_the_floor() -> None:
    under = 0
    for seed in range(100):
        found = calibration_error(*_drawn(200, seed), seed=seed)
        under += found.value <= found.floor
    assert under >= 90


def test_confidences_are_probabilities() -> None:
    with pytest.raises(InvalidRequest, match="Number 1 of the confidences"):
        brier([0.5, 1.5], [True, False])
    with pytest.raises(InvalidRequest, match="at least 1 bin"):
        reliability([0.5], [True], bins=0)
    assert calibration_error([], []).value is None
    assert reliability([], []) == []
