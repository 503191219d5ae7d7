"""Runs a study: several trials at once, within its bounds, each kept as it goes on."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from noria.core.clock import Clock
from noria.errors import NoriaError
from noria.studies.objective import Objective
from noria.studies.parameter import combinations
from noria.studies.search import Search
from noria.studies.store import TrialStore
from noria.studies.study import Progress, Study
from noria.studies.trial import Outcome, Pruned, Step, TrialRecord

FAILURES = 5
"""So many trials that fail one after the other end a study: the next would fail as well."""


class Runner:
    """One sitting of a study. What an earlier one left running is begun again, with the same values."""

    def __init__(
        self,
        study: Study,
        *,
        objective: Objective,
        store: TrialStore,
        clock: Clock,
        report: Callable[[Study], None] = lambda study: None,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """`elapsed` counts seconds. Raises MissingExtra."""
        self.study = study
        self._objective = objective
        self._store = store
        self._clock = clock
        self._report = report
        self._elapsed = elapsed
        self._began = elapsed()
        self._before = study.progress.seconds
        self._trials = {trial.number: trial for trial in store.trials(study.id)}
        self._left = [trial for trial in self._trials.values() if trial.state == "running"]
        self._search = Search(study.spec, list(self._trials.values()))
        # What was set aside for trials that were cut off is theirs before others begin.
        self._allowed = {one.number: one.budget for one in self._left if one.budget is not None}
        self._stop = ""
        self._in_a_row = 0

    async def run(self) -> Study:
        """Until a bound is reached. The study as it ended; where it was stopped, as it was."""
        self.study = self.study.to("running", at_ms=self._now())
        if not self._saved():
            return self.study
        async with asyncio.TaskGroup() as group:
            for _ in range(self.study.spec.concurrency):
                group.create_task(self._work())
        if self._in_a_row >= FAILURES or not self.study.progress.done:
            why = next((t.reason for t in reversed(self._trials.values()) if t.state == "failed"), "")
            self.study = self.study.to("failed", message=why or self._stop, at_ms=self._now())
        else:
            self.study = self.study.to("done", message=self._stop, at_ms=self._now())
        self._saved()
        return self.study

    async def _work(self) -> None:
        while (trial := self._next()) is not None:
            self._put(trial)
            ended = await self._measured(trial)
            self._allowed.pop(trial.number, None)
            self._search.tell(ended)
            self._in_a_row = self._in_a_row + 1 if ended.state == "failed" else 0
            self._put(ended)

    def _next(self) -> TrialRecord | None:
        """The next trial; None: there is to be none."""
        again = self._left.pop(0) if self._left else None
        number = again.number if again is not None else len(self._trials)
        why = "" if again is not None else self._reached()
        why = why or self._allow(number)
        if why:
            self._stop = self._stop or why
            return None
        budget = self._allowed.get(number)
        if again is not None:
            self._search.again(number, again.values)
            return msgspec.structs.replace(again, budget=budget)
        values = self._search.suggest(number)
        return TrialRecord(number=number, values=values, budget=budget, started_ms=self._now())

    def _reached(self) -> str:
        """Which bound was reached; "": none."""
        spec, now = self.study.spec, self.study.progress
        if self._stop or self._in_a_row >= FAILURES:
            return self._stop or f"{FAILURES} trials failed one after the other."
        if self._search.exhausted:
            return "Every combination was tried."
        if len(self._trials) >= spec.trials:
            return f"All {spec.trials} trials were made."
        if spec.time is not None and self._seconds() >= spec.time:
            return "Its time is over."
        if spec.budget is not None and now.unknown:
            return "The cost of a trial is not known, so the budget cannot be kept."
        return ""

    def _allow(self, number: int) -> str:
        """Reserve what the trial may spend; why there is nothing left for it."""
        spec = self.study.spec
        if spec.budget is None or number in self._allowed:
            return ""
        left = spec.budget - self.study.progress.cost - sum(self._allowed.values())
        if left <= 0:
            return "Its budget is spent."
        self._allowed[number] = left / max(1, spec.concurrency - len(self._allowed))
        return ""

    async def _measured(self, trial: TrialRecord) -> TrialRecord:
        handle = _Handle(trial, self._search, self._put)
        outcome: Outcome | None = None
        state, reason = "failed", ""
        try:
            found = await self._objective(dict(trial.values), handle)
            outcome = found if isinstance(found, Outcome) else Outcome(value=float(found))
            if math.isfinite(outcome.value):
                state = "done"
            else:
                reason = f"The objective is {outcome.value}."
        except Pruned as pruned:
            state, reason = "pruned", str(pruned)
        except NoriaError as error:
            reason = str(error)
        except Exception as error:
            # The objective may be anybody's code: its mistake is the trial's reason.
            reason = f"{type(error).__name__}: {error}"
        ended = msgspec.structs.replace(handle.record, state=state, reason=reason, ended_ms=self._now())
        if outcome is None or state != "done":
            return ended
        return msgspec.structs.replace(ended, value=outcome.value, low=outcome.low, high=outcome.high)

    def _put(self, trial: TrialRecord) -> None:
        self._trials[trial.number] = trial
        self._store.put(self.study.id, trial)
        self._saved()

    def _saved(self) -> bool:
        progress = counted(self.study, list(self._trials.values()), seconds=self._seconds())
        self.study = msgspec.structs.replace(self.study, progress=progress)
        saved = self._store.save(self.study)
        if not saved:
            self._stop = "It was stopped."
        self._report(self.study)
        return saved

    def _seconds(self) -> float:
        return self._before + self._elapsed() - self._began

    def _now(self) -> int:
        return self._clock.now_ns() // 1_000_000


class _Handle:
    """trial.Trial."""

    def __init__(
        self,
        record: TrialRecord,
        search: Search,
        put: Callable[[TrialRecord], None],
    ) -> None:
        # Steps of a sitting before this one are reported again.
        self.record = msgspec.structs.replace(record, steps=())
        self._search = search
        self._put = put

    @property
    def number(self) -> int:
        return self.record.number

    @property
    def budget(self) -> Decimal | None:
        return self.record.budget

    @property
    def evidence(self) -> Mapping[str, str]:
        return self.record.evidence

    def note(self, kind: str, id: str) -> None:
        self.record = msgspec.structs.replace(self.record, evidence={**self.record.evidence, kind: id})
        self._put(self.record)

    def spent(self, cost: Decimal | None) -> None:
        self.record = msgspec.structs.replace(self.record, cost=cost)

    def report(self, step: int, value: float) -> None:
        reached = Step(step, value)
        self.record = msgspec.structs.replace(self.record, steps=(*self.record.steps, reached))
        self._put(self.record)
        why = self._search.report(self.number, reached)
        if why:
            raise Pruned(why)


def counted(study: Study, trials: list[TrialRecord], *, seconds: float) -> Progress:
    """The progress that these trials make."""
    sign = 1 if study.spec.better == "higher" else -1
    done = [trial for trial in trials if trial.state == "done" and trial.value is not None]
    best = max(done, key=lambda trial: (sign * (trial.value or 0.0), -trial.number), default=None)
    ended = [trial for trial in trials if trial.state != "running"]
    return Progress(
        total=min(study.spec.trials, combinations(study.spec.parameters) or study.spec.trials),
        done=len(done),
        pruned=sum(trial.state == "pruned" for trial in trials),
        failed=sum(trial.state == "failed" for trial in trials),
        running=len(trials) - len(ended),
        cost=sum((trial.cost for trial in ended if trial.cost is not None), Decimal(0)),
        unknown=sum(trial.cost is None for trial in ended),
        best=None if best is None else best.number,
        value=None if best is None else best.value,
        seconds=seconds,
    )
