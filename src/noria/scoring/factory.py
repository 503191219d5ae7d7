"""The form of a registered scorer: a function of keyword arguments, and what it will measure.

    @factory(Described(name="exact", kind="share"))
    def exact(*, ignore_case: bool = False) -> Scorer: ...

Inside, a scorer may raise Unscorable; whoever calls it gets failed scores instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, Generic, ParamSpec

import msgspec

from noria.scoring.scorer import Described, Output, Score, Scorer

P = ParamSpec("P")
Describe = Callable[..., Sequence[Described]]


class Unscorable(Exception):
    """This output cannot be judged; the message is the sentence that becomes `Score.failed`."""


class ScorerFactory(Generic[P]):
    """`scoring.scorer.Factory`."""

    def __init__(self, make: Callable[P, Scorer], describe: Describe) -> None:
        self._make = make
        self._describe = describe
        update_wrapper(self, make)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Scorer:
        made = self._make(*args, **kwargs)
        described = self.describe(**{name: value for name, value in kwargs.items() if name != "calls"})

        async def judged(output: Output) -> Sequence[Score]:
            try:
                return [whole(score) for score in await made(output)]
            except Unscorable as error:
                return [Score(name=one.name, failed=str(error)) for one in described]

        return judged

    def describe(self, **arguments: Any) -> Sequence[Described]:
        """What a scorer made with these arguments measures."""
        return self._describe(**arguments)


def factory(
    *described: Described, by: Describe | None = None
) -> Callable[[Callable[P, Scorer]], ScorerFactory[P]]:
    """Register what is measured: always the same, or `by` a function of the arguments."""

    def same(**arguments: Any) -> Sequence[Described]:
        return described

    return lambda make: ScorerFactory(make, by or same)


def whole(score: Score) -> Score:
    """As it is; failed where its value is no number, since a NaN would spoil every mean silently."""
    if isinstance(score.value, float) and not math.isfinite(score.value):
        return Score(
            name=score.name, failed=f"The score is {score.value}, not a number.", details=score.details
        )
    if any(not math.isfinite(part) for part in score.parts):
        return Score(name=score.name, failed="A part of the score is not a number.", details=score.details)
    if score.value is None and not score.failed:
        return msgspec.structs.replace(score, failed="The scorer gave no value and no reason.")
    return score
