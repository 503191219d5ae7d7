"""What a global step has decided, kept in a file and handed to the workers of the next pass by shard."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import msgspec

from noria.core.example import Example
from noria.datasets.curation.event import Counts, Event, StepCount
from noria.datasets.curation.plan import global_of
from noria.datasets.curation.shard import shards, write_whole
from noria.datasets.curation.step import AnyStep, Losses
from noria.errors import MissingExtra

FILE = "losses.npz"


class Lost(msgspec.Struct, frozen=True):
    """One example that goes."""

    place: int
    """Within its shard."""
    kept: str
    """Id of the one that stands for it; "": none does."""
    measure: float | None


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided on one shard."""

    step: int
    reason: str
    lost: tuple[Lost, ...]

    def applied(self, examples: list[Example], events: list[Event], counts: Counts) -> list[Example]:
        """Those that stay; `events` and `counts` grow."""
        for one in self.lost:
            example = examples[one.place]
            details: dict[str, object] = {"of": one.kept} if one.kept else {}
            if one.measure is not None:
                details["similarity"] = one.measure
            events.append(
                Event(
                    step=self.step,
                    kind="drop",
                    example=example.id,
                    reasons=(self.reason,),
                    details=details,
                    dropped=example,
                )
            )
        gone = {one.place for one in self.lost}
        counts[self.step] = StepCount(
            seen=len(examples),
            kept=len(examples) - len(gone),
            dropped=len(gone),
            reasons={self.reason: len(gone)} if gone else {},
        )
        return [example for place, example in enumerate(examples) if place not in gone]


def decided(run: Path, number: int, place: int, step: AnyStep) -> Path:
    """The file of the decision on pass `number`; decides where that was not done before."""
    path = run / str(number) / FILE
    if path.exists():
        return path
    try:
        import numpy
    except ImportError as error:
        raise MissingExtra("Comparing all examples", "curate") from error
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    total = sum(mark.left for _, mark in shards(run, number))
    found = global_of(step).decide(_signed(run, number), total=total, folder=path.parent)
    out = io.BytesIO()
    numpy.savez(out, ordinals=found.ordinals, kept=found.kept, measure=found.measure)
    write_whole(path, out.getvalue())
    return path


def slices(run: Path, number: int, place: int, step: AnyStep) -> Iterator[Slice]:
    """One a shard, in order."""
    import numpy

    with numpy.load(run / str(number) / FILE) as file:
        found = Losses(ordinals=file["ordinals"], kept=file["kept"], measure=file["measure"])
    names = _names(run, number, found)
    base = at = 0
    for _, mark in shards(run, number):
        lost: list[Lost] = []
        while at < len(found.ordinals) and found.ordinals[at] < base + mark.left:
            kept, measure = int(found.kept[at]), float(found.measure[at])
            lost.append(
                Lost(
                    int(found.ordinals[at]) - base,
                    names[kept] if kept >= 0 else "",
                    None if measure != measure else round(measure, 4),
                )
            )
            at += 1
        yield Slice(step=place, reason=global_of(step).reason, lost=tuple(lost))
        base += mark.left


def _names(run: Path, number: int, found: Losses) -> dict[int, str]:
    """Ids of the examples that stand for others."""
    wanted = sorted({int(kept) for kept in found.kept if kept >= 0})
    names: dict[int, str] = {}
    base = at = 0
    for shard, mark in shards(run, number):
        upto = at
        while upto < len(wanted) and wanted[upto] < base + mark.left:
            upto += 1
        if upto > at:
            ids, _ = shard.signs()
            names |= {ordinal: ids[ordinal - base] for ordinal in wanted[at:upto]}
        at = upto
        base += mark.left
    return names


def _signed(run: Path, number: int) -> Iterator[bytes]:
    for shard, _ in shards(run, number):
        yield from shard.signs()[1]
