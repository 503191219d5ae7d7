"""Datasets as control offers them: the store, imports, examples of spans, looking through examples."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from noria.access.role import Principal
from noria.config.dataset import DatasetSection
from noria.config.reference import absolute
from noria.core.clock import Clock
from noria.core.example import Example
from noria.core.ids import new_id, parse_hex
from noria.core.pages import Page
from noria.datasets import exporting
from noria.datasets.importing import Report, Source, files_of
from noria.datasets.mapping import Mapping
from noria.datasets.reference import resolve
from noria.datasets.store import Change, Counts, Dataset, DatasetVersion
from noria.errors import ConfigError, Conflict, Forbidden, InvalidRequest, NotFound
from noria.runtime import dataset_import
from noria.runtime.dataset_import import Importer, Order
from noria.runtime.jobs import Job, Jobs
from noria.runtime.span_examples import example_of, examples_of, main_span
from noria.storage.datasets import DatasetTable
from noria.tracing.filters import Filter
from noria.tracing.store import SpanReader, Window

SMALL = 8 << 20
"""Bytes of an import that is done while one waits; a larger one is a job."""
_PACKED = 20
_PACKED_SUFFIXES = (".gz", ".parquet", ".arrow")
_LOOK = 0.5
"""Seconds for which one page of examples is searched."""


class Datasets:
    """What needs more than the store, which is `table`."""

    def __init__(
        self,
        table: DatasetTable,
        jobs: Jobs,
        clock: Clock,
        *,
        spans: Callable[[], SpanReader],
        section: Callable[[str], DatasetSection | None],
        folder: Path,
        database: Path,
        uploads: Path,
    ) -> None:
        """`section` is what noria.toml, which is in `folder`, says of a dataset; `uploads` is a folder for
        files on their way in."""
        self.table = table
        self.uploads = uploads
        self._jobs = jobs
        self._clock = clock
        self._spans = spans
        self._section = section
        self._folder = folder
        self._database = database

    def ensure(self, project: str, name: str, *, by: Principal) -> Dataset:
        """The dataset, made where it is not there yet."""
        found = self.table.dataset(project, name)
        return found or self.table.create(Dataset(id="", project=project, name=name), by=by)

    def version(self, project: str, name: str, version: str = "") -> DatasetVersion:
        """By number, "latest" or "golden"; the newest where nothing is said. Raises NotFound."""
        return resolve(self.table, project, f"{name}@{version}" if version else name)[0]

    def look(
        self,
        version: DatasetVersion,
        *,
        split: str = "",
        text: str = "",
        tag: str = "",
        cursor: str | None = None,
        limit: int = 50,
    ) -> tuple[Page[Example], bool]:
        """Examples that have the tag and, anywhere in them, the text (whatever its case); and whether the
        search came to its end or was cut for time, `next` going on where it stopped."""
        until = time.monotonic() + _LOOK
        found: list[Example] = []
        wanted = text.casefold()
        last = ""
        total = version.splits.get(split) if split else version.examples - version.erased
        total = None if text or tag or (split and version.erased) else total
        for example in self.table.examples(version, split=split, after=cursor or ""):
            if len(found) == limit:
                return Page(tuple(found), last, total), True
            last = example.id
            if (not tag or tag in example.tags) and (not wanted or _has(example, wanted)):
                found.append(example)
            if time.monotonic() > until:
                return Page(tuple(found), last, total), False
        return Page(tuple(found), None, total), True

    def diff(
        self, older: DatasetVersion | None, newer: DatasetVersion, *, after: str = ""
    ) -> Iterator[Change]:
        """What `newer` has that `older`, or nothing at all, has not; by id, from behind the id `after`."""
        if older is not None:
            yield from self.table.diff(older, newer, after=after)
            return
        for example in self.table.examples(newer, after=after):
            yield Change(kind="create", example=example.id, after=example)

    def counted(self, older: DatasetVersion | None, newer: DatasetVersion) -> Counts:
        """How many examples differ."""
        if older is not None:
            return self.table.counted(older, newer)
        return {"create": newer.examples - newer.erased, "patch": 0, "delete": 0}

    def add(
        self,
        project: str,
        name: str,
        examples: Sequence[Example],
        *,
        removed: Sequence[str] = (),
        comment: str = "",
        lineage: dict[str, Any] | None = None,
        by: Principal,
    ) -> DatasetVersion:
        """Create or revise some examples, and delete others."""
        self.ensure(project, name, by=by)
        return self.table.commit(
            project, name, examples, removed=removed, comment=comment, lineage=lineage, by=by
        )

    def patch(
        self, project: str, name: str, id: str, changes: dict[str, Any], *, comment: str = "", by: Principal
    ) -> DatasetVersion:
        """Revise an example of the newest version; what somebody else changes meanwhile stays changed.
        Raises NotFound."""
        while True:
            newest = self.version(project, name)
            example = self.table.example(newest, id)
            if example is None:
                raise NotFound(f"Version {newest.number} of {name!r} has no example {id!r}.")
            revised = msgspec.structs.replace(example, **changes)
            try:
                return self.table.commit(project, name, [revised], comment=comment, base=newest.number, by=by)
            except Conflict as error:
                if error.code != "changed":
                    raise

    def add_span(
        self,
        project: str,
        name: str,
        *,
        trace: str,
        span: str = "",
        changes: dict[str, Any],
        comment: str = "",
        by: Principal,
    ) -> tuple[DatasetVersion, Example]:
        """Save a span as an example, with `changes` to its fields. Raises NotFound."""
        found = self._spans().trace(project, parse_hex(trace, size=16, what="trace id"))
        if found is None:
            raise NotFound(f"There is no trace {trace} in project {project!r}.", param="span")
        chosen = next((one for one in found.spans if one.id == span), None) if span else main_span(found)
        if chosen is None:
            raise NotFound(f"The trace {trace} has no such span with a recorded input.", param="span")
        example = msgspec.structs.replace(example_of(trace, chosen), **changes)
        version = self.add(
            project, name, [example], comment=comment, lineage={"spans": [example.source]}, by=by
        )
        return version, example

    def import_spans(
        self,
        project: str,
        name: str,
        window: Window,
        filter: Filter,
        *,
        limit: int,
        tags: tuple[str, ...] = (),
        comment: str = "",
        by: Principal,
    ) -> Report:
        """An example of each trace that matches."""
        order = self._order(project, name, (), comment=comment, by=by)
        report = Report()
        found = examples_of(self._spans(), project, window, filter, limit=limit)
        examples = dataset_import.counted(found, report)
        tagged = (
            msgspec.structs.replace(one, tags=tuple(dict.fromkeys((*one.tags, *tags)))) for one in examples
        )
        said = {
            "spans": {"filter": str(filter), "from_ms": window.start // 10**6, "to_ms": window.end // 10**6}
        }
        return dataset_import.take(self.table, order, tagged, report, said)

    def import_sources(
        self,
        project: str,
        name: str,
        sources: tuple[Source, ...],
        *,
        mapping: Mapping | None = None,
        replace: bool = False,
        splits: dict[str, float] | None = None,
        comment: str = "",
        uploaded: Sequence[Path] = (),
        by: Principal,
    ) -> tuple[Report | None, Job | None]:
        """The report at once where the files are small, else the job that does it. `uploaded` are deleted."""
        left = list(uploaded)
        try:
            size = sum(_size(path) for source in sources for path, _ in files_of(source))
            order = self._order(
                project,
                name,
                sources,
                mapping=mapping,
                replace=replace,
                splits=splits,
                comment=comment,
                by=by,
            )
            if size <= SMALL:
                return dataset_import.run(self.table, order), None
            arguments: dict[str, Any] = {
                "database": str(self._database),
                "order": msgspec.to_builtins(order),
                "uploaded": [str(path) for path in uploaded],
            }
            subject = f"{name} {order.id}"
            job = self._jobs.start(project, dataset_import.TASK, subject, arguments=arguments, by=by)
            left.clear()  # They are the job's.
            return None, job
        finally:
            for path in left:
                path.unlink(missing_ok=True)

    def clear_uploads(self) -> None:
        """Delete files of imports that came to nothing: cancelled, or killed before they had begun."""
        wanted = {
            path
            for job in self._jobs.open()
            if job.kind == dataset_import.TASK
            for path in job.arguments["uploaded"]
        }
        for path in self.uploads.iterdir():
            if str(path) not in wanted:
                path.unlink()

    def import_declared(
        self, project: str, name: str, *, replace: bool, comment: str, by: Principal
    ) -> tuple[Report | None, Job | None]:
        """What noria.toml says of the dataset: its files, columns, splits, schema and description."""
        section = self._section(name)
        if section is None:
            raise NotFound(
                f"What runs has no [datasets.{name}]; name the files, or apply a noria.toml with it."
            )
        sources = section.sources(name, self._folder)
        self.ensure(project, name, by=by)
        schema = self._schema(section, name)
        now = self.table.dataset(project, name)
        described = now is not None and (now.description, now.tags) == (section.description, section.tags)
        if not described or (schema and now is not None and now.schema != schema):
            self.table.patch(
                project, name, description=section.description, tags=section.tags, schema=schema, by=by
            )
        return self.import_sources(
            project,
            name,
            sources,
            mapping=section.columns.mapping(),
            replace=replace,
            splits=section.splits or None,
            comment=comment,
            by=by,
        )

    def _schema(self, section: DatasetSection, name: str) -> dict[str, Any] | None:
        if section.schema_file is None:
            return None
        path = Path(absolute(section.schema_file, self._folder))
        try:
            return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ConfigError(f"The schema_file of [datasets.{name}] cannot be read: {error}.") from None

    def export(
        self, version: DatasetVersion, *, format: str, split: str = "", text: str = ""
    ) -> Iterator[bytes]:
        """Raises InvalidRequest and NotFound before the first byte."""
        if split and split not in version.shares:
            known = ", ".join(version.shares) or "none"
            raise NotFound(
                f"Version {version.number} has no split {split!r} (it has {known}).", param="split"
            )
        return exporting.write(lambda: self.table.examples(version, split=split), format=format, text=text)

    def sign(self, project: str, name: str, number: int, *, comment: str, by: Principal) -> DatasetVersion:
        """Raises Forbidden for a key: a golden set is a person's word."""
        if by.kind == "key":
            raise Forbidden("A golden set is signed off by a person; sign in and sign it yourself.")
        return self.table.sign(project, name, number, comment=comment, by=by)

    def _order(
        self,
        project: str,
        name: str,
        sources: tuple[Source, ...],
        *,
        by: Principal,
        mapping: Mapping | None = None,
        replace: bool = False,
        splits: dict[str, float] | None = None,
        comment: str = "",
    ) -> Order:
        self.ensure(project, name, by=by)
        return Order(
            id=new_id("imp"),
            project=project,
            dataset=name,
            sources=sources,
            mapping=mapping or Mapping(),
            replace=replace,
            splits=splits,
            comment=comment,
            by=Importer(id=by.id, name=by.name),
        )


def _has(example: Example, wanted: str) -> bool:
    values = [example.id, example.input, example.expected, example.metadata, example.tags]
    return any(wanted in text.casefold() for text in _texts(values))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value)


def _size(path: Path) -> int:
    """What there is to read: of a compressed file a guess, so that a small one that holds much is a job."""
    try:
        return path.stat().st_size * (_PACKED if path.suffix in _PACKED_SUFFIXES else 1)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read ({error.strerror}).") from None
