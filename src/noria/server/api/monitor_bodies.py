"""Monitors and alerts as the API shows them."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel

from noria.monitoring.alert import Alert, Delivery, Event, RuleState
from noria.monitoring.rule import Measure, Reading, Rule, Unit
from noria.monitoring.score import Cause, Outcome, SpanScore, Why
from noria.server.api.amount import show
from noria.storage.monitors import MonitorRecord

State = Literal["ok", "warning", "alert", "no_data"]


class ReadingBody(BaseModel):
    value: float | None
    """Shares between 0 and 1, seconds, dollars; null: nothing to measure it of."""
    low: float | None
    high: float | None
    """Null with `low`: no interval."""
    n: int
    """Calls, or scores."""
    failed: int
    """Scores that could not be made."""
    unknown: int
    """Calls whose cost is not known; then `value` is a lower bound."""
    start_ms: int
    end_ms: int

    @classmethod
    def of(cls, reading: Reading) -> Self:
        return cls(
            value=reading.value,
            low=reading.low,
            high=reading.high,
            n=reading.n,
            failed=reading.failed,
            unknown=reading.unknown,
            start_ms=reading.start_ms,
            end_ms=reading.end_ms,
        )


class RuleBody(BaseModel):
    name: str
    measure: Measure
    scorer: str
    """What is measured where `measure` is "score"; else ""."""
    unit: Unit
    direction: Literal["above", "below"]
    warn: float | None
    alert: float | None
    window_s: int
    least: int
    hold_s: int
    margin: float
    state: State
    since_ms: int
    """0: it was not read yet."""
    checked_ms: int
    reading: ReadingBody | None
    """The newest."""
    muted_ms: int
    """Until when nobody is told; 0: people are told."""
    open_alert: str | None

    @classmethod
    def of(cls, rule: Rule, state: RuleState | None, *, now_ms: int) -> Self:
        muted = 0 if state is None or state.muted_ms <= now_ms else state.muted_ms
        return cls(
            name=rule.name,
            measure=rule.measure,
            scorer=rule.scorer,
            unit=rule.unit,
            direction=rule.direction,
            warn=rule.warn,
            alert=rule.alert,
            window_s=rule.window_s,
            least=rule.least,
            hold_s=rule.hold_s,
            margin=rule.margin,
            state="no_data" if state is None else state.standing.state,
            since_ms=0 if state is None else state.standing.since_ms,
            checked_ms=0 if state is None else state.checked_ms,
            reading=None if state is None else ReadingBody.of(state.reading),
            muted_ms=muted,
            open_alert=None if state is None else state.alert or None,
        )


class MonitorScorer(BaseModel):
    type: str
    name: str


class MonitorBody(BaseModel):
    name: str
    project: str
    filter: str
    share: float
    scorers: list[MonitorScorer]
    most_per_minute: int
    budget: str | None
    """US dollars of 24 hours for judges; null: not bounded."""
    channels: list[str]
    state: State
    """The worst of its rules; "no_data" also where it has none."""
    rules: list[RuleBody]
    outcomes: dict[Outcome, int]
    """How its scores of the last 24 hours came out."""
    behind: int | None
    """Traces that it has not looked at; null in lists."""
    problem: str
    """What keeps it from its work; "": nothing."""
    added_ms: int
    looked_ms: int

    @classmethod
    def of(
        cls,
        record: MonitorRecord,
        rules: list[RuleBody],
        *,
        state: State,
        outcomes: dict[str, int],
        behind: int | None,
        problem: str,
    ) -> Self:
        monitor = record.monitor
        return cls.model_validate(
            {
                "name": monitor.name,
                "project": monitor.project,
                "filter": monitor.filter,
                "share": monitor.share,
                "scorers": [{"type": spec.type, "name": spec.name or spec.type} for spec in monitor.scorers],
                "most_per_minute": monitor.most_per_minute,
                "budget": None if monitor.budget is None else show(monitor.budget),
                "channels": list(monitor.channels),
                "state": state,
                "rules": rules,
                "outcomes": outcomes,
                "behind": behind,
                "problem": problem,
                "added_ms": record.added_ms,
                "looked_ms": record.looked_ms,
            }
        )


class MonitorList(BaseModel):
    items: list[MonitorBody]
    open_alerts: int


class MonitorSeries(BaseModel):
    rule: RuleBody
    step_s: int
    points: list[ReadingBody]
    """One for each step; the last may be still filling."""


class MonitorScore(BaseModel):
    name: str
    version: str
    state: Outcome
    value: float | None
    """Of a yes or no 1 or 0."""
    word: str | None
    """Of a category."""
    reason: str
    judged_by: str | None
    """Trace of the judge's own call."""
    cost: str | None
    at_ms: int
    judged_ms: int

    @classmethod
    def of(cls, score: SpanScore) -> Self:
        return cls(
            name=score.name,
            version=score.version,
            state=score.state,
            value=score.value,
            word=score.word,
            reason=score.reason,
            judged_by=score.judged_by or None,
            cost=None if score.cost is None else show(score.cost),
            at_ms=score.at_ms,
            judged_ms=score.judged_ms,
        )


class WhyBody(BaseModel):
    monitor: str
    span: str
    cause: Cause
    words: str
    """A sentence that says why there are no scores; "" where there are."""
    scores: list[MonitorScore]

    @classmethod
    def of(cls, why: Why) -> Self:
        return cls(
            monitor=why.monitor,
            span=why.span,
            cause=why.cause,
            words=why.words,
            scores=[MonitorScore.of(score) for score in why.scores],
        )


class WhyList(BaseModel):
    items: list[WhyBody]


class EventBody(BaseModel):
    id: str
    monitor: str
    rule: str
    alert: str | None
    before: State
    after: State
    reading: ReadingBody
    at_ms: int

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls(
            id=event.id,
            monitor=event.monitor,
            rule=event.rule,
            alert=event.alert or None,
            before=event.before,
            after=event.after,
            reading=ReadingBody.of(event.reading),
            at_ms=event.at_ms,
        )


class EventPage(BaseModel):
    items: list[EventBody]
    next: str | None


class AlertBody(BaseModel):
    id: str
    project: str
    monitor: str
    rule: str
    worst: State
    state: State
    reading: ReadingBody
    """The newest that changed its state."""
    opened_ms: int
    closed_ms: int | None
    """Null: it is open."""
    acknowledged_ms: int | None
    acknowledged_by: str | None
    """Name of who looks after it."""
    comment: str

    @classmethod
    def of(cls, alert: Alert) -> Self:
        return cls(
            id=alert.id,
            project=alert.project,
            monitor=alert.monitor,
            rule=alert.rule,
            worst=alert.worst,
            state=alert.state,
            reading=ReadingBody.of(alert.reading),
            opened_ms=alert.opened_ms,
            closed_ms=alert.closed_ms or None,
            acknowledged_ms=alert.acknowledged_ms or None,
            acknowledged_by=alert.acknowledged_name or None,
            comment=alert.comment,
        )


class AlertPage(BaseModel):
    items: list[AlertBody]
    next: str | None


class DeliveryBody(BaseModel):
    id: str
    alert: str | None
    """Null: somebody tested the channel."""
    channel: str
    state: Literal["waiting", "sent", "failed"]
    attempts: int
    next_ms: int | None
    """When it is tried next."""
    created_ms: int
    ended_ms: int | None
    problem: str
    """Why the last attempt failed."""

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        return cls(
            id=delivery.id,
            alert=delivery.alert or None,
            channel=delivery.channel,
            state=delivery.state,
            attempts=delivery.attempts,
            next_ms=delivery.next_ms if delivery.state == "waiting" else None,
            created_ms=delivery.created_ms,
            ended_ms=delivery.ended_ms or None,
            problem=delivery.problem,
        )


class AlertDetail(BaseModel):
    alert: AlertBody
    deliveries: list[DeliveryBody]
    """Oldest first."""


class Channel(BaseModel):
    name: str
    kind: Literal["webhook", "email"]


class ChannelList(BaseModel):
    items: list[Channel]
