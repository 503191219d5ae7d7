"""A person erased: what they said, what was said of it, and every copy that was made of it here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from noria.core.author import Author
from noria.datasets.origin import Origins
from noria.reviews.item import Item
from noria.runtime.curation import Curation
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.datasets import DatasetTable
from noria.storage.evals import EvalTable
from noria.storage.feedback import FeedbackTable
from noria.storage.optimizations import OptimizationTable
from noria.storage.reviews import ReviewTable
from noria.tracing.filters import parse
from noria.tracing.store import SpanReader, TraceSummary, Window


@dataclass(frozen=True, slots=True)
class Erased:
    """What was deleted, and out of what."""

    traces: int
    spans: int
    stored: int
    """Stored responses."""
    feedback: int = 0
    items: int = 0
    """Of review queues, with their reviews."""
    examples: int = 0
    """Of datasets, out of every version; their digests stay."""
    answers: int = 0
    """Of evaluations and optimizations: their words; what was measured stays."""
    events: int = 0
    """Of builds of datasets: what was dropped or edited."""
    places: dict[str, int] = field(default_factory=dict[str, int])
    """How many by place, such as "dataset support" or "queue triage"."""
    scrubbed: bool = True
    """False: noria.db was being read, so that its write-ahead log may hold some of it until it is next
    written from its beginning."""


class PersonEraser:
    """All of noria.db and of the builds' logs. Every step may be run again."""

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        *,
        feedback: FeedbackTable,
        datasets: DatasetTable,
        curation: Curation,
    ) -> None:
        self._database = database
        self._feedback = feedback
        self._datasets = datasets
        self._curation = curation
        self._reviews = ReviewTable(database, audit)
        self._evals = EvalTable(database, audit)
        self._optimizations = OptimizationTable(database, audit)

    def erase(
        self, project: str, user: str, traces: Sequence[str], sessions: Sequence[str], *, by: Author
    ) -> tuple[Erased, list[str]]:
        """What follows from the traces and sessions of `user`, and the traces of calls that evaluations have
        made with their words; no trace is touched here.

        Raises Conflict where a commit of a dataset is under way: run it again, nothing comes back.
        """
        origins = Origins(traces)
        places: dict[str, int] = {}
        feedback = self._feedback.erase(project, traces, sessions=sessions, user=user)
        items = self._items(project, origins, places)
        datasets = self._datasets.erase(project, origins.of, by=by)
        places |= {f"dataset {name}": count for name, count in datasets.items()}
        runs, calls = self._evals.erase(project, origins.of)
        places |= {f"run {id}": count for id, count in runs.items()}
        tried = self._optimizations.erase(project, origins.examples)
        events = self._curation.erase(project, origins)
        places |= {f"build {id}": count for id, count in events.items()}
        erased = Erased(
            traces=0,
            spans=0,
            stored=0,
            feedback=feedback,
            items=items,
            examples=sum(datasets.values()),
            answers=sum(runs.values()) + tried,
            events=sum(events.values()),
            places=places,
            scrubbed=self._database.scrub(),
        )
        return erased, sorted(calls)

    def _items(self, project: str, origins: Origins, places: dict[str, int]) -> int:
        """Also those made of examples that were made of items: until no more is found."""
        count = 0
        while True:
            found = self._reviews.erase(project, lambda item: _made_of(item, origins))
            for queue, ids in found.items():
                origins.items.update(ids)
                places[f"queue {queue}"] = places.get(f"queue {queue}", 0) + len(ids)
                count += len(ids)
            if not found:
                return count


def _made_of(item: Item, origins: Origins) -> bool:
    content = item.content
    return content.trace in origins.traces or origins.names(content.source) or origins.of(content.example)


def traces_of(spans: SpanReader, project: str, user: str, now: int) -> tuple[list[str], list[str]]:
    """Of a user, up to `now` in Unix nanoseconds: (ids of the traces, sessions)."""
    quoted = user.replace("\\", "\\\\").replace('"', '\\"')
    every = Window(0, now + 1)
    found: list[str] = []
    sessions: set[str] = set()
    cursor = None
    while True:
        page = spans.traces(project, every, filter=parse(f'user:"{quoted}"'), cursor=cursor, limit=500)
        # A name with a star in it is a pattern to the filter, and other people fit it.
        found += [trace.id for trace in page.items if "*" not in user or _names(spans, project, trace, user)]
        sessions |= {trace.session for trace in page.items if trace.user == user}
        cursor = page.next
        if cursor is None:
            return found, sorted(sessions - {""})


def _names(spans: SpanReader, project: str, trace: TraceSummary, user: str) -> bool:
    if trace.user == user:
        return True
    whole = spans.trace(project, bytes.fromhex(trace.id))
    return whole is not None and any(span.user == user for span in whole.spans)
