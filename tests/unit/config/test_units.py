"""Durations, sizes and money are read without loss and written so that they are read again."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.config.units import dollars, duration, money, seconds, size, size_in_bytes


@given(st.floats(0, 1e9, allow_nan=False) | st.integers(0, 10**7).map(float))
def test_a_duration_round_trips(value: float) -> None:
    assert seconds(duration(value)) == value


@given(st.integers(0, 1 << 60))
def test_a_size_round_trips(value: int) -> None:
    assert size_in_bytes(size(value)) == value


@given(st.decimals(0, 10**9, allow_nan=False, places=9))
def test_money_round_trips(value: Decimal) -> None:
    assert dollars(money(value)) == value


@pytest.mark.parametrize(
    ("text", "value"), [("250ms", 0.25), ("30s", 30), ("1.5m", 90), ("12h", 43_200), ("7d", 604_800)]
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("1MiB", 1 << 20), ("20GB", 20 * 10**9), ("1.5KiB", 1536), ("7B", 7)]
)
def test_sizes(text: str, value: int) -> None:
    assert size_in_bytes(text) == value


@pytest.mark.parametrize("text", ["30", "s", "-1s", "1 w", "5min", ""])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


@pytest.mark.parametrize("text", ["1", "MiB", "1 iB", "-1B", "1.5B"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"size|whole number"):
        size_in_bytes(text)


@pytest.mark.parametrize("text", ["-1", "NaN", "five", "Infinity"])
def test_what_is_no_money_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="US dollars"):
        dollars(text)
