"""What was settled, question by question: shares, means, preferences, questionnaires."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from noria.reviews.item import Standing
from noria.reviews.queue import Question, Queue
from noria.stats.interval import Interval, mean, share


class QuestionResult(msgspec.Struct, frozen=True, kw_only=True):
    """Of one question, over the items that are done."""

    question: str
    kind: str
    items: int
    """Those that have an answer."""
    shares: dict[str, Interval]
    """Of labels, and of preferences by the outputs' names."""
    mean: Interval | None
    """Of scores; and of questionnaires over people, on their own scale."""
    texts: int
    """Corrections or comments given."""


def results(queue: Queue, standings: Iterable[Standing]) -> list[QuestionResult]:
    """`standings` are done items."""
    kept = [one for one in standings if one.item.settled is not None]
    return [_of(question, kept) for question in queue.form]


def _of(question: Question, standings: list[Standing]) -> QuestionResult:
    values: list[Any] = []
    groups: list[str] = []
    for one in standings:
        assert one.item.settled is not None, "only settled items are kept"
        if question.name in one.item.settled.values:
            value = one.item.settled.values[question.name]
            values.append(_named(one, value) if question.kind == "preference" else value)
            groups.append(one.item.content.example.group)
    shares: dict[str, Interval] = {}
    average: Interval | None = None
    texts = 0
    if question.kind in ("label", "labels", "preference"):
        counts = Counter(word for value in values for word in (value if isinstance(value, list) else [value]))
        words = question.values or tuple(sorted(counts))
        shares = {word: share(counts[word], len(values)) for word in words} if values else {}
    elif question.kind == "score" and values:
        average = mean([float(value) for value in values], groups=groups)
    elif question.kind == "survey" and values:
        scores = [(score, group) for value, group in zip(values, groups, strict=True) for score in value]
        average = mean([score for score, _ in scores], groups=[group for _, group in scores])
    elif question.kind in ("correction", "comment"):
        texts = sum(len(value) for value in values)
    return QuestionResult(
        question=question.name,
        kind=question.kind,
        items=len(values),
        shares=shares,
        mean=average,
        texts=texts,
    )


def _named(standing: Standing, value: Any) -> Any:
    """An output's name in place of its number."""
    if value in ("0", "1"):
        return standing.item.content.outputs[int(value)].name or f"output {int(value) + 1}"
    return value
