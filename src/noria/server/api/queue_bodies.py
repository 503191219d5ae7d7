"""Queues, items and reviews as the API takes and gives them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from pydantic import BaseModel, Field

from noria.reviews.blind import Seen
from noria.reviews.instrument import Instrument
from noria.reviews.item import Review
from noria.reviews.queue import Assignment, Choice, Kind, Measure, Question, Queue, Settling
from noria.reviews.store import Progress
from noria.server.api.body import Body


class QuestionChoice(Body):
    value: str = Field(min_length=1, max_length=200)
    title: str = Field("", max_length=200)
    key: str = Field("", max_length=1)
    """The key that chooses it, beside its digit."""


class QuestionBody(Body):
    """One thing that is asked of each item."""

    name: str = Field(min_length=1, max_length=64)
    kind: Kind
    title: str = Field("", max_length=500)
    help: str = Field("", max_length=5_000)
    choices: list[QuestionChoice] = Field([], max_length=100)
    low: float = 1
    high: float = 5
    step: float = 1
    instrument: str = Field("", max_length=64)
    """Of a survey: "sus", "umux-lite", "nps", "seq"."""
    required: bool = True
    decides: bool = True
    """Whether different answers make the item disputed."""
    tolerance: float = 0
    """By how much scores may differ and still agree."""
    measure: Measure | None = None

    def question(self) -> Question:
        values = self.model_dump()
        choices = tuple(Choice(**choice) for choice in values.pop("choices"))
        return Question(**values, choices=choices)


Names = list[str]


class QueueRequest(Body):
    name: str = Field(min_length=1, max_length=64)
    description: str = Field("", max_length=2_000)
    guidelines: str = Field("", max_length=100_000)
    form: list[QuestionBody] = Field(min_length=1, max_length=30)
    reviews: int = Field(1, ge=1, le=20)
    """Blind reviews of each item."""
    assignment: Assignment = "open"
    reviewers: Names = Field([], max_length=500)
    """Ids or e-mail addresses; empty: whoever has the role editor."""
    adjudicate: bool = True
    adjudicators: Names = Field([], max_length=500)
    settle: Settling = "unanimous"
    order: str = Field("oldest", max_length=64)
    """oldest, random, disagreement (of scorers), or an installed priority."""
    lock_s: int = Field(900, ge=10, le=604_800)
    grace_s: int = Field(30, ge=0, le=86_400)
    show_expected: bool = False

    def queue(self, project: str) -> Queue:
        return Queue(id="", project=project, **_fields(self))


class QueuePatch(Body):
    """What is absent stays as it is; the form can be changed as long as there are no reviews."""

    description: str | None = Field(None, max_length=2_000)
    guidelines: str | None = Field(None, max_length=100_000)
    form: list[QuestionBody] | None = Field(None, min_length=1, max_length=30)
    reviews: int | None = Field(None, ge=1, le=20)
    """Of items that are added from now on."""
    reviewers: Names | None = Field(None, max_length=500)
    adjudicate: bool | None = None
    adjudicators: Names | None = Field(None, max_length=500)
    settle: Settling | None = None
    order: str | None = Field(None, max_length=64)
    lock_s: int | None = Field(None, ge=10, le=604_800)
    show_expected: bool | None = None
    closed: bool | None = None

    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in _fields(self).items() if value is not None}


class AskedChoice(BaseModel):
    value: str
    title: str
    key: str


class AskedQuestion(BaseModel):
    """A question as it stands."""

    name: str
    kind: Kind
    title: str
    help: str
    choices: list[AskedChoice]
    low: float
    high: float
    step: float
    instrument: str
    required: bool
    decides: bool
    tolerance: float
    measure: Measure | None


class QueueProgress(BaseModel):
    open: int
    disputed: int
    done: int
    dropped: int
    flagged: int
    items: int


class QueueBody(BaseModel):
    id: str
    name: str
    description: str
    guidelines: str
    form: list[AskedQuestion]
    reviews: int
    assignment: Assignment
    reviewers: Names
    adjudicate: bool
    adjudicators: Names
    settle: Settling
    order: str
    lock_s: int
    grace_s: int
    show_expected: bool
    closed: bool
    source: Literal["page", "config"]
    created_ms: int
    created_by: str
    progress: QueueProgress
    left: int
    """Items that the caller could review."""
    to_decide: int
    """Disputed items that the caller could decide."""


class QueueList(BaseModel):
    items: list[QueueBody]


class ReviewBody(BaseModel):
    id: str
    revision: int
    item: str
    part: Literal["review", "adjudication"]
    reviewer: str
    reviewer_name: str
    answers: dict[str, Any]
    """By question; a preference is A or B in the order in which the caller sees the outputs."""
    comment: str
    seconds: float
    withdrawn: bool
    at_ms: int


class AnsweredBody(BaseModel):
    reviewer: str
    reviewer_name: str
    at_ms: int


class FlagBody(BaseModel):
    reviewer: str
    reviewer_name: str
    reason: str
    at_ms: int


class ItemOutput(BaseModel):
    name: str
    """Empty until the item is done."""
    text: str


class ItemBody(BaseModel):
    """An item as the caller may see it: until it is closed, without anybody else's answers."""

    id: str
    number: int
    state: Literal["open", "disputed", "done", "dropped"]
    input: dict[str, Any]
    outputs: list[ItemOutput]
    """In the order in which the caller sees them: A, B."""
    expected: Any
    shown: dict[str, Any]
    hidden: dict[str, Any]
    """Empty until the item is done."""
    trace: str
    span: str
    source: str
    wanted: int
    added_ms: int
    disputed: list[str]
    """Questions on which the reviewers disagree."""
    settled: dict[str, Any] | None
    """Once it is done; preferences as "0" or "1", the outputs as stored."""
    settled_by: str | None
    own: ReviewBody | None
    reviews: list[ReviewBody]
    answered: list[AnsweredBody]
    """For administrators."""
    skipped: list[str]
    flags: list[FlagBody]
    held: int


class ItemPage(BaseModel):
    items: list[ItemBody]
    next: str | None


class InstrumentBody(BaseModel):
    """A standard questionnaire."""

    name: str
    title: str
    source: str
    statements: list[str]
    low: int
    high: int
    low_title: str
    high_title: str


def queue_body(queue: Queue, *, progress: Progress, left: int, to_decide: int) -> QueueBody:
    values = msgspec.structs.asdict(queue)
    del values["project"]
    values["form"] = [question_body(question) for question in queue.form]
    for name in ("reviewers", "adjudicators"):
        values[name] = list(values[name])
    counted = QueueProgress(**msgspec.structs.asdict(progress), items=progress.items)
    return QueueBody(**values, progress=counted, left=left, to_decide=to_decide)


def question_body(question: Question) -> AskedQuestion:
    values = msgspec.structs.asdict(question)
    values["choices"] = [msgspec.structs.asdict(choice) for choice in question.choices]
    return AskedQuestion(**values)


def item_body(seen: Seen) -> ItemBody:
    item, content = seen.item, seen.item.content
    done = item.state in ("done", "dropped")
    return ItemBody(
        id=item.id,
        number=item.number,
        state="open" if item.state == "full" else item.state,
        input=content.example.input,
        outputs=[ItemOutput(name=output.name, text=output.text) for output in seen.outputs],
        expected=seen.expected,
        shown=content.shown,
        hidden=content.hidden,
        trace=content.trace,
        span=content.span,
        source=content.source,
        wanted=item.wanted,
        added_ms=item.added_ms,
        disputed=list(item.settled.disputed) if item.settled is not None else [],
        settled=item.settled.values if item.settled is not None and done else None,
        settled_by=item.settled.by if item.settled is not None and done else None,
        own=None if seen.own is None else review_body(seen.own),
        reviews=[review_body(one) for one in seen.reviews],
        answered=[AnsweredBody(**msgspec.structs.asdict(one)) for one in seen.answered],
        skipped=list(seen.skipped),
        flags=[
            FlagBody(
                reviewer=one.reviewer, reviewer_name=one.reviewer_name, reason=one.reason, at_ms=one.at_ms
            )
            for one in seen.flags
        ],
        held=seen.held,
    )


def review_body(review: Review) -> ReviewBody:
    values = msgspec.structs.asdict(review)
    del values["queue"], values["order"]
    return ReviewBody(**values)


def instrument_body(instrument: Instrument) -> InstrumentBody:
    values = msgspec.structs.asdict(instrument)
    del values["scoring"]
    values["statements"] = [statement.text for statement in instrument.statements]
    return InstrumentBody(**values)


def _fields(body: QueueRequest | QueuePatch) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(body, name) for name in type(body).model_fields}
    if body.form is not None:
        values["form"] = tuple(question.question() for question in body.form)
    for name in ("reviewers", "adjudicators"):
        if values[name] is not None:
            values[name] = tuple(values[name])
    return values
