"""Feedback: what a person or a program says about a trace or span."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

Kind = Literal["thumb", "score", "choice", "comment", "correction"]
Value = float | bool | str | None


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """Given once and never changed; ids are lower-case hex."""

    id: str
    project: str
    trace: str
    span: str = ""
    """Empty: about the whole trace."""
    kind: Kind
    name: str = ""
    """What was judged, such as "helpful"."""
    value: Value = None
    """A thumb's boolean, a score's number, a choice's word, a correction's text."""
    comment: str = ""
    by: str
    by_name: str
    created_ms: int


class FeedbackStore(Protocol):
    """Keeps what was said."""

    def add(self, feedback: Feedback) -> None: ...

    def of_trace(self, project: str, trace: str) -> list[Feedback]:
        """Oldest first."""
        ...
