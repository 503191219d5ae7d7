"""Translation edit rate, as sacrebleu computes it, in per cent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from noria.scoring import sacre
from noria.scoring.factory import factory
from noria.scoring.process import apart
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer

_NAME = "ter"
_METRICS: dict[tuple[tuple[str, bool], ...], Any] = {}


def _described(**arguments: bool) -> Sequence[Described]:
    metric = sacre.corpus(lambda: _make(tuple(sorted(arguments.items()))), whole=False)
    return (Described(name=_NAME, kind="corpus", better="lower", metric=metric),)


@factory(by=_described)
def ter(*, normalized: bool = False, no_punct: bool = False, case_sensitive: bool = False) -> Scorer:
    """Edits and shifts over the mean length of the references.

    A pair takes some 25 ms of computing, so it is done in other processes.
    """
    sacre.metrics()
    options = tuple(
        sorted({"normalized": normalized, "no_punct": no_punct, "case_sensitive": case_sensitive}.items())
    )

    async def score(output: Output) -> Sequence[Score]:
        value, parts = await apart(_score, output.text, references(output.example), options)
        return (Score(name=_NAME, value=value, parts=parts),)

    return score


def _score(
    text: str, wanted: tuple[str, ...], options: tuple[tuple[str, bool], ...]
) -> tuple[float, tuple[float, ...]]:
    metric = _make(options)
    parts = metric._extract_corpus_statistics([text], [[reference] for reference in wanted])[0]
    return float(metric._compute_score_from_stats(parts).score), tuple(float(part) for part in parts)


def _make(options: tuple[tuple[str, bool], ...]) -> Any:
    """One metric a set of options: its tokeniser keeps what it has seen."""
    if options not in _METRICS:
        _METRICS[options] = sacre.metrics().TER(**dict(options))
    return _METRICS[options]
