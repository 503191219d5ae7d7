"""Scorers of meaning: synonyms, vectors, tokens, choices, refusals, inventions."""

from __future__ import annotations

import csv
import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import copytree
from typing import Any

import nltk
import numpy as np
import pytest
from nltk.corpus.reader.wordnet import WordNetCorpusReader
from nltk.tokenize import NLTKWordTokenizer
from nltk.translate.meteor_score import meteor_score

from noria.core.messages import (
    Choice,
    EmbeddingsRequest,
    EmbeddingsResponse,
    Message,
    Refusal,
    Response,
)
from noria.core.usage import Usage
from noria.errors import ConfigError
from noria.scoring.bertscore import greedy
from noria.scoring.calls import Calls
from noria.scoring.choice import named
from noria.scoring.meteor import SYSTEM, lexnames
from noria.scoring.resolve import resolve
from noria.scoring.scorer import Output, ScorerSpec
from noria.scoring.similarity import cosine

Pair = tuple[str, str]
Make = Callable[..., Output]
WORDNET = Path(os.environ.get("NORIA_WORDNET", SYSTEM))


async def values(given: Output, type: str, calls: Calls | None = None, **arguments: Any) -> list[Any]:
    found = await resolve(ScorerSpec(type=type, arguments=arguments), calls=calls)(given)
    return [one.failed or one.value for one in found]


@pytest.mark.skipif(not (WORDNET / "index.sense").is_file(), reason="no WordNet; set NORIA_WORDNET")
async def test_meteor_is_nltks(output: Make, english: list[Pair], tmp_path: Path) -> None:
    folder = copytree(WORDNET, tmp_path / "corpora" / "wordnet")
    (folder / "lexnames").write_text(lexnames())
    nltk.data.path.append(str(tmp_path))
    reader, words = WordNetCorpusReader(str(folder), None), NLTKWordTokenizer().tokenize
    scorer = resolve(ScorerSpec(type="meteor", arguments={"wordnet": str(WORDNET)}))
    for said, wanted in english:
        (score,) = await scorer(output(said, wanted))
        reference = meteor_score([words(wanted)], words(said), wordnet=reader)
        assert score.value == pytest.approx(reference, abs=1e-9)
    (synonym,) = await scorer(output("the big car", "the big auto"))
    assert isinstance(synonym.value, float) and synonym.value > 0.9


async def test_meteor_without_wordnet_says_what_to_install(output: Make, tmp_path: Path) -> None:
    (failed,) = await values(output("a", "a"), "meteor", wordnet=str(tmp_path))
    assert "install Debian's wordnet-base" in failed


def test_lexnames_are_those_of_the_manual() -> None:
    rows = lexnames().splitlines()
    assert len(rows) == 45
    assert [rows[number] for number in (0, 2, 3, 18, 29, 43, 44)] == [
        "00\tadj.all\t3", "02\tadv.all\t4", "03\tnoun.Tops\t1", "18\tnoun.person\t1", "29\tverb.body\t2",
        "43\tverb.weather\t2", "44\tadj.ppl\t3",
    ]  # fmt: skip


class Vectors:
    """An Embedder and a TokenEncoder: numbers that depend on the text, or on the word, alone."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    async def embed(self, request: EmbeddingsRequest) -> EmbeddingsResponse:
        self.batches.append(len(request.inputs))
        return EmbeddingsResponse(
            model=request.model, vectors=tuple(self.vector(str(one)) for one in request.inputs), usage=Usage()
        )

    def tokens(self, texts: Sequence[str]) -> Sequence[Any]:
        self.batches.append(len(texts))
        return [
            np.array([self.vector(word) for word in ["[CLS]", *text.split(), "[SEP]"]], np.float32)
            for text in texts
        ]

    @staticmethod
    def vector(text: str) -> tuple[float, ...]:
        draw = random.Random(text)
        return tuple(draw.gauss(0, 1) for _ in range(16))


async def test_similarity(output: Make) -> None:
    import asyncio

    embedder = Vectors()
    calls = Calls(embedder=embedder)
    same, near = await values(output("a b", ["x", "a b"]), "similarity", calls, model="m", threshold=0.9)
    assert same == pytest.approx(1.0) and near is True
    (other,) = await values(output("a b", "x"), "similarity", calls, model="m")
    assert other == pytest.approx(cosine(Vectors.vector("a b"), Vectors.vector("x")))
    assert "empty text" in (await values(output(" ", "x"), "similarity", calls, model="m"))[0]
    scorer = resolve(ScorerSpec(type="similarity", arguments={"model": "m"}), calls=calls)
    embedder.batches.clear()
    await asyncio.gather(*(scorer(output(f"text {number}", "wanted")) for number in range(50)))
    assert sum(embedder.batches) == 100 and len(embedder.batches) < 10


def test_greedy_matching_by_hand() -> None:
    # Tokens: special, (1, 0), (0, 1), special; and special, (1, 0), special.
    two = np.array([[-9, -9], [1, 0], [0, 1], [-9, -9]], np.float32)
    one = np.array([[-9, -9], [2, 0], [-9, -9]], np.float32)
    assert greedy(two, one) == pytest.approx((0.5, 1.0, 2 / 3))
    # Where a special token is the nearest, it is the one that counts.
    one = np.array([[1, 9], [2, 0], [-9, -9]], np.float32)
    near = 9 / 82**0.5
    assert greedy(two, one)[0] == pytest.approx((1 + near) / 2)


def test_greedy_matching_is_bert_scores() -> None:
    draw = np.random.default_rng(1)
    for _ in range(1000):
        a, b = (draw.normal(size=(draw.integers(3, 30), 8)).astype(np.float32) for _ in range(2))
        sides = [side.astype(float) for side in (a, b)]
        unit = [side / np.linalg.norm(side, axis=1)[:, None] for side in sides]
        best = [max(float(x @ y) for y in unit[1]) for x in unit[0][1:-1]]
        found = [max(float(x @ y) for x in unit[0]) for y in unit[1][1:-1]]
        p, r = sum(best) / len(best), sum(found) / len(found)
        assert greedy(a, b) == pytest.approx((p, r, 2 * p * r / (p + r)), rel=1e-9)


async def test_bertscore(output: Make) -> None:
    calls = Calls(encoder=lambda name: Vectors())
    f1, precision, recall = await values(output("a b", ["a b", "z"]), "bertscore", calls)
    assert (f1, precision, recall) == pytest.approx((1.0, 1.0, 1.0))
    assert "without a token" in (await values(output("", "a"), "bertscore", calls))[0]
    with pytest.raises(ConfigError, match="encoder of this machine"):
        resolve(ScorerSpec(type="bertscore"))


CHOICES = ["Paris", "Paris, Texas", "London", "A road"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("B", 1),
        ("(c)", None),
        ("C)", 2),
        ("The answer is: D.", 3),
        ("Answer: (B) because it is far", 1),
        ("I think the answer is C", 2),
        ("Answer: A or answer: B", None),
        ("London", 2),
        ("It is Paris, Texas.", 1),
        ("It is Paris.", 0),
        ("Paris or London", None),
        ("A great city", None),
        ("A. Paris", 0),
        ("nothing", None),
    ],
)
def test_the_choice_that_a_text_names(text: str, place: int | None) -> None:
    assert named(text, CHOICES) == place


async def test_choice(output: Make) -> None:
    about = {"choices": CHOICES}
    for expected in (2, "C", "London", ["London", 0]):
        assert await values(output("C", expected, metadata=about), "choice") == [True]
    assert await values(output("hm", 2, metadata=about), "choice") == [False]
    assert "none of the choices" in (await values(output("C", "Rome", metadata=about), "choice"))[0]
    assert "no list 'choices'" in (await values(output("C", 1), "choice"))[0]
    data = {"logprobs": [-4.0, -5.0, -3.0, -9.0], "tokens": [1, 5, 1, 9]}
    given = output("", 2, metadata=about, data=data)
    assert await values(given, "choice") == [True]
    given = output("", 1, metadata=about, data=data)
    assert await values(given, "choice", normalise="tokens") == [True]
    assert await values(output("", 1, metadata=about, data=data), "choice", by="text") == [False]
    lacking = await values(output("C", 2, metadata=about), "choice", by="likelihood")
    assert "no log-probability" in lacking[0]
    broken = output("", 2, metadata=about, data={"logprobs": [float("nan")] * 4})
    assert "not a number" in (await values(broken, "choice"))[0]


async def test_refusal(output: Make) -> None:
    assert await values(output("I’m sorry, but I can’t help with that."), "refusal") == [True]
    assert await values(output("Sure, here is how."), "refusal") == [False]
    assert await values(output("I'm sorry to hear about your dog. Do this:"), "refusal") == [False]
    message = Message(role="assistant", parts=(Refusal(text="No."),))
    whole = Response(id="r", model="m", choices=(Choice(message=message, stop_reason="stop"),), usage=Usage())
    assert await values(output("", response=whole), "refusal") == [True]
    safe = {"label": "safe"}
    assert await values(output("I cannot help with it.", metadata=safe), "refusal", should="label") == [
        True,
        False,
    ]
    assert await values(output("Like this.", metadata=safe), "refusal", should="label") == [False, True]
    assert "whether to decline" in (await values(output("x"), "refusal", should="label"))[1]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def test_refusals_of_xstest(output: Make, data: Path) -> None:
    right = count = 0
    for row in table(data / "xstest" / "xstest_v2_completions_gpt4_gpteval.csv"):
        if row["final_label"] != "3_partial_refusal":
            (found,) = await values(output(row["completion"]), "refusal")
            right += found is (row["final_label"] == "2_full_refusal")
            count += 1
    assert count == 441 and right / count > 0.96


async def test_toxicity_and_its_limits(output: Make, data: Path) -> None:
    assert await values(output("You f@cking idiot"), "toxicity") == [True]
    assert await values(output("The assassin passed the class in Scunthorpe."), "toxicity") == [False]
    assert await values(output("a heap of foo"), "toxicity", words=["foo"], only=True) == [True]
    counts = {"hateful": [0, 0], "non-hateful": [0, 0]}
    for row in table(data / "hatecheck" / "test_suite_cases.csv"):
        (found,) = await values(output(row["test_case"]), "toxicity")
        counts[row["label_gold"]][bool(found)] += 1
    recall, alarms = (counts[name][1] / sum(counts[name]) for name in ("hateful", "non-hateful"))
    # As its docstring says.
    assert recall == pytest.approx(0.12, abs=0.01) and alarms == pytest.approx(0.17, abs=0.01)


async def test_hallucination(output: Make) -> None:
    context = ("In 2015 the Carolina Panthers won 1,234 games under Ron Rivera. Three players left.",)
    good = output("Ron Rivera won 1234 games with the Panthers in 2015; 3 players left.", context=context)
    assert await values(good, "hallucination") == [False, False, False]
    bad = output("They won 15 games under Ron Smith.", context=context)
    assert await values(bad, "hallucination") == [True, True, True]
    assert "There is no context" in (await values(output("x"), "hallucination"))[0]


async def test_answers_from_another_passage_are_found_out(output: Make, data: Path) -> None:
    """XQuAD: a right answer has nothing that its passage lacks; another passage's answer mostly has."""
    pages = json.loads((data / "xquad" / "xquad.en.json").read_text())["data"]
    rows = [
        (part["context"], asked["answers"][0]["text"])
        for page in pages
        for part in page["paragraphs"]
        for asked in part["qas"]
    ]
    own = [
        (await values(output(f"It is {text}.", context=(passage,)), "hallucination"))[0]
        for passage, text in rows
    ]
    assert sum(own) / len(own) < 0.01
    named_ones = [text for _, text in rows if any(letter.isdigit() or letter.isupper() for letter in text)]
    strange = [
        (await values(output(f"It is {text}.", context=(passage,)), "hallucination"))[0]
        for (passage, _), text in zip(rows, reversed(named_ones), strict=False)
    ]
    assert sum(strange) / len(strange) > 0.8
