"""Several reviews become one answer, or a dispute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from noria.reviews import instrument
from noria.reviews.answer import Answers
from noria.reviews.item import Review, Settled
from noria.reviews.queue import Question, Settling


def settle(form: Sequence[Question], reviews: Sequence[Review], *, rule: Settling) -> Settled:
    """What the reviews say together. A question that is optional is settled by those who answered it."""
    values: Answers = {}
    disputed: list[str] = []
    majority = False
    for question in form:
        given = [one.answers[question.name] for one in reviews if question.name in one.answers]
        if not given:
            continue
        if question.kind not in ("label", "labels", "score", "preference"):
            values[question.name] = _all(question, given)
        elif _agree(question, given):
            values[question.name] = _mean(given) if question.kind == "score" else given[0]
        elif rule == "majority" and (found := _majority(question, given)) is not None:
            values[question.name] = found
            majority = True
        elif question.compared:
            disputed.append(question.name)
        elif question.kind == "score":
            values[question.name] = _mean(given)
        else:
            values[question.name] = given
    by = "single" if len(reviews) == 1 else "majority" if majority else "agreement"
    return Settled(values=values, disputed=tuple(disputed), by=by)


def decide(form: Sequence[Question], settled: Settled, adjudication: Review) -> Settled:
    """The adjudicator's answers in place of the reviewers'; what the adjudicator left open stays theirs."""
    values = dict(settled.values)
    for question in form:
        if question.name in adjudication.answers:
            value = adjudication.answers[question.name]
            many = question.kind in ("correction", "comment", "survey")
            values[question.name] = _all(question, [value]) if many else value
    return msgspec.structs.replace(settled, values=values, disputed=(), by="adjudication")


def _agree(question: Question, given: Sequence[Any]) -> bool:
    if question.kind == "score":
        return max(given) - min(given) <= question.tolerance + 1e-9
    return all(one == given[0] for one in given)


def _majority(question: Question, given: Sequence[Any]) -> Any:
    """What more than half have said; None: nothing."""
    if question.kind == "labels":
        counts = Counter(label for one in given for label in one)
        return [label for label in question.values if counts[label] * 2 > len(given)]
    value, count = Counter(given).most_common(1)[0]
    return value if count * 2 > len(given) else None


def _mean(given: Sequence[float]) -> float:
    return sum(given) / len(given)


def _all(question: Question, given: Sequence[Any]) -> list[Any]:
    """Each different one, in the order given; of surveys their scores."""
    if question.kind == "survey":
        return [instrument.named(question.instrument).score(one) for one in given]
    return list(dict.fromkeys(given))
