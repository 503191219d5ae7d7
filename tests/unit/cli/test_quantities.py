"""How quantities are shown, and how tables fit a terminal."""

from __future__ import annotations

from decimal import Decimal

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from noria.cli import table as tables
from noria.cli.quantities import ago, at, count, duration, money, share, size, tokens
from noria.cli.table import plain, shorten, table


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (None, "-"), (0.4213, "0.42 ms"), (3.21, "3.2 ms"), (312.4, "312 ms"), (1240, "1.24 s"),
        (12_340, "12.3 s"), (200_000, "3 min 20 s"), (7_260_000, "2 h 1 min"),
    ],
)  # fmt: skip
def test_durations(ms: float | None, shown: str) -> None:
    assert duration(ms) == shown


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [
        (None, "unknown"), ("0", "$0"), ("0.000036", "$0.000036"), ("0.00001234", "$0.000012"),
        ("0.1", "$0.10"),
        ("1234.5", "$1,234.50"), ("0.0999", "$0.10"),
    ],
)  # fmt: skip
def test_money(dollars: str | None, shown: str) -> None:
    assert money(dollars) == shown


@given(st.decimals(min_value="0.0000000001", max_value="1000000", places=10))
def test_money_is_never_shown_as_nothing(value: Decimal) -> None:
    shown = Decimal(money(str(value)).removeprefix("$").replace(",", ""))
    assert shown > 0
    assert abs(shown - value) <= max(
        value * Decimal("0.06"), Decimal("0.005") if value >= Decimal("0.1") else 0
    )


@pytest.mark.parametrize(
    ("bytes", "shown"),
    [(None, "unknown"), (0, "0 B"), (999, "999 B"), (98_400_000, "98.4 MB"), (491 * 10**6, "491 MB")],
)
def test_sizes(bytes: int | None, shown: str) -> None:
    assert size(bytes) == shown


def test_times() -> None:
    now = 1_800_000_000.0
    assert ago(now * 1000, now=now) in ("now", "in 1 s")
    assert ago((now - 200) * 1000, now=now) == "3 min ago"
    assert ago((now + 30 * 86_400) * 1000, now=now + 0.5) == "in 30 days"
    assert ago((now - 86_400) * 1000, now=now) == "1 day ago"
    assert at(None) == "-"
    assert len(at(now * 1000, now=now)) == 8 and len(at((now - 90_000) * 1000, now=now)) == 16
    assert (count(1234), count(None), share(0.256), share(None)) == ("1,234", "-", "26 %", "-")
    assert tokens(31, 6) == "31 → 6" and tokens(None, None) == "-"


@given(st.text(), st.integers(1, 50))
def test_what_is_shown_stays_on_its_line_and_steers_nothing(text: str, limit: int) -> None:
    shown = shorten(plain(text), limit)
    assert len(shown) <= limit
    assert not set(shown) & {"\x1b", "\n", "\r", "\x9b", "\u202e"}


def printed(columns: list[str], rows: list[list[object]], width: int | None, **more: list[str]) -> str:
    @click.command()
    def show() -> None:
        table(columns, rows, empty="nothing", **more)

    return CliRunner().invoke(show).stdout


@given(
    st.lists(
        st.tuples(st.text("ab ", max_size=60), st.integers(0, 10**6), st.text("xy", max_size=90)), min_size=1
    ),
    st.integers(50, 120),
)
def test_a_table_fits(rows: list[tuple[str, int, str]], limit: int) -> None:
    given_rows = [list(row) for row in rows]
    whole = printed(["first", "number", "last"], given_rows, None, cut=["last", "first"], right=["number"])
    assert len(whole.splitlines()) == len(rows) + 1
    assert all(row[2] in whole for row in rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "width", lambda: limit)
        fitted = printed(
            ["first", "number", "last"], given_rows, limit, cut=["last", "first"], right=["number"]
        )
    assert max(map(len, fitted.splitlines())) <= limit
    assert len(fitted.splitlines()) == len(rows) + 1
