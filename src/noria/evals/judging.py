"""A scorer as a run uses it: one that crashes, or says what is no value, gives failed scores instead."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Protocol

import msgspec

from noria.client import about
from noria.evals.answer import Answer, Judgement, judgement_key, name_of
from noria.scoring.scorer import Described, Output, Score, Scorer, ScorerSpec

_WORDS = 500
"""Characters of a crash that are kept."""


class Judging:
    """One scorer of a run."""

    def __init__(self, spec: ScorerSpec, scorer: Scorer, measures: Sequence[Described]) -> None:
        self.spec = spec
        self.name = name_of(spec)
        self.measures = tuple(measures)
        self.free = False
        """It was seen to judge without a call, so that looking for earlier judgements costs more than it saves."""
        self._scorer = scorer
        self._version = ",".join(f"{one.name}={one.version}" for one in measures)

    def key(self, answer: Answer) -> str:
        return judgement_key(self.spec, self._version, answer.said)

    async def judge(self, output: Output, answer: Answer, *, run: str) -> Judgement:
        """Never raises for what the scorer does."""
        with about(episode=run, tags={"scorer": self.name, "example": output.example.id[:200]}):
            try:
                given = tuple(await self._scorer(output))
            except Exception as error:  # Anybody's code: a score that failed is a value, and the run goes on.
                words = f"The scorer crashed: {type(error).__name__}: {error}"[:_WORDS]
                given = tuple(Score(name=one.name, failed=words) for one in self.measures)
        scores = tuple(map(_checked, given))
        asked = any(score.trace or score.cost is not None for score in scores)
        self.free = not asked
        whole = asked and not any(score.failed for score in scores)
        return Judgement(
            example=answer.example,
            repeat=answer.repeat,
            scorer=self.name,
            key=self.key(answer) if whole else "",
            scores=scores,
        )

    def unanswered(self, answer: Answer) -> Judgement:
        """Of an answer that there is none of."""
        words = "There is no answer to score."
        scores = tuple(Score(name=one.name, failed=words) for one in self.measures)
        return Judgement(example=answer.example, repeat=answer.repeat, scorer=self.name, scores=scores)


def _checked(score: Score) -> Score:
    value = score.value
    if score.failed:
        return score if value is None else msgspec.structs.replace(score, value=None)
    if value is None:
        return msgspec.structs.replace(score, failed="The scorer gave no value and no reason.")
    if isinstance(value, float | int) and not isfinite(value):
        return msgspec.structs.replace(
            score, value=None, failed=f"The scorer gave {value}, which is no number."
        )
    return score


class Scorers(Protocol):
    """Makes scorers; `runtime` wires `noria.scoring` and whatever its judges call."""

    def resolve(self, spec: ScorerSpec) -> Scorer: ...

    def described(self, spec: ScorerSpec) -> Sequence[Described]: ...


def judgings(specs: Sequence[ScorerSpec], scorers: Scorers) -> list[Judging]:
    """Raises ConfigError where one cannot be made."""
    return [Judging(spec, scorers.resolve(spec), scorers.described(spec)) for spec in specs]
