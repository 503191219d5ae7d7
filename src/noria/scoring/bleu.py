"""BLEU, as sacrebleu computes it, 0 to 100."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from noria.scoring import sacre
from noria.scoring.factory import factory
from noria.scoring.scorer import Described, Scorer

if TYPE_CHECKING:
    from noria.stats.arrays import Floats
    from noria.stats.corpus import Smoothing

_NAME = "bleu"


def _described(
    *, tokenize: str = "13a", lowercase: bool = False, smooth: Smoothing = "exp", order: int = 4
) -> Sequence[Described]:
    def make() -> Any:
        return sacre.metrics().BLEU(
            tokenize=tokenize, lowercase=lowercase, smooth_method=smooth, max_ngram_order=order
        )

    def rows(sums: Floats) -> Floats:
        from noria.stats.corpus import bleu

        return bleu(sums, smooth=smooth, order=order)

    return (sacre.described(_NAME, make, rows),)


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
