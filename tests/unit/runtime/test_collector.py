"""The collector's writing thread over a real spool: once each, in order, visible, settled after a death."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import apsw
import pytest

from noria.core.usage import Usage
from noria.errors import RateLimited, Unavailable
from noria.runtime.collector import MAX_WAITING, Collector, Retention
from noria.runtime.tail import Tail
from noria.storage.counters_slots import Slots
from noria.storage.home import Home
from noria.storage.ledger import LedgerStore
from noria.storage.money import SharedMoney
from noria.storage.spans import SpanStore
from noria.storage.spool import SpoolWriter
from noria.storage.spool_reader import SegmentInfo
from noria.storage.stored import StoredReader
from noria.tracing.record import Attempt, Begin, Call, End, Otlp, Reservation, Stored
from noria.tracing.span import Span
from noria.tracing.store import Window

USAGE = Usage(input=10, output=5, provenance="reported")


def begin(n: int, *, bound: int = 1_000, reservations: tuple[Reservation, ...] = ()) -> Begin:
    return Begin(
        trace=n.to_bytes(16, "big"), root=n.to_bytes(8, "big"), span=(n + (1 << 40)).to_bytes(8, "big"),
        at=time.time_ns(), key="key_1", route="smart", target="p/m", price="x", bound_nano=bound,
        reservations=reservations, project="default", team="t", user="ann",
    )  # fmt: skip


def ended(first: Begin, *, call: bool = True, reservations: tuple[Reservation, ...] = ()) -> End:
    now = time.time_ns()
    attempt = Attempt(
        span=first.span, start=first.at, end=now, target="p/m", provider="p", model="m", dialect="openai",
        outcome="ok", status=200, usage=USAGE, cost="0.000002", reservations=reservations,
    )  # fmt: skip
    whole = Call(
        trace=first.trace, span=first.root, parent=b"", start=first.at, end=now, operation="chat",
        dialect="openai", route="smart", model="smart", target="p/m", status=200, stream=False, key="key_1",
        project="default", team="t", user="ann", session="", episode="", tags={}, cache="off", attempts=1,
        usage=USAGE, cost="0.000002", first_token=0, stop_reason="stop", error_kind="", error="", config="",
        request=b'{"messages":[{"role":"user","content":"hello"}]}',
    )  # fmt: skip
    return End(first.trace, first.root, (attempt,), whole if call else None)


def everything() -> Window:
    now = time.time_ns()
    return Window(now - 86_400 * 10**9, now + 86_400 * 10**9)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def running(home: Home) -> Iterator[Callable[[], Collector]]:
    started: list[tuple[Collector, threading.Thread]] = []

    def start() -> Collector:
        collector = Collector(home, price_of=lambda provider, model: None)
        thread = threading.Thread(target=collector.run)
        thread.start()
        started.append((collector, thread))
        return collector

    yield start
    for collector, thread in started:
        collector.stop()
        thread.join(10)


def spool(home: Home, name: str = "worker-0", **more: int) -> SpoolWriter:
    return SpoolWriter(
        home.spool, writer=name, limit_bytes=1 << 30, segment_bytes=more.get("segment_bytes", 1 << 20)
    )


def seen(home: Home) -> dict[str, bool]:
    """Unconfirmed or not, by trace."""
    store = SpanStore(home.spans)
    found: dict[str, bool] = {}
    cursor = None
    while True:
        page = store.traces("default", everything(), cursor=cursor, limit=500)
        for item in page.items:
            assert item.id not in found
            found[item.id] = item.unconfirmed
        cursor = page.next
        if cursor is None:
            return found


def test_a_call_is_visible_within_a_second(home: Home, running: Callable[[], Collector]) -> None:
    running()
    writer = spool(home)
    first = begin(1)
    writer.append(first)
    writer.append(ended(first))
    started = time.monotonic()
    while not seen(home):
        assert time.monotonic() - started < 1
        time.sleep(0.01)
    (item,) = SpanStore(home.spans).traces("default", everything()).items
    assert (item.spans, item.cost, item.input) == (2, "0.000002", "hello")
    writer.close()


def test_drained_segments_are_removed_and_sums_are_exact(
    home: Home, running: Callable[[], Collector]
) -> None:
    collector = running()
    writer = spool(home, segment_bytes=1 << 16)
    for n in range(1, 1_001):
        first = begin(n)
        writer.append(first)
        if n % 3 == 0:  # A retry: the first attempt ends on a record of its own.
            writer.append(ended(first, call=False))
            second = Begin(
                **{name: getattr(first, name) for name in first.__struct_fields__}
                | {"span": (n + (1 << 41)).to_bytes(8, "big")}
            )  # pyright: ignore
            writer.append(second)
            writer.append(ended(second))
        else:
            writer.append(ended(first))
        if n % 100 == 0:
            writer.append(Stored(f"resp_{n}", "response", "default", "key_1", n, b"{}"))
    collector.drain().result(10)
    assert len(seen(home)) == 1_000
    costs = LedgerStore(home.ledger).costs("default", everything(), by="team")
    assert [(row.group, row.calls, row.cost) for row in costs.rows] == [("t", 1_333, "0.002666")]
    assert StoredReader(home.stored).get("default", "resp_700") is not None
    writer.close()
    collector.drain().result(10)
    collector.drain().result(10)
    assert not list(home.spool.glob("*/*.seg"))
    pulse = SpanStore(home.spans).pulse("default", everything(), step_s=3600).totals
    assert (pulse.requests, pulse.cost) == (1_000, "0.002")


WRITER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from noria.storage.home import Home
from test_collector_records import begin, ended
from noria.storage.spool import SpoolWriter
from noria.storage.spool_reader import SegmentInfo
home, start = Home(Path(sys.argv[1])), int(sys.argv[2])
writer = SpoolWriter(home.spool, writer="worker-0", limit_bytes=1 << 30, segment_bytes=1 << 17)
for n in range(start, start + 100_000):
    first = begin(n)
    writer.append(first)
    writer.append(ended(first))
    print(n, flush=True)
"""


def writing(home: Home, start: int) -> subprocess.Popen[bytes]:
    """A process that appends calls, and says the number of each that it has recorded whole."""
    folder = home.folder / "code"
    folder.mkdir(exist_ok=True)
    (folder / "test_collector_records.py").write_text(Path(__file__).read_text())
    return subprocess.Popen(
        [sys.executable, "-c", WRITER.format(tests=str(folder)), str(home.folder), str(start)],
        stdout=subprocess.PIPE,
    )


def test_a_dead_writer_is_settled_and_its_calls_are_there_once(
    home: Home, running: Callable[[], Collector]
) -> None:
    collector = running()
    said: set[int] = set()
    for turn in range(3):
        process = writing(home, 1 + turn * 100_000)
        assert process.stdout is not None
        said.add(int(process.stdout.readline()))
        time.sleep(0.03)
        os.kill(process.pid, signal.SIGKILL)
        said |= {int(line) for line in process.stdout.read().split(b"\n")[:-1]}
        process.wait()
    until = time.monotonic() + 10
    while list(home.spool.glob("*/*.seg")):
        assert time.monotonic() < until
        collector.drain().result(10)
        time.sleep(0.05)
    collector.drain().result(10)
    found = seen(home)
    assert said <= {int(id, 16) for id, unconfirmed in found.items() if not unconfirmed}
    extra = {int(id, 16) for id in found} - said
    assert len(extra) <= 3 * 2
    assert collector.stand().poisoned == 0


@pytest.mark.slow
def test_kill_the_collector_in_a_loop(home: Home) -> None:
    """Whatever is killed when: every record is exactly one span, and costs count once."""
    script = (
        "import sys; from pathlib import Path; from noria.storage.home import Home\n"
        "from noria.runtime.collector import Collector\n"
        "Collector(Home(Path(sys.argv[1])), price_of=lambda p, m: None).run()"
    )
    process = writing(home, 1)
    assert process.stdout is not None
    process.stdout.readline()
    for turn in range(12):
        collector = subprocess.Popen([sys.executable, "-c", script, str(home.folder)])
        time.sleep(0.35 + turn * 0.03)
        collector.kill()
        collector.wait()
    process.kill()
    said = {int(line) for line in process.stdout.read().split(b"\n")[:-1]} | {1}
    process.wait()
    collector = subprocess.Popen([sys.executable, "-c", script, str(home.folder)])
    try:
        until = time.monotonic() + 60
        while list(home.spool.glob("*/*.seg")):
            assert time.monotonic() < until
            time.sleep(0.03)
        time.sleep(0.5)
    finally:
        collector.kill()
        collector.wait()
    found = seen(home)
    assert said <= {int(id, 16) for id, unconfirmed in found.items() if not unconfirmed}
    assert len(found) - len(said) <= 2
    whole = sum(not unconfirmed for unconfirmed in found.values())
    rows = LedgerStore(home.ledger).costs("default", everything(), by="team").total
    assert rows.calls == len(found)
    cost = Decimal(rows.cost) - Decimal("0.000001") * rows.unconfirmed
    assert cost == Decimal("0.000002") * whole
    pulse = SpanStore(home.spans).pulse("default", everything(), step_s=3600).totals
    assert pulse.requests == len(found)


HOLDER = """
import sys, os, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from noria.access.key import Budget
from noria.gateway.budget import Hold
from noria.storage.home import Home
from noria.storage.spool import SpoolWriter
from noria.storage.spool_reader import SegmentInfo
from noria.storage.counters_slots import Slots
from noria.storage.money import SharedMoney
from test_collector_records import begin, ended
from noria.tracing.record import Reservation
home = Home(Path(sys.argv[1]))
slots = Slots(home.counters)
money = SharedMoney(home.counters, slots=slots, slot=slots.claim("worker-0"))
writer = SpoolWriter(home.spool, writer="worker-0", limit_bytes=1 << 30)
row = b"r" * 16
for n in (1, 2):
    hold = Hold(row, 10_000, 900, 1 << 62, Budget("b", "team:t", 10_000, "total"), "team:t", 0)
    assert money.reserve([hold]) is None
    held = (Reservation(row, "b", "team:t", 0, 900),)
    first = begin(n, bound=900, reservations=held)
    writer.append(first)
    if n == 1:
        money.settle(row, reserved=900, spent=2_000)
        writer.append(ended(first, reservations=held))
print("ready", flush=True)
time.sleep(60)
"""


def holding(home: Home) -> subprocess.Popen[bytes]:
    """A process that has settled one call and holds the money of another."""
    folder = home.folder / "code"
    folder.mkdir()
    (folder / "test_collector_records.py").write_text(Path(__file__).read_text())
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER.format(tests=str(folder)), str(home.folder)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    return process


def settled(home: Home) -> None:
    """Wait until the open call of `holding` is charged at its bound."""
    money = SharedMoney(home.counters, slots=Slots(home.counters), slot=0)
    until = time.monotonic() + 5
    while money.totals(b"r" * 16) != (2_900, 0):
        assert time.monotonic() < until, money.totals(b"r" * 16)
        time.sleep(0.02)


AGAIN = """
import os, sys, time
os.getpid = lambda: 7  # As in a container: the first worker always has the same one.
sys.path.insert(0, {tests!r})
from pathlib import Path
from noria.access.key import Budget
from noria.gateway.budget import Hold
from noria.storage.counters_slots import Slots
from noria.storage.home import Home
from noria.storage.money import SharedMoney
from noria.storage.spool import SpoolWriter
from noria.storage.spool_reader import SegmentInfo
from test_collector_records import begin, ended
home, n = Home(Path(sys.argv[1])), int(sys.argv[2])
slots = Slots(home.counters)
money = SharedMoney(home.counters, slots=slots, slot=slots.claim("worker-0"))
writer = SpoolWriter(home.spool, writer="worker-0", limit_bytes=1 << 30)
first = begin(n)
writer.append(first)
writer.append(ended(first))
hold = Hold(b"r" * 16, 10_000, 900, 1 << 62, Budget("b", "team:t", 10_000, "total"), "team:t", 0)
assert money.reserve([hold]) is None
print("ready", flush=True)
time.sleep(60)
"""


def test_a_process_id_that_comes_again_frees_what_its_last_owner_held(
    home: Home, running: Callable[[], Collector]
) -> None:
    folder = home.folder / "code"
    folder.mkdir()
    (folder / "test_collector_records.py").write_text(Path(__file__).read_text())
    script = AGAIN.format(tests=str(folder))
    for n in (1, 2):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(home.folder), str(n)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        if n == 1:
            process.kill()
            process.wait()
    money = SharedMoney(home.counters, slots=Slots(home.counters), slot=0)
    assert money.totals(b"r" * 16) == (0, 1_800)
    collector = running()
    collector.drain().result(10)
    collector.drain().result(10)
    assert money.totals(b"r" * 16) == (0, 900)
    assert money.dead() == []
    process.kill()
    process.wait()


def test_a_death_between_two_looks_of_a_round_is_charged_too(
    home: Home, running: Callable[[], Collector], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = holding(home)
    collector = running()
    collector.drain().result(10)
    real = Tail.segments

    def segments(self: Tail) -> list[SegmentInfo]:
        found = real(self)
        process.kill()
        process.wait()
        return found

    monkeypatch.setattr(Tail, "segments", segments)
    settled(home)
    assert collector.stand().problem == ""


def test_what_a_dead_worker_held_is_settled_at_its_bound(
    home: Home, running: Callable[[], Collector]
) -> None:
    process = holding(home)
    collector = running()
    collector.drain().result(10)
    slots = Slots(home.counters)
    money = SharedMoney(home.counters, slots=slots, slot=0)
    assert money.totals(b"r" * 16) == (2_000, 900), "no timer frees money while its owner lives"
    process.kill()
    process.wait()
    settled(home)
    (spent,) = collector.spent().result(10)
    assert (spent.budget, spent.subject, spent.nano) == ("b", "team:t", 2_900)
    assert seen(home) == {f"{1:032x}": False, f"{2:032x}": True}
    (item,) = [
        item for item in SpanStore(home.spans).traces("default", everything()).items if item.unconfirmed
    ]
    assert (item.cost, item.error_kind, item.spans) == ("0.0000009", "unconfirmed", 2)
    assert money.dead() == []


def test_posted_spans_are_there_when_their_future_is_done(
    home: Home, running: Callable[[], Collector]
) -> None:
    collector = running()
    now = time.time_ns()
    spans = [
        Span(
            trace_id=n.to_bytes(16, "big"), span_id=b"s" * 8, name="x", start=now, end=now + 5,
            operation="chat", cost_pico=7,
        )
        for n in range(1, 101)
    ]  # fmt: skip
    for future in [collector.post(spans[n : n + 10]) for n in range(0, 100, 10)] + [collector.post(spans)]:
        future.result(10)
    assert len(seen(home)) == 100
    total = LedgerStore(home.ledger).costs("default", everything(), by="key").total
    assert (total.calls, total.cost) == (100, "0.0000000007")


def test_a_full_queue_and_a_stopping_collector_refuse(home: Home) -> None:
    collector = Collector(home, price_of=lambda provider, model: None)
    span = Span(trace_id=b"t" * 16, span_id=b"s" * 8, name="x", start=1, end=1)
    waiting = collector.post([span] * MAX_WAITING)
    with pytest.raises(RateLimited) as caught:
        collector.post([span])
    assert caught.value.retry_after
    collector.stop()
    thread = threading.Thread(target=collector.run)
    thread.start()
    thread.join(30)
    assert waiting.exception(0) is None or isinstance(waiting.exception(0), Unavailable)


def test_a_full_disk_is_told_and_recovers_by_itself(
    home: Home, running: Callable[[], Collector], monkeypatch: pytest.MonkeyPatch
) -> None:
    from noria.storage.spans import day

    collector = running()
    collector.drain().result(10)
    whole = day.DayFile.apply

    def full(self: object, spans: object) -> None:
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr(day.DayFile, "apply", full)
    writer = spool(home)
    first = begin(1)
    writer.append(first)
    writer.append(ended(first))
    with pytest.raises(Unavailable, match="cannot"):
        collector.drain().result(10)
    assert "full" in collector.stand().problem
    monkeypatch.setattr(day.DayFile, "apply", whole)
    until = time.monotonic() + 5
    while collector.stand().problem:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert len(seen(home)) == 1
    writer.close()


def test_a_record_that_cannot_be_taken_in_holds_up_no_other(
    home: Home, running: Callable[[], Collector], monkeypatch: pytest.MonkeyPatch
) -> None:
    from noria.runtime import derivation

    real = derivation.call_span

    def picky(call: Call) -> Span:
        if call.trace == (5).to_bytes(16, "big"):
            raise ValueError("a bug")
        return real(call)

    monkeypatch.setattr(derivation, "call_span", picky)
    writer = spool(home)
    for n in range(1, 11):
        first = begin(n)
        writer.append(first)
        writer.append(ended(first))
    collector = running()
    until = time.monotonic() + 10
    while len(seen(home)) < 9:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert collector.stand().poisoned == 1
    assert f"{5:032x}" not in seen(home)
    writer.close()


def test_an_otlp_record_in_the_spool_is_read(home: Home, running: Callable[[], Collector]) -> None:
    collector = running()
    writer = spool(home)
    now = time.time_ns()
    body = (
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%032x","spanId":"%016x","name":"x",'
        b'"startTimeUnixNano":%d}]}]}]}' % (7, 8, now)
    )
    writer.append(Otlp("traces", True, "default", "key_1", now, body))
    writer.append(Otlp("traces", True, "default", "key_1", now, b"nonsense"))
    collector.drain().result(10)
    assert list(seen(home)) == [f"{7:032x}"] and collector.stand().rejected == 1
    writer.close()


def test_erasing_a_person(home: Home, running: Callable[[], Collector]) -> None:
    collector = running()
    writer = spool(home)
    first = begin(1)
    writer.append(first)
    writer.append(ended(first))
    writer.append(Stored("resp_1", "response", "default", "key_1", 1, b"{}", trace=first.trace))
    erased = collector.erase_user("default", "ann").result(10)
    assert (erased.traces, erased.spans, erased.stored) == (1, 2, 1)
    assert seen(home) == {} and StoredReader(home.stored).get("default", "resp_1") is None
    assert LedgerStore(home.ledger).costs("default", everything(), by="user").rows[0].group == ""
    writer.close()


def test_retention(home: Home) -> None:
    collector = Collector(home, price_of=lambda provider, model: None, retention=Retention(days=1))
    old = home.spans / "2020-01-01.db"
    apsw.Connection(str(old)).execute("CREATE TABLE x (y)")
    thread = threading.Thread(target=collector.run)
    thread.start()
    collector.drain().result(10)
    collector.stop()
    thread.join(10)
    assert not old.exists()


def test_an_asker_that_has_gone_does_not_stop_the_collector(home: Home) -> None:
    collector = Collector(home, price_of=lambda provider, model: None)
    assert collector.drain().cancel()
    span = Span(trace_id=b"t" * 16, span_id=b"s" * 8, name="x", start=1, end=2)
    assert collector.post([span]).cancel()
    last = collector.drain()
    thread = threading.Thread(target=collector.run)
    thread.start()
    try:
        last.result(timeout=10)
        collector.drain().result(timeout=10)
    finally:
        collector.stop()
        thread.join(10)


def test_a_payload_that_cannot_be_taken_in_loses_neither_call_nor_cost(
    home: Home, running: Callable[[], Collector], monkeypatch: pytest.MonkeyPatch
) -> None:
    from noria.storage.spans import day

    def picky(text: str | None) -> str:
        if text and "hello" in text:
            raise apsw.TooBigError("string or blob too big")
        return text or ""

    monkeypatch.setattr(day, "words", picky)
    writer = spool(home)
    first = begin(1)
    writer.append(first)
    writer.append(ended(first))
    collector = running()
    until = time.monotonic() + 10
    while not seen(home):
        assert time.monotonic() < until
        time.sleep(0.05)
    collector.drain().result(timeout=10)
    (item,) = SpanStore(home.spans).traces("default", everything()).items
    assert (item.cost, item.input) == ("0.000002", "")
    writer.close()


def test_a_damaged_day_is_told_once_a_second_and_nothing_is_lost(
    home: Home, running: Callable[[], Collector], caplog: pytest.LogCaptureFixture
) -> None:
    damaged = home.spans / f"{time.strftime('%Y-%m-%d', time.gmtime())}.db"
    damaged.write_bytes(os.urandom(8192))
    writer = spool(home)
    first = begin(1)
    writer.append(first)
    writer.append(ended(first))
    collector = running()
    time.sleep(1.5)
    assert "is damaged" in collector.stand().problem
    assert 0 < len(caplog.records) < 10
    for path in home.spans.iterdir():
        path.unlink()
    until = time.monotonic() + 10
    while not seen(home):
        assert time.monotonic() < until
        time.sleep(0.05)
    writer.close()
