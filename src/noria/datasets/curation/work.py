"""What one process does with one shard: apply the local steps of a pass, sign what is left, write it down."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from multiprocessing import connection, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec

from noria.core.example import Example
from noria.datasets.curation.event import Counts, Event, Kind, StepCount
from noria.datasets.curation.fields import Change, changes
from noria.datasets.curation.losses import Slice
from noria.datasets.curation.plan import Plan, global_of, local_of
from noria.datasets.curation.shard import Mark, Shard
from noria.datasets.curation.step import Changed, Drop, Tools, Unable, Work
from noria.errors import NoriaError, StateError, UserError

_SHORT = 2_000
"""Characters of a value of added metadata that are logged; the whole is in the example."""


class Worker:
    """The steps of one pass, opened."""

    def __init__(self, plan: Plan, number: int, tools: Tools) -> None:
        self._run = tools.folder
        self._seal = tools.seal
        self._number = number
        steps = plan.steps()
        what = plan.passes()[number]
        self._work: list[tuple[int, str, Work]] = [
            (place, plan.specs[place].type, local_of(steps[place]).open(tools)) for place in what.local
        ]
        self._sign = None if what.ends is None else global_of(steps[what.ends]).signer(tools)

    def shard(self, shard: int, given: Sequence[Example] | None, lost: Slice | None) -> Mark:
        """Do one; `given` None: those that the pass before has left. `lost` is what it decided on them."""
        before = Shard(self._run, self._number - 1, shard, self._seal)
        examples = list(before.examples() if given is None else given)
        mark = self._do(shard, examples, lost)
        if given is None:
            before.spend()
        return mark

    def _do(self, shard: int, examples: list[Example], lost: Slice | None) -> Mark:
        count, last = len(examples), examples[-1].id if examples else ""
        events: list[Event] = []
        counts: Counts = {}
        if lost is not None:
            examples = lost.applied(examples, events, counts)
        for place, type, work in self._work:
            examples, counts[place] = applied(place, type, work, examples, events)
        signs = None if self._sign is None else list(self._sign(examples))
        mark = Mark(given=count, left=len(examples), last=last, counts=counts)
        whole = Shard(self._run, self._number, shard, self._seal)
        whole.write(mark, examples=examples, events=events, signs=signs)
        return mark


def applied(
    place: int, type: str, work: Work, examples: Sequence[Example], events: list[Event]
) -> tuple[list[Example], StepCount]:
    """Those that one step leaves, and what it did; `events` grows."""
    left: list[Example] = []
    kept = changed = dropped = unable = 0
    reasons: dict[str, int] = {}

    def log(
        kind: Kind,
        example: Example,
        why: tuple[str, ...],
        *,
        details: dict[str, Any] | None = None,
        made: Sequence[Change] = (),
        gone: Example | None = None,
    ) -> None:
        for reason in why:
            reasons[reason] = reasons.get(reason, 0) + 1
        events.append(
            Event(
                step=place,
                kind=kind,
                example=example.id,
                reasons=why,
                details=details or {},
                changes=tuple(made),
                dropped=gone,
            )
        )

    outcomes = work(examples)
    for example, outcome in zip(examples, outcomes, strict=True):
        if isinstance(outcome, Drop):
            dropped += 1
            log("drop", example, (outcome.reason,), details=outcome.details, gone=example)
            continue
        if isinstance(outcome, Unable):
            unable += 1
            left.append(example)
            log("unable", example, (outcome.reason,), details=outcome.details)
            continue
        after = outcome.example if isinstance(outcome, Changed) else outcome
        if after.id != example.id:
            raise StateError(f"Step {type!r} gave example {example.id!r} another id, {after.id!r}.")
        left.append(after)
        made = changes(example, after)
        if not any(not change.added or not change.field.startswith("metadata.") for change in made):
            kept += 1
            if made:
                events.append(
                    Event(step=place, kind="note", example=example.id, changes=tuple(map(_short, made)))
                )
            continue
        changed += 1
        why, details = (outcome.reasons, outcome.details) if isinstance(outcome, Changed) else ((type,), {})
        log("edit", example, why, details=details, made=made)
    return left, StepCount(
        seen=len(examples),
        kept=kept,
        changed=changed,
        dropped=dropped,
        unable=unable,
        reasons=dict(sorted(reasons.items())),
    )


def _short(change: Change) -> Change:
    big = isinstance(change.after, list | dict | str) and len(str(change.after)) > _SHORT
    return msgspec.structs.replace(change, after=None) if big else change


_worker: Worker | None = None
_refused = ""
_decode = msgspec.msgpack.Decoder(list[Example]).decode


def begin(plan: Plan, number: int, make: Callable[[Path], Tools], folder: Path) -> None:
    """Of a pool's process: open the steps, and end when the process that wants the work has ended."""
    global _worker, _refused
    Thread(target=_die_with_parent, daemon=True).start()
    os.dup2(2, 1)  # What a step prints must not mix with what the parent says on its stdout.
    try:
        _worker = Worker(plan, number, make(folder))
    except NoriaError as error:
        # An error here would break the pool without a word; the first shard says it.
        _refused = str(error)


def shard_in_process(shard: int, given: bytes | None, lost: Slice | None) -> Mark:
    """`Worker.shard` of this process; the examples come as msgpack. Raises UserError."""
    if _worker is None:
        raise UserError(_refused)
    try:
        return _worker.shard(shard, None if given is None else _decode(given), lost)
    except NoriaError as error:
        raise UserError(str(error)) from None  # Not each of them survives the way between processes.


def _die_with_parent() -> None:
    parent = parent_process()
    assert parent is not None, "a pool's process has one"
    connection.wait([parent.sentinel])
    os._exit(1)
