"""Overlap of words with a reference, as SQuAD measures it."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

from noria.scoring.factory import factory
from noria.scoring.reference import references
from noria.scoring.scorer import Described, Output, Score, Scorer

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


@factory(Described(name="token_f1"), Described(name="token_f1.exact", kind="share"))
def token_f1() -> Scorer:
    """F1 of the words and exact match, both after SQuAD's normalisation, with the best of the references.

    Source: the evaluation script of SQuAD 1.1 (Rajpurkar et al., 2016); its articles are English.
    """

    async def score(output: Output) -> Sequence[Score]:
        wanted = references(output.example)
        best = max(f1(output.text, reference) for reference in wanted)
        same = any(normalised(output.text) == normalised(reference) for reference in wanted)
        return (Score(name="token_f1", value=best), Score(name="token_f1.exact", value=same))

    return score


def normalised(text: str) -> str:
    """Lower case, without punctuation, English articles and doubled white space."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def f1(text: str, reference: str) -> float:
    """Harmonic mean of the precision and recall of words."""
    words, wanted = normalised(text).split(), normalised(reference).split()
    same = (Counter(words) & Counter(wanted)).total()
    if same == 0:
        return 0.0
    precision, recall = same / len(words), same / len(wanted)
    return 2 * precision * recall / (precision + recall)
