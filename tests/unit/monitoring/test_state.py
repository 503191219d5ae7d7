"""The states of a rule: what changes them, what does not, and that a value at the bound does not flap."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from noria.monitoring.alert import Delivery, signature, told
from noria.monitoring.rule import Reading, Rule, State, severity
from noria.monitoring.state import NEW, Standing, step, turn

OPENSSL = "b12cae8f0db9d3d7c47e9b81ab46de84afeb161044a1c6fb23057d023b1e2b55"
RULE = Rule(name="errors", measure="error_rate", warn=0.02, alert=0.05, least=10)


def follow(rule: Rule, values: list[float | None], *, every: int = 10) -> list[State]:
    """The states after each of these readings, `every` seconds apart."""
    standing, found = NEW, []
    for number, value in enumerate(values):
        reading = Reading(value=value, n=0 if value is None else 100)
        standing = step(rule, standing, reading, now_ms=1 + number * every * 1000)
        found.append(standing.state)
    return found


def changed(**values: Any) -> Rule:
    return msgspec.structs.replace(RULE, **values)


@pytest.mark.parametrize(
    ("rule", "values", "states"),
    [
        (RULE, [None, 0.0, 0.03, 0.06, 0.0], ["no_data", "ok", "warning", "alert", "ok"]),
        (RULE, [0.0, 0.06, None, 0.06], ["ok", "alert", "no_data", "alert"]),
        (RULE, [0.05, 0.02, 0.02000001], ["warning", "ok", "warning"]),
        (changed(warn=None), [0.03, 0.06, 0.03], ["ok", "alert", "ok"]),
        (changed(alert=None), [0.03, 0.9], ["warning", "warning"]),
        (changed(direction="below", warn=0.9, alert=0.8), [0.95, 0.85, 0.7], ["ok", "warning", "alert"]),
        # Over the bound for 20 s before anything is said; the time over a warning's bound counts for both.
        (
            changed(hold_s=20),
            [0.0, 0.06, 0.0, 0.03, 0.06, 0.06, 0.06, 0.0, 0.0, 0.0],
            ["ok", "ok", "ok", "ok", "ok", "warning", "alert", "alert", "alert", "ok"],
        ),
        # Back within the bound by less than the margin is not back.
        (
            changed(margin=0.01),
            [0.06, 0.045, 0.035, 0.015, 0.005],
            ["alert", "alert", "warning", "warning", "ok"],
        ),
        (changed(hold_s=20), [0.0, None, None, None], ["ok", "ok", "ok", "no_data"]),
    ],
)  # fmt: skip
def test_readings_make_states(rule: Rule, values: list[float | None], states: list[State]) -> None:
    assert follow(rule, values) == states


def test_under_the_least_number_there_is_no_data() -> None:
    assert step(RULE, NEW, Reading(value=1.0, n=9), now_ms=1).state == "no_data"
    assert step(RULE, NEW, Reading(value=1.0, n=10), now_ms=1).state == "alert"


values = some.lists(some.none() | some.floats(0, 0.1), max_size=40)


@given(values, some.integers(0, 60), some.floats(0, 0.03))
def test_a_state_always_follows_from_readings(readings: list[float | None], hold: int, margin: float) -> None:
    rule = changed(hold_s=hold, margin=margin)
    for number, state in enumerate(follow(rule, readings)):
        seen = [value for value in readings[: number + 1] if value is not None]
        if state == "alert":
            assert any(value > 0.05 for value in seen)
        if state == "warning":
            assert any(value > 0.02 for value in seen)
        if state == "ok":
            assert seen


@given(some.lists(some.floats(0.04, 0.06), min_size=1, max_size=40))
def test_between_the_bound_and_its_margin_it_does_not_flap(readings: list[float]) -> None:
    states = follow(changed(warn=None, margin=0.011), readings)
    assert sum(one != other for one, other in itertools.pairwise(states)) <= 1


@given(values, some.integers(0, 60))
def test_a_longer_hold_changes_no_more_often(readings: list[float | None], hold: int) -> None:
    def changes(rule: Rule) -> int:
        states = follow(rule, readings)
        return sum(one != other for one, other in itertools.pairwise(states))

    assert changes(changed(hold_s=hold)) <= changes(RULE) + 1


@pytest.mark.parametrize(
    ("before", "after", "worst", "what"),
    [
        ("ok", "warning", None, "opened"), ("no_data", "alert", None, "opened"), ("no_data", "ok", None, ""),
        ("ok", "no_data", None, ""), ("warning", "alert", "warning", "worse"),
        ("alert", "warning", "alert", "better"), ("warning", "alert", "alert", "better"),
        ("alert", "no_data", "alert", "better"), ("no_data", "ok", "alert", "closed"), ("ok", "ok", None, ""),
    ],
)  # fmt: skip
def test_what_a_change_means(before: State, after: State, worst: State | None, what: str) -> None:
    assert turn(before, after, worst) == what


def test_people_are_told_when_it_opens_worsens_and_ends() -> None:
    assert [told(one, muted=False) for one in ("opened", "worse", "better", "closed", "")] == [
        True, True, False, True, False,
    ]  # fmt: skip
    assert not told("opened", muted=True)


def test_a_delivery_is_tried_again_ever_later_and_then_given_up() -> None:
    delivery, now, waits = Delivery(id="d", project="p", alert="a", channel="c"), 0, []
    while delivery.state == "waiting":
        delivery = delivery.missed("no answer", at_ms=now)
        waits.append(delivery.next_ms - now)
        now = delivery.next_ms
    assert delivery.state == "failed" and delivery.attempts == 12
    assert waits[:5] == [10_000, 30_000, 60_000, 300_000, 900_000]
    tested = Delivery(id="d", project="p", alert="", channel="c")
    assert tested.missed("no answer", at_ms=0).state == "failed"


def test_the_signature_is_of_the_time_and_the_body() -> None:
    # printf '7.{}' | openssl dgst -sha256 -hmac s
    assert signature("s", b"{}", at_s=7) == OPENSSL
    assert signature("s", b"{}", at_s=8) != signature("s", b"{}", at_s=7)


def test_windows_begin_with_whole_steps() -> None:
    now = 1_700_000_123_456
    assert changed(window_s=60).span(now) == (1_700_000_063_000, now)
    assert changed(window_s=900).span(now) == (1_699_999_200_000, now)
    assert changed(window_s=7 * 86_400).span(now)[0] % 3_600_000 == 0


def test_severities_are_ordered() -> None:
    order: list[State] = ["no_data", "ok", "warning", "alert"]
    assert sorted(order, key=severity) == order


def test_a_standing_is_kept_as_json() -> None:
    standing = Standing(state="alert", since_ms=5, alerted_ms=3)
    assert msgspec.convert(msgspec.to_builtins(standing), Standing) == standing
