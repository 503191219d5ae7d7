import errno
import random
import sys
import time
from pathlib import Path

import msgspec
import pytest

from noria.errors import ConfigError, StateError, Unavailable
from noria.providers.secrets import Vault
from noria.storage.segment import HEADER, OpenSegment
from noria.storage.spool import SpoolWriter
from noria.storage.spool_reader import Position, SpoolReader
from noria.tracing.record import Begin, Stored

sys.path.insert(0, str(Path(__file__).parent))
from processes import kill, said, start
from spool_process import record

DAY = 86_400_000_000_000


class Hands:
    """A clock that is set by hand."""

    def __init__(self, now: int) -> None:
        self.now = now

    def now_ns(self) -> int:
        return self.now

    def monotonic_ns(self) -> int:
        return self.now


BEGIN = Begin(
    trace=b"t" * 16,
    root=b"r" * 8,
    span=b"s" * 8,
    at=1,
    key="k",
    route="r",
    target="t",
    price="",
    bound_nano=-1,
)


def drained(reader: SpoolReader, writer: str) -> list[Stored]:
    """Everything that a writer left, with its segments removed as a collector would."""
    found: list[Stored] = []
    for segment in reader.segments(writer):
        position = segment.start
        while True:
            batch = reader.read(position, max_bytes=2048)
            found += [one for one in batch.records if isinstance(one, Stored)]
            if batch.drained:
                reader.remove(position)
                break
            if batch.position == position:
                break
            position = batch.position
    return found


def test_records_are_read_while_they_are_written(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 24, segment_bytes=1 << 14)
    reader = SpoolReader(tmp_path)
    spool.append(record(1))
    (segment,) = reader.segments("w0")
    first = reader.read(segment.start)
    assert [one.id for one in first.records if isinstance(one, Stored)] == ["1"]
    assert not first.drained
    assert reader.read(first.position).records == []
    spool.append(record(2))
    assert reader.read(first.position).records == [record(2)]
    spool.close()
    after = reader.read(first.position)
    assert after.records == [record(2)]
    assert after.drained


def test_encrypted_records_are_read_with_the_key_only_and_never_lost(tmp_path: Path) -> None:
    vault = Vault([b"k" * 32])
    spool = SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 24, segment_bytes=1 << 14)
    spool.append(record(1))
    spool.close()
    spool = SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 24, segment_bytes=1 << 14, cipher=vault)
    spool.append(record(2))
    spool.close()
    plain, sealed = sorted((tmp_path / "w0").glob("*.seg"))
    assert msgspec.msgpack.encode(record(1)) in plain.read_bytes()
    assert b"x" * 20 not in sealed.read_bytes()
    blind = SpoolReader(tmp_path)
    with pytest.raises(ConfigError, match="NORIA_ENCRYPTION_KEY"):
        blind.read(blind.segments("w0")[-1].start)
    assert drained(SpoolReader(tmp_path, cipher=vault), "w0") == [record(1), record(2)]


def test_segments_rotate_and_a_large_record_has_its_own(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 24, segment_bytes=1 << 14)
    sent = [record(number, size=40 if number != 50 else 100_000) for number in range(500)]
    for one in sent:
        spool.append(one)
    reader = SpoolReader(tmp_path)
    segments = reader.segments("w0")
    assert len(segments) > 3
    assert [segment.sealed for segment in segments] == [True] * (len(segments) - 1) + [False]
    assert sorted(segment.size for segment in segments)[-1] > 100_000
    assert drained(reader, "w0") == sent
    spool.close()


def test_a_segment_never_crosses_midnight(tmp_path: Path) -> None:
    clock = Hands(20_000 * DAY - 1)
    spool = SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 24, segment_bytes=1 << 14, clock=clock)
    spool.append(record(1))
    clock.now += 1
    spool.append(record(2))
    days = [segment.day for segment in SpoolReader(tmp_path).segments("w0")]
    assert [str(day) for day in days] == ["2024-10-03", "2024-10-04"]
    spool.close()


def test_numbers_go_on_after_every_segment_was_removed(tmp_path: Path) -> None:
    reader = SpoolReader(tmp_path)
    numbers: list[int] = []
    for _ in range(3):
        spool = SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 24, segment_bytes=1 << 14)
        spool.append(record(1))
        spool.close()
        numbers += [segment.number for segment in reader.segments("w0")]
        drained(reader, "w0")
    assert numbers == sorted(set(numbers))


def test_a_segment_of_a_writer_that_has_just_begun_is_not_taken_for_a_dead_ones(tmp_path: Path) -> None:
    begun: list[SpoolWriter] = []

    class Slow(SpoolReader):
        """The name's next process begins between two of its instructions."""

        def alive(self, writer: str) -> bool:
            found = super().alive(writer)
            if not begun:
                begun.append(SpoolWriter(tmp_path, writer=writer, limit_bytes=1 << 24, segment_bytes=1 << 16))
            return found

    SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 24, segment_bytes=1 << 16).close()
    reader = Slow(tmp_path)
    for segment in reader.segments("w0"):
        if segment.sealed and segment.day is None:
            reader.remove(segment.start)  # As the collector does: it holds nothing, and never will.
    begun[0].append(record(1))
    begun[0].close()
    assert [one.id for one in drained(SpoolReader(tmp_path), "w0")] == ["1"]


def test_a_name_has_one_writer(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 24, segment_bytes=1 << 14)
    with pytest.raises(StateError):
        SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 24, segment_bytes=1 << 14)
    spool.close()


def test_at_the_limit_bodies_are_shed_then_new_work_refused_and_begun_work_finished(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 16, segment_bytes=1 << 14, sync_s=0.01)
    was_short = False
    while True:
        try:
            spool.append(BEGIN)
        except Unavailable as refusal:
            assert refusal.status == 503
            break
        was_short = was_short or spool.short
        time.sleep(0.000_05)
    assert was_short
    spool.append(record(1))  # The end of what has begun still fits.
    reader = SpoolReader(tmp_path)
    for segment in reader.segments("w0"):
        if segment.sealed:
            reader.remove(segment.start)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            spool.append(BEGIN)
            break
        except Unavailable:
            time.sleep(0.01)
    else:
        pytest.fail("It did not go on by itself.")
    spool.close()


def test_a_full_disk_refuses_and_recovers_by_itself(tmp_path: Path) -> None:
    process = start("spool_process", "without_room", str(tmp_path))
    assert said(process) == "refused"
    assert said(process) == "recovered"
    assert process.wait(10) == 0
    assert drained(SpoolReader(tmp_path), "w") == [record(2)]


def test_a_disk_that_fails_for_a_while_refuses_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 20, segment_bytes=1 << 16, sync_s=0.01)
    failing = True

    def sync(_: OpenSegment) -> None:
        if failing:
            raise OSError(errno.EIO, "the disk fails")

    monkeypatch.setattr(OpenSegment, "sync", sync)
    refused = False
    for number in range(500):
        try:
            writer.append(BEGIN)
        except Unavailable:
            refused = True
            break
        writer.append(record(number))
        time.sleep(0.002)
    assert refused
    failing = False
    time.sleep(0.2)
    writer.append(BEGIN)
    writer.close()


def test_what_cannot_be_understood_is_skipped_and_counted(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 24, segment_bytes=1 << 14)
    spool.append(record(1))
    spool._segment.put(msgspec.msgpack.encode(["unheard-of", 1]))  # pyright: ignore
    spool._segment.put(b"\xff")  # pyright: ignore
    spool.append(record(2))
    batch = SpoolReader(tmp_path).read(SpoolReader(tmp_path).segments("w0")[0].start)
    assert batch.records == [record(1), record(2)]
    assert batch.undecodable == 2
    spool.close()


def test_a_damaged_record_is_dropped_and_counted(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, writer="w0", limit_bytes=1 << 24, segment_bytes=1 << 14)
    for number in range(3):
        spool.append(record(number))
    spool.close()
    (path,) = (tmp_path / "w0").glob("*.seg")
    data = bytearray(path.read_bytes())
    data[HEADER + 20] ^= 255
    path.write_bytes(data)
    batch = SpoolReader(tmp_path).read(Position("w0", int(path.stem)))
    assert batch.records == [record(1), record(2)]
    assert (batch.torn, batch.drained) == (1, True)


def test_every_acknowledged_record_of_killed_writers_is_read_exactly_once(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    reader = SpoolReader(folder)
    rng = random.Random(7)
    acknowledged = 0
    log = tmp_path / "acknowledged"
    for _ in range(12):
        log.unlink(missing_ok=True)
        process = start("spool_process", "forever", str(folder), "w0")
        assert said(process) == "ready"
        time.sleep(rng.uniform(0.0, 0.08))
        kill(process)
        count = len(log.read_bytes().splitlines())
        found = [one.id for one in drained(reader, "w0")]
        assert count <= len(found) <= count + 1
        assert found == [str(number) for number in range(len(found))]
        assert reader.segments("w0") == []
        acknowledged += count
    assert acknowledged > 100


def test_flush_reaches_the_disk(tmp_path: Path) -> None:
    spool = SpoolWriter(
        tmp_path, writer="w0", limit_bytes=1 << 24, segment_bytes=1 << 14, sync_s=60, durability="disk"
    )
    spool.append(record(1))
    spool.flush()
    spool.close()
    assert drained(SpoolReader(tmp_path), "w0") == [record(1)]
