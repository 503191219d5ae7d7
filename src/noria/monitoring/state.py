"""How a rule's state follows from its readings: ok, warning, alert, no data.

A state is left only when the reading has spoken for another for as long as the rule holds, and improves only
when the value is back within the bound by the rule's margin, so that a value at the bound does not flap.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from noria.monitoring.rule import Reading, Rule, State, severity

Turn = Literal["opened", "worse", "better", "closed", ""]
"""What a change means to the alert: it opens, gets worse than it ever was, something in between, it ends; ""
where there is none."""


class Standing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule's state, and since when the readings have spoken for another; 0: they do not."""

    state: State = "no_data"
    since_ms: int = 0
    warned_ms: int = 0
    """Since when every reading has been over the bound of a warning, or of an alert."""
    alerted_ms: int = 0
    """Since when every reading has been over the bound of an alert."""
    better_ms: int = 0
    """Since when every reading has been within the bound of the state, by the margin."""
    empty_ms: int = 0
    """Since when there has been too little to read."""


NEW = Standing()


def level(rule: Rule, reading: Reading) -> State:
    """What the reading alone says."""
    if reading.value is None or reading.n < rule.least:
        return "no_data"
    return rule.level(reading.value)


def step(rule: Rule, standing: Standing, reading: Reading, *, now_ms: int) -> Standing:
    """The standing after one more reading."""
    said = level(rule, reading)
    if said == "no_data":
        empty = standing.empty_ms or now_ms
        kept = Standing(state=standing.state, since_ms=standing.since_ms or now_ms, empty_ms=empty)
        if standing.state != "no_data" and now_ms - empty >= rule.hold_s * 1000:
            return Standing(state="no_data", since_ms=now_ms, empty_ms=empty)
        return kept
    assert reading.value is not None, "a level other than no data has a value"
    eased = rule.level(reading.value, margin=rule.margin)
    improves = standing.state != "no_data" and severity(eased) < severity(standing.state)
    timed = Standing(
        state=standing.state,
        since_ms=standing.since_ms or now_ms,
        warned_ms=(standing.warned_ms or now_ms) if severity(said) >= 1 else 0,
        alerted_ms=(standing.alerted_ms or now_ms) if said == "alert" else 0,
        better_ms=(standing.better_ms or now_ms) if improves else 0,
    )
    to = _next(rule, timed, said=said, eased=eased, now_ms=now_ms)
    if to == timed.state:
        return timed
    return msgspec.structs.replace(timed, state=to, since_ms=now_ms, better_ms=0)


def _next(rule: Rule, timed: Standing, *, said: State, eased: State, now_ms: int) -> State:
    def held(since: int) -> bool:
        return bool(since) and now_ms - since >= rule.hold_s * 1000

    if severity(timed.state) < 2 and held(timed.alerted_ms):
        return "alert"
    # A rule without a bound for warnings is warned by nothing: there, over the bound means alert.
    warned: State = "warning" if rule.warn is not None else "alert"
    if severity(timed.state) < severity(warned) and held(timed.warned_ms):
        return warned
    if timed.state == "no_data":
        return "ok" if said == "ok" else "no_data"
    return eased if held(timed.better_ms) else timed.state


def turn(before: State, after: State, worst: State | None) -> Turn:
    """What a change means; `worst` is the worst state of the alert that is open, None: none is."""
    if before == after:
        return ""
    if worst is None:
        return "opened" if severity(after) >= 1 else ""
    if after == "ok":
        return "closed"
    return "worse" if severity(after) > severity(worst) else "better"
