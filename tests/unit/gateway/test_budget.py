from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.access.key import Budget, Key
from noria.gateway.ask import Context
from noria.gateway.budget import FOREVER, BudgetTable, latest_end, matches, window

KEY = Key(id="key_1", lookup="l", hash=b"", team="search", user="ann", project="p", tags={"env": "prod"})


def _budget(subject: str, **more: object) -> Budget:
    return Budget(name="b", subject=subject, amount_nano=10, window="day", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("subject", "counted"),
    [
        ("key:key_1", "key:key_1"),
        ("key:other", ""),
        ("key:*", "key:key_1"),
        ("team:search", "team:search"),
        ("project:p", "project:p"),
        ("user:*", "user:bob"),
        ("user:ann", ""),
        ("tag.env:prod", "tag.env:prod"),
        ("tag.env:*", "tag.env:prod"),
        ("tag.none:*", ""),
    ],
)
def test_whom_a_budget_counts(subject: str, counted: str) -> None:
    assert matches(_budget(subject), KEY, Context(user="bob")) == counted


def test_a_budget_that_the_key_names_counts_all_of_its_calls_together() -> None:
    key = Key(id="key_2", lookup="l", hash=b"", budgets=("b",))
    assert matches(_budget("team:none"), key, Context()) == "team:none"


@given(st.integers(0, 4_000_000_000), st.sampled_from(["hour", "day", "week", "month"]))
def test_windows_are_calendar_windows_without_gaps(now: int, name: str) -> None:
    start, end = window(name, now)
    assert start <= now < end
    assert window(name, end)[0] == end
    begins = datetime.fromtimestamp(start, UTC)
    assert begins.minute == 0
    assert name != "week" or begins.weekday() == 0
    assert name != "month" or begins.day == 1


def test_a_total_has_one_window() -> None:
    assert window("total", 5) == (0, FOREVER)
    assert latest_end(0) == FOREVER


@given(st.integers(3_000_000, 4_000_000_000), st.sampled_from(["hour", "day", "week", "month"]))
def test_no_window_ends_after_the_latest_that_begins_with_it(now: int, name: str) -> None:
    start, end = window(name, now)
    assert end <= latest_end(start) <= start + 31 * 86_400


def test_rows_differ_by_window_and_subject() -> None:
    table = BudgetTable({"b": _budget("user:*")})
    first = table.hold(_budget("user:*"), "user:a", nano=1, now=0)
    assert first.row != table.hold(_budget("user:*"), "user:b", nano=1, now=0).row
    assert first.row == table.hold(_budget("user:*"), "user:a", nano=1, now=86_399).row
    assert first.row != table.hold(_budget("user:*"), "user:a", nano=1, now=86_400).row
    assert table.hold(_budget("user:*", hard=False), "user:a", nano=1, now=0).cap_nano == -1
