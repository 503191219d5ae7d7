"""An Alert: from the first reading over a bound until all is well again; and its deliveries."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Literal

import msgspec

from noria.monitoring.rule import Reading, Rule, State
from noria.monitoring.state import Standing, Turn

Delivered = Literal["waiting", "sent", "failed"]
PAUSES_S = (10, 30, 60, 300, 900, 3600, 3600, 3600, 3600, 3600, 3600)
"""After each attempt that failed; with the last the delivery is given up, six hours after the first."""
_encode = msgspec.json.Encoder(order="deterministic").encode


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Open while `closed_ms` is 0."""

    id: str
    project: str
    monitor: str
    rule: str
    worst: State
    state: State
    reading: Reading
    """The newest that changed it."""
    opened_ms: int
    closed_ms: int = 0
    acknowledged_ms: int = 0
    acknowledged_by: str = ""
    acknowledged_name: str = ""
    comment: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a rule's state, with the numbers that made it."""

    id: str
    project: str
    monitor: str
    rule: str
    alert: str
    """"" where no alert is concerned."""
    before: State
    after: State
    reading: Reading
    at_ms: int


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one channel."""

    id: str
    project: str
    alert: str
    channel: str
    state: Delivered = "waiting"
    attempts: int = 0
    next_ms: int = 0
    created_ms: int = 0
    ended_ms: int = 0
    problem: str = ""
    """Why the last attempt failed."""
    body: str = ""
    """JSON."""

    def sent(self, *, at_ms: int) -> Delivery:
        return msgspec.structs.replace(
            self, state="sent", attempts=self.attempts + 1, ended_ms=at_ms, problem=""
        )

    def missed(self, problem: str, *, at_ms: int) -> Delivery:
        """After one more attempt that failed: waiting for the next, or given up."""
        tried = self.attempts + 1
        # One without an alert was asked for by a person, who waits to see whether it works.
        if tried > len(PAUSES_S) or not self.alert:
            return msgspec.structs.replace(
                self, state="failed", attempts=tried, ended_ms=at_ms, problem=problem
            )
        later = at_ms + PAUSES_S[tried - 1] * 1000
        return msgspec.structs.replace(self, attempts=tried, next_ms=later, problem=problem)


class RuleState(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it stands."""

    project: str
    monitor: str
    rule: str
    standing: Standing
    reading: Reading
    checked_ms: int
    muted_ms: int = 0
    """Until when nobody is told; 0: not muted."""
    alert: str = ""
    """The id of the alert that is open."""


def told(turn: Turn, *, muted: bool) -> bool:
    """Whether people are told of a change: when an alert opens, gets worse or ends."""
    return turn in ("opened", "worse", "closed") and not muted


def message(alert: Alert, rule: Rule, turn: Turn, *, at_ms: int, url: str) -> str:
    """The JSON that is delivered; docs/guides/monitor.md says what each field is."""
    body: dict[str, Any] = {
        "type": "noria.alert",
        "event": turn,
        "alert": alert.id,
        "project": alert.project,
        "monitor": alert.monitor,
        "rule": rule.name,
        "state": alert.state,
        "worst": alert.worst,
        "measure": rule.scorer if rule.measure == "score" else rule.measure,
        "unit": rule.unit,
        "value": alert.reading.value,
        "low": alert.reading.low,
        "high": alert.reading.high,
        "n": alert.reading.n,
        "failed": alert.reading.failed,
        "unknown": alert.reading.unknown,
        "window": {"start_ms": alert.reading.start_ms, "end_ms": alert.reading.end_ms},
        rule.direction: {"warn": rule.warn, "alert": rule.alert},
        "opened_ms": alert.opened_ms,
        "at_ms": at_ms,
        "text": sentence(alert, rule),
        "url": url,
    }
    return _encode(body).decode()


def sentence(alert: Alert, rule: Rule) -> str:
    """For people: `support: error_rate is 12.0 % of 240 calls (alert above 5.0 %).`"""
    what = rule.scorer if rule.measure == "score" else rule.measure
    said = f"{alert.monitor}: {what} is {shown(rule, alert.reading.value)}"
    counted = "scores" if rule.scored else "calls"
    said += f" over {alert.reading.n:,} {counted}"
    if alert.state == "ok":
        return f"{said}; all is well again."
    if alert.state == "no_data":
        return f"{said}, too few to say anything."
    bound = rule.bound(alert.state)
    return f"{said} ({alert.state} {rule.direction} {shown(rule, bound)})."


def shown(rule: Rule, value: float | None) -> str:
    """A value with its unit."""
    if value is None:
        return "unknown"
    if rule.unit == "share":
        return f"{value:.1%}"
    if rule.unit == "seconds":
        return f"{value:.3g} s"
    return f"${value:.6g}" if rule.unit == "dollars" else f"{value:.4g}"


def signature(secret: str, body: bytes, *, at_s: int) -> str:
    """HMAC-SHA256, in hex, over the Unix second, a dot and the body: an old message cannot be sent again."""
    return hmac.new(secret.encode(), str(at_s).encode() + b"." + body, hashlib.sha256).hexdigest()
