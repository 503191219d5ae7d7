"""Why a monitor judged a call, or did not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from noria.core.ids import parse_hex
from noria.errors import NotFound
from noria.monitoring.monitor import OWN_TEAM, sampled
from noria.monitoring.score import Cause, SpanScore, Why
from noria.runtime.monitor_follow import looked_at
from noria.storage.monitors import MonitorRecord, MonitorTable
from noria.storage.spans.watched import WatchedCall, WatchedSpans
from noria.tracing.filters import Filter, parse


def why(
    monitors: MonitorTable, watched: WatchedSpans, project: str, trace: str, *, monitor: str = ""
) -> list[Why]:
    """Of each call of a trace, by each monitor of the project, or one. Raises NotFound, InvalidRequest."""
    id = parse_hex(trace, size=16, what="trace id")
    calls = watched.calls_of(project, id)
    scores = monitors.of_trace(project, id.hex())
    if not calls and not scores:
        raise NotFound(f"Project {project!r} has no call in a trace {trace}; it may not be collected yet.")
    records = monitors.all(project)
    found: list[Why] = []
    for record in records:
        name = record.monitor.name
        if monitor and name != monitor:
            continue
        own = [score for score in scores if score.monitor == name]
        found += [_why(watched, record, day, call, own) for day, call in calls]
    known = {record.monitor.name for record in records}
    return found + _of_others(scores, known, monitor)


def _why(
    watched: WatchedSpans, record: MonitorRecord, day: date, call: WatchedCall, own: Sequence[SpanScore]
) -> Why:
    monitor, span = record.monitor, call.span.hex()

    def because(cause: Cause, words: str) -> Why:
        return Why(monitor=monitor.name, span=span, cause=cause, words=words)

    scores = tuple(score for score in own if score.span == span)
    if scores:
        return Why(monitor=monitor.name, span=span, cause="judged", words="", scores=scores)
    if not monitor.scorers:
        return because("no_scorers", "The monitor has no scorers; it watches measures of all calls.")
    if not looked_at(call):
        if call.team == OWN_TEAM:
            return because("own_call", "A monitor made this call itself, and none looks at those.")
        return because("not_a_chat", f"The operation {call.operation!r} answers with no text to judge.")
    if call.start // 1_000_000 < record.added_ms and call.position <= record.positions.get(day, 0):
        return because("later", "The monitor was added after this call.")
    if not sampled(call.trace, monitor.share):
        return because("sample", f"The trace is not in the sample of {monitor.share:.4g} of all traces.")
    if lacking := _unmet(watched, monitor.project, day, call, parse(monitor.filter)):
        return because("filter", f"The trace does not match {', '.join(lacking)}.")
    if call.position > record.positions.get(day, 0):
        behind = watched.behind(monitor.project, day, record.positions.get(day, 0))
        problem = f" {record.problem}" if record.problem else ""
        return because("waiting", f"Not looked at yet: {behind:,} traces are waiting.{problem}")
    changed = record.changed_ms > call.start // 1_000_000
    said = "the monitor was changed after this call" if changed else "it did not match then"
    return because("unmatched", f"It was passed by when it was looked at: {said}.")


def _unmet(watched: WatchedSpans, project: str, day: date, call: WatchedCall, filter: Filter) -> list[str]:
    """The terms that do not hold, as they are written."""
    return [
        f"`{term.render()}`"
        for term in filter.terms
        if call.seq not in watched.matching(project, day, [call.seq], Filter((term,)))
    ]


def _of_others(scores: Sequence[SpanScore], known: set[str], monitor: str) -> list[Why]:
    """Scores that stand though their monitor, or their span, is gone."""
    gone: dict[tuple[str, str], list[SpanScore]] = {}
    for score in scores:
        if score.monitor not in known and monitor in ("", score.monitor):
            gone.setdefault((score.monitor, score.span), []).append(score)
    return [
        Why(monitor=name, span=span, cause="judged", words="", scores=tuple(each))
        for (name, span), each in gone.items()
    ]
