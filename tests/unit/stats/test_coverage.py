"""Whether intervals hold the truth as often as they say, and tests cry wolf no more often: by simulation.

Each of the slow ones draws 1,500 data sets or more, so that a coverage of 0.95 is known to ±0.011 (two
standard errors); it must be within 0.02 of the level. Tests of equal ones may pass it by two standard errors.
"""

import itertools
import math
from collections.abc import Callable

import pytest

np = pytest.importorskip("numpy")
stats = pytest.importorskip("scipy.stats")

from noria.stats import agreement, calibration, pairwise, passk, power, rates  # noqa: E402
from noria.stats.interval import Interval, mean, share, share_of, statistic  # noqa: E402
from noria.stats.multiplicity import holm  # noqa: E402
from noria.stats.paired import compare  # noqa: E402

SIMULATIONS = 1500
Draw = Callable[["np.random.Generator"], Interval]


def coverage(draw: Draw, truth: float, simulations: int = SIMULATIONS) -> float:
    held = 0
    for seed in range(simulations):
        found = draw(np.random.default_rng(seed))
        held += found.low is not None and found.low <= truth <= found.high
    return held / simulations


def groups_of(rng: "np.random.Generator", number: int, largest: int) -> list[str]:
    sizes = rng.integers(1, largest + 1, number)
    return [str(group) for group, size in enumerate(sizes) for _ in range(size)]


@pytest.mark.parametrize("n", [20, 50, 100, 300, 1000])
@pytest.mark.parametrize("band", [(0.005, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 0.995)])
def test_shares(n: int, band: tuple[float, float]) -> None:
    # Exactly, from the binomial distribution. Counts are whole, so no interval has one coverage for every p:
    # it swings, and its mean over a band is what can be asked for.
    found = [share(k, n) for k in range(n + 1)]
    low, high = np.array([f.low for f in found]), np.array([f.high for f in found])
    every = [
        stats.binom.pmf(np.arange(n + 1), n, p)[(low <= p) & (p <= high)].sum()
        for p in np.linspace(*band, 200)
    ]
    assert np.mean(every) == pytest.approx(0.95, abs=0.02)
    assert min(every) > 0.83


LIKERT = ([1.0, 2.0, 3.0, 4.0, 5.0], [0.02, 0.03, 0.1, 0.25, 0.6])
NUMBERS = {
    "normal": (lambda rng, n: rng.normal(size=n), 0.0),
    "uniform": (lambda rng, n: rng.random(n), 0.5),
    "mostly high": (lambda rng, n: rng.beta(8, 2, n), 0.8),
    "two humps": (lambda rng, n: rng.beta(0.5, 0.2, n), 5 / 7),
    "1 to 5": (lambda rng, n: rng.choice(LIKERT[0], n, p=LIKERT[1]), float(np.dot(*LIKERT))),
    "waiting times": (lambda rng, n: rng.exponential(size=n), 1.0),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n"),
    [
        *[(name, n) for name in ("normal", "uniform") for n in (6, 15, 50)],
        *[(name, n) for name in ("mostly high", "two humps", "1 to 5") for n in (20, 60)],
        ("waiting times", 100),
    ],
)
def test_means(name: str, n: int) -> None:
    draw, truth = NUMBERS[name]
    assert coverage(lambda rng: mean(draw(rng, n)), truth) == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.8, 0.99])
def test_other_levels(level: float) -> None:
    draw, truth = NUMBERS["mostly high"]
    found = coverage(lambda rng: mean(draw(rng, 60), level=level), truth)
    assert found == pytest.approx(level, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "largest"), [(8, 4), (20, 5), (40, 12)])
def test_means_by_group(number: int, largest: int) -> None:
    def draw(rng: "np.random.Generator") -> Interval:
        groups = groups_of(rng, number, largest)
        shared = rng.normal(0, 1, number)
        values = [shared[int(group)] + rng.normal(0, 1) for group in groups]
        return mean(values, groups=groups)

    assert coverage(draw, 0) == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("p", [0.05, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("number", [25, 60])
def test_shares_by_group(p: float, number: int) -> None:
    def draw(rng: "np.random.Generator") -> Interval:
        groups = groups_of(rng, number, 8)
        shared = rng.beta(3 * p, 3 * (1 - p), number)
        return share_of([rng.random() < shared[int(group)] for group in groups], groups=groups)

    assert coverage(draw, p, 3000) == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
def test_statistics_of_sums() -> None:
    # A word error rate: errors over words, both of which vary from example to example.
    def draw(rng: "np.random.Generator") -> Interval:
        words = rng.integers(5, 40, 60)
        errors = rng.binomial(words, rng.beta(1, 5, 60))
        return statistic(np.column_stack([errors, words]).tolist(), lambda sums: sums[0] / sums[1])

    assert coverage(draw, 1 / 6) == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("only_a", "only_b"), [(0.1, 0.1), (0.2, 0.05), (0.02, 0.01), (0.3, 0.2)])
@pytest.mark.parametrize("n", [40, 200])
def test_differences_of_yes_and_no(only_a: float, only_b: float, n: int) -> None:
    def draw(rng: "np.random.Generator") -> Interval:
        a, b, _ = rng.multinomial(n, [only_a, only_b, 1 - only_a - only_b])
        rest = [0.0] * (n - a - b)
        return compare([1.0] * a + [0.0] * b + rest, [0.0] * a + [1.0] * b + rest).interval

    found = coverage(draw, only_a - only_b, 3000)
    # Where hardly any example differs the interval is cautious: it may hold the truth too often.
    assert 0.93 <= found <= (0.97 if n * (only_a + only_b) > 10 else 1)


def _null(rng: "np.random.Generator", kind: str) -> tuple[list[float], list[float], list[str] | None]:
    if kind == "yes and no":
        hard = rng.random(60)
        return list(map(float, rng.random(60) > hard)), list(map(float, rng.random(60) > hard)), None
    if kind == "skewed":
        return rng.exponential(size=60).tolist(), [1.0] * 60, None
    if kind == "few":
        return rng.normal(size=8).tolist(), rng.normal(size=8).tolist(), None
    groups = groups_of(rng, 20, 6)
    shared = rng.normal(0, 1, 20)
    values = [shared[int(group)] + rng.normal(0, 0.5) for group in groups]
    return values, [0.0] * len(values), groups


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["yes and no", "skewed", "few", "groups"])
def test_equal_ones_seldom_differ(kind: str) -> None:
    alarms = 0
    for seed in range(SIMULATIONS):
        a, b, groups = _null(np.random.default_rng(seed), kind)
        found = compare(a, b, groups=groups).p
        alarms += found is not None and found <= 0.05
    # Skewed differences that are 0 on average break the test's symmetry: it is right in the limit only.
    allowed = 0.07 if kind == "skewed" else 0.05 + 2 * math.sqrt(0.05 * 0.95 / SIMULATIONS)
    assert alarms / SIMULATIONS <= allowed


@pytest.mark.slow
def test_five_scorers_of_equal_ones_seldom_differ_under_holm() -> None:
    uncorrected = corrected = 0
    for seed in range(SIMULATIONS):
        rng = np.random.default_rng(seed)
        shared = rng.normal(0, 1, (40, 1))
        differences = 0.6 * shared + rng.normal(0, 1, (40, 5))
        ps = [compare(column, np.zeros(40)).p for column in differences.T]
        uncorrected += min(ps) <= 0.05
        corrected += min(holm(ps)) <= 0.05
    assert uncorrected / SIMULATIONS > 0.12
    assert corrected / SIMULATIONS <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / SIMULATIONS)


@pytest.mark.slow
def test_power_is_as_forecast() -> None:
    n = power.examples_needed(0.15, 0.4)
    shown = 0
    for seed in range(SIMULATIONS):
        differences = np.random.default_rng(seed).normal(0.15, 0.4, n)
        shown += compare(differences, np.zeros(n)).p <= 0.05
    assert shown / SIMULATIONS == pytest.approx(0.8, abs=0.03)
    n = power.examples_needed_yes_no(0.2, 0.08)
    shown = 0
    for seed in range(SIMULATIONS):
        a, b, _ = np.random.default_rng(seed).multinomial(n, [0.2, 0.08, 0.72])
        rest = [0.0] * (n - a - b)
        shown += compare([1.0] * a + [0.0] * b + rest, [0.0] * a + [1.0] * b + rest).p <= 0.05
    assert shown / SIMULATIONS == pytest.approx(0.8, abs=0.03)


@pytest.mark.slow
def test_kappas_and_alphas() -> None:
    # Raters copy the truth (of four labels) with chance 0.7 and else guess; two then agree on 0.49 + 0.51/4.
    def ratings(rng: "np.random.Generator") -> "np.ndarray":
        truth = rng.integers(4, size=(80, 1))
        return np.where(rng.random((80, 3)) < 0.7, truth, rng.integers(4, size=(80, 3)))

    truth = 0.49
    found = {
        "cohen": coverage(lambda rng: agreement.cohen(*ratings(rng)[:, :2].T.tolist()), truth),
        "fleiss": coverage(lambda rng: agreement.fleiss(ratings(rng).tolist()), truth),
        "krippendorff": coverage(lambda rng: agreement.krippendorff(ratings(rng).tolist()), truth),
        "interval": coverage(
            lambda rng: agreement.krippendorff(
                (rng.normal(size=(80, 1)) + rng.normal(size=(80, 3))).tolist(), level="interval"
            ),
            0.5,
        ),
    }
    assert found == pytest.approx(dict.fromkeys(found, 0.95), abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.02, 0.2, 0.5, 0.9])
@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.9, 0.8), (0.75, 0.95)])
@pytest.mark.parametrize("labelled", [60, 300])
def test_corrected_rates(rate: float, sensitivity: float, specificity: float, labelled: int) -> None:
    def draw(rng: "np.random.Generator") -> Interval:
        judged = rng.binomial(500, rate * sensitivity + (1 - rate) * (1 - specificity))
        return rates.corrected_rate(
            int(judged),
            500,
            sensitivity=(int(rng.binomial(labelled, sensitivity)), labelled),
            specificity=(int(rng.binomial(labelled, specificity)), labelled),
        )

    found = coverage(draw, rate, 4000)
    # Near 0 and 1 the interval ends there, and holds the truth rather too often.
    assert 0.93 <= found <= (0.97 if rate == 0.5 else 0.99)


@pytest.mark.slow
@pytest.mark.parametrize("labelled", [30, 200])
def test_prediction_powered_means(labelled: int) -> None:
    def draw(rng: "np.random.Generator") -> Interval:
        truth = rng.beta(4, 2, labelled + 2000)
        judged = np.clip(truth + rng.normal(0.1, 0.1, len(truth)), 0, 1)
        return rates.prediction_powered_mean(truth[:labelled], judged[:labelled], judged[labelled:])

    assert coverage(draw, 2 / 3, 3000) == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
def test_areas_under_the_curve() -> None:
    def draw(rng: "np.random.Generator") -> Interval:
        right = rng.random(100) < 0.4
        return calibration.auroc(rng.normal(right * 1.2, 1), right.tolist())

    assert coverage(draw, stats.norm.cdf(1.2 / math.sqrt(2))) == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
def test_strengths() -> None:
    strengths = {"w": 0.9, "x": 0.2, "y": -0.3, "z": -0.8}
    pairs = list(itertools.combinations(strengths, 2))

    def draw(rng: "np.random.Generator") -> Interval:
        contests = []
        for a, b in pairs * 25:
            won = rng.random() < 1 / (1 + math.exp(strengths[b] - strengths[a]))
            contests.append(pairwise.Contest(a=a, b=b, winner="a" if won else "b"))
        found = pairwise.bradley_terry(contests, resamples=400)
        return next(strength.log_odds for strength in found if strength.name == "w")

    assert coverage(draw, 0.9, 1000) == pytest.approx(0.95, abs=0.02)


@pytest.mark.slow
def test_passes_at_k() -> None:
    # Chances of success of U(0, 1): pass@3 is 1 − E (1−p)³ = 3/4, pass^3 is E p³ = 1/4.
    def draw(of: Callable[..., Interval]) -> Draw:
        return lambda rng: of(rng.binomial(8, rng.random(50)).tolist(), [8] * 50, 3)

    assert coverage(draw(passk.pass_at_k), 0.75) == pytest.approx(0.95, abs=0.02)
    assert coverage(draw(passk.pass_hat_k), 0.25) == pytest.approx(0.95, abs=0.02)
