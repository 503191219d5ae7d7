"""Corpus metrics as sacrebleu computes them: sufficient statistics an output, one number for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from noria.errors import MissingExtra
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer
from noria.stats.interval import Rows

if TYPE_CHECKING:
    from noria.stats.arrays import Floats


def metrics() -> Any:
    """The module `sacrebleu.metrics`. Raises MissingExtra."""
    try:
        return import_module("sacrebleu.metrics")
    except ImportError as error:
        raise MissingExtra("BLEU, chrF and TER", "evals") from error


def scorer(name: str, metric: Any) -> Scorer:
    """`metric` is one of sacrebleu's, as it scores one sentence."""

    async def score(output: Output) -> Sequence[Score]:
        value, parts = scored(metric, output.text, references(output.example))
        return (Score(name=name, value=value, parts=parts),)

    return score


def scored(metric: Any, text: str, wanted: Sequence[str]) -> tuple[float, tuple[float, ...]]:
    """The value of one sentence, and its sufficient statistics."""
    # The public sentence_score computes the same statistics and throws them away.
    parts = metric._extract_corpus_statistics([text], [[reference] for reference in wanted])[0]
    value = metric._compute_score_from_stats(list(parts)).score
    return float(value), tuple(float(part) for part in parts)


def described(
    name: str,
    make: Callable[[], Any],
    rows: Callable[[Floats], Floats],
    *,
    better: Literal["higher", "lower"] = "higher",
    whole: bool = True,
) -> Described:
    """The metric of all outputs together; `rows` is that of `stats.corpus`, and `whole`: its statistics are
    counts."""

    def metric(scores: Sequence[Score]) -> float:
        columns = zip(*(score.parts for score in scores), strict=True)
        sums = [int(sum(column)) if whole else sum(column) for column in columns]
        return float(make()._compute_score_from_stats(sums).score)

    return Described(name=name, kind="corpus", better=better, metric=metric, rows=Rows(rows))
