"""[queues.NAME]: work for people, declared beside what they review."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from noria.config.section import Many, Name, Section, Some
from noria.config.units import Duration
from noria.errors import InvalidRequest
from noria.reviews.queue import Assignment, Choice, Kind, Measure, Question, Queue, Settling, checked


class ChoiceSection(Section):
    """One of the answers to a label."""

    value: str
    title: str = ""
    """What the reviewer reads; left out: the value."""
    key: Annotated[str, Field(max_length=1)] = ""
    """The key that chooses it, beside its digit."""


class QuestionSection(Section):
    """One thing that is asked of each item."""

    name: Name
    kind: Kind
    title: str = ""
    help: str = ""
    choices: Many[str | ChoiceSection] = ()
    """Of a label: words, or tables with `value`, `title` and `key`."""
    low: float | int = 1.0
    high: float | int = 5.0
    step: float | int = 1.0
    instrument: str = ""
    """Of a survey: "sus", "umux-lite", "nps" or "seq"."""
    required: bool = True
    decides: bool = True
    """Whether different answers make the item disputed."""
    tolerance: float | int = 0.0
    """By how much scores may differ and still agree."""
    measure: Measure | None = None
    """How a score is measured; left out: as an interval scale."""

    def compiled(self) -> Question:
        choices = tuple(
            Choice(value=one) if isinstance(one, str) else Choice(**one.model_dump()) for one in self.choices
        )
        values: dict[str, Any] = self.model_dump(exclude={"choices"})
        for name in ("low", "high", "step", "tolerance"):
            values[name] = float(values[name])
        return Question(**values, choices=choices)


class QueueSection(Section):
    """A review queue of the project "default"."""

    description: str = ""
    guidelines: str = ""
    """Markdown that reviewers can read beside each item."""
    form: Some[QuestionSection]
    reviews: Annotated[int, Field(ge=1, le=20)] = 1
    """Blind reviews of each item."""
    assignment: Assignment = "open"
    """open: whoever comes; assigned: those named with an item; round_robin: in turn among `reviewers`."""
    reviewers: Many[str] = ()
    """E-mail addresses or ids; left out: whoever has the role editor."""
    adjudicate: bool = True
    """Whether a disputed item waits for a person who did not review it."""
    adjudicators: Many[str] = ()
    settle: Settling = "unanimous"
    """majority: what more than half say stands."""
    order: str = "oldest"
    """oldest, random, disagreement (of scorers), or an installed priority."""
    lock: Duration = 900.0
    """For how long a turn is held."""
    grace: Duration = 30.0
    """For how long the last answer can still be changed before the item closes."""
    show_expected: bool = False
    """Whether reviewers see the reference answer."""

    @model_validator(mode="after")
    def _works(self) -> QueueSection:
        try:
            self.compiled("queue")
        except InvalidRequest as error:
            raise ValueError(f"cannot be worked by: {error.message}") from None
        return self

    def compiled(self, name: str) -> Queue:
        """Raises InvalidRequest."""
        values = self.model_dump(exclude={"form", "lock", "grace"})
        return checked(
            Queue(
                id="",
                project="default",
                name=name,
                source="config",
                form=tuple(question.compiled() for question in self.form),
                lock_s=int(self.lock),
                grace_s=int(self.grace),
                **values,
            )
        )
