"""What a Scorer is: a factory makes one from its arguments, and it judges one Output at a time.

    [project.entry-points.noria]
    "scorer.exact" = "noria.scoring.exact:exact"

    exact(case_sensitive=False) -> Scorer

A scorer never raises for what it was given: a judgement that cannot be made is a Score with `failed` set.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, Literal, Protocol

import msgspec

from noria.core.example import Example
from noria.core.messages import Response
from noria.core.usage import Usage
from noria.stats.interval import Rows

Value = float | bool | str
"""A number, a yes or no, or a category."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What a target answered to one Example."""

    example: Example
    text: str
    repeat: int = 0
    """Which of several answers to the same example, from 0."""
    response: Response | None = None
    """The whole answer, where the target is a model: log-probabilities, tool calls, stop reason."""
    data: Any = None
    """The answer as JSON, where the target gives that."""
    context: tuple[str, ...] = ()
    """What was retrieved for it."""
    latency: float | None = None
    """Seconds."""
    usage: Usage | None = None
    cost: Decimal | None = None
    trace: str = ""


class Score(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One judgement."""

    name: str
    """Of the scorer, or of one of the several things that it measures ("rouge.l")."""
    value: Value | None = None
    """None exactly where `failed` says why there is none."""
    failed: str = ""
    reason: str = ""
    """Why this value: a judge's words, the part that did not match."""
    parts: tuple[float, ...] = ()
    """Sufficient statistics of a metric that is not a mean of scores (n-gram counts of BLEU)."""
    details: dict[str, Any] = {}
    trace: str = ""
    """Of the judge's own call."""
    cost: Decimal | None = None
    """Of the judge's own call; None: unknown, or none was made."""


class Metric(Protocol):
    """Makes one number of many scores."""

    def __call__(self, scores: Sequence[Score]) -> float: ...


class Scorer(Protocol):
    """Judges one output; some judge several things at once."""

    async def __call__(self, output: Output) -> Sequence[Score]: ...


class ScorerSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What rebuilds a scorer, and is recorded with every run."""

    type: str
    """As registered: `scorer.<type>`."""
    name: str = ""
    """Under which its scores are kept; "": the type."""
    arguments: dict[str, Any] = {}
    identity: str = ""
    """Of the judge that it is or uses, when the run was made: prompt, model and what that led to, rubric and
    scale. "": it is none, or nobody has looked it up."""


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What a scorer measures under one name."""

    name: str
    kind: Literal["mean", "share", "category", "corpus"] = "mean"
    """mean: of numbers; share: of yes; category: counts; corpus: `metric` of all parts together."""
    better: Literal["higher", "lower", "neither"] = "higher"
    metric: Metric | None = None
    rows: Rows | None = None
    """The same metric of the sums of parts of many resamples at once."""
    version: str = "1"
    """Changes when the same output may be scored differently; a cached score of another is not used."""


Factory = Callable[..., Scorer]
"""Its keyword arguments are the spec's; it raises ConfigError where they are wrong. Its attribute
`describe(**arguments) -> Sequence[Described]` says what it will measure."""
Judging = Callable[[Output], Awaitable[Sequence[Score]]]
