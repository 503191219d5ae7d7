"""The log of a build without a person's words: their events stay in their places, as notes of an erasure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from noria.datasets.curation.event import Event
from noria.datasets.curation.shard import Sealing, Shard, shards
from noria.datasets.origin import Origins

REASON = "erased"


def touched(folder: Path, origins: Origins, seal: Sealing) -> bool:
    """Whether a build that has not ended holds any of their examples."""
    return any(
        _is_theirs(event, origins) for shard in _every(folder, seal) for event in shard.events()
    ) or any(
        origins.of(example)
        for shard in _every(folder, seal)
        if shard.has_examples
        for example in shard.examples()
    )


def erase(folder: Path, origins: Origins, seal: Sealing) -> int:
    """Of a build that has ended; how many events."""
    # Those that were dropped late were edited before: their ids are all known before anything is written.
    for shard in _every(folder, seal):
        for event in shard.events():
            _is_theirs(event, origins)
    count = 0
    for shard in _every(folder, seal):
        before = shard.events()
        after = [_emptied(event) if _is_theirs(event, origins) else event for event in before]
        changed = sum(one is not other for one, other in zip(before, after, strict=True))
        if changed:
            shard.rewrite_events(after)
        count += changed
    return count


def _is_theirs(event: Event, origins: Origins) -> bool:
    if event.reasons == (REASON,):
        return False
    return event.example in origins.examples or (event.dropped is not None and origins.of(event.dropped))


def _emptied(event: Event) -> Event:
    return Event(step=event.step, kind="note", example=event.example, reasons=(REASON,))


def _every(folder: Path, seal: Sealing) -> Iterator[Shard]:
    number = 0
    while (folder / str(number)).is_dir():
        yield from (shard for shard, _ in shards(folder, number, seal))
        number += 1
