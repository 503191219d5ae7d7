"""A Build: one run of a plan, as it is kept."""

from __future__ import annotations

from typing import Any

import msgspec

from noria.datasets.curation.event import Counts, StepCount
from noria.datasets.curation.plan import Plan, StepSpec
from noria.datasets.importing import Report
from noria.datasets.mapping import Mapping

_LISTED = 20


class BuildSource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the examples come from: a pinned version of a dataset, or files."""

    dataset: str = ""
    version: int = 0
    digest: str = ""
    """Of the version."""
    files: tuple[str, ...] = ()
    """Absolute paths."""
    described: tuple[dict[str, Any], ...] = ()
    """Name, SHA-256 and bytes of each file, as they were when the build began."""
    mapping: Mapping = Mapping()
    """Of the files' columns."""

    @property
    def shown(self) -> str:
        return f"{self.dataset}@{self.version}" if self.dataset else ", ".join(self.files)


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """One build of the dataset `dataset`. Until it has ended, `given` and `left` are None."""

    id: str
    project: str
    dataset: str
    source: BuildSource
    steps: tuple[StepSpec, ...]
    workers: int
    job: str = ""
    """Id of the job that does it, or did last."""
    given: int | None = None
    left: int | None = None
    counts: dict[str, StepCount] = {}
    """By a step's place in the plan, as text."""
    version: int = 0
    """Of `dataset`: what it made."""
    by: str
    by_name: str
    created_ms: int = 0
    ended_ms: int = 0
    """0: it has not ended."""

    @property
    def plan(self) -> Plan:
        return Plan(specs=self.steps)

    def lineage(self, unread: Report | None) -> dict[str, Any]:
        """What the version that it makes keeps of it; `unread` is the account of its files."""
        source: dict[str, Any] = msgspec.to_builtins(self.source)
        return {
            "build": self.id,
            "source": source,
            "steps": self.plan.lineage(),
            **({} if unread is None else {"unread": unread.bad, "problems": listed(unread)}),
            "given": self.given,
            "left": self.left,
            "counts": [
                {"type": spec.type, **msgspec.to_builtins(self.counts.get(str(place), StepCount()))}
                for place, spec in enumerate(self.steps)
            ],
        }


def listed(report: Report) -> list[dict[str, Any]]:
    """The first records that could not be read."""
    return msgspec.to_builtins(report.problems[:_LISTED])


def by_name(counts: Counts) -> dict[str, StepCount]:
    """As kept: JSON has names alone."""
    return {str(place): count for place, count in counts.items()}
