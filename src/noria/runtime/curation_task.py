"""The child process of a build, or of taking part of one back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from noria.access.role import Principal
from noria.core.clock import SystemClock
from noria.core.example import Example
from noria.datasets import importing
from noria.datasets.curation.build import Build, by_name
from noria.datasets.curation.run import Run, events, prepare
from noria.datasets.curation.steps.pii import SEALED
from noria.datasets.curation.undo import Selection, Undone, undo
from noria.datasets.store import Dataset, DatasetVersion
from noria.errors import Conflict, NotFound
from noria.runtime.curation_source import FileSource, source_of, version_of
from noria.runtime.curation_tools import FOLDER, MakeTools
from noria.runtime.sealing import open_database
from noria.storage.audit import AuditLog
from noria.storage.curation import CurationTable
from noria.storage.datasets import DatasetTable
from noria.storage.home import Home
from noria.storage.seal import Seal

Report = Callable[[int | None, int | None, str, str], None]


def build(arguments: dict[str, Any], report: Report) -> object:
    """Do, or go on with, the build `run`; the result is a sentence."""
    with _Desk(arguments) as desk:
        return desk.build(report)


def take_back(arguments: dict[str, Any], report: Report) -> object:
    """Take the `selection` of a build's events back; the result is a sentence."""
    with _Desk(arguments) as desk:
        return desk.take_back(msgspec.convert(arguments["selection"], Selection), arguments["undo"], report)


class _Desk:
    """What both need, opened."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._home = Home(Path(arguments["home"]))
        self._folder = arguments["folder"]
        self._splits: dict[str, float] = arguments.get("splits", {})
        self._database = open_database(self._home)
        clock = SystemClock()
        log = AuditLog(self._database, clock)
        self._clock = clock
        self._table = CurationTable(self._database, log)
        self._datasets = DatasetTable(self._database, log, clock)
        found = self._table.get(arguments["project"], arguments["run"])
        if found is None:
            raise NotFound(f"The build {arguments['run']} is no more.")
        self._build: Build = found
        by = arguments.get("by", found.by), arguments.get("by_name", found.by_name)
        self._by = Principal(id=by[0], name=by[1], kind="local", roles={})
        self._run = self._home.folder / FOLDER / found.id

    def __enter__(self) -> _Desk:
        return self

    def __exit__(self, *error: object) -> None:
        self._database.close()

    def build(self, report: Report) -> str:
        build = self._build
        if build.ended_ms:
            return _said(build)
        began = time.monotonic()
        source = source_of(self._datasets, build.project, build.source)
        run = Run(
            build.plan,
            self._run,
            tools=self._tools(),
            workers=build.workers,
            report=lambda done, total, words: report(done, total, "examples", words),
            read=self._read,
            seal=self._database.seal,
        )
        result = run.do(source)
        report(result.left, result.left, "examples", "writing the version")
        build = msgspec.structs.replace(
            build, given=result.given, left=result.left, counts=by_name(result.counts)
        )
        self._table.keep_tokens(build.project, _sealed(self._run, self._database.seal))
        unread = source.unread() if isinstance(source, FileSource) else None
        version = self._datasets.made_by(build.project, build.dataset, "build", build.id)
        if version is None:
            version = self._commit(build, run.examples(), unread)
        build = msgspec.structs.replace(
            build, version=version.number, ended_ms=self._clock.now_ns() // 1_000_000
        )
        self._table.save(build)
        run.clear()
        took = time.monotonic() - began
        words = f"{_said(build)} in {took:,.0f} s"
        if unread is not None and unread.bad:
            first = unread.problems[0]
            words += (
                f"; {unread.bad:,} records could not be read, the first at {first.file}, line {first.line}: "
            )
            words += first.reason
        return words

    def take_back(self, selection: Selection, id: str, report: Report) -> str:
        build = self._build
        version = self._datasets.version(build.project, build.dataset, build.version)
        if version is None:
            raise Conflict(f"Version {build.version} of {build.dataset!r}, which this made, was deleted.")
        done = self._datasets.made_by(build.project, build.dataset, "undo", id)
        if done is not None:
            return f"version {done.number} of {build.dataset}: taken back before this was interrupted"
        account = Undone()
        prepare(build.plan, self._read, self._run)
        found = undo(
            build.plan,
            self._run,
            selection,
            find=lambda id: self._datasets.example(version, id),
            tools=self._tools()(self._run),
            account=account,
        )
        made = self._datasets.commit(
            build.project,
            build.dataset,
            _counting(found, report),
            comment=f"Taken back from build {build.id}",
            # Run again after a kill, the same content makes no second version.
            lineage={"undo": id, "build": build.id, "selection": msgspec.to_builtins(selection)},
            by=self._by,
        )
        words = [f"{account.restored:,} restored, {account.reverted:,} reverted"]
        words += [f"{count:,} dropped again ({reason})" for reason, count in sorted(account.again.items())]
        if account.unknown:
            words.append(f"{account.unknown:,} no more there")
        return f"version {made.number} of {build.dataset}: " + ", ".join(words)

    def _tools(self) -> MakeTools:
        return MakeTools(
            home=str(self._home.folder),
            project_folder=self._folder,
            project=self._build.project,
            by=self._by.id,
            by_name=self._by.name,
        )

    def _read(self, name: str) -> Iterable[Example]:
        return self._datasets.examples(version_of(self._datasets, self._build.project, name))

    def _commit(
        self, build: Build, examples: Iterator[Example], unread: importing.Report | None
    ) -> DatasetVersion:
        if self._datasets.dataset(build.project, build.dataset) is None:
            with suppress(Conflict):  # Somebody else has made it just now.
                self._datasets.create(Dataset(id="", project=build.project, name=build.dataset), by=self._by)
        return self._datasets.commit(
            build.project,
            build.dataset,
            examples,
            replace=True,
            splits=self._splits or None,
            comment=f"Built from {build.source.shown}",
            lineage=build.lineage(unread),
            by=self._by,
        )


def cores() -> int:
    """Processes that work at once where nothing is said."""
    return max(len(os.sched_getaffinity(0)), 1) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _sealed(folder: Path, seal: Seal) -> Iterator[tuple[str, bytes]]:
    for _, event in events(folder, seal=seal):
        yield from event.details.get(SEALED, {}).items()


def _counting(found: Iterator[Example], report: Report) -> Iterator[Example]:
    for count, example in enumerate(found):
        report(count, None, "examples", "taking back")
        yield example


def _said(build: Build) -> str:
    given, left = build.given or 0, build.left or 0
    return f"version {build.version} of {build.dataset}: {left:,} of {given:,} examples"
