"""One import: in control for what is small, in the child process of a durable job for what is not.

An import that was killed is run again from its beginning, by the job or by hand: its half commit is swept,
and the examples keep their ids, so that nothing is there twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from noria.core.example import Example
from noria.datasets import importing
from noria.datasets.importing import Report, Source
from noria.datasets.mapping import Mapping
from noria.datasets.record import Problem, Record
from noria.storage.datasets import DatasetTable

TASK = "dataset.import"
Progress = Callable[[int], None]
"""Called with the records read so far."""
_EVERY = 1000


class Importer(msgspec.Struct, frozen=True):
    """Who imports: core.author.Author."""

    id: str
    name: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be imported, and into what."""

    id: str
    """Of the import."""
    project: str
    dataset: str
    sources: tuple[Source, ...]
    mapping: Mapping = Mapping()
    replace: bool = False
    """What the sources do not have is deleted."""
    splits: dict[str, float] | None = None
    comment: str = ""
    by: Importer


def run(table: DatasetTable, order: Order, *, progress: Progress = lambda done: None) -> Report:
    """Import, and keep the report. Where it raises (InvalidRequest, Conflict, …), nothing has changed."""
    report = Report()
    for source in order.sources:
        report.files += importing.described(source)
    given = _of_sources(order, report, progress)
    return take(table, order, given, report, importing.lineage(report, order.mapping))


def take(
    table: DatasetTable,
    order: Order,
    examples: Iterable[Example],
    report: Report,
    lineage: dict[str, Any],
) -> Report:
    """Commit examples that come from somewhere, and keep the report."""
    before = table.version(order.project, order.dataset)
    after = table.commit(
        order.project,
        order.dataset,
        examples,
        replace=order.replace,
        splits=order.splits,
        comment=order.comment,
        lineage={**lineage, "import": order.id},
        by=order.by,
    )
    report.version, report.examples = after.number, after.examples
    report.made = before is None or before.number != after.number
    if order.replace or before is None:
        report.repeated = report.read - report.bad - after.examples
    if before is None:
        report.created = after.examples
    elif report.made:
        counts = table.counted(before, after)
        report.created, report.patched, report.deleted = counts["create"], counts["patch"], counts["delete"]
    table.add_import(order.project, order.dataset, order.id, msgspec.to_builtins(report))
    return report


def counted(found: Iterable[Example | Problem], report: Report) -> Iterator[Example]:
    """The examples; the problems go into the report."""
    for one in found:
        report.read += 1
        if isinstance(one, Example):
            yield one
        else:
            report.add(one)


def _of_sources(order: Order, report: Report, progress: Progress) -> Iterator[Example]:
    for source in order.sources:
        records = _watched(importing.records(source), report, progress)
        yield from importing.examples(records, order.mapping, report, tags=source.tags)
    progress(report.read)


def _watched(
    records: Iterable[Record | Problem], report: Report, progress: Progress
) -> Iterator[Record | Problem]:
    for record in records:
        if report.read % _EVERY == 0:
            progress(report.read)
        yield record
