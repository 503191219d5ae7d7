"""An item of a queue, the turns at it, and what was answered: values only."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from noria.access.audit import Act
from noria.core.digest import digest
from noria.core.example import Example
from noria.reviews.answer import Answers

State = Literal["open", "full", "disputed", "done", "dropped"]
"""open: reviews are missing; full: all are given and can still be changed; disputed: they disagree and
somebody else has to decide; done: settled; dropped: taken out of the queue."""
CLOSED: tuple[State, ...] = ("disputed", "done", "dropped")
"""No review can be given or changed, so that the reviewers may see one another's."""
Part = Literal["review", "adjudication"]


class Candidate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An output to be judged; its name stays hidden until the item is done."""

    name: str = ""
    text: str


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reviewer looks at."""

    example: Example
    outputs: tuple[Candidate, ...] = ()
    """One, or two to compare; none: the example itself is reviewed."""
    shown: dict[str, Any] = {}
    """Further facts for the reviewer."""
    hidden: dict[str, Any] = {}
    """Facts that would sway a reviewer (scores, what chose the item); seen when the item is done."""
    trace: str = ""
    """Of the output; a person's erasure takes the item along."""
    span: str = ""
    source: str = ""
    """"span:<trace>/<span>", "run:<id>/<example>", "dataset:<name>@<version>/<example>"."""

    @property
    def key(self) -> str:
        """The same content is in a queue once."""
        return digest((self.source, self.example.input, [output.text for output in self.outputs]))


class Settled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stands after all reviews."""

    values: dict[str, Any]
    """By question; of corrections, comments and surveys all that were given."""
    disputed: tuple[str, ...] = ()
    """Questions that nobody has decided."""
    by: Literal["single", "agreement", "majority", "adjudication"] = "agreement"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work."""

    id: str
    queue: str
    project: str
    number: int
    """Counts within the queue, in the order added."""
    content: Content
    state: State = "open"
    rank: float = 0.0
    """Lower comes first."""
    wanted: int = 1
    answered: int = 0
    """Reviews that count; never more than `wanted`."""
    full_ms: int = 0
    added_ms: int = 0
    settled: Settled | None = None

    @property
    def closed(self) -> bool:
        return self.state in CLOSED


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer's at an item."""

    item: str
    queue: str
    reviewer: str
    part: Part = "review"
    name: str = ""
    state: Literal["assigned", "held", "answered", "skipped"]
    assigned: bool = False
    since_ms: int = 0
    until_ms: int = 0
    """Of a turn that is held."""
    reason: str = ""
    """Of a turn that was skipped."""

    def live(self, now_ms: int) -> bool:
        """Whether it is held now."""
        return self.state == "held" and now_ms < self.until_ms


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One person's answers at one revision."""

    id: str
    revision: int = 1
    item: str
    queue: str
    part: Part = "review"
    reviewer: str
    reviewer_name: str
    answers: Answers
    order: tuple[int, ...] = ()
    """Which outputs were shown as A and B."""
    comment: str = ""
    seconds: float = 0.0
    """From taking the turn to the answer."""
    withdrawn: bool = False
    at_ms: int = 0


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody says that an administrator should look."""

    item: str
    reviewer: str
    reviewer_name: str
    reason: str
    at_ms: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An item with all that has happened to it; `reviews` at their last revisions."""

    item: Item
    turns: tuple[Turn, ...] = ()
    reviews: tuple[Review, ...] = ()
    flags: tuple[Flag, ...] = ()

    def of(self, part: Part) -> tuple[Review, ...]:
        """Reviews that count, oldest first."""
        return tuple(one for one in self.reviews if one.part == part and not one.withdrawn)

    def review_by(self, reviewer: str, part: Part = "review") -> Review | None:
        """Withdrawn or not."""
        found = (one for one in self.reviews if one.reviewer == reviewer and one.part == part)
        return next(found, None)

    def turn_of(self, reviewers: tuple[str, ...], part: Part = "review") -> Turn | None:
        """Under any of a person's names."""
        found = (turn for turn in self.turns if turn.reviewer in reviewers and turn.part == part)
        return next(found, None)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a store is to write, in one transaction."""

    item: Item | None = None
    turn: Turn | None = None
    """Made, or instead of the one that this person had."""
    names: tuple[str, ...] = ()
    """Under which this person may have had it."""
    review: Review | None = None
    """A first or further revision."""
    flag: Flag | None = None
    act: Act | None = None
