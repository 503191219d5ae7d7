"""chrF and chrF++, as sacrebleu computes them, 0 to 100."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from noria.scoring import sacre
from noria.scoring.factory import factory
from noria.scoring.scorer import Described, Scorer

if TYPE_CHECKING:
    from noria.stats.arrays import Floats

_NAME = "chrf"


def _make(*, order: int = 6, words: int = 0, beta: int = 2, lowercase: bool = False) -> Any:
    return sacre.metrics().CHRF(char_order=order, word_order=words, beta=beta, lowercase=lowercase)


def _described(*, beta: int = 2, **arguments: Any) -> Sequence[Described]:
    def rows(sums: Floats) -> Floats:
        from noria.stats.corpus import chrf

        return chrf(sums, beta=beta)

    return (sacre.described(_NAME, lambda: _make(beta=beta, **arguments), rows),)


@factory(by=_described)
def chrf(*, order: int = 6, words: int = 0, beta: int = 2, lowercase: bool = False) -> Scorer:
    """F-score of character n-grams up to `order`; `words` = 2 makes it chrF++."""
    return sacre.scorer(_NAME, _make(order=order, words=words, beta=beta, lowercase=lowercase))
