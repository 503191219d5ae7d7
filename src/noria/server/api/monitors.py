"""Monitors: what they measure and judge, how they stand, and why a call was judged or not."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from noria.monitoring.rule import SLOT_S, State, severity
from noria.runtime.control import Control
from noria.server.api.body import END_OF_TIME_MS, Body
from noria.server.api.caller import Editor, Parts, Project, Viewer
from noria.server.api.monitor_bodies import (
    EventBody,
    EventPage,
    MonitorBody,
    MonitorList,
    MonitorSeries,
    ReadingBody,
    RuleBody,
    WhyBody,
    WhyList,
)
from noria.server.api.span_of_time import Within, step_for
from noria.storage.monitors import MonitorRecord

router = APIRouter(prefix="/api/monitors", tags=["monitors"])
Cursor = Annotated[str | None, Query(max_length=64)]
Limit = Annotated[int, Query(ge=1, le=200)]


class Mute(Body):
    until_ms: Annotated[int, Field(ge=0, le=END_OF_TIME_MS)]
    """At most 30 days ahead; a time that is over ends the mute."""


@router.get("")
def list_monitors(parts: Parts, who: Viewer, project: Project = "default") -> MonitorList:
    """By name, with the state of every rule."""
    outcomes = parts.monitors.outcomes(project)
    items = [
        _body(parts, record, outcomes.get(record.monitor.name, {})) for record in parts.monitors.all(project)
    ]
    return MonitorList(items=items, open_alerts=parts.monitors.open_alerts().get(project, 0))


@router.get("/why/{trace}")
def read_why(
    parts: Parts,
    who: Viewer,
    trace: str,
    project: Project = "default",
    monitor: Annotated[str, Query(max_length=64)] = "",
) -> WhyList:
    """What each monitor, or one, made of the calls of a trace, and why it made nothing."""
    found = parts.monitors.why(project, trace, monitor=monitor)
    return WhyList(items=[WhyBody.of(one) for one in found])


@router.get("/{name}")
def read_monitor(parts: Parts, who: Viewer, name: str, project: Project = "default") -> MonitorBody:
    """One monitor, and how far it is behind."""
    record = parts.monitors.one(project, name)
    outcomes = parts.monitors.outcomes(project).get(name, {})
    return _body(parts, record, outcomes, behind=parts.monitors.behind(record))


@router.get("/{name}/series")
def read_monitor_series(
    parts: Parts,
    who: Viewer,
    name: str,
    rule: Annotated[str, Query(max_length=200)],
    window: Within,
    project: Project = "default",
    step: Annotated[
        int | None, Query(ge=1, le=86_400, description="Seconds; left out: about 60 steps.")
    ] = None,
) -> MonitorSeries:
    """What a rule measures, step by step, with intervals and counts."""
    record = parts.monitors.one(project, name)
    found = parts.monitors.rule(record, rule)
    # Where the rule itself is made of the span store's sums, so is its course.
    step_s = step or max(step_for(window), SLOT_S if found.window_s >= SLOT_S else 1)
    points = parts.monitors.series(
        record, found, start_ms=window.start // 1_000_000, end_ms=window.end // 1_000_000, step_s=step_s
    )
    state = parts.monitors.states(project).get((name, rule))
    return MonitorSeries(
        rule=RuleBody.of(found, state, now_ms=_now(parts)),
        step_s=step_s,
        points=[ReadingBody.of(point) for point in points],
    )


@router.get("/{name}/events")
def list_monitor_events(
    parts: Parts,
    who: Viewer,
    name: str,
    project: Project = "default",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> EventPage:
    """Changes of state, newest first."""
    parts.monitors.one(project, name)
    page = parts.monitors.events(project, monitor=name, cursor=cursor, limit=limit)
    return EventPage(items=[EventBody.of(event) for event in page.items], next=page.next)


@router.post("/{name}/rules/{rule}/mute")
def mute_rule(
    parts: Parts, who: Editor, name: str, rule: str, body: Mute, project: Project = "default"
) -> RuleBody:
    """Tell nobody of a rule for a while; its states and alerts are recorded all the same."""
    state = parts.monitors.mute(project, name, rule, until_ms=body.until_ms, by=who)
    found = parts.monitors.rule(parts.monitors.one(project, name), rule)
    return RuleBody.of(found, state, now_ms=_now(parts))


def _body(
    parts: Control, record: MonitorRecord, outcomes: dict[str, int], *, behind: int | None = None
) -> MonitorBody:
    monitor, now = record.monitor, _now(parts)
    states = parts.monitors.states(monitor.project)
    rules = [RuleBody.of(rule, states.get((monitor.name, rule.name)), now_ms=now) for rule in monitor.rules]
    states_now: list[State] = [rule.state for rule in rules] or ["no_data"]
    worst = max(states_now, key=severity)
    return MonitorBody.of(
        record, rules, state=worst, outcomes=outcomes, behind=behind, problem=parts.monitors.problem(record)
    )


def _now(parts: Control) -> int:
    return parts.clock.now_ns() // 1_000_000
