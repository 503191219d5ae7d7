"""One monitor that follows the spans: chooses, judges, and keeps its scores with how far it has looked.

Position and scores are committed together, some calls at a time. So a death loses no score and doubles none;
at most the verdicts of the calls in hand are asked for again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import groupby

import msgspec

from noria.client.about import about
from noria.core.clock import Clock
from noria.errors import Conflict
from noria.monitoring.monitor import OWN_TAG, OWN_TEAM, Monitor, sampled
from noria.monitoring.score import Outcome, SpanScore
from noria.runtime.monitor_output import GENERATES, Unjudged, output_of
from noria.scoring.calls import Calls
from noria.scoring.resolve import asks_models, described, resolve
from noria.scoring.scorer import Output, Score, Scorer, ScorerSpec
from noria.storage.monitors import MonitorTable
from noria.storage.spans import day_of
from noria.storage.spans.watched import WatchedCall, WatchedSpans
from noria.tracing.store import SpanReader

TRACES = 256
"""Traces that are looked at in one go."""
WIDTH = 8
"""Calls that are judged at once, and kept in one transaction."""
MINUTE_MS, DAY_MS = 60_000, 86_400_000
OLD = timedelta(days=2)
"""Older files hardly grow: they are looked at once a minute."""
_log = logging.getLogger("noria.monitors")


class Judging(msgspec.Struct, frozen=True):
    """A scorer that is made, with the names that it gives scores under."""

    scorer: Scorer
    names: tuple[tuple[str, str], ...]
    """(name, version)."""
    asks: bool
    """Whether it calls models."""


class Follower:
    """One monitor. `round` until it returns False, then wait."""

    def __init__(
        self,
        monitor: Monitor,
        *,
        store: MonitorTable,
        watched: WatchedSpans,
        spans: SpanReader,
        calls: Callable[[], Calls],
        clock: Clock,
    ) -> None:
        """Raises ConfigError where a scorer cannot be made."""
        self.monitor = monitor
        self._terms = monitor.terms
        self._store = store
        self._watched = watched
        self._spans = spans
        self._clock = clock
        self._judging = [_judging(spec, calls) for spec in monitor.scorers]
        now = self._now()
        self._asked = deque(store.judged_since(monitor, now - MINUTE_MS))
        self._spent = store.spent_since(monitor, now - DAY_MS)
        self._spent_ms = now
        self._old_ms = 0

    async def round(self) -> bool:
        """Look at what is new in each day; whether there was anything."""
        record = await asyncio.to_thread(self._store.get, self.monitor.project, self.monitor.name)
        if record is None:
            return False
        now = self._now()
        recent = day_of(self._clock.now_ns()) - OLD
        old_too = now - self._old_ms >= MINUTE_MS
        if old_too:
            self._old_ms = now
        present = await asyncio.to_thread(self._watched.days)
        busy = False
        for day in present:
            if day >= recent or old_too:
                busy = await self._look(day, record.positions.get(day, 0)) or busy
        gone = record.positions.keys() - set(present)
        if gone:
            await asyncio.to_thread(self._store.forget_days, self.monitor, gone)
        return busy

    async def _look(self, day: date, after: int) -> bool:
        project = self.monitor.project
        found = await asyncio.to_thread(self._watched.changes, project, day, after, limit=TRACES)
        if found.position == after:
            return False
        chosen = await asyncio.to_thread(self._chosen, day, found.calls)
        # A trace is never cut in two: the position says that all of it has been looked at.
        batch: list[WatchedCall] = []
        for _, calls in groupby(chosen, key=lambda call: call.position):
            batch += calls
            if len(batch) >= WIDTH:
                await self._keep(day, batch[-1].position, batch)
                batch = []
        await self._keep(day, found.position, batch)
        return True

    def _chosen(self, day: date, calls: Sequence[WatchedCall]) -> list[WatchedCall]:
        """Those that are to be judged and have not been."""
        monitor = self.monitor
        fit = [call for call in calls if looked_at(call) and sampled(call.trace, monitor.share)]
        if not fit:
            return []
        matching = self._watched.matching(monitor.project, day, [call.seq for call in fit], self._terms)
        fit = [call for call in fit if call.seq in matching]
        known = self._store.known(monitor, [(call.trace.hex(), call.span.hex()) for call in fit])
        return [call for call in fit if (call.trace.hex(), call.span.hex()) not in known]

    async def _keep(self, day: date, position: int, calls: Sequence[WatchedCall]) -> None:
        judged = await asyncio.gather(*(self._judge(call) for call in calls))
        scores = [score for each in judged for score in each]
        try:
            await asyncio.to_thread(
                self._store.looked, self.monitor, day, position, scores, now_ms=self._now()
            )
        except Conflict:
            # Kept already, by a process that outlived its successor's start: the next round reads them.
            _log.warning("Scores of monitor %s were kept twice over", self.monitor.name)

    async def _judge(self, call: WatchedCall) -> list[SpanScore]:
        found = await asyncio.to_thread(self._output, call)
        if isinstance(found, Unjudged):
            return [one for judging in self._judging for one in self._unjudged(call, judging, found)]
        refused = self._refusal() if any(judging.asks for judging in self._judging) else None
        kept: list[SpanScore] = []
        with about(tags={OWN_TAG: self.monitor.name}):
            for judging in self._judging:
                if judging.asks and refused is not None:
                    kept += self._unjudged(call, judging, refused)
                else:
                    kept += self._scores(call, judging, await judging.scorer(found))
        return kept

    def _output(self, call: WatchedCall) -> Output | Unjudged:
        trace = self._spans.trace(self.monitor.project, call.trace)
        span = None
        if trace is not None:
            span = next((span for span in trace.spans if span.id == call.span.hex()), None)
        if span is None:
            return Unjudged("no_payload", "The call is no more, or one of over 5,000 spans of its trace.")
        return output_of(call.trace.hex(), span)

    def _refusal(self) -> Unjudged | None:
        """Why no model may be asked now; None: it may, and is counted."""
        now = self._now()
        most, budget = self.monitor.most_per_minute, self.monitor.budget
        while self._asked and self._asked[0] <= now - MINUTE_MS:
            self._asked.popleft()
        if len(self._asked) >= most:
            return Unjudged("limited", f"Over the {most} calls that are judged in a minute.")
        if budget is not None:
            if now - self._spent_ms >= MINUTE_MS:
                self._spent = self._store.spent_since(self.monitor, now - DAY_MS)
                self._spent_ms = now
            if self._spent >= budget:
                return Unjudged("limited", f"The judges' budget of ${budget:f} in 24 hours is spent.")
        self._asked.append(now)
        return None

    def _scores(self, call: WatchedCall, judging: Judging, scores: Sequence[Score]) -> list[SpanScore]:
        versions = dict(judging.names)
        kept: list[SpanScore] = []
        for score in scores:
            if score.name not in versions:
                continue
            value, word = score.value, None
            if isinstance(value, str):
                value, word = None, value
            kept.append(
                self._score(
                    call,
                    score.name,
                    versions[score.name],
                    state="failed" if score.failed else "scored",
                    value=None if value is None else float(value),
                    word=word,
                    reason=score.failed or score.reason,
                    judged_by=score.trace,
                    # One verdict may give several scores, and is paid for once.
                    cost=score.cost if not any(one.judged_by == score.trace != "" for one in kept) else None,
                )
            )
        self._spent += sum(one.cost for one in kept if one.cost is not None)
        return kept

    def _unjudged(self, call: WatchedCall, judging: Judging, why: Unjudged) -> list[SpanScore]:
        return [
            self._score(call, name, version, state=why.state, reason=why.reason)
            for name, version in judging.names
        ]

    def _score(
        self, call: WatchedCall, name: str, version: str, *, state: Outcome, reason: str, **more: object
    ) -> SpanScore:
        values = {
            "project": self.monitor.project,
            "monitor": self.monitor.name,
            "trace": call.trace.hex(),
            "span": call.span.hex(),
            "name": name,
            "version": version,
            "state": state,
            "reason": reason,
            "at_ms": call.start // 1_000_000,
            "judged_ms": self._now(),
        }
        return SpanScore(**values, **more)  # pyright: ignore[reportArgumentType]

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


def looked_at(call: WatchedCall) -> bool:
    """Whether a monitor may look at a call at all: an answer in words, and not asked for by a monitor."""
    return call.operation in GENERATES and call.team != OWN_TEAM


def _judging(spec: ScorerSpec, calls: Callable[[], Calls]) -> Judging:
    asks = asks_models(spec.type)
    return Judging(
        scorer=resolve(spec, calls=calls() if asks else None),
        names=tuple((one.name, one.version) for one in described(spec)),
        asks=asks,
    )
