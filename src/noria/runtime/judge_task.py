"""The child process of a calibration: asks the judge about labelled answers, and measures what it said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from noria.client import about, once
from noria.core.clock import SystemClock
from noria.core.example import Example
from noria.errors import InvalidRequest, NoriaError, NotFound, UpstreamFailed
from noria.runtime.judge_prompts import judge_prompts
from noria.runtime.own_calls import own_client
from noria.runtime.sealing import open_database
from noria.scoring.calls import Calls
from noria.scoring.judge.calibration import measure
from noria.scoring.judge.label import Labelled, Verdict, labelled, verdict
from noria.scoring.judge.store import CalibrationRun
from noria.scoring.resolve import described, resolve
from noria.scoring.scorer import Scorer
from noria.storage.audit import AuditLog
from noria.storage.datasets import DatasetTable
from noria.storage.home import Home
from noria.storage.judges import CalibrationTable
from noria.storage.prompts import PromptTable

Report = Callable[[int | None, int | None, str, str], None]
WIDTH = 8
"""Verdicts under way at once; so many are lost, and asked for again, where the process is killed."""
REPEATED = 50
"""Examples that are judged more than once, where repeats are asked for."""
HOPELESS = 16
"""After so many answers without any verdict the rest is not asked."""
MOST = 20_000
"""Examples; agreement is known to the second digit long before."""


def calibrate(arguments: dict[str, Any], report: Report) -> object:
    """Make, or go on with, the calibration; the result is a sentence."""
    home, project = Home(Path(arguments["home"])), arguments["project"]
    database = open_database(home)
    clock = SystemClock()
    log = AuditLog(database, clock)
    store = CalibrationTable(database, log)
    try:
        run = store.get(project, arguments["calibration"])
        if run is None:
            raise NotFound("The calibration is no more.")
        try:
            examples = _examples(DatasetTable(database, log, clock), run)
            given = _labelled(run, examples)
            prompts = PromptTable(database, log, clock)
            asyncio.run(_ask(run, given, store, home, prompts, report))
            measured = measure(store.verdicts(run.id), threshold=run.threshold)
        except NoriaError as error:
            store.end(run.id, measured=None, message=str(error), now_ms=clock.now_ns() // 1_000_000)
            raise
        store.end(run.id, measured=measured, message="", now_ms=clock.now_ns() // 1_000_000)
        return f"{measured.n} verdicts on {len(given)} labelled answers, {measured.failed} failed"
    finally:
        database.close()


def _examples(datasets: DatasetTable, run: CalibrationRun) -> Iterator[Example]:
    version = datasets.version(run.project, run.dataset, run.version)
    if version is None:
        raise NotFound(f"Version {run.version} of dataset {run.dataset!r} is no more.")
    return datasets.examples(version, split=run.split)


def _labelled(run: CalibrationRun, examples: Iterator[Example]) -> list[Labelled]:
    """Raises InvalidRequest where nothing is labelled, or a label is not one that the judge could give."""
    measures = described(run.spec)[0]
    rival = str(run.spec.arguments.get("against", ""))
    found = (labelled(example, measures, reading=run.reading, rival=rival) for example in examples)
    given = list(islice((one for one in found if one is not None), MOST))
    if not given:
        raise InvalidRequest(
            f"No example of {run.dataset!r} has {run.reading.label!r}, the label that calibration needs."
        )
    return given


async def _ask(
    run: CalibrationRun,
    given: list[Labelled],
    store: CalibrationTable,
    home: Home,
    prompts: PromptTable,
    report: Report,
) -> None:
    # What has failed is asked again: the gateway may have been on its way down.
    known = {(one.example, one.repeat): bool(one.failed) for one in store.verdicts(run.id)}
    done = {key for key, failed in known.items() if not failed}
    work = [
        (one, repeat)
        for place, one in enumerate(given)
        for repeat in range(run.repeats if place < REPEATED else 1)
        if (one.output.example.id, repeat) not in done
    ]
    total = len(done) + len(work)
    name = described(run.spec)[0].name
    given_up = not done
    async with own_client(
        home, project=run.project, by=run.by, by_name=run.by_name, width=WIDTH * 2
    ) as client:
        calls = Calls(chat=client, embedder=client, prompt=judge_prompts(prompts, run.project))
        scorer = resolve(run.spec, calls=calls)
        for start in range(0, len(work), WIDTH):
            asked = [
                _verdict(
                    scorer,
                    one,
                    name=name,
                    repeat=repeat,
                    run=run,
                    again=(one.output.example.id, repeat) in known,
                )
                for one, repeat in work[start : start + WIDTH]
            ]
            found = await asyncio.gather(*asked)
            await asyncio.to_thread(store.add_verdicts, run.id, found)
            given_up = given_up and all(one.failed for one in found)
            if given_up and start >= HOPELESS:
                raise UpstreamFailed(
                    f"The judge gave no verdict on the first {start + len(found)} answers: {found[-1].failed}"
                )
            report(len(done) + start + len(found), total, "verdicts", "judging")


async def _verdict(
    scorer: Scorer, given: Labelled, *, name: str, repeat: int, run: CalibrationRun, again: bool
) -> Verdict:
    example = given.output.example.id
    # What was under way when this process died is answered by what came of it; what has failed, anew.
    sitting = f"{run.id}/again" if again else run.id
    tags = {"judge": run.judge, "example": example[:200]}
    with about(episode=run.id, tags=tags), once(f"{sitting}/{example}/{repeat}"):
        return verdict(given, await scorer(given.output), name=name, repeat=repeat)
