"""A build from source to result: pass after pass over shards, in parallel processes, going on after a kill.

Memory holds a few shards a process, and for a global step what its `decide` says. Examples leave in the order
in which they came, so that a shard's number means the same in every pass and every attempt.
"""

from __future__ import annotations

import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import Protocol, cast

import msgspec

from noria.core.example import Example
from noria.datasets.curation import work
from noria.datasets.curation.event import Counts, Event, total
from noria.datasets.curation.losses import Slice, decided, slices
from noria.datasets.curation.plan import Plan
from noria.datasets.curation.shard import Mark, Shard, shards, write_whole
from noria.datasets.curation.step import UNSEALED, Prepared, Sealing, Tools
from noria.errors import StateError

SHARD = 1_000
"""Examples."""
MakeTools = Callable[[Path], Tools]
"""Given the run's folder; must be picklable: each process makes its own."""
Place = tuple[int, int, int]
"""Of an event: (pass, shard, index)."""
Report = Callable[[int, int | None, str], None]
"""(examples done, of how many, in words) of all passes together."""


class Source(Protocol):
    """Where examples come from: always the same, in the same order."""

    @property
    def total(self) -> int | None:
        """How many, where that is known before they are read."""
        ...

    def examples(self, *, after: str, skip: int) -> Iterator[Example]:
        """From behind the id `after`, which is that of example number `skip`."""
        ...


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a run made."""

    given: int
    left: int
    counts: Counts


class Run:
    """One build in its own folder."""

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        *,
        tools: MakeTools,
        workers: int,
        report: Report,
        read: Callable[[str], Iterable[Example]],
        shard: int = SHARD,
        seal: Sealing = UNSEALED,
    ) -> None:
        """`read` gives the examples of another dataset, for steps that compare with it. `seal` is that of
        the tools."""
        self._seal = seal
        self._plan = plan
        self._passes = plan.passes()
        self._folder = folder
        self._tools = tools
        self._workers = workers
        self._report = report
        self._read = read
        self._shard = shard
        self._began = time.monotonic()
        self._resumed = 0

    def do(self, source: Source) -> Result:
        """Every pass that is not done yet. Raises StateError where the folder is of another plan."""
        self._claim()
        prepare(self._plan, self._read, self._folder)
        for number in range(len(self._passes)):
            self._pass(number, source)
            what = self._passes[number]
            if what.ends is not None:
                step = self._plan.steps()[what.ends]
                self._say(number, 0, None, f"comparing ({self._plan.specs[what.ends].type})")
                decided(self._folder, number, what.ends, step)
        first = list(shards(self._folder, 0))
        last = list(shards(self._folder, len(self._passes) - 1))
        return Result(
            given=sum(mark.given for _, mark in first),
            left=sum(mark.left for _, mark in last),
            counts=total(
                mark.counts for number in range(len(self._passes)) for _, mark in shards(self._folder, number)
            ),
        )

    def examples(self) -> Iterator[Example]:
        """The result, streamed, in order of id."""
        for shard, _ in shards(self._folder, len(self._passes) - 1, self._seal):
            yield from shard.examples()

    def clear(self) -> None:
        """Delete what only this run needed; the events stay."""
        for path in self._folder.glob("*/*"):
            if path.suffix in (".examples", ".signs", ".part", ".npz", ".npy"):
                path.unlink()
        for pattern in ("prepared-*", "spent-*"):
            for path in self._folder.glob(pattern):
                path.unlink()

    def _claim(self) -> None:
        path = self._folder / "plan"
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mine = f"{self._plan.digest} {self._shard}"
        if not path.exists():
            write_whole(path, mine.encode())
        elif path.read_text() != mine:
            raise StateError(
                "The steps, or the version of a step, have changed since this run began; start a new run."
            )

    def _pass(self, number: int, source: Source) -> None:
        done = {shard.number: mark for shard, mark in shards(self._folder, number)}
        whole = 0 if number == 0 else sum(1 for _ in shards(self._folder, number - 1))
        if number > 0 and len(done) == whole:
            return
        seen = sum(mark.given for mark in done.values())
        size = source.total if number == 0 else sum(mark.left for _, mark in shards(self._folder, number - 1))
        self._began, self._resumed = time.monotonic(), seen
        jobs = self._first(source, done) if number == 0 else self._later(number)
        pending: set[Future[Mark]] = set()
        with self._pool(number) as pool:
            for shard, given, lost in jobs:
                if Shard(self._folder, number, shard).mark() is not None:
                    continue
                pending.add(pool.submit(work.shard_in_process, shard, given, lost))
                if len(pending) >= 2 * self._workers:
                    seen += self._gather(pending)
                    self._say(number, seen, size)
            while pending:
                seen += self._gather(pending)
                self._say(number, seen, size)

    def _first(self, source: Source, done: dict[int, Mark]) -> Iterator[tuple[int, bytes, Slice | None]]:
        """Shards of the source, behind those that were whole when the run went on."""
        number = len(done)
        after = done[number - 1].last if done else ""
        if done and done[number - 1].given < self._shard:
            return
        encode = msgspec.msgpack.Encoder().encode
        stream = source.examples(after=after, skip=number * self._shard)
        while batch := list(islice(stream, self._shard)):
            yield number, encode(batch), None
            number += 1

    def _later(self, number: int) -> Iterator[tuple[int, None, Slice | None]]:
        place = self._passes[number - 1].ends
        assert place is not None, "a pass that another follows ends with a global step"
        step = self._plan.steps()[place]
        for shard, lost in enumerate(slices(self._folder, number - 1, place, step)):
            yield shard, None, lost

    def _gather(self, pending: set[Future[Mark]]) -> int:
        """Wait for one or more; how many examples they had."""
        ready, _ = wait(pending, return_when=FIRST_COMPLETED)
        pending -= ready
        return sum(future.result().given for future in ready)

    def _pool(self, number: int) -> ProcessPoolExecutor:
        steps = self._plan.steps()
        what = self._passes[number]
        places = what.local if what.ends is None else (*what.local, what.ends)
        alone = any(getattr(steps[place], "alone", False) for place in places)
        return ProcessPoolExecutor(
            1 if alone else self._workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=work.begin,
            initargs=(self._plan, number, self._tools, self._folder),
        )

    def _say(self, number: int, seen: int, size: int | None, what: str = "") -> None:
        rate = (seen - self._resumed) / max(time.monotonic() - self._began, 1e-3)
        words = f"pass {number + 1} of {len(self._passes)}"
        if what:
            words += f", {what}"
        elif rate > 0:
            words += f", {rate:,.0f}/s"
            if size is not None:
                words += f", {(size - seen) / rate:,.0f} s left in it"
        self._report(seen, size, words)


def prepare(plan: Plan, read: Callable[[str], Iterable[Example]], folder: Path) -> None:
    """What steps need to know of other datasets, put into the run's folder."""
    for step in plan.steps():
        if hasattr(step, "prepare"):
            cast(Prepared, step).prepare(read, folder)


def events(
    folder: Path,
    *,
    after: Place | None = None,
    shard: int | None = None,
    seal: Sealing = UNSEALED,
) -> Iterator[tuple[Place, Event]]:
    """The log of a run, each event with its place; from behind `after`, or of one shard of every pass."""
    start = after or (0, 0, -1)
    number = start[0]
    while (folder / str(number)).is_dir():
        for one, _ in shards(folder, number, seal):
            if (number, one.number) < start[:2] or shard not in (None, one.number):
                continue
            found = one.events()
            first = start[2] + 1 if (number, one.number) == start[:2] else 0
            for place in range(first, len(found)):
                yield (number, one.number, place), found[place]
        number += 1


def delete(folder: Path) -> None:
    """Everything of a run."""
    shutil.rmtree(folder, ignore_errors=True)
