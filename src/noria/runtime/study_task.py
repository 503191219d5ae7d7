"""The child process of a study: makes its objective, and runs what is left of it on noria.db."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from noria import hooks
from noria.core.clock import SystemClock
from noria.errors import NoriaError, NotFound
from noria.runtime.sealing import open_database
from noria.storage.audit import AuditLog
from noria.storage.home import Home
from noria.storage.studies import StudyTable
from noria.studies.objective import Factory, Place
from noria.studies.runner import Runner
from noria.studies.study import Study

Report = Callable[[int | None, int | None, str, str], None]


def run_study(arguments: dict[str, Any], report: Report) -> object:
    """Run, or go on with, the study `study`; the result is a sentence."""
    database = open_database(Home(Path(arguments["home"])))
    clock = SystemClock()
    store = StudyTable(database, AuditLog(database, clock))
    try:
        study = store.study(arguments["project"], arguments["study"])
        if study is None:
            raise NotFound(f"The study {arguments['study']} is no more.")
        try:
            ended = asyncio.run(_run(study, store, clock, arguments, report))
        except NoriaError as error:
            # What keeps every trial from beginning is the study's own reason.
            now = clock.now_ns() // 1_000_000
            store.save(study.to("running").to("failed", message=str(error), at_ms=now))
            raise
        return f"{ended.state}: {shown(ended)}"
    finally:
        database.close()


async def _run(
    study: Study, store: StudyTable, clock: SystemClock, arguments: dict[str, Any], report: Report
) -> Study:
    place = Place(
        home=arguments["home"],
        folder=arguments["folder"],
        project=study.project,
        study=study.id,
        by=study.by,
        by_name=study.by_name,
    )
    factory: Factory = hooks.load("objective", study.spec.objective.type)

    def progress(now: Study) -> None:
        report(now.progress.ended, now.progress.total, "trials", shown(now))

    async with factory(place, study.spec.objective.arguments) as objective:
        runner = Runner(study, objective=objective, store=store, clock=clock, report=progress)
        return await runner.run()


def shown(study: Study) -> str:
    """Progress in a few words."""
    now = study.progress
    words = [f"{now.ended:,} of {now.total:,} trials"]
    if now.pruned or now.failed:
        words.append(f"{now.pruned:,} given up and {now.failed:,} failed")
    if now.best is not None:
        words.append(f"best {now.value:.6g} in trial {now.best}")
    words.append(f"${now.cost:.4f}" + (f" and {now.unknown:,} trials of unknown cost" if now.unknown else ""))
    return ", ".join(words) + (f". {study.message}" if study.message else "")
