"""Translation edit rate, as sacrebleu computes it, in per cent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from noria.scoring import sacre
from noria.scoring.factory import factory
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer

if TYPE_CHECKING:
    from noria.stats.arrays import Floats

_NAME = "ter"


def _make(*, normalized: bool = False, no_punct: bool = False, case_sensitive: bool = False) -> Any:
    return sacre.metrics().TER(normalized=normalized, no_punct=no_punct, case_sensitive=case_sensitive)


def _described(**arguments: bool) -> Sequence[Described]:
    def rows(sums: Floats) -> Floats:
        from noria.stats.corpus import ter

        return ter(sums)

    return (sacre.described(_NAME, lambda: _make(**arguments), rows, better="lower", whole=False),)


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
