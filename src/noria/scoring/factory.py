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

from noria.scoring.scorer import Described, Output, Score, Scorer, Value

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


LARGEST = 1e100
"""Of a value or part: the squares and cubes of statistics must stay numbers too."""


def whole(score: Score) -> Score:
    """As it is; failed where its value or a part is no number that can be averaged, since a NaN would spoil
    every mean silently. A judge's call stays on it, and what UTF-8 cannot hold is marked."""
    failed = score.failed or _unusable(score.value, "The score")
    for part in score.parts:
        failed = failed or _unusable(part, "A part of the score")
    if failed:
        return msgspec.structs.replace(
            score, value=None, parts=(), failed=written(failed), reason=written(score.reason)
        )
    value = score.value
    if isinstance(value, str):
        value = written(value)
    elif not isinstance(value, bool):
        value = float(value or 0)
    return msgspec.structs.replace(score, value=value, reason=written(score.reason))


def _unusable(value: Value | None, what: str) -> str:
    if value is None:
        return "The scorer gave no value and no reason."
    if isinstance(value, bool | str):
        return ""
    try:
        found = float(value)
    except (OverflowError, TypeError, ValueError):
        return f"{what} is a {type(value).__name__}, not a number that can be used."
    if math.isfinite(found) and abs(found) <= LARGEST:
        return ""
    return f"{what} is {found:g}, not a number that can be used."


def written(text: str) -> str:
    """With a mark for each half of a surrogate pair, which UTF-8 cannot hold."""
    return text if text.isascii() else text.encode(errors="replace").decode()
