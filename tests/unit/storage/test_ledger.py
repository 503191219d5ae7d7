from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.errors import InvalidRequest
from noria.storage.ledger import HOUR_NS, Change, Entry, Ledger, LedgerStore, Pending, settled_with
from noria.tracing.record import Begin, Reservation
from noria.tracing.span import Span
from noria.tracing.store import Window

NOW = 500_000 * HOUR_NS
WINDOW = Window(NOW - 48 * HOUR_NS, NOW + HOUR_NS)


def span(id: int, cost: int | None = 10**9, *, hours: int = 0, **more: object) -> Span:
    fields: dict[str, object] = {
        "target": "openai/gpt-4o", "team": "search", "user": "ann", "route": "smart", "key": "key_1",
        "input_tokens": 7, "output_tokens": 3, "usage": "reported", "source": "gateway",
    } | more  # fmt: skip
    return Span(
        trace_id=id.to_bytes(16, "big"), span_id=id.to_bytes(8, "big"), name="chat", kind="client",
        start=NOW - hours * HOUR_NS, end=NOW, cost_pico=cost, **fields,  # pyright: ignore
    )  # fmt: skip


def entries(*spans: Span) -> Change:
    return Change(entries=[Entry(one) for one in spans])


def test_sums_by_every_grouping(tmp_path: Path) -> None:
    ledger, store = Ledger(tmp_path / "l.db"), LedgerStore(tmp_path / "l.db")
    ledger.write(
        entries(
            span(1, tags={"env": "prod"}),
            span(2, 2 * 10**9, team="ops", tags={"env": "dev"}),
            span(3, None, usage="estimated"),
            span(4, 5, hours=24, confirmed=False, target="", provider="", model="local"),
            span(5, project="other"),
        ),
        {("w", 1): 64},
        now=NOW,
    )
    found = store.costs("default", WINDOW, by="team")
    assert [(row.group, row.cost, row.calls) for row in found.rows] == [
        ("ops", "0.002", 1),
        ("search", "0.001000000005", 3),
    ]
    assert (found.total.cost, found.total.unknown, found.total.estimated, found.total.unconfirmed) == (
        "0.003000000005",
        1,
        1,
        1,
    )
    assert found.total.input_tokens == 28
    assert {row.group: row.cost for row in store.costs("default", WINDOW, by="tag:env").rows} == {
        "dev": "0.002", "prod": "0.001", "": "0.000000000005",
    }  # fmt: skip
    assert [row.group for row in store.costs("default", WINDOW, by="model").rows] == [
        "openai/gpt-4o",
        "local",
    ]
    assert [row.calls for row in store.costs("default", WINDOW, by="day").rows] == [3, 1]
    assert [row.group for row in store.costs(None, WINDOW, by="project").rows] == ["default", "other"]
    assert store.costs("default", Window(NOW, NOW + 1), by="user").total.calls == 3
    assert ledger.cursors() == {("w", 1): 64}
    for wrong in ("colour", "tag:", 'tag:"x', "tag:x\\", "tag:\0"):
        with pytest.raises(InvalidRequest):
            store.costs("default", WINDOW, by=wrong)


def test_before_anything_is_written_costs_are_empty(tmp_path: Path) -> None:
    assert LedgerStore(tmp_path / "none.db").costs("default", WINDOW, by="team").total.cost == "0"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 10**15), st.booleans()), max_size=25))
def test_an_entry_counts_once_with_what_came_last(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[int, int, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    ledger, store = Ledger(folder / "l.db"), LedgerStore(folder / "l.db")
    expected: dict[int, int] = {}
    for id, cost, covered in writes:
        one = span(id, cost)
        if covered:
            ledger.write(Change(covered=[(one.trace_id, one.span_id)]), {}, now=NOW)
            expected.pop(id, None)
        else:
            ledger.write(entries(one), {}, now=NOW)
            expected[id] = cost
    total = store.costs("default", WINDOW, by="key").total
    assert Decimal(total.cost) == Decimal(sum(expected.values())).scaleb(-12)
    assert total.calls == len(expected)


def test_spent_budgets_count_each_attempt_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.db")
    held = (Reservation(b"r" * 16, "monthly", "team:search", 0, 900),)
    for _ in range(2):
        for id, cost in ((1, 1_500), (2, None)):
            one = span(id, cost)
            ledger.write(Change(entries=[Entry(one, held, settled_with(one, held))]), {}, now=NOW)
    (found,) = ledger.spent()
    assert (found.budget, found.subject, found.nano) == ("monthly", "team:search", 2 + 900)


def test_what_is_pending_survives_and_goes_with_its_call(tmp_path: Path) -> None:
    def begin(n: int, root: int) -> Begin:
        return Begin(
            trace=b"t" * 16, root=bytes([root]) * 8, span=bytes([n]) * 8, at=n, key="k", route="r",
            target="p/m", price="", bound_nano=1,
        )  # fmt: skip

    ledger = Ledger(tmp_path / "l.db")
    ledger.write(Change(begun=[Pending(begin(n, n // 10), "w", 1, 7) for n in (10, 11, 20, 30)]), {}, now=NOW)
    ledger.write(Change(ended=[bytes([10]) * 8], finished=[bytes([2]) * 8]), {}, now=NOW)
    ledger.close()
    ledger = Ledger(tmp_path / "l.db")
    assert [(one.begin.at, one.ended) for one in ledger.pending("w")] == [
        (10, True),
        (11, False),
        (30, False),
    ]
    first = ledger.begin_of(bytes([1]) * 8)
    assert first is not None and first.at == 10
    assert ledger.pending_writers() == {"w"}
    same = Change(begun=[Pending(begin(40, 4), "w", 1, 7)], finished=[bytes([4]) * 8])
    ledger.write(same, {}, now=NOW)
    assert len(ledger.pending("w")) == 3


def test_erasing_a_user_keeps_the_sums(tmp_path: Path) -> None:
    ledger, store = Ledger(tmp_path / "l.db"), LedgerStore(tmp_path / "l.db")
    ledger.write(entries(span(1), span(2, user=""), span(3, user="bob")), {}, now=NOW)
    before = store.costs("default", WINDOW, by="team")
    ledger.erase("default", "ann")
    assert store.costs("default", WINDOW, by="team") == before
    assert {row.group: row.calls for row in store.costs("default", WINDOW, by="user").rows} == {
        "": 2,
        "bob": 1,
    }
    ledger.write(entries(span(1)), {}, now=NOW)
    assert store.costs("default", WINDOW, by="team") == before


def test_pruned_entries_stay_in_the_sums(tmp_path: Path) -> None:
    ledger, store = Ledger(tmp_path / "l.db"), LedgerStore(tmp_path / "l.db")
    ledger.write(entries(span(1)), {}, now=NOW)
    ledger.prune(now=NOW + 100 * HOUR_NS)
    assert store.costs("default", WINDOW, by="team").total.calls == 1
