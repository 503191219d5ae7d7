"""What a reviewer answered, checked against the form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from noria.errors import InvalidRequest
from noria.reviews import instrument
from noria.reviews.queue import PREFERENCES, Question

MOST_TEXT = 100_000
Answers = dict[str, Any]
"""By question. label: a choice; labels: choices in the form's order; score: a number; preference: "0", "1"
(of the item's outputs), "tie" or "neither"; correction and comment: a text; survey: a number a statement."""


def checked(form: Sequence[Question], given: Mapping[str, Any], *, order: Sequence[int]) -> Answers:
    """As they are kept. `order`: which outputs the reviewer saw as A and B. Raises InvalidRequest."""
    unknown = sorted(given.keys() - {question.name for question in form})
    if unknown:
        raise _wrong(unknown[0], f"The form asks nothing called {unknown[0]!r}.")
    found: Answers = {}
    for question in form:
        value = given.get(question.name)
        if value is None or value == "" or value == []:
            if question.required and question.kind != "labels":
                raise _wrong(question.name, f"{question.title or question.name!r} must be answered.")
            if question.kind == "labels" and value == []:
                found[question.name] = []
            elif question.kind == "labels" and question.required:
                raise _wrong(question.name, f"{question.title or question.name!r} must be answered.")
            continue
        found[question.name] = _value(question, value, order)
    return found


def _value(question: Question, value: Any, order: Sequence[int]) -> Any:
    name = question.name
    match question.kind:
        case "label":
            if value not in question.values:
                raise _wrong(name, f"{name!r} is one of {', '.join(question.values)}.")
            return value
        case "labels":
            if not isinstance(value, list) or any(one not in question.values for one in value):
                raise _wrong(name, f"{name!r} is a list of some of {', '.join(question.values)}.")
            return [one for one in question.values if one in value]
        case "score":
            return _score(question, value)
        case "preference":
            if value not in PREFERENCES or len(order) != 2:
                raise _wrong(
                    name, f"{name!r} is one of {', '.join(PREFERENCES)}, of an item with two outputs."
                )
            return str(order[PREFERENCES.index(value)]) if value in ("A", "B") else value
        case "survey":
            return _survey(question, value)
        case _:
            if not isinstance(value, str) or len(value) > MOST_TEXT:
                raise _wrong(name, f"{name!r} is a text of at most {MOST_TEXT:,} characters.")
            return value


def _score(question: Question, value: Any) -> float:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if fits and question.low <= value <= question.high:
        steps = (value - question.low) / question.step
        if abs(steps - round(steps)) < 1e-6:
            return float(value)
    raise _wrong(
        question.name,
        f"{question.name!r} is a number from {question.low:g} to {question.high:g} in steps of "
        f"{question.step:g}.",
    )


def _survey(question: Question, value: Any) -> list[int]:
    asked = instrument.named(question.instrument)
    whole = isinstance(value, list) and len(value) == len(asked.statements)
    if not whole or any(type(one) is not int or not asked.low <= one <= asked.high for one in value):
        raise _wrong(
            question.name,
            f"{question.name!r} is {len(asked.statements)} whole numbers from {asked.low} to {asked.high}.",
        )
    return list(value)


def as_shown(question: Question, value: Any, *, order: Sequence[int]) -> Any:
    """A kept answer in the words of whoever saw the outputs in this order."""
    if question.kind == "preference" and value in ("0", "1"):
        return "AB"[list(order).index(int(value))]
    return value


def _wrong(name: str, sentence: str) -> InvalidRequest:
    return InvalidRequest(sentence, param=f"answers.{name}")
