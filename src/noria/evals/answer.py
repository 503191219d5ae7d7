"""What a run keeps: Answers, which are paid for, and Judgements of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from noria.core.digest import digest
from noria.core.example import Example
from noria.core.messages import Response
from noria.core.usage import Usage
from noria.scoring.scorer import Output, Score, ScorerSpec

ERASED = "Erased at a person's wish."


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer to one example, or the reason why there is none."""

    example: str
    revision: str
    repeat: int = 0
    key: str = ""
    """By which another run finds it; "": it must not."""
    text: str = ""
    failed: str = ""
    """Why there is no answer."""
    response: Response | None = None
    data: Any = None
    context: tuple[str, ...] = ()
    latency: float | None = None
    """Seconds."""
    usage: Usage | None = None
    cost: Decimal | None = None
    """Dollars when it was made; None: not known."""
    trace: str = ""
    reused: bool = False
    """An earlier run has paid for it."""
    at_ms: int = 0

    def output(self, example: Example) -> Output:
        """As scorers take it."""
        return Output(
            example=example,
            text=self.text,
            repeat=self.repeat,
            response=self.response,
            data=self.data,
            context=self.context,
            latency=self.latency,
            usage=self.usage,
            cost=self.cost,
            trace=self.trace,
        )

    @property
    def said(self) -> str:
        """Digest of what was answered, however long it took and whatever it cost."""
        choices = () if self.response is None else self.response.choices
        return digest((self.revision, self.text, self.data, self.context, choices))

    def erased(self) -> Answer:
        """Without a word of it; what it took and cost stays. No other run finds it."""
        return msgspec.structs.replace(
            self, key="", text="", failed=ERASED if self.failed else "", response=None, data=None, context=()
        )


class Judgement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one scorer said of one answer."""

    example: str
    repeat: int = 0
    scorer: str
    """Name in the run's spec."""
    key: str = ""
    """By which another run finds it; "": it must not."""
    scores: tuple[Score, ...]
    reused: bool = False

    def erased(self) -> Judgement:
        """With the values alone. No other run finds it."""
        scores = tuple(
            msgspec.structs.replace(one, failed=ERASED if one.failed else "", reason="", details={})
            for one in self.scores
        )
        return msgspec.structs.replace(self, key="", scores=scores)


def answer_key(target: str, revision: str, *, repeat: int, seed: int) -> str:
    """Equal keys may share an answer. `target` is the target's digest."""
    return digest((target, revision, repeat, seed))


def judgement_key(spec: ScorerSpec, version: str, said: str) -> str:
    """Equal keys may share a judgement. `version` is of all that the scorer measures."""
    return digest((spec.type, spec.arguments, spec.identity, version, said))


def name_of(spec: ScorerSpec) -> str:
    """Under which a scorer's judgements are kept."""
    return spec.name or spec.type
