"""What steps did to single examples, as logged, and how often, as counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import Change

Kind = Literal["drop", "edit", "unable", "note"]
"""note: metadata was added and nothing else."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One drop, one edit, or one step that could not be applied."""

    step: int
    """Its place in the plan."""
    kind: Kind
    example: str
    """Its id."""
    reasons: tuple[str, ...] = ()
    details: dict[str, Any] = {}
    changes: tuple[Change, ...] = ()
    """Of an edit."""
    dropped: Example | None = None
    """Of a drop: the example as it was then."""


class StepCount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one step did to all examples; `seen` is the sum of kept, changed, dropped and unable."""

    seen: int = 0
    kept: int = 0
    """As they were, but for added metadata."""
    changed: int = 0
    dropped: int = 0
    unable: int = 0
    reasons: dict[str, int] = {}
    """Of drops, changes and failures; one change may have several."""

    def plus(self, other: StepCount) -> StepCount:
        reasons = dict(self.reasons)
        for reason, count in other.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
        return StepCount(
            seen=self.seen + other.seen,
            kept=self.kept + other.kept,
            changed=self.changed + other.changed,
            dropped=self.dropped + other.dropped,
            unable=self.unable + other.unable,
            reasons=dict(sorted(reasons.items())),
        )


Counts = dict[int, StepCount]
"""By a step's place in the plan."""


def total(parts: Iterable[Counts]) -> Counts:
    """All together."""
    found: Counts = {}
    for part in parts:
        for step, count in part.items():
            found[step] = found.get(step, StepCount()).plus(count)
    return dict(sorted(found.items()))
