"""The front keeps doubt: dominated only where it is shown."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from made import found

from noria.evals.explore.arm import Arm
from noria.evals.explore.evidence import Evidence
from noria.evals.explore.front import front

A, B, C = (Arm(model=name) for name in "abc")


def places(*arms: Evidence) -> list[tuple[str, int | None]]:
    return [(one.standing, one.by) for one in front(arms, "right", level=0.95)]


def test_better_in_everything_and_shown_dominates() -> None:
    good = found(A, [True] * 20, cost="0.001", latency=[0.1 + n / 1000 for n in range(20)])
    bad = found(B, [False] * 20, cost="0.002", latency=[0.5 + n / 700 for n in range(20)])
    assert places(good, bad) == [("front", None), ("dominated", 0)]


def test_a_few_samples_do_not_tell_apart() -> None:
    good = found(A, [True] * 6, cost="0.001", latency=0.1)
    bad = found(B, [True, True, True, True, False, False], cost="0.002", latency=0.5)
    assert places(good, bad) == [("front", None), ("not told apart", 0)]
    [_, place] = front([good, bad], "right", level=0.95)
    assert place.axes["quality"] > 0.05 and "not shown in quality" in place.why


def test_equal_quality_is_never_called_dominated() -> None:
    cheap = found(A, [True] * 30, cost="0.001", latency=0.1)
    dear = found(B, [True] * 30, cost="0.100", latency=[0.5 + n / 700 for n in range(30)])
    assert places(cheap, dear)[1][0] == "not told apart"


def test_dearer_and_better_are_both_on_the_front() -> None:
    cheap = found(A, [True, False] * 10, cost="0.001")
    dear = found(B, [True] * 20, cost="0.100")
    assert places(cheap, dear) == [("front", None), ("front", None)]


def test_an_unknown_price_is_no_advantage_and_no_defeat() -> None:
    good = found(A, [True] * 20, cost="0.001", latency=0.1)
    bad = found(B, [False] * 20, cost=None, latency=[0.5 + n / 700 for n in range(20)])
    assert places(good, bad)[1][0] == "not told apart"
    assert (
        places(found(A, [True] * 20, cost=None, latency=0.1), found(B, [False] * 20))[1][0]
        == "not told apart"
    )


def test_without_quality_there_is_no_place() -> None:
    assert places(found(A, [None] * 6))[0][0] == "not placed"


outcomes = st.lists(st.booleans(), min_size=8, max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(outcomes, st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=5))
def test_there_is_always_a_front_and_no_arm_dominates_itself(
    drawn: list[tuple[list[bool], int, int]],
) -> None:
    arms = [
        found(Arm(model=f"m{n}"), right, cost=str(cost), latency=[time + i / 100 for i in range(8)])
        for n, (right, cost, time) in enumerate(drawn)
    ]
    placed = front(arms, "right", level=0.95)
    assert any(one.standing == "front" for one in placed)
    for one in placed:
        assert (one.by is None) == (one.standing == "front")
        if one.by is not None:
            better, worse = arms[one.by], arms[one.arm]
            assert one.by != one.arm and better.quality and worse.quality
            assert (better.quality.estimate or 0) >= (worse.quality.estimate or 0)
        if one.standing == "dominated":
            assert max(one.axes.values()) <= 0.05


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(outcomes, st.integers(0, 3)), min_size=2, max_size=4), st.randoms())
def test_the_order_of_arms_changes_nothing(drawn: list[tuple[list[bool], int]], random: object) -> None:
    arms = [found(Arm(model=f"m{n}"), right, cost=str(cost)) for n, (right, cost) in enumerate(drawn)]
    before = {arms[one.arm].arm.model: one.standing for one in front(arms, "right", level=0.95)}
    turned = list(reversed(arms))
    after = {turned[one.arm].arm.model: one.standing for one in front(turned, "right", level=0.95)}
    assert before == after
