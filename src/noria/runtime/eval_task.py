"""The child process of an EvalRun: makes target and scorers of the recorded spec, and runs it on noria.db."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from noria.client import AsyncNoria
from noria.core.clock import SystemClock
from noria.datasets.store import DatasetReader
from noria.errors import NotFound, Unreachable
from noria.evals.judging import judgings
from noria.evals.run import EvalRun
from noria.evals.runner import Runner
from noria.evals.sheet import sheet
from noria.evals.target import Target
from noria.evals.targets.choice import ChoiceTarget
from noria.evals.targets.function import FunctionTarget, load
from noria.evals.targets.model import ModelTarget
from noria.providers.secrets import read_secret
from noria.runtime.endpoint import EndpointTarget
from noria.runtime.eval_measures import headlines, measured, measures_of
from noria.runtime.eval_prompt import prompted
from noria.runtime.eval_spec import Resolver
from noria.runtime.judge_prompts import judge_prompts
from noria.runtime.own_calls import own_client
from noria.runtime.sealing import open_database
from noria.runtime.token_encoder import LocalTokens
from noria.scoring.calls import Calls
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.datasets import DatasetTable
from noria.storage.evals import EvalTable
from noria.storage.home import Home
from noria.storage.locks import try_lock
from noria.storage.prompts import PromptTable
from noria.storage.snapshots import Snapshots

Report = Callable[[int | None, int | None, str, str], None]
_REFERENCE = ("env:", "file:", "enc:")


def run_eval(arguments: dict[str, Any], report: Report) -> object:
    """Run, or go on with, the EvalRun `run`; the result is a sentence."""
    home, folder = Home(Path(arguments["home"])), Path(arguments["folder"])
    database = open_database(home)
    lock = _alone(home, arguments["run"])
    try:
        return asyncio.run(_run(database, home, folder, arguments, report))
    finally:
        os.close(lock)
        database.close()


def _alone(home: Home, run: str) -> int:
    """A lock of the run, held while it is open: an attempt that was stopped or whose control died may still
    be storing what it has paid for, and would be asked for it again."""
    byte = int.from_bytes(hashlib.blake2b(run.encode(), digest_size=7).digest(), "big")
    file = os.open(home.run / "evals.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while not try_lock(file, byte):
        time.sleep(0.1)
    return file


async def _run(
    database: Database, home: Home, folder: Path, arguments: dict[str, Any], report: Report
) -> str:
    project, id = arguments["project"], arguments["run"]
    clock = SystemClock()
    log = AuditLog(database, clock)
    store = EvalTable(database, log)
    run = store.run(project, id)
    if run is None:
        raise NotFound(f"The run {id} is no more.")
    prompts = PromptTable(database, log, clock)
    datasets = DatasetTable(database, log, clock)
    resolver = Resolver(
        folder=folder,
        prompts=prompts,
        datasets=datasets,
        serving=lambda: Snapshots(home.snapshots).current()[0],
        scorer=lambda name: None,
    )

    def progress(now: EvalRun) -> None:
        report(now.progress.scored, now.progress.total, "answers", shown(now))

    async with _caller(run, home) as client:
        calls = Calls(
            chat=client, embedder=client, encoder=LocalTokens, prompt=judge_prompts(prompts, project)
        )
        async with _target(run, client, folder, home, datasets, calls, report) as target:
            expected = resolver.estimate(project, run.spec) if run.spec.budget is not None else None
            runner = Runner(
                run,
                target=target,
                scorers=judgings(run.spec.scorers, calls),
                store=store,
                clock=clock,
                expected=None if expected is None else expected.one,
                judged=expected is not None and expected.judged,
                report=progress,
                once=arguments.get("once", id),
            )
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, runner.pause)
            examples = resolver.examples(project, run.spec.dataset, seed=run.spec.seed)
            ended = await runner.run(examples, total=run.progress.total)
    if ended.state == "done":
        whole = sheet(store.kept(id), measures_of(ended.spec))
        store.note_headlines(msgspec.structs.replace(ended, headlines=headlines(measured(ended.spec, whole))))
    return f"{ended.state}: {shown(ended)}"


def shown(run: EvalRun) -> str:
    """Progress in a few words."""
    now = run.progress
    words = [f"{now.scored:,} of {now.total:,}" if now.total is not None else f"{now.scored:,}"]
    if now.reused:
        words.append(f"{now.reused:,} reused")
    if now.failed or now.failed_scores:
        words.append(f"{now.failed:,} answers and {now.failed_scores:,} scores failed")
    words.append(f"${now.cost:.4f}" + (f" and {now.unknown:,} calls of unknown cost" if now.unknown else ""))
    return ", ".join(words) + (f". {run.message}" if run.message else "")


@asynccontextmanager
async def _caller(run: EvalRun, home: Home) -> AsyncGenerator[AsyncNoria | None]:
    """A client of our gateway; None where no gateway runs and the run may need none."""
    try:
        client = own_client(
            home, project=run.project, by=run.by, by_name=run.by_name, width=run.spec.concurrency * 2
        )
    except Unreachable:
        if run.spec.target.kind == "model":
            raise
        yield None
        return
    async with client:
        yield client


@asynccontextmanager
async def _target(
    run: EvalRun,
    client: AsyncNoria | None,
    folder: Path,
    home: Home,
    datasets: DatasetReader,
    calls: Calls,
    report: Report,
) -> AsyncGenerator[Target]:
    spec = run.spec.target
    if spec.kind == "http":
        headers = {
            name: read_secret(value, base=folder) if value.startswith(_REFERENCE) else value
            for name, value in spec.headers.items()
        }
        endpoint = EndpointTarget(spec, headers=headers)
        try:
            yield endpoint
        finally:
            await endpoint.close()
    elif spec.kind == "function":
        sys.path.insert(0, str(folder))
        yield FunctionTarget(load(spec.function), timeout=spec.timeout)
    else:
        assert client is not None, "a model is called through the gateway"
        if spec.choices:
            yield ChoiceTarget(spec, client, run=run.id, name=run.spec.name)
        elif spec.compiled is not None:
            yield await prompted(
                run, spec.compiled, client, home=home, datasets=datasets, calls=calls, report=report
            )
        else:
            yield ModelTarget(spec, client, run=run.id, name=run.spec.name)
