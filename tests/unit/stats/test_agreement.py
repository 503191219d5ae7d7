import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.errors import InvalidRequest

np = pytest.importorskip("numpy")
metrics = pytest.importorskip("sklearn.metrics")
raters = pytest.importorskip("statsmodels.stats.inter_rater")

from noria.stats import agreement  # noqa: E402

RECORDED = json.loads((Path(__file__).parent / "krippendorff.json").read_text())
"""What the package krippendorff 0.9.0 says of the same ratings. Its licence keeps it out of what is installed
here; where it is installed all the same, it is asked itself, too."""


def _ratings(items: int, people: int, missing: float, seed: int) -> list[list[int | None]]:
    rng = random.Random(seed)
    truth = [rng.randint(0, 4) for _ in range(items)]
    return [
        [
            None if rng.random() < missing else t if rng.random() < 0.6 else rng.randint(0, 4)
            for _ in range(people)
        ]
        for t in truth
    ]


def _theirs(ratings: list[list[float | None]], level: str) -> float:
    reference = pytest.importorskip("krippendorff")
    table = np.array([[np.nan if v is None else v for v in row] for row in ratings], dtype=float).T
    return reference.alpha(reliability_data=table, level_of_measurement=level)


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
@pytest.mark.parametrize("seed", range(5))
def test_kappa_of_two_is_scikit_learns(weights: str, seed: int) -> None:
    a, b = zip(*_ratings(80, 2, 0, seed), strict=True)
    theirs = metrics.cohen_kappa_score(a, b, weights=None if weights == "none" else weights)
    found = agreement.cohen(a, b, weights=weights)
    assert found.estimate == pytest.approx(theirs, abs=1e-9)
    assert found.low < found.estimate < found.high


def test_labels_may_be_words() -> None:
    a, b = ["yes", "no", "yes", "no"] * 10, ["yes", "no", "no", "no"] * 10
    assert agreement.cohen(a, b).estimate == pytest.approx(metrics.cohen_kappa_score(a, b), abs=1e-9)
    with pytest.raises(InvalidRequest, match="no order"):
        agreement.cohen(["a", 1], ["b", 2], weights="linear")


@pytest.mark.parametrize("seed", range(5))
def test_kappa_of_several_is_statsmodels(seed: int) -> None:
    ratings = _ratings(60, 4, 0, seed)
    theirs = raters.fleiss_kappa(raters.aggregate_raters(ratings)[0])
    found = agreement.fleiss(ratings)
    assert found.estimate == pytest.approx(theirs, abs=1e-9)
    assert found.low < found.estimate < found.high


def test_fleiss_needs_every_label() -> None:
    with pytest.raises(InvalidRequest, match="Item 1"):
        agreement.fleiss([[1, 2], [1, None]])
    with pytest.raises(InvalidRequest, match="Item 0"):
        agreement.fleiss([[1], [1]])


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
@pytest.mark.parametrize("missing", [0, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_alpha_is_krippendorffs(level: str, missing: float, seed: int) -> None:
    ratings = _ratings(70, 3, missing, seed)
    found = agreement.krippendorff(ratings, level=level)
    assert found.estimate == pytest.approx(RECORDED[f"{level} {missing} {seed}"], abs=1e-9)
    assert found.low < found.estimate < found.high


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.integers(0, 6)), min_size=2, max_size=4), min_size=2, max_size=9
    ),
    st.sampled_from(["nominal", "ordinal", "interval", "ratio"]),
)
@settings(max_examples=200)
def test_alpha_is_krippendorffs_whatever_is_missing(ratings: list[list[int | None]], level: str) -> None:
    width = max(map(len, ratings))
    ratings = [row + [None] * (width - len(row)) for row in ratings]
    paired = [v for row in ratings if sum(v is not None for v in row) > 1 for v in row if v is not None]
    if len(set(paired)) < 2:
        assert agreement.krippendorff(ratings, level=level).estimate is None
        return
    assert agreement.krippendorff(ratings, level=level).estimate == pytest.approx(
        _theirs(ratings, level), abs=1e-9
    )


def test_alpha_of_many_different_numbers() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(5, 1, (60, 1))
    ratings = (truth + rng.normal(0, 0.5, (60, 3))).tolist()
    assert agreement.krippendorff(ratings, level="interval").estimate == pytest.approx(
        RECORDED["many interval"], abs=1e-9
    )
    assert agreement.krippendorff(ratings[:40], level="ordinal").estimate == pytest.approx(
        RECORDED["many ordinal"], abs=1e-9
    )


def test_the_published_example() -> None:
    # Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", example C.
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    ratings = [list(unit) for unit in zip(*observers, strict=True)]
    found = {
        level: round(agreement.krippendorff(ratings, level=level).estimate, 3)
        for level in ("nominal", "ordinal", "interval", "ratio")
    }
    assert found == {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849, "ratio": 0.797}


def test_where_chance_always_agrees_nothing_is_said() -> None:
    assert agreement.cohen([1] * 20, [1] * 20).method == "undefined"
    assert agreement.fleiss([[1, 1]] * 20).method == "undefined"
    assert agreement.krippendorff([[0.3, 0.3]] * 20, level="interval").method == "undefined"
    assert agreement.krippendorff([[1, None]] * 20).method == "too few"
    assert agreement.krippendorff([]).estimate is None


def test_few_items_have_a_value_without_an_interval() -> None:
    found = agreement.krippendorff([[1, 1], [2, 2], [1, 2]])
    assert found.low is None and found.method == "too few"
    assert found.estimate == pytest.approx(_theirs([[1, 1], [2, 2], [1, 2]], "nominal"))


def test_a_scale_needs_its_numbers() -> None:
    with pytest.raises(InvalidRequest, match="below 0"):
        agreement.krippendorff([[-1, 1]] * 20, level="ratio")


def test_items_of_a_group_are_resampled_together() -> None:
    ratings = [row for row in _ratings(20, 3, 0, 3) for _ in range(6)]
    groups = [str(i // 6) for i in range(120)]
    for one, other in (
        (agreement.krippendorff(ratings), agreement.krippendorff(ratings, groups=groups)),
        (
            agreement.krippendorff(ratings, level="ordinal"),
            agreement.krippendorff(ratings, level="ordinal", groups=groups),
        ),
        (agreement.fleiss(ratings), agreement.fleiss(ratings, groups=groups)),
    ):
        assert one.estimate == pytest.approx(other.estimate)
        assert other.high - other.low > 1.5 * (one.high - one.low)


def test_many_labels_of_many_items_take_little() -> None:
    rng = np.random.default_rng(7)
    a = rng.integers(0, 100, 2_000)
    b = np.clip(a + rng.integers(-5, 6, 2_000), 0, 99)
    found = agreement.cohen(a.tolist(), b.tolist(), weights="quadratic")
    assert found.estimate is not None and found.estimate > 0.98 and found.low is not None
    with pytest.raises(InvalidRequest, match="different ratings"):
        agreement.cohen(list(range(20_000)), list(range(20_000)))
