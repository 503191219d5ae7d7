import math
import random

import pytest

from noria.errors import InvalidRequest

np = pytest.importorskip("numpy")
optimize = pytest.importorskip("scipy.optimize")

from noria.stats.pairwise import Contest, bradley_terry  # noqa: E402


def _contests(strengths: dict[str, float], n: int, seed: int, ties: float = 0.0) -> list[Contest]:
    rng = random.Random(seed)
    found = []
    for _ in range(n):
        a, b = rng.sample(sorted(strengths), 2)
        chance = 1 / (1 + math.exp(strengths[b] - strengths[a]))
        winner = "tie" if rng.random() < ties else "a" if rng.random() < chance else "b"
        found.append(Contest(a=a, b=b, winner=winner))
    return found


def test_strengths_have_the_greatest_likelihood() -> None:
    contests = _contests({"x": 0.0, "y": 0.7, "z": -0.5, "w": 1.5}, 300, 1, ties=0.1)
    found = {s.name: s.log_odds.estimate for s in bradley_terry(contests)}
    names = sorted(found)

    def loss(free: list[float]) -> float:
        at = dict(zip(names, [*free, -sum(free)], strict=True))
        share = {"a": 1.0, "b": 0.0, "tie": 0.5}
        return sum(
            share[c.winner] * math.log1p(math.exp(at[c.b] - at[c.a]))
            + (1 - share[c.winner]) * math.log1p(math.exp(at[c.a] - at[c.b]))
            for c in contests
        )

    best = optimize.minimize(loss, [0.0] * 3, method="BFGS", options={"gtol": 1e-9}).x
    assert [found[name] for name in names] == pytest.approx([*best, -sum(best)], abs=1e-6)


def test_two_contestants_have_the_odds_of_their_wins() -> None:
    contests = [Contest(a="x", b="y", winner="a")] * 30 + [Contest(a="y", b="x", winner="a")] * 10
    strong, weak = bradley_terry(contests)
    assert (strong.name, strong.wins, strong.ties, strong.losses) == ("x", 30, 0, 10)
    assert strong.log_odds.estimate - weak.log_odds.estimate == pytest.approx(math.log(3), abs=1e-9)
    assert strong.log_odds.low > 0 > weak.log_odds.high
    assert strong.win_rate.estimate == 0.75


def test_a_tie_is_half_a_win() -> None:
    ties = [Contest(a="x", b="y", winner="tie")] * 20
    wins = [Contest(a="x", b="y", winner="a"), Contest(a="x", b="y", winner="b")] * 10
    for contests in (ties, wins, ties + wins):
        assert [s.log_odds.estimate for s in bradley_terry(contests)] == pytest.approx([0, 0], abs=1e-9)


def test_one_who_never_lost_has_no_strength() -> None:
    with pytest.raises(InvalidRequest, match="Strengths do not exist"):
        bradley_terry([Contest(a="x", b="y", winner="a")] * 20)
    islands = [Contest(a=a, b=b, winner=w) for a, b in ("xy", "zw") for w in ("a", "b")] * 10
    with pytest.raises(InvalidRequest, match="Strengths do not exist"):
        bradley_terry(islands)
    rare = [Contest(a="x", b="y", winner="a")] * 30 + [Contest(a="x", b="y", winner="b")]
    assert bradley_terry(rare)[0].log_odds.method == "often undefined"


@pytest.mark.parametrize(
    ("contests", "said"),
    [
        ([], "at least two"),
        ([Contest(a="x", b="y", winner="a"), Contest(a="x", b="x", winner="a")], "itself"),
    ],
)
def test_contests_are_of_two(contests: list[Contest], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        bradley_terry(contests)


def test_contests_of_a_group_are_resampled_together() -> None:
    alone = _contests({"x": 0.0, "y": 0.5}, 40, 3) * 4
    grouped = [Contest(a=c.a, b=c.b, winner=c.winner, group=str(i % 40)) for i, c in enumerate(alone)]
    one, other = bradley_terry(alone)[0].log_odds, bradley_terry(grouped)[0].log_odds
    assert one.estimate == pytest.approx(other.estimate)
    assert other.high - other.low > 1.5 * (one.high - one.low)
