"""A scorer as a run uses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from noria.client import about
from noria.evals.answer import Answer, Judgement, judgement_key, name_of
from noria.evals.gate import JudgeBar
from noria.evals.metrics import Correction
from noria.scoring.calls import Calls
from noria.scoring.resolve import described, resolve
from noria.scoring.scorer import Described, Output, Score, Scorer, ScorerSpec


class Judging:
    """One scorer of a run."""

    def __init__(self, spec: ScorerSpec, scorer: Scorer, measures: Sequence[Described]) -> None:
        self.spec = spec
        self.name = name_of(spec)
        self.measures = tuple(measures)
        self.free = False
        """It was seen to judge without a call: looking for earlier judgements costs more than it saves."""
        self._scorer = scorer
        self._version = ",".join(f"{one.name}={one.version}" for one in measures)

    def key(self, answer: Answer) -> str:
        return judgement_key(self.spec, self._version, answer.said)

    async def judge(self, output: Output, answer: Answer, *, run: str) -> Judgement:
        with about(episode=run, tags={"scorer": self.name, "example": output.example.id[:200]}):
            scores = tuple(await self._scorer(output))
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


class KnownJudges(JudgeBar, Protocol):
    """What is known of judges; `runtime` wires it to their calibrations."""

    def pinned(self, project: str, spec: ScorerSpec) -> ScorerSpec:
        """As a run records it. Raises NotFound."""
        ...

    def corrected_share(
        self, project: str, spec: ScorerSpec, rate: float, *, worth: float, n: int
    ) -> Correction:
        """Of n examples, worth so many independent ones."""
        ...

    def corrected_mean(
        self, project: str, spec: ScorerSpec, values: Sequence[float], *, groups: Sequence[str] | None
    ) -> Correction: ...


def judgings(specs: Sequence[ScorerSpec], calls: Calls) -> list[Judging]:
    """`calls` are what judges ask. Raises ConfigError where one cannot be made."""
    return [Judging(spec, resolve(spec, calls=calls), described(spec)) for spec in specs]
