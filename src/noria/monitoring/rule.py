"""A Rule: what is measured of the calls of a window, and from which values on people are told."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["ok", "warning", "alert", "no_data"]
"""no_data: there was too little to say anything."""
Measure = Literal[
    "error_rate",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "cost_per_call",
    "cost_per_hour",
    "cost_per_day",
    "refusal_rate",
    "score",
]
Unit = Literal["share", "seconds", "dollars", "number"]
SLOT_S, HOUR_S, DAY_S = 300, 3_600, 86_400
"""A window of a slot and longer begins with a whole one, over a day with a whole hour: of those the span
store has sums."""
_SEVERITY: dict[State, int] = {"no_data": -1, "ok": 0, "warning": 1, "alert": 2}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """At least one of `warn` and `alert` is there; both are in the measure's unit."""

    name: str
    """Unique within the monitor."""
    measure: Measure
    scorer: str = ""
    """Of "score" and "refusal_rate": the name under which the scores are kept."""
    direction: Literal["above", "below"] = "above"
    warn: float | None = None
    alert: float | None = None
    window_s: int = 900
    least: int = 20
    """Calls, or scores, under which there is no data."""
    hold_s: int = 0
    """For how long a value must be over a bound, or back, before the state follows."""
    margin: float = 0.0
    """How far within a bound the value must be back before the state improves."""

    @property
    def unit(self) -> Unit:
        if self.measure in ("error_rate", "refusal_rate"):
            return "share"
        if self.measure.startswith("latency"):
            return "seconds"
        return "dollars" if self.measure.startswith("cost") else "number"

    @property
    def scored(self) -> bool:
        """Whether it is measured on scores instead of on all calls."""
        return self.measure in ("score", "refusal_rate")

    def bound(self, state: State) -> float | None:
        """The value from which on the state is `state`."""
        return self.alert if state == "alert" else self.warn if state == "warning" else None

    def reached(self, value: float, state: State, *, margin: float = 0.0) -> bool:
        """Whether `value` is over the bound of a warning or alert, moved by `margin` to the good side."""
        bound = self.bound(state)
        if bound is None:
            return False
        return value > bound - margin if self.direction == "above" else value < bound + margin

    def level(self, value: float, *, margin: float = 0.0) -> State:
        """By its value alone."""
        if self.reached(value, "alert", margin=margin):
            return "alert"
        return "warning" if self.reached(value, "warning", margin=margin) else "ok"

    def span(self, now_ms: int) -> tuple[int, int]:
        """Start and end of the window, Unix milliseconds: from the start of the step that it begins in."""
        start = now_ms - self.window_s * 1000
        return start - start % (self.step_s * 1000), now_ms

    @property
    def step_s(self) -> int:
        """Of the sums that its window is made of."""
        return HOUR_S if self.window_s > DAY_S else SLOT_S if self.window_s >= SLOT_S else 1


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was measured of one window."""

    value: float | None = None
    """None: nothing to measure it of."""
    low: float | None = None
    high: float | None = None
    """Of a mean or share its 95 % interval; both None where there is none."""
    n: int = 0
    """Calls or scores that it is made of."""
    failed: int = 0
    """Of scores: those that could not be made."""
    unknown: int = 0
    """Of costs: calls whose cost is not known; then the value is a lower bound."""
    start_ms: int = 0
    end_ms: int = 0


def severity(state: State) -> int:
    """An alert is worse than a warning, that than ok; no data is neither good nor bad, and comes first."""
    return _SEVERITY[state]
