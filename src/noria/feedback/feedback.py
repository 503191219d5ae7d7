"""Feedback: what a person or a program says about a span, a trace, a session or an episode.

What was said can be revised and taken back by whoever said it; every earlier revision is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

Kind = Literal["thumb", "score", "choice", "comment", "correction", "demonstration"]
Source = Literal["person", "program"]
Value = float | bool | str | list[Any] | dict[str, Any] | None


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """As it stands; ids are lower-case hex."""

    id: str
    project: str
    trace: str = ""
    span: str = ""
    """Empty: about the whole trace."""
    session: str = ""
    episode: str = ""
    kind: Kind
    name: str = ""
    """What was judged, such as "helpful"."""
    value: Value = None
    """A thumb's boolean, a score's number, a choice's word; of a correction or demonstration the text that
    should have been said, or messages or other JSON."""
    comment: str = ""
    given: str | None = None
    """The id under which a client gave it: sent again, it makes no second one."""
    source: Source = "person"
    user: str = ""
    """The application's user who said it through a key."""
    metadata: dict[str, Any] = {}
    by: str
    by_name: str
    created_ms: int
    revision: int = 1
    revised_ms: int = 0
    """0: never."""
    retracted: bool = False


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which feedback is meant; what is None or empty does not matter."""

    trace: str = ""
    session: str = ""
    episode: str = ""
    kind: str = ""
    name: str = ""
    user: str = ""
    by: str = ""
    start_ms: int | None = None
    end_ms: int | None = None
    retracted: bool | None = False


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """How often something was said of one kind and name."""

    kind: str
    name: str
    count: int
    mean: float | None
    """Of scores, and of thumbs as 0 and 1; None: it has no numbers."""
    words: dict[str, int]
    """Of thumbs ("up", "down") and choices."""
    square: float | None = None
    """Mean of the squares of its numbers."""


class FeedbackStore(Protocol):
    """Keeps what was said."""

    def add(self, feedback: Feedback) -> Feedback:
        """As stored; what the project already has under the same `given` is returned and not changed."""
        ...

    def revise(self, feedback: Feedback) -> bool:
        """False, and nothing written: it is no longer at the revision before this one."""
        ...

    def one(self, project: str, id: str) -> Feedback | None:
        """By its id, or by the id that the client gave."""
        ...

    def history(self, feedback: Feedback) -> list[Feedback]:
        """Earlier revisions, oldest first."""
        ...

    def of_trace(self, project: str, trace: str) -> list[Feedback]:
        """Oldest first, without what was retracted."""
        ...

    def page(self, project: str, sought: Sought, *, after: str | None, limit: int) -> list[Feedback]:
        """Newest first, those with ids below `after`."""
        ...

    def said(self, project: str, sought: Sought) -> Sequence[Said]: ...


def number_of(kind: Kind, value: Value) -> float | None:
    """What is compared and averaged."""
    if kind == "thumb" and isinstance(value, bool):
        return float(value)
    if kind == "score" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None


def word_of(kind: Kind, value: Value) -> str | None:
    """What is counted by word."""
    if kind == "thumb" and isinstance(value, bool):
        return "up" if value else "down"
    return value if kind == "choice" and isinstance(value, str) else None
