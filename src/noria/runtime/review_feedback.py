"""What was settled about a recorded answer, as feedback on its span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from noria.core.ids import new_id
from noria.feedback.feedback import Feedback, Kind, Value
from noria.reviews.item import Standing
from noria.reviews.queue import Question, Queue

_KINDS: dict[str, Kind] = {"label": "choice", "score": "score", "correction": "correction"}


def said_of(queue: Queue, standing: Standing, *, now_ms: int) -> Iterator[Feedback]:
    """One for each label, score and correction; none where the item was made of no trace. Its id is the
    item's and the question's, so that it is kept once."""
    item = standing.item
    if not item.content.trace or len(item.content.outputs) != 1 or item.settled is None:
        return
    decided = standing.of("adjudication")
    people = decided or standing.of("review")
    names = ", ".join(dict.fromkeys(one.reviewer_name for one in people))
    for question in queue.form:
        value = _value(question, item.settled.values.get(question.name))
        if value is None:
            continue
        yield Feedback(
            id=new_id("fb"),
            project=item.project,
            trace=item.content.trace,
            span=item.content.span,
            kind=_KINDS[question.kind],
            name=question.name,
            value=value,
            given=f"review:{item.id}:{question.name}",
            metadata={"queue": queue.name, "settled": item.settled.by},
            by=people[0].reviewer if len(people) == 1 else f"queue:{queue.id}",
            by_name=names,
            created_ms=now_ms,
        )


def _value(question: Question, settled: Any) -> Value:
    """None: it is no feedback."""
    if question.kind == "label":
        return settled if isinstance(settled, str) else None
    if question.kind == "score":
        return settled if isinstance(settled, float | int) else None
    if question.kind == "correction":
        return settled[0] if isinstance(settled, list) and len(settled) == 1 else None
    return None
