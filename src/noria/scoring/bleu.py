"""BLEU, as sacrebleu computes it, 0 to 100."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from noria.scoring import sacre
from noria.scoring.factory import factory
from noria.scoring.scorer import Described, Scorer

_NAME = "bleu"


def _described(
    *, tokenize: str = "13a", lowercase: bool = False, smooth: str = "exp", order: int = 4
) -> Sequence[Described]:
    def make() -> Any:
        return sacre.metrics().BLEU(
            tokenize=tokenize, lowercase=lowercase, smooth_method=smooth, max_ngram_order=order
        )

    return (Described(name=_NAME, kind="corpus", metric=sacre.corpus(make)),)


@factory(by=_described)
def bleu(
    *,
    tokenize: Literal["13a", "intl", "char", "none", "zh"] = "13a",
    lowercase: bool = False,
    smooth: Literal["exp", "floor", "add-k", "none"] = "exp",
    order: int = 4,
) -> Scorer:
    """Each output has its sentence BLEU (effective order); the run has the corpus BLEU of all parts."""
    made = sacre.metrics().BLEU(
        tokenize=tokenize,
        lowercase=lowercase,
        smooth_method=smooth,
        max_ngram_order=order,
        effective_order=True,
    )
    return sacre.scorer(_NAME, made)
