"""ROUGE, as rouge-score computes it (the reference of the original Perl script's values)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Literal

from noria.errors import MissingExtra
from noria.scoring.factory import factory
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer

Variant = Literal["1", "2", "3", "l", "lsum"]
_TYPES = {"l": "rougeL", "lsum": "rougeLsum"}
_VARIANTS: tuple[Variant, ...] = ("1", "2", "l")


def _described(*, variants: Sequence[Variant] = _VARIANTS, stem: bool = False) -> Sequence[Described]:
    return tuple(Described(name=f"rouge.{variant}") for variant in variants)


@factory(by=_described)
def rouge(*, variants: tuple[Variant, ...] = _VARIANTS, stem: bool = False) -> Scorer:
    """F1 of n-grams (1, 2, 3), of the longest common subsequence (l), and the same line by line (lsum).

    The reference with the best F1 counts, for each variant by itself. Words are runs of a-z and 0-9, so it
    is of little use for other scripts.
    """
    try:
        module: Any = import_module("rouge_score.rouge_scorer")
    except ImportError as error:
        raise MissingExtra("The scorer rouge", "evals") from error
    types = {variant: _TYPES.get(variant, f"rouge{variant}") for variant in variants}
    scorer = module.RougeScorer(list(types.values()), use_stemmer=stem)

    async def score(output: Output) -> Sequence[Score]:
        found = scorer.score_multi(references(output.example), output.text)
        return [
            Score(
                name=f"rouge.{variant}",
                value=float(found[type].fmeasure),
                details={"precision": float(found[type].precision), "recall": float(found[type].recall)},
            )
            for variant, type in types.items()
        ]

    return score
