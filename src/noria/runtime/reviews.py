"""Reviews in the control process: queues of noria.toml, items from other areas, and what comes of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from noria.access.role import SYSTEM, Principal
from noria.core.clock import Clock
from noria.core.example import Example
from noria.datasets.store import Dataset, DatasetStore, DatasetVersion
from noria.errors import InvalidRequest
from noria.feedback.feedback import FeedbackStore
from noria.reviews import export
from noria.reviews.item import Standing
from noria.reviews.queue import Queue
from noria.reviews.reviews import Reviews
from noria.reviews.source import LeftOut, Wanted
from noria.reviews.store import ReviewStore
from noria.runtime.review_feedback import said_of
from noria.runtime.review_items import ItemSources
from noria.tracing.store import Window

if TYPE_CHECKING:
    from noria.reviews.agreement import Agreement
    from noria.reviews.results import QuestionResult

Declared = Callable[[], tuple[str, Mapping[str, Queue]]]
"""The digest of the configuration that runs, and its queues by name, all of the project "default"."""
_FIELDS = frozenset(Queue.__struct_fields__) - {"id", "project", "name", "closed", "created_ms", "created_by"}


class Filled(msgspec.Struct, frozen=True):
    """What became of the items that were wanted."""

    items: int
    known: int
    left_out: int
    reasons: dict[str, int]


class ReviewDesk(Reviews):
    """Reviews beside spans, datasets and evaluations."""

    def __init__(
        self,
        store: ReviewStore,
        clock: Clock,
        *,
        sources: ItemSources,
        datasets: DatasetStore,
        feedback: FeedbackStore,
        declared: Declared,
    ) -> None:
        super().__init__(store, clock)
        self._reviews = store
        self._sources = sources
        self._datasets = datasets
        self._feedback = feedback
        self._declared = declared
        self._digest = ""
        self._lock = threading.Lock()

    def queues(self, project: str) -> list[Queue]:
        self._declare()
        return super().queues(project)

    def queue(self, project: str, name: str) -> Queue:
        self._declare()
        return super().queue(project, name)

    def settled(self, queue: Queue, standing: Standing) -> None:
        """What people have settled about an answer is feedback on its trace."""
        for one in said_of(queue, standing, now_ms=self._clock.now_ns() // 1_000_000):
            kept = self._feedback.add(one)
            if kept.value != one.value:  # Decided anew.
                changes = {"value": one.value, "by": one.by, "by_name": one.by_name, "retracted": False}
                self._feedback.revise(
                    msgspec.structs.replace(
                        kept, **changes, revision=kept.revision + 1, revised_ms=one.created_ms
                    )
                )

    def fill(
        self,
        queue: Queue,
        wanted: Wanted,
        *,
        window: Window | None = None,
        assign: Sequence[str] = (),
        by: Principal,
    ) -> Filled:
        """Put what is wanted into the queue; `window` is that of spans."""
        left_out = LeftOut()
        contents = self._sources.contents(queue.project, wanted, window, left_out)
        added = self.add(queue, contents, by=by, assign=assign)
        reasons = dict(left_out.reasons)
        return Filled(added.items, added.known, sum(reasons.values()), reasons)

    def agreement(self, queue: Queue) -> Agreement:
        from noria.reviews.agreement import agreement  # Imports numpy.

        return agreement(queue, self.closed(queue))

    def results(self, queue: Queue) -> list[QuestionResult]:
        from noria.reviews.results import results  # Imports numpy.

        return results(queue, self.closed(queue, done=True))

    def export(self, queue: Queue, format: str, *, question: str = "") -> Iterator[dict[str, Any]]:
        """Closed items, in the order added. Raises InvalidRequest where `question` is none of the form."""
        if format == "judge":
            return (msgspec.to_builtins(one) for one in self._judged(queue, question))
        if format == "answers":
            return export.answers(queue, self.closed(queue))
        done = self.closed(queue, done=True)
        if format == "preferences":
            return export.preferences(queue, done)
        if format == "demonstrations":
            return export.demonstrations(queue, done)
        return (msgspec.to_builtins(one) for one in export.examples(queue, done))

    def to_dataset(
        self, queue: Queue, name: str, *, question: str = "", comment: str, by: Principal
    ) -> DatasetVersion:
        """A new version of the dataset, which is made where there is none; what is settled revises the
        examples of the same id. With `question` the examples are labelled for the calibration of a judge."""
        done = self.closed(queue, done=True)
        examples = self._judged(queue, question) if question else export.examples(queue, done)
        if self._datasets.dataset(queue.project, name) is None:
            self._datasets.create(Dataset(id="", project=queue.project, name=name), by=by)
        return self._datasets.commit(
            queue.project,
            name,
            examples,
            comment=comment or f"Reviews of the queue {queue.name}",
            lineage={"reviews": queue.name},
            by=by,
        )

    def _judged(self, queue: Queue, question: str) -> Iterator[Example]:
        if queue.question(question) is None:
            names = ", ".join(one.name for one in queue.form)
            raise InvalidRequest(f"Name the `question` to calibrate on: one of {names}.", param="question")
        return export.judged(queue, self.closed(queue, done=True), question=question)

    def _declare(self) -> None:
        """Make, or change, the queues of noria.toml when another configuration runs. One that is no longer
        declared stays as it is: people may have reviewed in it."""
        digest, declared = self._declared()
        if digest == self._digest:
            return
        with self._lock:
            if digest == self._digest:
                return
            before, self._digest = self._digest, digest
            done = False
            try:
                for queue in declared.values():
                    self._declare_one(queue)
                done = True
            finally:
                if not done:
                    self._digest = before

    def _declare_one(self, queue: Queue) -> None:
        before = self._reviews.queue(queue.project, queue.name)
        if before is None:
            self.create(queue, by=SYSTEM)
            return
        changes = {field: getattr(queue, field) for field in _FIELDS}
        if self._reviews.has_reviews(before):
            del changes["form"]  # Answers stay answers to what was asked.
        self.patch(queue.project, queue.name, changes, by=SYSTEM)
