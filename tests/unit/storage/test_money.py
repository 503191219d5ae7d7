import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from noria.errors import StateError, Unavailable
from noria.storage.counters_slots import Slots
from noria.storage.money import SharedMoney, Spent

sys.path.insert(0, str(Path(__file__).parent))
from counter_process import ROW, Hold
from processes import kill, said, start


def opened(folder: Path, name: str = "w0", *, capacity: int = 256) -> SharedMoney:
    slots = Slots(folder)
    return SharedMoney(folder, slots=slots, slot=slots.claim(name), capacity=capacity)


def test_a_reservation_counts_until_it_is_settled(tmp_path: Path) -> None:
    money = opened(tmp_path)
    assert money.reserve([Hold(ROW, 100, 60)]) is None
    assert money.reserve([Hold(ROW, 100, 60)]) == 0
    assert money.totals(ROW) == (0, 60)
    money.settle(ROW, reserved=60, spent=25)
    assert money.totals(ROW) == (25, 0)
    assert money.reserve([Hold(ROW, 100, 75)]) is None
    assert money.totals(b"another row 0000") == (0, 0)


def test_all_rows_are_reserved_or_none(tmp_path: Path) -> None:
    money = opened(tmp_path)
    rows = [bytes([number]) * 16 for number in range(1, 4)]
    assert money.reserve([Hold(rows[0], -1, 50), Hold(rows[1], 50, 50), Hold(rows[2], 49, 50)]) == 2
    assert [money.totals(row) for row in rows] == [(0, 0)] * 3
    assert money.reserve([Hold(rows[0], 60, 50), Hold(rows[0], 60, 50)]) == 1
    assert money.totals(rows[0]) == (0, 0)


def test_a_table_that_is_full_refuses_and_rows_of_past_windows_make_room(tmp_path: Path) -> None:
    money = opened(tmp_path, capacity=8)
    for number in range(8):
        assert money.reserve([Hold(bytes([number + 1]) * 16, 100, 1)]) is None
    with pytest.raises(Unavailable) as refusal:
        money.reserve([Hold(ROW, 100, 1)])
    assert refusal.value.status == 503
    first = bytes([1]) * 16
    with pytest.raises(Unavailable):
        money.reserve([Hold(first, 100, 1), Hold(ROW, 100, 1)])
    assert money.totals(first) == (0, 1)  # What the other row was refused for is not held in this one.
    (tmp_path / "later").mkdir()
    money = opened(tmp_path / "later", capacity=8)
    for number in range(50):
        past = int(time.time()) - 7200
        assert money.reserve([Hold(number.to_bytes(16, "big"), 100, 1, past)]) is None


def test_eight_processes_never_overspend_one_budget(tmp_path: Path) -> None:
    cap = 20_000
    log = tmp_path / "log"
    args = [(str(tmp_path / "counters"), f"w{number}", str(cap), str(log)) for number in range(8)]
    processes = [start("counter_process", "spend", *arg) for arg in args]
    spent = 0
    for process in processes:
        assert said(process) == "ready"
    for process in processes:
        spent += int(said(process))
        assert process.wait(30) == 0
    assert cap - 10 * 8 <= spent <= cap
    assert opened(tmp_path / "counters", "reader", capacity=8192).totals(ROW) == (spent, 0)


def test_killed_processes_are_never_counted_too_little(tmp_path: Path) -> None:
    folder, log = tmp_path / "counters", tmp_path / "log"
    rng = random.Random(3)
    cap = 1 << 40
    processes = {
        f"w{number}": start("counter_process", "spend", str(folder), f"w{number}", str(cap), str(log))
        for number in range(3)
    }
    for process in processes.values():
        assert said(process) == "ready"
    collector = opened(folder, "collector", capacity=8192)
    for number in range(3, 15):
        time.sleep(rng.uniform(0.0, 0.03))
        victim = rng.choice(sorted(processes))
        kill(processes.pop(victim))
        name = f"w{number}"
        processes[name] = start("counter_process", "spend", str(folder), name, str(cap), str(log))
        assert said(processes[name]) == "ready"
        settle_the_dead(collector, log)
    for process in processes.values():
        kill(process)
    settle_the_dead(collector, log)
    settled, reserved = collector.totals(ROW)
    spent, unknown = ledger(log)
    assert reserved == 0
    killed = sum(unknown.values())
    assert killed <= 15
    assert spent <= settled <= spent + 2 * 10 * killed  # Killed between settle and End a call counts twice.


def settle_the_dead(collector: SharedMoney, log: Path) -> None:
    _, unknown = ledger(log)
    for dead in collector.dead():
        collector.settle_dead(dead.slot, {ROW: 10 * unknown[dead.owner]})
    assert collector.dead() == []


def ledger(log: Path) -> tuple[int, Counter[str]]:
    """What the log knows was spent, and how many calls of each process have a begin and no end."""
    spent, unknown = 0, Counter[str]()
    for line in log.read_text().splitlines():
        kind, name, *cost = line.split()
        if kind == "begin":
            unknown[name] += 1
        else:
            unknown[name] -= 1
            spent += int(cost[0])
    return spent, unknown


def test_a_killed_holder_of_the_lock_holds_nobody_up(tmp_path: Path) -> None:
    money = opened(tmp_path)
    process = start("counter_process", "hold_the_lock", str(tmp_path))
    assert said(process) == "held"
    began = time.monotonic()
    with pytest.raises(Unavailable):
        money.reserve([Hold(ROW, 100, 1)])
    assert time.monotonic() - began < 0.8
    os.kill(process.pid, signal.SIGKILL)
    began = time.monotonic()
    assert money.reserve([Hold(ROW, 100, 1)]) is None
    assert time.monotonic() - began < 0.1
    process.communicate()


def test_what_a_dead_process_held_stays_until_it_is_settled(tmp_path: Path) -> None:
    collector = opened(tmp_path, "collector")
    worker_slots = Slots(tmp_path)
    slot = worker_slots.claim("w0")
    worker = SharedMoney(tmp_path, slots=worker_slots, slot=slot, capacity=256)
    worker.reserve([Hold(ROW, 100, 60)])
    with pytest.raises(StateError):
        collector.settle_dead(slot, {})
    worker.close()
    worker_slots.close()
    (dead,) = collector.dead()
    assert (dead.slot, dead.owner) == (slot, "w0")
    assert opened(tmp_path, "w0 again").reserve([Hold(ROW, 100, 60)]) == 0
    collector.settle_dead(slot, {ROW: 30})
    assert collector.totals(ROW) == (30, 0)
    assert [dead.owner for dead in collector.dead()] == []


def test_the_ledger_rebuilds_what_was_settled(tmp_path: Path) -> None:
    money = opened(tmp_path)
    money.reserve([Hold(ROW, 100, 60)])
    other = b"budget-row-00002"
    money.load([Spent(row=other, nano=7, window_end=1 << 62)])
    assert money.totals(ROW) == (0, 0)
    assert money.totals(other) == (7, 0)
    money.load([Spent(row=other, nano=7, window_end=1 << 62)])
    assert money.totals(other) == (7, 0)
    opened(tmp_path, "w1")
    with pytest.raises(StateError):
        money.load([])


def test_places_are_exact_and_a_dead_process_gives_its_own_back(tmp_path: Path) -> None:
    money = opened(tmp_path, capacity=8192)
    assert [money.acquire(ROW, 5) for _ in range(3)] == [True] * 3
    process = start("counter_process", "take_places", str(tmp_path), "w1", "4")
    assert said(process) == "2"
    assert not money.acquire(ROW, 5)
    money.release(ROW)
    assert money.acquire(ROW, 5)
    kill(process)
    assert [money.acquire(ROW, 5) for _ in range(3)] == [True, True, False]
