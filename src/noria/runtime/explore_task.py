"""The child process of an Exploration: every arm an EvalRun, one after the other, begun again nowhere."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from noria.access.audit import Act
from noria.client import AsyncNoria
from noria.core.author import Recorded
from noria.core.clock import SystemClock
from noria.core.example import Example
from noria.evals.explore.arm import Arm
from noria.evals.explore.exploration import Exploration, run_id
from noria.evals.explore.left_out import LeftOut
from noria.evals.judging import judgings
from noria.evals.run import ENDED, EvalRun, RunSpec, TargetSpec
from noria.evals.runner import Runner
from noria.evals.target import Target
from noria.evals.targets.model import ModelTarget
from noria.evals.targets.prompt import PromptTarget
from noria.prompts.compiled import CompiledPrompt
from noria.runtime.eval_prompt import prompted
from noria.runtime.eval_spec import Resolver
from noria.runtime.eval_task import shown
from noria.runtime.explore_arm import SAMPLE, compiled_of, estimated, target_of
from noria.runtime.judge_prompts import judge_prompts
from noria.runtime.own_calls import own_client
from noria.runtime.sealing import open_database
from noria.runtime.token_encoder import LocalTokens
from noria.scoring.calls import Calls
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.datasets import DatasetTable
from noria.storage.evals import EvalTable
from noria.storage.explorations import ExplorationTable, exploration_of
from noria.storage.home import Home
from noria.storage.prompts import PromptTable
from noria.storage.snapshots import Snapshots

Report = Callable[[int | None, int | None, str, str], None]
"""(done, total, unit, message)."""


def run_exploration(arguments: dict[str, Any], report: Report) -> object:
    """Run, or go on with, the exploration that the arguments hold; the result is a sentence."""
    home = Home(Path(arguments["home"]))
    one = exploration_of(arguments)
    database = open_database(home)
    try:
        found = ExplorationTable(database).get(one.project, one.id)
        job = "" if found is None else found.job
        work = _Work(one, database, home, Path(arguments["folder"]), report, job=job)
        return asyncio.run(work.run())
    finally:
        database.close()


class _Work:
    """One execution."""

    def __init__(
        self, one: Exploration, database: Database, home: Home, folder: Path, report: Report, *, job: str
    ) -> None:
        clock = SystemClock()
        log = AuditLog(database, clock)
        self._one = one
        self._spec = one.spec
        self._home = home
        self._clock = clock
        self._report = report
        self._job = job
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
        self._stopping = False
        self._runner: Runner | None = None
        self._scored = 0
        """Answers of the arms that have ended."""

    async def run(self) -> str:
        spec, one = self._spec, self._one
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stop)
        async with own_client(
            self._home, project=one.project, by=one.by, by_name=one.by_name, width=spec.concurrency * 2
        ) as client:
            calls = Calls(
                chat=client,
                embedder=client,
                encoder=LocalTokens,
                prompt=judge_prompts(self._prompts, one.project),
            )
            for arm in spec.arms:
                if self._stopping:
                    return "It goes on when it is run again."
                await self._arm(arm, client, calls)
        ended = [self._runs.run(one.project, run_id(one.id, arm)) for arm in spec.arms]
        done = sum(run is not None and run.state == "done" for run in ended)
        spent = sum((run.progress.cost for run in ended if run is not None), Decimal(0))
        left = len(spec.arms) - done
        return f"{done} of {len(spec.arms)} ways run to their end for ${spent:.4f}" + (
            f"; {left} were not, each with its reason." if left else "."
        )

    def _stop(self) -> None:
        self._stopping = True
        if self._runner is not None:
            self._runner.pause()

    async def _arm(self, arm: Arm, client: AsyncNoria, calls: Calls) -> None:
        spec = self._spec
        run = self._recorded(arm)
        if run is None:
            return
        if run.state == "done":
            self._scored += run.progress.scored
            return
        run = msgspec.structs.replace(run, spec=msgspec.structs.replace(run.spec, budget=self._left(run)))
        examples = self._resolver.examples(self._one.project, spec.dataset, seed=spec.seed)
        target = await self._target(arm, run, client, calls)
        snapshot = Snapshots(self._home.snapshots).current()[0]
        some = list(islice(self._resolver.examples(self._one.project, spec.dataset, seed=spec.seed), SAMPLE))
        expected = estimated(snapshot, spec, arm, some) if spec.brief.budget is not None else None
        self._runner = Runner(
            run,
            target=target,
            scorers=judgings(spec.scorers, calls),
            store=self._runs,
            clock=self._clock,
            expected=None if expected is None else expected.one,
            judged=expected is not None and expected.judged,
            report=lambda now: self._told(arm, now),
        )
        if self._stopping:
            return
        ended = await self._runner.run(examples, total=spec.samples * spec.repeats)
        self._scored += ended.progress.scored

    def _told(self, arm: Arm, now: EvalRun) -> None:
        spec = self._spec
        total = len(spec.arms) * spec.samples * spec.repeats
        self._report(self._scored + now.progress.scored, total, "answers", f"{arm.name}: {shown(now)}")

    def _recorded(self, arm: Arm) -> EvalRun | None:
        """The arm's run, made where it is not there yet; None: there is no money left for it."""
        one, spec = self._one, self._spec
        id = run_id(one.id, arm)
        run = self._runs.run(one.project, id)
        by = Recorded(one.by, one.by_name)
        if run is not None:
            run = msgspec.structs.replace(run, job=self._job)
            if run.state in ENDED and run.state != "done":
                run = run.to("queued")
                self._runs.change(run, Act(by=by, act="eval.resume", subject=id, project=one.project))
            self._runs.note_job(run)
            return run
        left = self._left(None)
        if left is not None and left <= 0:
            return None
        serves = self._resolver.serves(arm.model)
        target = target_of(spec, arm, serves=serves)
        if spec.kind == "exploration":
            compiled = compiled_of(spec, arm, target, project=one.project)
            target = msgspec.structs.replace(target, compiled=compiled)
        run = EvalRun(
            id=id,
            project=one.project,
            spec=RunSpec(
                name=f"{'explore' if spec.kind == 'exploration' else 'compare'}:{spec.dataset.name}",
                target=target,
                dataset=spec.dataset,
                scorers=spec.scorers,
                repeats=spec.repeats,
                seed=spec.seed,
                concurrency=spec.concurrency,
                budget=left,
                fresh=spec.fresh,
                tags={"exploration": one.id, "way": arm.way},
            ),
            job=self._job,
            by=one.by,
            by_name=one.by_name,
            created_ms=self._clock.now_ns() // 1_000_000,
        )
        self._runs.add(run, Act(by=by, act="eval.run", subject=id, project=one.project))
        return run

    def _left(self, but: EvalRun | None) -> Decimal | None:
        """Dollars that the other arms have left for this one; None: there is no budget."""
        budget = self._spec.brief.budget
        if budget is None:
            return None
        ids = [run_id(self._one.id, arm) for arm in self._spec.arms]
        runs = [self._runs.run(self._one.project, id) for id in ids if but is None or id != but.id]
        return budget - sum((run.progress.cost for run in runs if run is not None), Decimal(0))

    async def _target(self, arm: Arm, run: EvalRun, client: AsyncNoria, calls: Calls) -> Target:
        spec: TargetSpec = run.spec.target
        if spec.compiled is None:
            return ModelTarget(spec, client, run=run.id, name=run.spec.name)
        if self._spec.kind == "comparison":
            return await prompted(
                run, spec.compiled, client,
                home=self._home, datasets=self._datasets, calls=calls, report=self._report,
            )  # fmt: skip

        def asking(prompt: CompiledPrompt) -> Target:
            return PromptTarget(spec, prompt, client, run=run.id, name=run.spec.name)

        if arm.technique != "few-shot":
            return asking(spec.compiled)
        samples: list[Example] = list(
            self._resolver.examples(self._one.project, self._spec.dataset, seed=self._spec.seed)
        )
        return LeftOut(samples, spec.compiled, asking, k=arm.shots, seed=self._spec.seed)
