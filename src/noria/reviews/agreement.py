"""How far the reviewers agree, question by question, over items that are closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from statistics import median
from typing import Any

import msgspec

from noria.reviews.item import Standing
from noria.reviews.queue import Question, Queue
from noria.stats.agreement import cohen, fleiss, krippendorff
from noria.stats.interval import Interval, share

LARGEST_TABLE = 20
"""Different values up to which two reviewers' answers are tabulated."""


class QuestionAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Of one question. Items with fewer than two answers to it say nothing, and are not counted."""

    question: str
    kind: str
    items: int
    reviewers: int
    exact: Interval
    """Share of items on which all agree (scores: within the tolerance)."""
    alpha: Interval
    """Krippendorff's; any number of reviewers, and gaps."""
    cohen: Interval | None
    """Where the same two people answered everything."""
    fleiss: Interval | None
    """Where every item has equally many answers."""
    pairs: dict[str, dict[str, int]]
    """How often one said this and another that, over all pairs in both directions; {}: too many values."""


class ReviewerAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """One reviewer beside what was settled."""

    reviewer: str
    name: str
    reviews: int
    compared: int
    """Answers to compared questions that were settled between several people."""
    agree: Interval
    """Share of those that are what was settled."""
    seconds: float
    """Median time a review."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    items: int
    disputed: int
    """Those on which something was disputed, decided since or not."""
    questions: list[QuestionAgreement]
    reviewers: list[ReviewerAgreement]


def agreement(queue: Queue, standings: Iterable[Standing]) -> Agreement:
    """`standings` are closed items; adjudications are no independent answers and stay out."""
    kept = list(standings)
    disputed = sum(
        one.item.state == "disputed"
        or (one.item.settled is not None and one.item.settled.by == "adjudication")
        for one in kept
    )
    return Agreement(
        items=len(kept),
        disputed=disputed,
        questions=[
            of_question(question, kept)
            for question in queue.form
            if question.kind in ("label", "labels", "score", "preference")
        ],
        reviewers=_reviewers(queue, kept),
    )


def of_question(question: Question, standings: Sequence[Standing]) -> QuestionAgreement:
    """Raises MissingExtra where numpy is not installed."""
    people: set[str] = set()
    rows: list[dict[str, Hashable]] = []
    groups: list[str] = []
    for one in standings:
        row = {
            review.reviewer: _value(question, review.answers[question.name])
            for review in one.of("review")
            if question.name in review.answers
        }
        if len(row) > 1:
            rows.append(row)
            groups.append(one.item.content.example.group)
            people |= row.keys()
    names = sorted(people)
    measure = question.measure or ("interval" if question.kind == "score" else "nominal")
    alike = [_alike(question, list(row.values())) for row in rows]
    same = len(names) == 2
    full = len(rows) > 0 and len({len(row) for row in rows}) == 1
    return QuestionAgreement(
        question=question.name,
        kind=question.kind,
        items=len(rows),
        reviewers=len(names),
        exact=share(sum(alike), len(rows)),
        alpha=krippendorff([[row.get(name) for name in names] for row in rows], level=measure, groups=groups),
        cohen=cohen([row[names[0]] for row in rows], [row[names[1]] for row in rows], groups=groups)
        if same
        else None,
        fleiss=fleiss([list(row.values()) for row in rows], groups=groups) if full and not same else None,
        pairs=_pairs(rows),
    )


def _value(question: Question, value: Any) -> Hashable:
    return ", ".join(value) if question.kind == "labels" else value


def _alike(question: Question, values: list[Any]) -> bool:
    if question.kind == "score":
        return max(values) - min(values) <= question.tolerance + 1e-9
    return len(set(values)) == 1


def _pairs(rows: Sequence[dict[str, Hashable]]) -> dict[str, dict[str, int]]:
    if len({value for row in rows for value in row.values()}) > LARGEST_TABLE:
        return {}
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        said = [f"{value:g}" if isinstance(value, float) else str(value) for value in row.values()]
        for at, one in enumerate(said):
            for other in said[:at] + said[at + 1 :]:
                counts.setdefault(one, Counter())[other] += 1
    return {one: dict(sorted(counts[one].items())) for one in sorted(counts)}


def _reviewers(queue: Queue, standings: Sequence[Standing]) -> list[ReviewerAgreement]:
    names: dict[str, str] = {}
    seconds: dict[str, list[float]] = {}
    right: Counter[str] = Counter()
    compared: Counter[str] = Counter()
    for one in standings:
        settled = one.item.settled
        for review in one.of("review"):
            names[review.reviewer] = review.reviewer_name
            seconds.setdefault(review.reviewer, []).append(review.seconds)
            if settled is None or settled.by == "single":
                continue
            for question in queue.form:
                if question.compared and question.name in settled.values and question.name in review.answers:
                    compared[review.reviewer] += 1
                    values = [review.answers[question.name], settled.values[question.name]]
                    right[review.reviewer] += _alike(question, [_value(question, value) for value in values])
    return [
        ReviewerAgreement(
            reviewer=id,
            name=names[id],
            reviews=len(seconds[id]),
            compared=compared[id],
            agree=share(right[id], compared[id]),
            seconds=median(seconds[id]),
        )
        for id in sorted(names, key=lambda id: (-len(seconds[id]), id))
    ]
