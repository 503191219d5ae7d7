"""What a monitor made of one call, and why it made nothing of another."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

Outcome = Literal["scored", "failed", "limited", "no_payload", "no_answer"]
"""failed: the scorer gave no value. limited: over the most per minute or the budget. no_payload: what went in
or came out was not recorded. no_answer: the call failed, so there is nothing to judge."""
Cause = Literal[
    "judged", "own_call", "not_a_chat", "later", "sample", "filter", "waiting", "unmatched", "no_scorers"
]
"""judged: there are scores, or their failures. later: the monitor began after the call. waiting: not looked
at yet. unmatched: it matches now, and did not when it was looked at."""


class SpanScore(msgspec.Struct, frozen=True, kw_only=True):
    """One Score on a span, by a monitor; one for each name that a scorer measures."""

    project: str
    monitor: str
    trace: str
    span: str
    name: str
    version: str
    """Of the scorer, in the sense of `Described.version`."""
    state: Outcome
    value: float | None = None
    """Of a yes or no 1 or 0."""
    word: str | None = None
    """Of a category."""
    reason: str = ""
    judged_by: str = ""
    """Trace of the judge's own call."""
    cost: Decimal | None = None
    at_ms: int
    """When the call began."""
    judged_ms: int


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """What a monitor made of a call, or the reason why it made nothing."""

    monitor: str
    span: str
    cause: Cause
    words: str
    """A sentence; "" where there are scores."""
    scores: tuple[SpanScore, ...] = ()
