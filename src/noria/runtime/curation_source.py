"""Where a build's examples come from: a pinned version of a dataset, or files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from noria.core.example import Example
from noria.datasets import importing
from noria.datasets.curation.build import BuildSource
from noria.datasets.curation.run import Source
from noria.datasets.importing import Report
from noria.datasets.mapping import Mapping
from noria.datasets.store import DatasetReader, DatasetVersion
from noria.errors import Conflict, InvalidRequest, NotFound, StateError


class VersionSource:
    """curation.run.Source."""

    def __init__(self, reader: DatasetReader, version: DatasetVersion) -> None:
        self._reader = reader
        self._version = version
        self.total: int | None = version.examples - version.erased

    def examples(self, *, after: str, skip: int) -> Iterator[Example]:
        return self._reader.examples(self._version, after=after)


class FileSource:
    """curation.run.Source; what cannot be read is counted in `report`."""

    def __init__(self, given: BuildSource) -> None:
        self._given = given
        self.total: int | None = None
        self.report = Report()

    def examples(self, *, after: str, skip: int) -> Iterator[Example]:
        self.report = Report()
        return islice(self._all(), skip, None)

    def unread(self) -> Report:
        """The account of all records, also where an earlier process has read them."""
        if not self.report.read:
            for _ in self.examples(after="", skip=0):
                pass
        return self.report

    def _all(self) -> Iterator[Example]:
        for path in self._given.files:
            records = importing.records(importing.Source(path=path))
            yield from importing.examples(records, self._given.mapping, self.report)


def source_of(reader: DatasetReader, project: str, given: BuildSource) -> Source:
    """Raises StateError where it is not what it was when the build began."""
    if not given.dataset:
        if described(given.files) != given.described:
            raise StateError("A file has changed since this build began; start a new one.")
        return FileSource(given)
    version = reader.version(project, given.dataset, given.version)
    if version is None or version.digest != given.digest:
        raise StateError(f"{given.shown} is no more what it was when this build began; start a new one.")
    return VersionSource(reader, version)


def pinned(reader: DatasetReader, project: str, name: str) -> BuildSource:
    """`name` or `name@version`, as it is now. Raises NotFound, or Conflict where there is no version."""
    version = version_of(reader, project, name)
    dataset = name.partition("@")[0]
    return BuildSource(dataset=dataset, version=version.number, digest=version.digest)


def version_of(reader: DatasetReader, project: str, name: str) -> DatasetVersion:
    """Of `name` or `name@version`. Raises NotFound, or Conflict where there is no version."""
    dataset, _, number = name.partition("@")
    if number and not (number.isdecimal() and len(number) < 10):
        raise InvalidRequest(f"A version is a number, such as {dataset}@3, which {name!r} has not.")
    if reader.dataset(project, dataset) is None:
        raise NotFound(f"There is no dataset called {dataset!r} in project {project!r}.")
    version = reader.version(project, dataset, int(number) if number else None)
    if version is None:
        raise Conflict(f"{name!r} has no such version; `noria dataset show {dataset}` lists them.")
    return version


def filed(patterns: Sequence[str], folder: Path, mapping: Mapping) -> BuildSource:
    """Files by path or pattern, relative to `folder`. Raises InvalidRequest where there are none."""
    paths: list[str] = []
    for pattern in patterns:
        wild = any(mark in pattern for mark in "*?[")
        found = sorted(folder.glob(pattern)) if wild else [folder / pattern]
        paths += [str(path) for path in found if path.exists()]
        if not found or not found[0].exists():
            raise InvalidRequest(f"There is no file {pattern} in {folder}.")
    return BuildSource(files=tuple(paths), described=described(paths), mapping=mapping)


def described(paths: Sequence[str]) -> tuple[dict[str, object], ...]:
    """Name, SHA-256 and bytes of each file."""
    return tuple(one for path in paths for one in importing.described(importing.Source(path=path)))
