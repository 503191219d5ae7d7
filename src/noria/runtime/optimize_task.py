"""The child process of an Optimization: searches, tests what it chose, and makes the better version."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from heapq import nsmallest
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

import msgspec

from noria.access.audit import Act
from noria.core.author import Recorded
from noria.core.clock import SystemClock
from noria.core.digest import digest
from noria.core.example import Example
from noria.errors import InvalidRequest, NoriaError, NotFound
from noria.evals.comparison import Compared, compare
from noria.evals.judging import Judging
from noria.evals.optimize.optimization import (
    SPLITS,
    Optimization,
    Result,
    components,
    share_of,
    with_components,
    with_shots,
)
from noria.evals.optimize.search import search
from noria.evals.pace import Halt
from noria.evals.run import ENDED, DatasetRef, EvalRun, RunSpec
from noria.evals.runner import Runner
from noria.evals.sheet import sheet
from noria.prompts.compose import normalised
from noria.prompts.technique import Shot
from noria.prompts.version import PromptContent
from noria.runtime.eval_spec import Resolver
from noria.runtime.judge_prompts import judge_prompts
from noria.runtime.optimize_asking import Asking, Report
from noria.runtime.own_calls import own_client
from noria.runtime.sealing import open_database
from noria.runtime.shots import shot_of
from noria.scoring.calls import Calls
from noria.scoring.resolve import described, resolve
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.datasets import DatasetTable
from noria.storage.evals import EvalTable
from noria.storage.home import Home
from noria.storage.optimizations import OptimizationTable
from noria.storage.prompts import PromptTable
from noria.storage.snapshots import Snapshots

MOST_TRAIN, MOST_VALIDATION, MOST_TEST = 200, 40, 300
"""Examples. Every candidate on the front answers all of validation; the test is only answered at the end."""
DRAWS = 3
"""Sets of examples that are drawn for each number of them."""
BRANCH = "optimized"
_ENDED = ("done", "failed", "stopped")


def run_optimization(arguments: dict[str, Any], report: Report) -> object:
    """Run, or go on with, the Optimization `optimization`; the result is a sentence."""
    home = Home(Path(arguments["home"]))
    database = open_database(home)
    try:
        log = AuditLog(database, SystemClock())
        table = OptimizationTable(database, log)
        found = table.get(arguments["project"], arguments["optimization"])
        if found is None:
            raise NotFound("The optimization is no more.")
        begun = msgspec.structs.replace(found, state="running")
        if not table.save(begun, unless=_ENDED):
            return "It has ended."
        work = _Work(begun, database, home, Path(arguments["folder"]), report)
        try:
            ended, result = asyncio.run(work.run())
        except NoriaError as error:
            table.save(_ended(begun, "failed", str(error), None), unless=_ENDED)
            raise
        if not ended:
            return "It goes on when it is run again."
        work.tidy()
        table.save(_ended(begun, "done", ended, result), unless=_ENDED)
        return ended
    finally:
        database.close()


def _ended(one: Optimization, state: Any, message: str, result: Result | None) -> Optimization:
    now = SystemClock().now_ns() // 1_000_000
    return msgspec.structs.replace(one, state=state, message=message, result=result, ended_ms=now)


class _Work:
    """One execution. The search runs in a thread of its own and waits there for what is asked on the loop."""

    def __init__(
        self, one: Optimization, database: Database, home: Home, folder: Path, report: Report
    ) -> None:
        clock = SystemClock()
        log = AuditLog(database, clock)
        self._one = one
        self._spec = one.spec
        self._home = home
        self._folder = home.folder / "optimize" / one.id
        self._clock = clock
        self._report = report
        self._table = OptimizationTable(database, log)
        self._runs = EvalTable(database, log)
        self._prompts = PromptTable(database, log, clock)
        self._datasets = DatasetTable(database, log, clock)
        self._resolver = Resolver(
            folder=folder,
            prompts=self._prompts,
            datasets=self._datasets,
            serving=lambda: Snapshots(home.snapshots).current()[0],
            scorer=lambda name: None,
        )

    async def run(self) -> tuple[str, Result]:
        """What came out, in a sentence; "" where it was told to stop before the end."""
        spec, one = self._spec, self._one
        async with own_client(
            self._home, project=one.project, by=one.by, by_name=one.by_name, width=spec.concurrency * 2
        ) as client:
            calls = Calls(chat=client, embedder=client, prompt=judge_prompts(self._prompts, one.project))
            self._scorer = resolve(spec.scorer, calls=calls)
            self._asking = asking = Asking(
                one,
                table=self._table,
                prompts=self._prompts,
                client=client,
                scorer=self._scorer,
                report=self._report,
            )
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asking.stop)
            train, validation, test = self._examples()
            await asyncio.to_thread(
                search,
                components(asking.first),
                train=train,
                validation=validation,
                ask=asking.texts_here,
                reflect=asking.reflect_here,
                answers=spec.answers,
                lower=spec.lower,
                folder=self._folder,
                seed=spec.seed,
            )
            if asking.stopping:
                return "", asking.result
            begun = await self._mean(asking.first, validation)
            best, value = await self._chosen(validation, begun)
            with suppress(Halt):  # What was found so far can still be tested, or says why not.
                best, value = await self._with_examples(best, value, train, validation)
            said = await self._told(best, test, (begun, value))
            return f"{said} {asking.halted}".strip(), asking.result

    def tidy(self) -> None:
        """Remove what the search has kept: it holds answers, and is of no more use."""
        shutil.rmtree(self._folder, ignore_errors=True)

    # what is chosen

    async def _mean(
        self, content: PromptContent, examples: Sequence[Example], shots: Sequence[Shot] = ()
    ) -> float:
        """Failed answers count as the worst that was seen of this content, or as 0 where that is worse."""
        tried = await self._asking.tried(content, examples, shots)
        sign = -1.0 if self._spec.lower else 1.0
        values = [sign * one.value for one in tried if one.value is not None]
        worst = min([*values, 0.0])
        return sign * fmean([*values, *([worst] * (len(tried) - len(values)))])

    async def _chosen(self, validation: Sequence[Example], begun: float) -> tuple[PromptContent, float]:
        """The best of the contents that have answered all of validation."""
        best, value = self._asking.first, begun
        ids = [example.id for example in validation]
        for texts in list(self._asking.candidates.values()):
            content = with_components(self._asking.first, texts)
            known = self._table.tried(self._one.id, normalised(content).digest, ids)
            if len(known) < len(ids):
                continue
            mean = await self._mean(content, validation)
            if self._better(mean, value):
                best, value = content, mean
        return best, value

    async def _with_examples(
        self, best: PromptContent, value: float, train: Sequence[Example], validation: Sequence[Example]
    ) -> tuple[PromptContent, float]:
        """The same with examples shown, where that is better."""
        rng = Random(self._spec.seed)
        words = best
        pool = [example for example in train if example.expected is not None]
        ref = self._spec.datasets["train"]
        for k in (k for k in self._spec.shots if k <= len(pool)):
            for _ in range(DRAWS):
                drawn = rng.sample(pool, k)
                ids = [example.id for example in drawn]
                content = with_shots(words, ids, dataset=f"{ref.name}@{ref.number}")
                mean = await self._mean(content, validation, [shot_of(one) for one in drawn])
                if self._better(mean, value):
                    best, value = content, mean
        return best, value

    def _better(self, one: float, other: float) -> bool:
        return one < other if self._spec.lower else one > other

    # what it is worth

    async def _told(self, best: PromptContent, test: list[Example], validation: tuple[float, float]) -> str:
        best = normalised(best)
        self._asking.result = msgspec.structs.replace(
            self._asking.result, candidates=len(self._asking.candidates), validation=validation
        )
        if best.digest == normalised(self._asking.first).digest:
            return f"No better words were found among {len(self._asking.candidates)} candidates."
        before = await self._test(self._asking.first, test)
        after = await self._test(best, test)
        self._asking.result = msgspec.structs.replace(
            self._asking.result, content=best, runs=(before.id, after.id)
        )
        found = self._compared(before, after)
        said = (
            f"{found.name} {_shown(found.baseline)} -> {_shown(found.candidate)} on {found.n} test examples"
        )
        if found.verdict != "better":
            return f"What was better on validation is not shown to be better on the test: {said}; no version."
        interval = found.difference
        comment = (
            f"Optimized: {said} (difference {_shown(interval.estimate)}, {interval.level:.0%} interval "
            f"{_shown(interval.low)} to {_shown(interval.high)}; runs {before.id} and {after.id})."
        )
        version, _ = self._prompts.commit(
            self._one.project,
            self._spec.prompt,
            best,
            branch=BRANCH,
            parent=self._asking.first.digest,
            comment=comment,
            by=Recorded(self._one.by, self._one.by_name),
        )
        self._asking.result = msgspec.structs.replace(self._asking.result, number=version.number)
        return f"Version {version.number} on branch {BRANCH}: {said}."

    async def _test(self, content: PromptContent, test: list[Example]) -> EvalRun:
        """An EvalRun over the test examples, the same one where an earlier attempt has begun it."""
        spec, one = self._spec, self._one
        content = normalised(content)
        shots = self._shots_of(content)
        id = "run_" + digest((one.id, content.digest)).removeprefix("sha256:")[:26]
        run = self._runs.run(one.project, id)
        if run is None:
            target = msgspec.structs.replace(
                spec.target, content=content, compiled=self._asking.compiled(content, shots), prompt_number=0
            )
            run = EvalRun(
                id=id,
                project=one.project,
                spec=RunSpec(
                    name=f"optimize:{spec.prompt}",
                    target=target,
                    dataset=spec.datasets["test"],
                    scorers=(spec.scorer,),
                    seed=spec.seed,
                    concurrency=spec.concurrency,
                    budget=self._asking.left(),
                    tags={"optimization": one.id},
                ),
                job=one.job,
                by=one.by,
                by_name=one.by_name,
                created_ms=self._clock.now_ns() // 1_000_000,
            )
            by = Recorded(one.by, one.by_name)
            self._runs.add(run, Act(by=by, act="eval.run", subject=id, project=one.project))
        if run.state == "done":
            self._asking.paid(run.progress.cost, run.progress.unknown)
            return run
        if run.state in ENDED:
            run = run.to("queued")
            by = Recorded(one.by, one.by_name)
            self._runs.change(run, Act(by=by, act="eval.resume", subject=id, project=one.project))
        runner = Runner(
            run,
            target=self._asking.target(content, shots),
            scorers=[Judging(spec.scorer, self._scorer, described(spec.scorer))],
            store=self._runs,
            clock=self._clock,
        )
        run = await runner.run(test, total=len(test))
        if run.state != "done":
            raise Halt(run.message or "The test of what was found did not come to its end; run it again.")
        self._asking.paid(run.progress.cost, run.progress.unknown)
        return run

    def _compared(self, before: EvalRun, after: EvalRun) -> Compared:
        measures = list(described(self._spec.scorer))
        left, right = (sheet(self._runs.kept(run.id), measures) for run in (after, before))
        found = compare(left, right, ids=(after.id, before.id))
        return next(one for one in found.scorers if one.name == self._spec.measure)

    # what it works on

    def _examples(self) -> tuple[list[Example], list[Example], list[Example]]:
        """Raises InvalidRequest where one has none."""
        found: list[list[Example]] = []
        for name, most in zip(SPLITS, (MOST_TRAIN, MOST_VALIDATION, MOST_TEST), strict=True):
            every = self._resolver.examples(self._one.project, self._ref(name), seed=self._spec.seed)
            mine = (one for one in every if not self._spec.hashed or share_of(one.group or one.id) == name)
            few = nsmallest(most, mine, key=lambda one: digest((self._spec.seed, one.id)))
            if not few:
                raise InvalidRequest(f"The dataset has no examples for {name}; it is too small.")
            found.append(few)
        return found[0], found[1], found[2]

    def _ref(self, name: str) -> DatasetRef:
        return self._spec.datasets[name]

    def _shots_of(self, content: PromptContent) -> list[Shot]:
        ids = content.technique.get("examples", {}).get("ids", ())
        if not ids:
            return []
        every = self._resolver.examples(self._one.project, self._ref("train"), seed=self._spec.seed)
        by_id = {one.id: one for one in every if one.id in set(ids)}
        return [shot_of(by_id[id]) for id in ids]


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
