"""Builds as control offers them: begin, go on, look into, take back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from noria.access.audit import Act
from noria.access.role import Principal
from noria.config.curation import BuildSection
from noria.config.dataset import DatasetSection
from noria.core.clock import Clock
from noria.core.ids import new_id
from noria.core.pages import Page
from noria.datasets.curation import erasure
from noria.datasets.curation.build import Build
from noria.datasets.curation.event import Event
from noria.datasets.curation.plan import Plan, StepSpec
from noria.datasets.curation.run import Place, delete, events
from noria.datasets.curation.undo import Selection, counted
from noria.datasets.origin import Origins
from noria.datasets.store import DatasetReader
from noria.errors import Conflict, InvalidRequest, NotFound
from noria.runtime.curation_source import filed, pinned
from noria.runtime.curation_task import cores
from noria.runtime.curation_tools import ANSWERS, FOLDER, vault_secret
from noria.runtime.jobs import Job, Jobs
from noria.storage.curation import CurationTable
from noria.storage.home import Home
from noria.storage.seal import PLAIN, Seal
from noria.text.pii import Vault, opened, tokens

BUILD, UNDO = "dataset.build", "dataset.undo"
_OPEN = ("queued", "running")
_LOOKED = 20_000
"""Events that one page looks through at most."""


class Curation:
    """All that the API offers of curation."""

    def __init__(
        self,
        table: CurationTable,
        datasets: DatasetReader,
        jobs: Jobs,
        clock: Clock,
        *,
        home: Home,
        folder: Path,
        sections: Callable[[], dict[str, DatasetSection]],
        splits: Callable[[str], dict[str, float]] = lambda _: {},
        seal: Seal = PLAIN,
    ) -> None:
        """`folder` is noria.toml's, `sections` what it says of builds, by dataset, `splits` of
        the shares of a dataset's splits."""
        self._table = table
        self._datasets = datasets
        self._jobs = jobs
        self._clock = clock
        self._home = home
        self._folder = folder
        self._sections = sections
        self._splits = splits
        self._seal = seal
        self._lock = threading.Lock()

    def section(self, name: str) -> BuildSection:
        """Raises NotFound where noria.toml has none."""
        sections = self._sections()
        if name not in sections or (found := sections[name].build) is None:
            known = ", ".join(sorted(one for one, section in sections.items() if section.build)) or "none"
            raise NotFound(
                f"What runs has no [datasets.{name}.build] (it has: {known}); write it and run `noria apply`."
            )
        return found

    def start(
        self,
        project: str,
        name: str,
        *,
        source: str | None = None,
        steps: Sequence[StepSpec] | None = None,
        by: Principal,
    ) -> Build:
        """As noria.toml says, or of a `source` by `steps` of one's own. One that is under way is returned
        instead. Raises NotFound, InvalidRequest, MissingExtra."""
        with self._lock:
            return self._under_way(project, name) or self._started(project, name, source, steps, by)

    def _started(
        self, project: str, name: str, source: str | None, steps: Sequence[StepSpec] | None, by: Principal
    ) -> Build:
        if source is None or steps is None:
            section = self.section(name)
            plan, workers = section.plan(), section.workers
            pin = (
                pinned(self._datasets, project, section.source)
                if section.source
                else filed(section.files, self._folder, self._sections()[name].columns.mapping())
            )
        else:
            plan, workers = Plan(specs=tuple(steps)), None
            pin = pinned(self._datasets, project, source)
        plan.steps()
        build = Build(
            id=new_id("cur"),
            project=project,
            dataset=name,
            source=pin,
            steps=plan.specs,
            workers=workers or cores(),
            by=by.id,
            by_name=by.name,
            created_ms=self._clock.now_ns() // 1_000_000,
        )
        details = {"build": build.id, "source": pin.shown, "steps": [spec.type for spec in plan.specs]}
        act = Act(by=by, act="dataset.build", subject=name, project=project, details=details)
        self._table.add(build, act)
        return self._go(build, by)

    def resume(self, project: str, name: str, *, by: Principal) -> Build:
        """Go on with the last build, which has failed or was stopped. Raises Conflict where there is none."""
        found = self._table.page(project, dataset=name, limit=1).items
        if not found or found[0].ended_ms:
            raise Conflict(f"No build of {name!r} was interrupted; start a new one.")
        job = self.job(found[0])
        return found[0] if job is not None and job.state in _OPEN else self._go(found[0], by)

    def get(self, project: str, id: str) -> Build:
        """Raises NotFound."""
        found = self._table.get(project, id)
        if found is None:
            raise NotFound(f"There is no build {id} in project {project!r}.")
        return found

    def page(self, project: str, *, dataset: str, cursor: str | None, limit: int) -> Page[Build]:
        """Newest first."""
        return self._table.page(project, dataset=dataset, cursor=cursor, limit=limit)

    def job(self, build: Build) -> Job | None:
        return self._jobs.get(build.project, build.job)

    def events(
        self, build: Build, selection: Selection, *, notes: bool, cursor: str | None, limit: int
    ) -> Page[tuple[Place, Event]]:
        """In the order of the log; without `notes`, what only added metadata is left out."""
        found: list[tuple[Place, Event]] = []
        for looked, (place, event) in enumerate(self._log(build, cursor), 1):
            if selection.fits(event) and (notes or event.kind != "note"):
                found.append((place, event))
            if len(found) == limit or looked == _LOOKED:
                return Page(tuple(found), _written(place))
        return Page(tuple(found))

    def would_undo(self, build: Build, selection: Selection) -> dict[str, int]:
        """How many events a selection has, by kind."""
        return {str(kind): count for kind, count in counted(self._log(build, None), selection).items()}

    def undo(self, build: Build, selection: Selection, *, by: Principal) -> Job:
        """Make a version with these drops and edits taken back. Raises Conflict before the build has
        ended."""
        if not build.ended_ms:
            raise Conflict("This build has not ended; take back from it when it has.")
        arguments = self._arguments(build) | {
            "selection": msgspec.to_builtins(selection),
            "undo": new_id("undo"),
            "by": by.id,
            "by_name": by.name,
        }
        job = self._jobs.start(build.project, UNDO, _subject(build), arguments=arguments, by=by)
        if job.arguments != arguments:
            raise Conflict(f"Job {job.id} takes something else back from this build; wait for it.")
        return job

    def forget(self, build: Build, *, by: Principal) -> None:
        """Delete the build's log for good; the version that it made stays. Raises Conflict while it runs."""
        job = self.job(build)
        if job is not None and job.state in _OPEN:
            raise Conflict(f"This build is under way; cancel job {job.id} first.")
        act = Act(
            by=by, act="dataset.forget_build", subject=build.dataset, project=build.project,
            details={"build": build.id},
        )  # fmt: skip
        self._table.remove(build.id, act)
        delete(self._folder_of(build))

    def require_idle(self, project: str) -> None:
        """Raises Conflict where a build or an undo is under way: it would write what is to be erased."""
        for job in self._jobs.open():
            if job.project == project and job.kind in (BUILD, UNDO):
                raise Conflict(f"A build of a dataset is under way; cancel job {job.id}, or try again later.")

    def erase(self, project: str, origins: Origins) -> dict[str, int]:
        """Take a person's words out of the logs of builds; how many events of each. What a build that was
        interrupted has on disk is deleted where it holds any, so that it begins anew."""
        counts: dict[str, int] = {}
        for build in self._every(project):
            folder = self._folder_of(build)
            if build.ended_ms:
                count = erasure.erase(folder, origins, self._seal)
            else:
                count = int(erasure.touched(folder, origins, self._seal))
                if count:
                    delete(folder)
            if count:
                counts[build.id] = count
        if origins.examples:
            # Models' answers are kept by a digest of what was asked, whosever it was: they are asked anew.
            delete(self._home.folder / FOLDER / ANSWERS)
        return counts

    def open_tokens(self, project: str, text: str, *, by: Principal) -> str:
        """The text with its tokens turned back into what they stand for; who asked is recorded, and how
        much."""
        found = sorted(set(tokens(text)))
        act = Act(
            by=by, act="personal_data.open", subject="tokens", project=project, details={"tokens": len(found)}
        )
        vault = Vault(vault_secret(self._home, project))
        sealed = self._table.sealed(project, found, act)
        return opened(text, {token: vault.unseal(value) for token, value in sealed.items()})

    def _every(self, project: str) -> Iterator[Build]:
        cursor = None
        while True:
            page = self._table.page(project, cursor=cursor, limit=200)
            yield from page.items
            cursor = page.next
            if cursor is None:
                return

    def _folder_of(self, build: Build) -> Path:
        return self._home.folder / FOLDER / build.id

    def _under_way(self, project: str, name: str) -> Build | None:
        for build in self._table.page(project, dataset=name, limit=1).items:
            job = self.job(build)
            if not build.ended_ms and job is not None and job.state in _OPEN:
                return build
        return None

    def _go(self, build: Build, by: Principal) -> Build:
        arguments = {**self._arguments(build), "splits": self._splits(build.dataset)}
        job = self._jobs.start(build.project, BUILD, _subject(build), arguments=arguments, by=by)
        build = msgspec.structs.replace(build, job=job.id)
        self._table.save_job(build)
        return build

    def _arguments(self, build: Build) -> dict[str, Any]:
        return {
            "home": str(self._home.folder),
            "folder": str(self._folder),
            "project": build.project,
            "run": build.id,
        }

    def _log(self, build: Build, cursor: str | None) -> Iterator[tuple[Place, Event]]:
        return events(self._folder_of(build), after=_place(cursor), seal=self._seal)


def _subject(build: Build) -> str:
    return f"{build.dataset} {build.id}"


def _written(place: Place) -> str:
    return "-".join(map(str, place))


def _place(cursor: str | None) -> Place | None:
    if not cursor:
        return None
    parts = cursor.split("-")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise InvalidRequest("`cursor` must be one that the API has given.", param="cursor")
    return int(parts[0]), int(parts[1]), int(parts[2])
