"""Scores equal the reference implementations' on real pairs, to 1e-9."""

from __future__ import annotations

import collections
import re
import string
from collections.abc import Callable, Sequence
from typing import Any

import jiwer
import numpy as np
import pytest
import sacrebleu
from nltk.metrics.distance import edit_distance
from rouge_score.rouge_scorer import RougeScorer

from noria.scoring.resolve import described, resolve
from noria.scoring.scorer import Output, Score, ScorerSpec

Pair = tuple[str, str]
Make = Callable[..., Output]


async def scored(make: Make, pairs: Sequence[Pair], type: str, **arguments: Any) -> list[list[Score]]:
    judge = resolve(ScorerSpec(type=type, arguments=arguments))
    return [list(await judge(make(said, wanted))) for said, wanted in pairs]


def corpus(type: str, scores: Sequence[Sequence[Score]], **arguments: Any) -> float:
    metric = described(ScorerSpec(type=type, arguments=arguments))[0].metric
    assert metric is not None
    return metric([one[0] for one in scores])


@pytest.mark.parametrize(
    ("type", "arguments"),
    [
        ("bleu", {}),
        ("bleu", {"smooth": "floor", "order": 2}),
        ("chrf", {}),
        ("chrf", {"words": 2, "beta": 1, "order": 4}),
        ("ter", {}),
    ],
)
async def test_many_sums_at_once_give_the_same(
    output: Make, german: list[Pair], type: str, arguments: dict[str, Any]
) -> None:
    """What intervals are made with is the corpus metric itself."""
    [measure] = described(ScorerSpec(type=type, arguments=arguments))
    scores = [one[0] for one in await scored(output, german[:60], type, **arguments)]
    assert measure.metric is not None and measure.rows is not None
    parts = np.array([score.parts for score in scores])
    sums = np.array([parts.sum(axis=0), parts[:20].sum(axis=0), parts[0]])
    expected = [measure.metric(scores), measure.metric(scores[:20]), measure.metric(scores[:1])]
    assert measure.rows.of(sums).tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("tokenize", ["13a", "intl", "char"])
async def test_bleu(output: Make, german: list[Pair], tokenize: str) -> None:
    scores = await scored(output, german, "bleu", tokenize=tokenize)
    sentence = sacrebleu.BLEU(tokenize=tokenize, effective_order=True)
    for (said, wanted), (score,) in zip(german, scores, strict=True):
        assert score.value == pytest.approx(sentence.sentence_score(said, [wanted]).score, abs=1e-9)
    whole = sacrebleu.BLEU(tokenize=tokenize).corpus_score(
        [said for said, _ in german], [[wanted for _, wanted in german]]
    )
    assert corpus("bleu", scores, tokenize=tokenize) == pytest.approx(whole.score, abs=1e-9)


@pytest.mark.parametrize("words", [0, 2])
async def test_chrf(output: Make, german: list[Pair], words: int) -> None:
    scores = await scored(output, german, "chrf", words=words)
    reference = sacrebleu.CHRF(word_order=words)
    for (said, wanted), (score,) in zip(german, scores, strict=True):
        assert score.value == pytest.approx(reference.sentence_score(said, [wanted]).score, abs=1e-9)
    whole = reference.corpus_score([said for said, _ in german], [[wanted for _, wanted in german]])
    assert corpus("chrf", scores, words=words) == pytest.approx(whole.score, abs=1e-9)


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
async def test_ter(output: Make, german: list[Pair], count: int) -> None:
    german = german[:count]
    scores = await scored(output, german, "ter")
    reference = sacrebleu.TER()
    for (said, wanted), (score,) in zip(german, scores, strict=True):
        assert score.value == pytest.approx(reference.sentence_score(said, [wanted]).score, abs=1e-9)
    whole = reference.corpus_score([said for said, _ in german], [[wanted for _, wanted in german]])
    assert corpus("ter", scores) == pytest.approx(whole.score, abs=1e-9)


@pytest.mark.parametrize("stem", [False, True])
async def test_rouge(output: Make, english: list[Pair], stem: bool) -> None:
    variants = ("1", "2", "l", "lsum")
    types = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    scores = await scored(output, english, "rouge", variants=list(variants), stem=stem)
    reference = RougeScorer(types, use_stemmer=stem)
    for (said, wanted), found in zip(english, scores, strict=True):
        values = reference.score(wanted, said)
        assert [one.value for one in found] == pytest.approx(
            [values[type].fmeasure for type in types], abs=1e-9
        )
        assert [one.name for one in found] == [f"rouge.{variant}" for variant in variants]


async def test_wer(output: Make, german: list[Pair]) -> None:
    # jiwer parts words at plain spaces only.
    german = [(" ".join(said.split()), " ".join(wanted.split())) for said, wanted in german]
    scores = await scored(output, german, "wer")
    for (said, wanted), (score,) in zip(german, scores, strict=True):
        assert score.value == pytest.approx(jiwer.wer(wanted, said), abs=1e-9)
    whole = jiwer.wer([wanted for _, wanted in german], [said for said, _ in german])
    assert corpus("wer", scores) == pytest.approx(whole, abs=1e-9)


async def test_edit_distance(output: Make, english: list[Pair]) -> None:
    scores = await scored(output, english, "edit_distance")
    for (said, wanted), (distance, similarity) in zip(english, scores, strict=True):
        edits = edit_distance(said, wanted)
        assert distance.value == edits
        assert similarity.value == pytest.approx(1 - edits / max(len(said), len(wanted)), abs=1e-9)


async def test_token_f1(output: Make, english: list[Pair]) -> None:
    scores = await scored(output, english, "token_f1")
    for (said, wanted), (f1, exact) in zip(english, scores, strict=True):
        assert f1.value == pytest.approx(squad_f1(said, wanted), abs=1e-9)
        assert exact.value == (squad_words(said) == squad_words(wanted))


def squad_words(text: str) -> list[str]:
    """The steps that SQuAD's evaluation script describes, one after the other."""
    kept = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", kept).split()


def squad_f1(said: str, wanted: str) -> float:
    words, right = squad_words(said), squad_words(wanted)
    common = sum((collections.Counter(words) & collections.Counter(right)).values())
    if not common:
        return 0.0
    precision, recall = common / len(words), common / len(right)
    return 2 * precision * recall / (precision + recall)
