"""A Queue: work for people, with the form that they fill in and the rules that the server keeps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

from noria.errors import InvalidRequest
from noria.reviews import instrument

Kind = Literal["label", "labels", "score", "preference", "correction", "comment", "survey"]
Assignment = Literal["open", "assigned", "round_robin"]
"""open: whoever comes; assigned: those named with an item; round_robin: in turn among `reviewers`."""
Settling = Literal["unanimous", "majority"]
Measure = Literal["nominal", "ordinal", "interval", "ratio"]
COMPARED: tuple[Kind, ...] = ("label", "labels", "score", "preference")
"""Kinds whose answers agree or do not."""
PREFERENCES = ("A", "B", "tie", "neither")
"""Answers to a preference, as shown: the first, the second, both alike, both bad."""
RESERVED = frozenset("jksuf?/")
"""Keys of the page itself."""
MOST_QUESTIONS, MOST_CHOICES, MOST_STEPS, MOST_REVIEWS = 30, 100, 1_000, 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Choice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the answers to a label."""

    value: str
    title: str = ""
    """What the reviewer reads; "": the value."""
    key: str = ""
    """The key that chooses it, beside its digit."""


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is asked of each item."""

    name: str
    kind: Kind
    title: str = ""
    help: str = ""
    choices: tuple[Choice, ...] = ()
    low: float = 1.0
    high: float = 5.0
    step: float = 1.0
    instrument: str = ""
    """Of a survey: the name of a standard questionnaire."""
    required: bool = True
    decides: bool = True
    """Whether different answers make the item disputed."""
    tolerance: float = 0.0
    """By how much scores may differ and still agree."""
    measure: Measure | None = None
    """How a score is measured; None: as an interval scale."""

    @property
    def compared(self) -> bool:
        return self.decides and self.kind in COMPARED

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(choice.value for choice in self.choices)


class Queue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked, of whom, how often, in which order."""

    id: str
    project: str
    name: str
    description: str = ""
    guidelines: str = ""
    """Markdown that reviewers can read beside each item."""
    form: tuple[Question, ...]
    reviews: int = 1
    """Blind reviews of each item; an item keeps the number that it was added under."""
    assignment: Assignment = "open"
    reviewers: tuple[str, ...] = ()
    """Ids or e-mail addresses; empty: whoever has the role editor."""
    adjudicate: bool = True
    """Whether a disputed item waits for a person who did not review it."""
    adjudicators: tuple[str, ...] = ()
    """Empty: whoever has the role editor."""
    settle: Settling = "unanimous"
    order: str = "oldest"
    """"oldest", "random", "disagreement", or the type of an installed `priority`."""
    lock_s: int = 900
    """For how long a turn is held; answering later is possible while nobody else has taken it."""
    grace_s: int = 30
    """After the last of its reviews an item can be changed for so long; nobody sees the others' before."""
    show_expected: bool = False
    """Whether reviewers see the reference answer."""
    closed: bool = False
    source: Literal["page", "config"] = "page"
    created_ms: int = 0
    created_by: str = ""

    def question(self, name: str) -> Question | None:
        return next((question for question in self.form if question.name == name), None)


def checked(queue: Queue) -> Queue:
    """The same. Raises InvalidRequest where nobody could work by it."""
    if not _NAME.fullmatch(queue.name):
        raise _wrong("name", "A queue's name has letters, digits, dot, underscore and hyphen, 64 at most.")
    if not queue.form or len(queue.form) > MOST_QUESTIONS:
        raise _wrong("form", f"A queue asks 1 to {MOST_QUESTIONS} questions.")
    _unique((question.name for question in queue.form), "form", "Two questions are called {!r}.")
    for question in queue.form:
        _check_question(question)
    if not 1 <= queue.reviews <= MOST_REVIEWS:
        raise _wrong("reviews", f"`reviews` lies between 1 and {MOST_REVIEWS}.")
    _unique(queue.reviewers, "reviewers", "{!r} is named twice.")
    if queue.reviewers and len(queue.reviewers) < queue.reviews:
        raise _wrong(
            "reviewers",
            f"{queue.reviews} reviews an item need as many reviewers, not {len(queue.reviewers)}.",
        )
    if queue.assignment == "round_robin" and not queue.reviewers:
        raise _wrong("reviewers", "Round robin needs `reviewers` to go round.")
    if not 10 <= queue.lock_s <= 604_800:
        raise _wrong("lock_s", "A turn is held for 10 seconds to 7 days.")
    if not 0 <= queue.grace_s <= 86_400:
        raise _wrong("grace_s", "`grace_s` lies between 0 and a day.")
    return queue


def _check_question(question: Question) -> None:
    where = f"form.{question.name}"
    if not _NAME.fullmatch(question.name):
        raise _wrong(where, "A question's name has letters, digits, dot, underscore and hyphen.")
    if question.kind not in get_args(Kind):
        raise _wrong(where, f"A question's kind is one of {', '.join(get_args(Kind))}.")
    if question.kind in ("label", "labels"):
        if not 2 <= len(question.choices) <= MOST_CHOICES:
            raise _wrong(where, f"{question.name!r} needs 2 to {MOST_CHOICES} choices.")
        _unique(question.values, where, "{!r} is a choice twice.")
        keys = [choice.key for choice in question.choices if choice.key]
        _unique(keys, where, "The key {!r} is given twice.")
        for key in keys:
            if len(key) != 1 or key in RESERVED or key.isdigit():
                raise _wrong(where, f"The key {key!r} cannot be used; take another letter.")
    elif question.choices:
        raise _wrong(where, f"{question.name!r} is no label and has no choices.")
    if question.kind == "score":
        steps = (question.high - question.low) / question.step if question.step > 0 else 0
        if not 1 <= steps <= MOST_STEPS or question.tolerance < 0:
            raise _wrong(where, f"{question.name!r} needs low < high with a step that fits between them.")
    if question.kind == "survey":
        instrument.named(question.instrument)


def _unique(values: Iterable[str], where: str, sentence: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen or not value:
            raise _wrong(where, sentence.format(value))
        seen.add(value)


def _wrong(param: str, sentence: str) -> InvalidRequest:
    return InvalidRequest(sentence, param=param)
