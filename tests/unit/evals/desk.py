"""A noria.db for evaluations, and a run over a few examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from noria.access.audit import Act
from noria.access.role import SYSTEM
from noria.core.clock import SystemClock
from noria.core.example import Example
from noria.core.ids import new_id
from noria.evals.judging import Judging
from noria.evals.run import DatasetRef, EvalRun, RunSpec, TargetSpec
from noria.evals.runner import Runner
from noria.evals.targets.function import FunctionTarget
from noria.scoring.resolve import described, resolve
from noria.scoring.scorer import ScorerSpec
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.evals import EvalTable

EXACT = ScorerSpec(type="exact")


def examples(count: int, **more: Any) -> list[Example]:
    return [
        Example(id=f"e{index:05}", input={"input": f"question {index}"}, expected=f"answer {index}", **more)
        for index in range(count)
    ]


def right(given: dict[str, Any]) -> str:
    return given["input"].replace("question", "answer")


class Desk:
    """Makes runs, and runs them over a function."""

    def __init__(self, folder: Path) -> None:
        self.database = Database.open(folder / "noria.db")
        self.store = EvalTable(self.database, AuditLog(self.database, SystemClock()))

    def add(self, *, name: str = "test", function: str = "tests:f", **more: Any) -> EvalRun:
        target = more.pop("target", None) or TargetSpec(function=function, version=more.pop("version", ""))
        spec = RunSpec(
            name=name,
            target=target,
            dataset=DatasetRef(file="x.jsonl"),
            scorers=more.pop("scorers", (EXACT,)),
            **more,
        )
        run = EvalRun(id=new_id("run"), project="default", spec=spec, by="system", by_name="Noria")
        self.store.add(run, Act(by=SYSTEM, act="eval.run", subject=run.id))
        return run

    def runner(self, run: EvalRun, target: Any, **more: Any) -> Runner:
        scorers = more.pop("judgings", None) or [
            Judging(spec, resolve(spec), described(spec)) for spec in run.spec.scorers
        ]
        if not hasattr(target, "is_target"):
            target = FunctionTarget(target, timeout=10)
        return Runner(
            run,
            target=target,
            scorers=scorers,
            store=self.store,
            clock=SystemClock(),
            **more,
        )

    async def go(
        self, run: EvalRun, target: Callable[..., Any], given: Sequence[Example], **more: Any
    ) -> EvalRun:
        return await self.runner(run, target, **more).run(given, total=len(given) * run.spec.repeats)
