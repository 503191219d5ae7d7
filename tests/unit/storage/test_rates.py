import sys
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.errors import Unavailable
from noria.storage.counters_slots import Slots
from noria.storage.rates import BUCKETS, SharedRates

sys.path.insert(0, str(Path(__file__).parent))
from counter_process import NOW, ROW
from processes import said, start


@pytest.fixture
def rates(tmp_path: Path) -> SharedRates:
    return opened(tmp_path)


def opened(folder: Path, name: str = "w0", *, capacity: int = 64) -> SharedRates:
    slots = Slots(folder)
    return SharedRates(folder, slots=slots, slot=slots.claim(name), capacity=capacity)


def test_the_limit_is_reached_and_forgotten(rates: SharedRates) -> None:
    answers = [rates.admit(ROW, amount=1, limit=3, window_s=60, now=NOW) for _ in range(4)]
    assert [answer.allowed for answer in answers] == [True, True, True, False]
    assert [answer.remaining for answer in answers] == [2, 1, 0, 0]
    reset = answers[-1].reset_s
    assert 60 <= reset <= 60 + 60 / BUCKETS
    assert not rates.admit(ROW, amount=1, limit=3, window_s=60, now=NOW + reset - 0.01).allowed
    assert rates.admit(ROW, amount=1, limit=3, window_s=60, now=NOW + reset + 0.01).allowed


def test_windows_of_one_subject_are_counted_apart(rates: SharedRates) -> None:
    assert rates.admit(ROW, amount=5, limit=5, window_s=60, now=NOW).allowed
    assert rates.admit(ROW, amount=5, limit=5, window_s=3600, now=NOW).allowed


def test_a_correction_counts_at_the_time_of_its_call(rates: SharedRates) -> None:
    rates.admit(ROW, amount=10, limit=100, window_s=60, now=NOW)
    rates.add(ROW, amount=-4, window_s=60, now=NOW)
    assert rates.admit(ROW, amount=0, limit=100, window_s=60, now=NOW + 30).remaining == 94
    rates.add(ROW, amount=20, window_s=60, now=NOW)
    assert rates.admit(ROW, amount=0, limit=100, window_s=60, now=NOW + 30).remaining == 74
    assert rates.admit(ROW, amount=0, limit=100, window_s=60, now=NOW + 70).remaining == 100


@pytest.mark.parametrize("by", [3, 3_600, 1_000_000])
def test_a_clock_that_is_set_back_neither_locks_callers_out_nor_lets_all_in(
    rates: SharedRates, by: int
) -> None:
    rates.admit(ROW, amount=3, limit=3, window_s=1, now=NOW)
    back = NOW - by
    assert [rates.admit(ROW, amount=1, limit=3, window_s=1, now=back).allowed for _ in range(4)] == [
        True, True, True, False,
    ]  # fmt: skip
    assert rates.admit(ROW, amount=0, limit=9, window_s=1, now=back + 2).remaining == 9
    rates.add(ROW, amount=5, window_s=1, now=back + 2)
    assert rates.admit(ROW, amount=0, limit=9, window_s=1, now=back + 2).remaining == 4


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.floats(0, 4), st.integers(1, 3)), max_size=80), limit=st.integers(1, 8))
def test_no_window_ever_holds_more_than_the_limit(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[float, int]], limit: int
) -> None:
    folder = tmp_path_factory.mktemp("rates")
    workers = [opened(folder, "w0"), opened(folder, "w1")]
    now, inside = NOW, deque[tuple[float, int]]()
    for index, (pause, amount) in enumerate(steps):
        now += pause
        while inside and inside[0][0] <= now - 10:
            inside.popleft()
        answer = workers[index % 2].admit(ROW, amount=amount, limit=limit, window_s=10, now=now)
        if answer.allowed:
            inside.append((now, amount))
        assert sum(one for _, one in inside) <= limit
    for worker in workers:
        worker.close()


def test_a_refused_caller_is_let_in_after_the_wait_it_was_told(rates: SharedRates) -> None:
    now = NOW
    for step in range(200):
        answer = rates.admit(ROW, amount=1, limit=7, window_s=30, now=now)
        if not answer.allowed:
            assert rates.admit(ROW, amount=1, limit=7, window_s=30, now=now + answer.reset_s + 0.001).allowed
            now += answer.reset_s + 0.001
        now += step * 0.01


def test_a_table_that_is_full_refuses_and_idle_rows_make_room(tmp_path: Path) -> None:
    rates = opened(tmp_path, capacity=4)
    for number in range(4):
        rates.admit(bytes([number]), amount=1, limit=9, window_s=60, now=NOW)
    with pytest.raises(Unavailable):
        rates.admit(b"one more", amount=1, limit=9, window_s=60, now=NOW + 60)
    assert rates.admit(b"one more", amount=1, limit=9, window_s=60, now=NOW + 200).allowed


def test_processes_together_admit_the_limit_and_at_most_one_each_more(tmp_path: Path) -> None:
    processes = [start("counter_process", "admit", str(tmp_path), f"w{n}", "3000", "4000") for n in range(4)]
    allowed = sum(int(said(process)) for process in processes)
    for process in processes:
        assert process.wait(10) == 0
    assert 4000 <= allowed <= 4003
