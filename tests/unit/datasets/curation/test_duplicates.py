"""Duplicates: exact, by key, near, by meaning; contamination; samples and budgets."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from builds import built, example, examples_of, make_tools

from noria.core.example import Example
from noria.datasets.curation.plan import global_of, specs_of, step_of
from noria.datasets.curation.step import Tools

numpy = pytest.importorskip("numpy")
_WORDS = [f"word{number}" for number in range(4000)]


def _decided(
    step: dict[str, Any], given: Sequence[Example], folder: Path, tools: Tools | None = None
) -> dict[int, int]:
    """Place of each that goes, to the place of the one that stands for it."""
    made = global_of(step_of(specs_of([step])[0]))
    signs = made.signer(tools or make_tools(folder))(given)
    found = made.decide(iter(signs), total=len(given), folder=folder)
    assert sorted(found.ordinals.tolist()) == found.ordinals.tolist()
    return dict(zip(found.ordinals.tolist(), found.kept.tolist(), strict=True))


def _clusters(lost: dict[int, int], names: Sequence[int]) -> set[frozenset[int]]:
    found: dict[int, set[int]] = {}
    for place, kept in lost.items():
        found.setdefault(kept, {names[kept]}).add(names[place])
    return {frozenset(cluster) for cluster in found.values()}


def _planted(count: int, *, changed: int) -> tuple[list[str], set[frozenset[int]]]:
    """Random texts; every fourth comes back with words changed. And the pairs."""
    random.seed(11)
    texts = [" ".join(random.choices(_WORDS, k=random.randint(80, 160))) for _ in range(count)]
    pairs: set[frozenset[int]] = set()
    for place in range(0, count, 4):
        words = texts[place].split()
        for _ in range(changed):
            words[random.randrange(len(words))] = "changed"
        pairs.add(frozenset((place, len(texts))))
        texts.append(" ".join(words))
    return texts, pairs


def test_planted_near_duplicates_are_found_and_nothing_else(tmp_path: Path) -> None:
    texts, pairs = _planted(1200, changed=1)
    lost = _decided({"type": "near"}, examples_of(texts), tmp_path)
    found = _clusters(lost, range(len(texts)))
    assert len(found & pairs) >= 0.95 * len(pairs)
    assert found <= pairs
    assert not list(tmp_path.iterdir())


def test_near_duplicates_do_not_depend_on_order(tmp_path: Path) -> None:
    texts, _ = _planted(300, changed=2)
    texts += [texts[5], texts[5] + " more", texts[7].upper()]
    expected = _clusters(_decided({"type": "near"}, examples_of(texts), tmp_path), range(len(texts)))
    for seed in range(4):
        order = list(range(len(texts)))
        random.Random(seed).shuffle(order)
        lost = _decided({"type": "near"}, examples_of([texts[place] for place in order]), tmp_path)
        assert _clusters(lost, order) == expected
        assert all(kept < place for place, kept in lost.items())


def test_texts_without_words_are_no_duplicates_of_one_another(tmp_path: Path) -> None:
    assert _decided({"type": "near"}, examples_of(["", "!!", "", "?"]), tmp_path) == {}
    assert _decided({"type": "exact"}, examples_of(["", ""]), tmp_path) == {}
    assert _decided({"type": "near"}, [], tmp_path) == {}


def test_exact_duplicates(tmp_path: Path) -> None:
    texts = ["a  b", "A b", "c", "a b", "c"]
    assert _decided({"type": "exact"}, examples_of(texts), tmp_path) == {1: 0, 3: 0, 4: 2}
    assert _decided({"type": "exact", "loose": False}, examples_of(texts), tmp_path) == {4: 2}


def test_keys(tmp_path: Path) -> None:
    given = [
        example("a", "1", metadata={"k": {"n": 1}}),
        example("b", "2"),
        example("c", "3", metadata={"k": {"n": 1}}),
        example("d", "4"),
    ]
    assert _decided({"type": "key", "key": "metadata.k"}, given, tmp_path) == {2: 0}


@pytest.mark.parametrize("count", [60, 25_000])
def test_the_same_meaning(tmp_path: Path, count: int) -> None:
    random_numbers = numpy.random.default_rng(5)
    vectors = random_numbers.normal(size=(count, 16))
    vectors[count - 10 :] = vectors[:10] * 3 + random_numbers.normal(size=(10, 16)) * 0.01
    by_text = {str(place): vector for place, vector in enumerate(vectors)}

    def embed(model: str, texts: Sequence[str]) -> list[list[float]]:
        assert model == "m" and len(texts) <= 64
        return [by_text[text].tolist() for text in texts]

    step = {"type": "semantic", "model": "m", "similarity": 0.99}
    given = examples_of([str(place) for place in range(count)])
    lost = _decided(step, given, tmp_path, Tools(folder=tmp_path, embed=embed))
    assert {count - 10 + place: place for place in range(10)} == {
        place: kept for place, kept in lost.items() if place >= count - 10
    }


_LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"


def test_what_a_golden_set_has_is_dropped(tmp_path: Path) -> None:
    golden = [
        example("g1", f"Question: {_LONG}?"),
        example("g2", "is it true that cats can see at night"),
        example("g3", "Short one?", expected="yes"),
    ]
    texts = [
        f"before it, {_LONG.upper()}, and after it",  # 13 words in a row, whatever case and signs
        "one two three four five six seven eight nine ten eleven twelve other words",  # only twelve
        "I ask: is it true that cats can see at night?",  # nine words are the whole of a golden text
        " short   ONE?",  # the same input
        "yes",  # a golden answer alone is none
        "another short one? yes",
    ]
    _, left, log = built(tmp_path, texts, {"type": "decontaminate", "against": ["gold"]}, golden=golden)
    assert [one.id for one in left] == ["e000001", "e000004", "e000005"]
    details = {event.example: event.details for event in log}
    assert details["e000000"] == {"of": "gold", "ngrams": 3, "n": 13}
    assert details["e000002"] == {"of": "gold", "ngrams": 1, "n": 9}
    assert details["e000003"] == {"of": "gold", "input": "the same"}


def test_a_sample_stays_when_data_grows(tmp_path: Path) -> None:
    given = examples_of([str(place) for place in range(400)])
    few = _decided({"type": "sample", "share": 0.25}, given[:200], tmp_path)
    many = _decided({"type": "sample", "share": 0.25}, given, tmp_path)
    assert set(few) == {place for place in many if place < 200}
    assert 250 < len(many) < 350
    assert len(_decided({"type": "sample", "count": 17}, given, tmp_path)) == 400 - 17
    assert _decided({"type": "sample", "count": 1000}, given, tmp_path) == {}


def test_groups_are_drawn_together(tmp_path: Path) -> None:
    given = [example(f"e{place}", "t", group=f"g{place // 4}") for place in range(200)]
    lost = _decided({"type": "sample", "share": 0.5}, given, tmp_path)
    assert all((place in lost) == (place - place % 4 in lost) for place in range(200))
    assert 0 < len(lost) < 200


def test_a_token_budget_is_kept(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    model = {"type": "WordLevel", "vocab": {"a": 0, "?": 1}, "unk_token": "?"}
    (tmp_path / "t.json").write_text(
        json.dumps({"version": "1.0", "model": model, "pre_tokenizer": {"type": "Whitespace"}})
    )
    given = examples_of(["a " * (place % 7 + 1) for place in range(100)])
    step = {"type": "token_budget", "tokens": 150, "tokenizer": "t.json"}
    lost = _decided(step, given, tmp_path, Tools(folder=tmp_path, project=tmp_path))
    kept = sum(place % 7 + 1 for place in range(100) if place not in lost)
    assert 150 - 7 < kept <= 150
