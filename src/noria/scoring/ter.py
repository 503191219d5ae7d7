"""Translation edit rate, as sacrebleu computes it, in per cent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from noria.scoring import sacre
from noria.scoring.factory import factory
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer

_NAME = "ter"


def _make(*, normalized: bool = False, no_punct: bool = False, case_sensitive: bool = False) -> Any:
    return sacre.metrics().TER(normalized=normalized, no_punct=no_punct, case_sensitive=case_sensitive)


def _described(**arguments: bool) -> Sequence[Described]:
    metric = sacre.corpus(lambda: _make(**arguments), whole=False)
    return (Described(name=_NAME, kind="corpus", better="lower", metric=metric),)


@factory(by=_described)
def ter(*, normalized: bool = False, no_punct: bool = False, case_sensitive: bool = False) -> Scorer:
    """Edits and shifts over the mean length of the references.

    A long pair takes tens of milliseconds, so it is computed beside the event loop, in a thread.
    """
    metric = _make(normalized=normalized, no_punct=no_punct, case_sensitive=case_sensitive)

    async def score(output: Output) -> Sequence[Score]:
        value, parts = await asyncio.to_thread(sacre.scored, metric, output.text, references(output.example))
        return (Score(name=_NAME, value=value, parts=parts),)

    return score
