"""The collector's one writing thread: spools and OTLP in, spans, ledger and stored answers out.

Everything that waits is written together, at most MAX_SPANS spans a round; a round's order is spans, stored
answers, ledger, each in its own transaction with the cursors of what it came from. A death between two of
them is repaired at the next start (`runtime.tail`), and everything is found again by its ids.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import date
from typing import Any

import apsw
import msgspec

from noria.core.clock import Clock, SystemClock
from noria.errors import RateLimited, StateError, Unavailable
from noria.runtime.derivation import Derived
from noria.runtime.settlement import Counters, left_by
from noria.runtime.tail import CONSUMERS, HEAD, Run, Tail
from noria.storage.counters_slots import DeadSlot, Slots
from noria.storage.home import Home
from noria.storage.ledger import Ledger, Pending
from noria.storage.money import SharedMoney
from noria.storage.spans import SpanWriter, day_of
from noria.storage.spool_reader import SegmentInfo, SpoolReader
from noria.storage.stored import StoredWriter
from noria.tracing.otlp import PriceOf, complete
from noria.tracing.record import Begin, End, SpoolRecord, Stored
from noria.tracing.span import Span
from noria.tracing.store import Cipher, Erasure

MAX_SPANS = 4_000
"""Of one round."""
MAX_WAITING = 20_000
"""Posted spans that wait for their round; beyond that a sender is asked to come again."""
POLL, IDLE_POLL = 0.02, 0.05
"""Seconds between two looks at the spools, while calls come and while none has for BUSY_FOR seconds."""
BUSY_FOR = 5.0
BACK_OFF = 1.0
"""Seconds after a round that failed."""
TIDY = 60.0
"""Seconds between two looks at what is too old."""
_log = logging.getLogger("noria.collector")

_CANNOT_WRITE = (Unavailable, apsw.FullError, apsw.IOError, OSError)
"""The fault of the disk, and of no record."""


class Retention(msgspec.Struct, frozen=True):
    """None: no limit."""

    days: int | None = None
    size_bytes: int | None = None


class Stand(msgspec.Struct, frozen=True):
    """How the collector does."""

    lag_s: float
    """Age of the last look that found everything taken."""
    waiting_spans: int
    spans: int
    """Written since the start."""
    rejected: int
    torn: int
    undecodable: int
    dropped: int
    poisoned: int
    """Records that could not be taken in; the log says why."""
    problem: str
    """What keeps it from writing, in a sentence; "": nothing."""


class Collector:
    """Owns every file that the collector writes. `run` is its thread; the rest is for any thread."""

    def __init__(
        self,
        home: Home,
        *,
        price_of: PriceOf,
        cipher: Cipher | None = None,
        spool_cipher: Cipher | None = None,
        durable: bool = False,
        retention: Retention | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`cipher` encrypts what is stored; `spool_cipher` opens what workers have encrypted."""
        self._clock = clock or SystemClock()
        self._price_of = price_of
        self._retention = retention or Retention()
        self._spans = SpanWriter(home.spans, complete=complete, cipher=cipher, durable=durable)
        self._stored = StoredWriter(home.stored, cipher=cipher, durable=durable)
        self._ledger = Ledger(home.ledger, durable=durable)
        self._tail = Tail(home.spool, SpoolReader(home.spool, cipher=spool_cipher))
        slots = Slots(home.counters)
        self._money: Counters = SharedMoney(home.counters, slots=slots, slot=0)
        self._begun: dict[bytes, Begin] = {}
        self._pending: set[str] = set()
        self._looked: dict[str, frozenset[int]] = {}
        """Of a writer with something pending: its living processes when that was last looked at."""
        self._restored = False
        self._careful = 0
        self._guard = threading.Condition()
        self._posted: deque[tuple[Sequence[Span], Future[None]]] = deque()
        self._waiting = 0
        self._asked: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._closing = False
        self._tidied = 0.0
        self._taken_at = self._busy_at = time.monotonic()
        self._written = self._rejected = self._poisoned = 0
        self._problem = ""

    def post(self, spans: Sequence[Span]) -> Future[None]:
        """Write spans; the future is done when they are durable. Raises RateLimited where too many wait."""
        done: Future[None] = Future()
        with self._guard:
            if self._waiting and self._waiting + len(spans) > MAX_WAITING:
                raise RateLimited(
                    "The collector has more spans than it can write; send again later.", retry_after=1
                )
            self._posted.append((spans, done))
            self._waiting += len(spans)
            self._guard.notify()
        return done

    def drain(self) -> Future[None]:
        """Done when everything that is in the spools now is written."""
        return self.ask(lambda: None)

    def ask(self, work: Callable[[], Any]) -> Future[Any]:
        """Do `work` in the writing thread, after everything that is in the spools now is written."""
        done: Future[Any] = Future()
        with self._guard:
            self._asked.append((work, done))
            self._guard.notify()
        return done

    def delete_stored(self, project: str, id: str, kind: str) -> Future[Any]:
        return self.ask(lambda: self._stored.delete(project, id, kind))

    def set_metadata(self, project: str, id: str, metadata: dict[str, str]) -> Future[Any]:
        return self.ask(lambda: self._stored.set_metadata(project, id, metadata))

    def spent(self) -> Future[Any]:
        return self.ask(self._ledger.spent)

    def erase_user(self, project: str, user: str, also: Sequence[str] = ()) -> Future[Any]:
        """An Erasure of all that is recorded of a person in a project, and of `also` these traces."""
        return self.ask(lambda: self._erase(project, user, [bytes.fromhex(trace) for trace in also]))

    def stand(self) -> Stand:
        return Stand(
            lag_s=time.monotonic() - self._taken_at,
            waiting_spans=self._waiting,
            spans=self._written,
            rejected=self._rejected,
            torn=self._tail.torn,
            undecodable=self._tail.undecodable,
            dropped=self._spans.dropped,
            poisoned=self._poisoned,
            problem=self._problem,
        )

    def stop(self) -> None:
        """Let `run` return after a last round."""
        with self._guard:
            self._closing = True
            self._guard.notify()

    def run(self) -> None:
        """Until `stop`. What fails is tried again; nothing is taken off the spools before it is written."""
        while True:
            started = time.monotonic()
            closing = self._closing
            more = self._round_safely()
            with self._guard:
                if closing:
                    break
                if more:
                    continue
                pause = POLL if started - self._busy_at < BUSY_FOR else IDLE_POLL
                pause = BACK_OFF if self._problem else max(pause - (time.monotonic() - started), 0.001)
                if not (self._posted or self._asked or self._closing) or self._problem:
                    self._guard.wait(pause)
        self._refuse_rest()
        self._spans.close()
        self._stored.close()
        self._ledger.close()

    def _round_safely(self) -> bool:
        with self._guard:
            asked = [self._asked.popleft() for _ in range(len(self._asked))]
        asked = [one for one in asked if one[1].set_running_or_notify_cancel()]
        posted = self._take_posted()
        try:
            more = self._round(posted, everything=bool(asked))
            self._problem = ""
        except _CANNOT_WRITE as error:
            _log.error("Nothing can be written: %s", error)
            self._fail(posted, asked, str(error))
            return False
        except (
            Exception
        ) as error:  # Whatever it is, the thread goes on; the culprit is looked for record by record.
            _log.error("A round failed: %s", error, exc_info=not isinstance(error, StateError))
            hopeless = self._careful > 0  # Not even leaving a record out works: a file is damaged.
            self._careful = 200
            self._fail(posted, asked, f"{type(error).__name__}: {error}")
            if hopeless:
                return False
            self._problem = ""
            return True
        for work, done in asked:
            try:
                done.set_result(work())
            except Exception as error:  # The asker is told.
                done.set_exception(error)
        return more

    def _fail(self, posted: list[tuple[Sequence[Span], Future[None]]], asked: list[Any], why: str) -> None:
        self._problem = why
        self._restored = False
        refusal = Unavailable(f"The collector cannot write now: {why}", retry_after=BACK_OFF)
        for _, done in (*posted, *asked):
            if not done.done():  # Posted spans may have been written before something else failed.
                done.set_exception(refusal)

    def _take_posted(self) -> list[tuple[Sequence[Span], Future[None]]]:
        taken: list[tuple[Sequence[Span], Future[None]]] = []
        count = 0
        with self._guard:
            while self._posted and (not taken or count + len(self._posted[0][0]) <= MAX_SPANS):
                taken.append(self._posted.popleft())
                count += len(taken[-1][0])
            self._waiting -= count
        return [one for one in taken if one[1].set_running_or_notify_cancel()]

    def _round(self, posted: list[tuple[Sequence[Span], Future[None]]], *, everything: bool) -> bool:
        """Write what is there; whether more is left. `everything`: until the spools are empty."""
        if not self._restored:
            self._restore()
        if posted:
            self._write_posted([span for spans, _ in posted for span in spans])
            for _, done in posted:
                done.set_result(None)
            self._busy_at = time.monotonic()
        while True:
            began = time.monotonic()
            dead = self._money.dead()
            segments = self._tail.segments()
            runs, more = self._read(segments)
            if runs:
                self._busy_at = began
                self._write_runs(runs)
            if not more:
                self._taken_at = began
                self._finish_segments(segments, dead)
            if not (more and everything):
                break
        if time.monotonic() - self._tidied > TIDY:
            self._tidied = time.monotonic()
            self._tidy()
        return more

    def _restore(self) -> None:
        """Where every consumer stands, from its own file."""
        segments = self._tail.segments()
        days = sorted({info.day for info in segments if info.day is not None})
        cursors = {
            "spans": self._spans.cursors(days),
            "stored": self._stored.cursors(),
            "ledger": self._ledger.cursors(),
        }
        self._tail.restore(cursors)
        for writer, number in self._tail.gone(segments):
            self._stored.forget(writer, number)
            self._ledger.forget(writer, number)
        self._pending = self._ledger.pending_writers()
        self._begun.clear()
        self._looked.clear()
        self._restored = True

    def _read(self, segments: list[SegmentInfo]) -> tuple[list[Run], bool]:
        """New records, and whether there are more than one round takes."""
        runs: list[Run] = []
        count = 0
        waiting: set[str] = set()
        more = False
        for info in segments:
            if info.writer in waiting:
                continue  # Its older segment comes first.
            run = self._tail.read(info, max_bytes=HEAD) if self._careful else self._tail.read(info)
            if run is None:
                continue
            if run.batch.records or run.batch.torn or run.batch.undecodable:
                runs.append(run)
                count += len(run.batch.records)
            if not run.batch.drained:
                waiting.add(info.writer)
                more = more or self._tail.more(run)
            if count >= MAX_SPANS:
                return runs, True
        return runs, more

    def _write_runs(self, runs: list[Run]) -> None:
        together = all(run.consumers == CONSUMERS for run in runs)
        for group in [runs] if together and not self._careful else [[run] for run in runs]:
            try:
                self._write(group)
            except _CANNOT_WRITE:
                raise
            except Exception as error:  # A record that cannot be taken in must not hold up all others.
                if not self._careful:
                    raise
                self._write_bare(group[0], error)
                self._poisoned += 1
            for run in group:
                self._tail.passed(run)
        self._careful = max(self._careful - 1, 0)

    def _write(self, runs: list[Run]) -> None:
        consumers = runs[0].consumers
        by_day: dict[date, Derived] = {}
        cursors: dict[date, dict[tuple[str, int], int]] = {}
        for run in runs:
            derived = by_day.setdefault(run.day, Derived())
            for record in run.batch.records:
                if isinstance(record, Begin):
                    self._begun.setdefault(record.root, record)
            derived.add(run, begin_of=self._begin_of, price_of=self._price_of)
            cursors.setdefault(run.day, {})[run.key] = run.batch.position.offset
        for day, derived in by_day.items():
            if "spans" in consumers:
                applied = self._spans.write(day, derived.spans, cursors[day])
                self._written += len(derived.spans)
            else:
                applied = self._spans.counted(day, derived.spans)
            if "stored" in consumers:
                self._stored.write(derived.stored, cursors[day])
            if "ledger" in consumers:
                derived.book(applied)
                self._ledger.write(derived.change, cursors[day], now=self._clock.now_ns())
            self._rejected += derived.rejected
            self._pending |= {one.writer for one in derived.change.begun}
            for root in derived.change.finished:
                self._begun.pop(root, None)

    def _write_bare(self, run: Run, why: Exception) -> None:
        """Without prompts and answers, which may be what cannot be taken in: the call and its cost count."""
        bare = [_bare(record) for record in run.batch.records if not isinstance(record, Stored)]
        batch = msgspec.structs.replace(run.batch, records=bare)
        try:
            self._write([msgspec.structs.replace(run, batch=batch)])
        except _CANNOT_WRITE:
            raise
        except Exception:
            self._skip(run)
            _log.exception("A record was left out: %r", run.batch.position)
        else:
            _log.error("A record was taken in without its payloads: %r", run.batch.position, exc_info=why)

    def _skip(self, run: Run) -> None:
        cursors = {run.key: run.batch.position.offset}
        self._spans.write(run.day, [], cursors)
        self._stored.write([], cursors)
        self._ledger.write(Derived().change, cursors, now=self._clock.now_ns())

    def _write_posted(self, spans: list[Span]) -> None:
        derived = Derived(spans=spans)
        now = self._clock.now_ns()
        derived.book(self._spans.write(day_of(now), spans, {}))
        self._ledger.write(derived.change, {}, now=now)
        self._written += len(spans)

    def _begin_of(self, root: bytes) -> Begin | None:
        return self._begun.get(root) or self._ledger.begin_of(root)

    def _finish_segments(self, segments: list[SegmentInfo], dead: list[DeadSlot]) -> None:
        """Remove what is drained; before, settle what its writers left. `dead` was seen before `segments`."""
        left: list[SegmentInfo] = []
        synced = False
        for info in segments:
            if not info.sealed or not self._is_drained(info):
                left.append(info)
                continue
            if not synced:  # The segment was on the disk: what came of it must be, before it goes.
                for consumer in (self._spans, self._stored, self._ledger):
                    consumer.sync()
                synced = True
            if self._tail.abandoned(info):
                process = self._tail.process(info)
                slot = next((s for s in dead if (s.owner, s.process) == (info.writer, process)), None)
                if slot is None and self._money.owned(info.writer, process):
                    left.append(info)  # It died after `dead` was seen: its money is settled with its slot.
                    continue
                pending = [p for p in self._ledger.pending(info.writer) if p.segment <= info.number]
                if pending:
                    self._settle(pending, slot)
                    dead = [other for other in dead if other is not slot]
            self._tail.remove(info)
            if info.day is not None:
                self._spans.forget(info.day, info.writer, info.number)
            self._stored.forget(info.writer, info.number)
            self._ledger.forget(info.writer, info.number)
        self._settle_rest(left, dead)

    def _is_drained(self, info: SegmentInfo) -> bool:
        run = self._tail.read(info)
        return run is None or (run.batch.drained and not run.batch.records)

    def _settle_rest(self, left: list[SegmentInfo], dead: list[DeadSlot]) -> None:
        """What died between two segments, or before its first."""
        reading = {info.writer for info in left if info.sealed}
        living = {(info.writer, self._tail.process(info)) for info in left}
        for slot in dead:
            if slot.owner in reading or (slot.owner, slot.process) in living:
                continue  # Its last records are still to be read; until then it holds what it reserved.
            pending = self._ledger.pending(slot.owner)
            self._settle([one for one in pending if one.process == slot.process], slot)
        for writer in list(self._pending - reading):
            alive = self._tail.alive(writer)
            processes = frozenset(process for name, process in living if name == writer)
            if alive and (not processes or self._looked.get(writer) == processes):
                continue  # Without a segment, what is pending may be its own; else it was looked at before.
            self._looked[writer] = processes
            pending = self._ledger.pending(writer)
            gone = [
                one
                for one in pending
                if one.process not in processes and not self._money.owned(writer, one.process)
            ]
            if gone:
                self._settle(gone, None)
            if not alive and len(gone) == len(pending):
                self._pending.discard(writer)

    def _settle(self, pending: list[Pending], slot: DeadSlot | None) -> None:
        now = self._clock.now_ns()
        costs = {
            one.begin.span: self._ledger.cost_of(one.begin.trace, one.begin.span)
            for one in pending
            if one.ended
        }
        left = left_by(pending, costs, now=now)
        if slot is not None:
            self._money.settle_dead(slot.slot, left.spent)
        for day, derived in left.by_day.items():
            derived.book(self._spans.write(day, derived.spans, {}))
            self._ledger.write(derived.change, {}, now=now)
            for root in derived.change.finished:
                self._begun.pop(root, None)
        if pending:
            _log.warning("%s died with %d attempts open; they are settled", pending[0].writer, len(pending))

    def _tidy(self) -> None:
        now = self._clock.now_ns()
        keep = self._retention
        gone = self._spans.keep(days=keep.days, size_bytes=keep.size_bytes, today=day_of(now))
        if gone:
            _log.warning("Deleted the spans of %s", ", ".join(map(str, gone)))
        self._ledger.prune(now=now)
        self._stored.prune(now=now)

    def _erase(self, project: str, user: str, also: Sequence[bytes]) -> Erasure:
        traces, spans = self._spans.erase(project, user, also)
        stored = self._stored.erase(traces)
        self._ledger.erase(project, user)
        return Erasure(traces=len(traces), spans=spans, stored=stored)

    def _refuse_rest(self) -> None:
        refusal = Unavailable("The collector is stopping; send again.", retry_after=1)
        with self._guard:
            for _, done in (*self._posted, *self._asked):
                if done.set_running_or_notify_cancel():
                    done.set_exception(refusal)


def _bare(record: SpoolRecord) -> SpoolRecord:
    """A record without its payloads."""
    if not isinstance(record, End):
        return record
    call = record.call
    if call is not None:
        call = msgspec.structs.replace(call, request=b"", response=b"", captured="shed")
    attempts = tuple(msgspec.structs.replace(one, sent=b"") for one in record.attempts)
    return msgspec.structs.replace(record, attempts=attempts, call=call)
