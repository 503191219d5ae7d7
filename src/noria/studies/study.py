"""A Study: a search for the parameters with which an objective is best, and the states it goes through."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import msgspec

from noria.errors import Conflict
from noria.studies.parameter import Parameters

State = Literal["queued", "running", "done", "failed", "stopped"]
ENDED: tuple[State, ...] = ("done", "failed", "stopped")
_NEXT: dict[State, tuple[State, ...]] = {
    "queued": ("running", "failed", "stopped"),
    "running": ("running", "done", "failed", "stopped"),
    "stopped": ("queued",),
    "failed": ("queued",),
    # With more trials, more time or more money a study goes on.
    "done": ("queued",),
}
Better = Literal["higher", "lower"]


class ObjectiveSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What rebuilds an objective: entry point `objective.<type>` and its arguments."""

    type: str
    arguments: dict[str, Any] = {}


class StudySpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What rebuilds a study."""

    name: str
    objective: ObjectiveSpec
    parameters: Parameters
    better: Better = "higher"
    trials: int = 50
    """At most; fewer where there are not so many combinations."""
    time: float | None = None
    """Seconds, over all its sittings, after which no trial is begun."""
    budget: Decimal | None = None
    """Dollars. Each trial is told what it may spend, so that all together stay within it."""
    concurrency: int = 1
    """Trials under way at once."""
    pruning: bool = True
    """Trials that are going worse than most are given up early."""
    seed: int = 0


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a study is."""

    total: int = 0
    done: int = 0
    pruned: int = 0
    failed: int = 0
    running: int = 0
    cost: Decimal = Decimal(0)
    """Dollars, of the trials whose cost is known."""
    unknown: int = 0
    """Trials that have ended and whose cost is not known."""
    best: int | None = None
    """Number of the best trial."""
    value: float | None = None
    """Of the best trial."""
    seconds: float = 0.0
    """Of all sittings."""

    @property
    def ended(self) -> int:
        return self.done + self.pruned + self.failed


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """One search."""

    id: str
    project: str
    spec: StudySpec
    state: State = "queued"
    message: str = ""
    """Why it ended."""
    progress: Progress = Progress()
    job: str = ""
    by: str = ""
    by_name: str = ""
    created_ms: int = 0
    started_ms: int = 0
    ended_ms: int = 0

    def to(self, state: State, *, message: str = "", at_ms: int = 0) -> Study:
        """In another state. Raises Conflict where that does not follow from this one."""
        if state not in _NEXT[self.state]:
            raise Conflict(f"The study {self.id} is {self.state}, and cannot become {state}.")
        return msgspec.structs.replace(
            self,
            state=state,
            message=message,
            started_ms=at_ms if state == "running" and not self.started_ms else self.started_ms,
            ended_ms=at_ms if state in ENDED else 0,
        )
