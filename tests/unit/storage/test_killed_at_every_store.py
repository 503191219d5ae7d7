"""Money and spool, stopped dead before each single store that they make into shared memory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from noria.errors import Unavailable
from noria.storage.counters_slots import Slots
from noria.storage.money import SharedMoney
from noria.storage.segment import HEADER, OpenSegment, frames

sys.path.insert(0, str(Path(__file__).parent))
from counter_process import ROW, Hold


class Killed(BaseException):
    """In place of a kill -9: nothing after it runs but the kernel's own release of the lock."""


class Fused:
    """Shared memory that allows so many stores."""

    def __init__(self, memory: Any, fuse: list[int]) -> None:
        self._memory = memory
        self._fuse = fuse

    def __getitem__(self, at: Any) -> Any:
        return self._memory[at]

    def __setitem__(self, at: Any, value: Any) -> None:
        if not self._fuse[0]:
            raise Killed
        self._fuse[0] -= 1
        self._memory[at] = value


HOLDS = [Hold(ROW, 1000, 100), Hold(b"budget-row-00002", 1000, 100)]
SPENT = 70
STORES = 2 + 2 * 2
"""Two reservations, and two stores to settle each."""


@pytest.mark.parametrize("stores", range(STORES + 1))
def test_money_is_never_counted_too_little(tmp_path: Path, stores: int) -> None:
    slots = Slots(tmp_path)
    slot = slots.claim("w0")
    worker = SharedMoney(tmp_path, slots=slots, slot=slot, capacity=64)
    assert worker.reserve([Hold(hold.row, 1000, 0) for hold in HOLDS]) is None
    fuse = [stores]
    worker._table.words = Fused(worker._table.words, fuse)  # pyright: ignore
    reader_slots = Slots(tmp_path)
    reader = SharedMoney(tmp_path, slots=reader_slots, slot=reader_slots.claim("collector"), capacity=64)
    called = ended = False
    try:
        worker.reserve(HOLDS)
        called = True  # From here on the upstream may bill.
        for hold in HOLDS:
            worker.settle(hold.row, reserved=hold.nano, spent=SPENT)
        ended = True
    except Killed:
        assert stores < STORES
    for hold in HOLDS:
        assert sum(reader.totals(hold.row)) >= (SPENT if called else 0)
    slots.close()
    (dead,) = reader.dead()
    reader.settle_dead(dead.slot, {hold.row: SPENT for hold in HOLDS} if called and not ended else {})
    for hold in HOLDS:
        settled, reserved = reader.totals(hold.row)
        assert reserved == 0
        assert (SPENT if called else 0) <= settled <= (0 if not called else SPENT if ended else 2 * SPENT)


def test_a_row_whose_maker_died_is_not_taken_for_another(tmp_path: Path) -> None:
    slots = Slots(tmp_path)
    worker = SharedMoney(tmp_path, slots=slots, slot=slots.claim("w0"), capacity=1)
    worker._table.words = Fused(worker._table.words, [0])  # pyright: ignore
    with pytest.raises(Killed):
        worker.reserve(HOLDS[:1])
    slots.close()
    slots = Slots(tmp_path)
    money = SharedMoney(tmp_path, slots=slots, slot=slots.claim("w1"), capacity=1)
    assert money.reserve(HOLDS[:1]) is None
    with pytest.raises(Unavailable):  # There is one row, and it is in use.
        money.reserve(HOLDS[1:])
    assert money.totals(ROW) == (0, 100)


@pytest.mark.parametrize("stores", range(4))
def test_a_record_is_there_whole_or_not_at_all(tmp_path: Path, stores: int) -> None:
    segment = OpenSegment(tmp_path / "1.seg", size=4096, writer="w0")
    segment.begin(day=1, at=1)
    segment.put(b"before")
    fuse = [stores]
    segment._map = Fused(segment._map, fuse)  # pyright: ignore
    segment._words = Fused(segment._words, fuse)  # pyright: ignore
    try:
        segment.put(b"a record")
    except Killed:
        assert stores < 3
    data = (tmp_path / "1.seg").read_bytes()[HEADER:]
    found = [bytes(payload) for _, payload in frames(data) if payload is not None]
    assert found == ([b"before"] if stores < 3 else [b"before", b"a record"])
