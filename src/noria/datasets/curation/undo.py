"""Drops and edits taken back: the example as it was before a step, and on through the steps behind it.

Global steps are not asked again, since what they compare with has gone; local ones are, so that an example
that comes back is as clean as the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from noria.core.example import Example
from noria.datasets.curation.event import Event, Kind
from noria.datasets.curation.fields import undone
from noria.datasets.curation.plan import Plan, is_global, local_of
from noria.datasets.curation.run import Place, events
from noria.datasets.curation.step import Sealing, Tools, Work
from noria.datasets.curation.work import applied

Find = Callable[[str], Example | None]
"""An example of the build's result, by id."""


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which events: all that fit every condition that is given."""

    examples: tuple[str, ...] = ()
    """Ids; empty: any."""
    step: int | None = None
    kind: Kind | None = None
    reason: str = ""

    def fits(self, event: Event) -> bool:
        return (
            (not self.examples or event.example in self.examples)
            and (self.step is None or event.step == self.step)
            and (self.kind is None or event.kind == self.kind)
            and (not self.reason or self.reason in event.reasons)
        )


class Undone(msgspec.Struct, kw_only=True):
    """What came of it; grows while examples are read."""

    restored: int = 0
    """Examples that were dropped and are back."""
    reverted: int = 0
    """Examples whose edits were taken back."""
    again: dict[str, int] = {}
    """Examples that a later step dropped (again), by reason."""
    unknown: int = 0
    """Examples that the result has no more."""


def undo(
    plan: Plan, folder: Path, selection: Selection, *, find: Find, tools: Tools, account: Undone
) -> Iterator[Example]:
    """The examples as they are with the selected events taken back, in the order of the log."""
    works: dict[int, Work] = {}
    for history in _histories(folder, selection, tools.seal):
        taken = {event.step for event in history if _taken(selection, event)}
        first = min(taken)
        last = history[-1]
        if last.kind == "drop" and last.step not in taken:
            continue  # It stays dropped, whatever was edited before.
        example = last.dropped if last.kind == "drop" else find(last.example)
        if example is None:
            account.unknown += 1
            continue
        for event in reversed(history):
            if event.step >= first:
                example = undone(example, event.changes)
        after = _onward(plan, example, first, taken, works, tools)
        if isinstance(after, str):
            account.again[after] = account.again.get(after, 0) + 1
            continue
        if last.kind == "drop":
            account.restored += 1
        else:
            account.reverted += 1
        yield after


def counted(found: Iterable[tuple[Place, Event]], selection: Selection) -> dict[Kind, int]:
    """How many events fit, by kind."""
    counts: dict[Kind, int] = {}
    for _, event in found:
        if selection.fits(event):
            counts[event.kind] = counts.get(event.kind, 0) + 1
    return counts


def _onward(
    plan: Plan, example: Example, first: int, taken: set[int], works: dict[int, Work], tools: Tools
) -> Example | str:
    """Through the local steps behind `first` that are not taken back; else the reason of the drop."""
    steps = plan.steps()
    for place in range(first + 1, len(steps)):
        if place in taken or is_global(steps[place]):
            continue
        if place not in works:
            works[place] = local_of(steps[place]).open(tools)
        made: list[Event] = []
        left, _ = applied(place, plan.specs[place].type, works[place], [example], made)
        if not left:
            return made[-1].reasons[0]
        example = left[0]
    return example


def _histories(folder: Path, selection: Selection, seal: Sealing) -> Iterator[Sequence[Event]]:
    """All events of each example that has a selected one, in the order of the steps.

    An example's events lie in the shards of one number, so that one number at a time is held.
    """
    wanted = sorted({place[1] for place, event in events(folder, seal=seal) if _taken(selection, event)})
    for shard in wanted:
        found: dict[str, list[Event]] = {}
        chosen: dict[str, None] = {}
        for _, event in events(folder, shard=shard, seal=seal):
            found.setdefault(event.example, []).append(event)
            if _taken(selection, event):
                chosen[event.example] = None
        for id in chosen:
            yield sorted(found[id], key=lambda event: event.step)


def _taken(selection: Selection, event: Event) -> bool:
    return event.kind in ("drop", "edit") and selection.fits(event)
