"""A Trial: the objective at one set of values. It may be given up early, and go on after a kill."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, Protocol

import msgspec

from noria.studies.parameter import Values

State = Literal["running", "done", "pruned", "failed"]
"""running: under way, or cut off by a stop or a kill and begun again when the study is resumed."""


class Step(msgspec.Struct, frozen=True, array_like=True):
    """What a trial had reached on its way."""

    step: int
    value: float


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an objective found."""

    value: float
    low: float | None = None
    high: float | None = None
    """Its interval, where it has one."""


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A trial as it is kept."""

    number: int
    """From 0, by time of beginning."""
    values: Values
    state: State = "running"
    value: float | None = None
    """None unless it is done."""
    low: float | None = None
    high: float | None = None
    reason: str = ""
    """Why it failed or was given up."""
    cost: Decimal | None = Decimal(0)
    """Dollars; None: unknown."""
    budget: Decimal | None = None
    """Dollars that were set aside for it; None: there is no bound."""
    steps: tuple[Step, ...] = ()
    evidence: dict[str, str] = {}
    """What it was measured on, by kind: {"run": "run_…"}."""
    started_ms: int = 0
    ended_ms: int = 0


class Pruned(Exception):
    """The trial is going worse than most others and is given up, for the reason that is its message."""


class Trial(Protocol):
    """What an objective is given besides its values."""

    @property
    def number(self) -> int: ...

    @property
    def evidence(self) -> Mapping[str, str]:
        """What was noted, also before a kill: where it is not empty, go on with that work."""
        ...

    @property
    def budget(self) -> Decimal | None:
        """Dollars that it may spend at most."""
        ...

    def note(self, kind: str, id: str) -> None:
        """Keep, at once, what the trial is measured on."""
        ...

    def spent(self, cost: Decimal | None) -> None:
        """Dollars so far, all sittings together; None: unknown. Never said: it costs nothing."""
        ...

    def report(self, step: int, value: float) -> None:
        """An intermediate value; the same step means the same amount of work in every trial.

        Raises Pruned where the trial should be given up: let it through.
        """
        ...
