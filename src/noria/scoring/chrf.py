"""chrF and chrF++, as sacrebleu computes them, 0 to 100."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from noria.scoring import sacre
from noria.scoring.factory import factory
from noria.scoring.scorer import Described, Scorer

_NAME = "chrf"


def _make(*, order: int = 6, words: int = 0, beta: int = 2, lowercase: bool = False) -> Any:
    return sacre.metrics().CHRF(char_order=order, word_order=words, beta=beta, lowercase=lowercase)


def _described(**arguments: Any) -> Sequence[Described]:
    return (Described(name=_NAME, kind="corpus", metric=sacre.corpus(lambda: _make(**arguments))),)


@factory(by=_described)
def chrf(*, order: int = 6, words: int = 0, beta: int = 2, lowercase: bool = False) -> Scorer:
    """F-score of character n-grams up to `order`; `words` = 2 makes it chrF++."""
    return sacre.scorer(_NAME, _make(order=order, words=words, beta=beta, lowercase=lowercase))
