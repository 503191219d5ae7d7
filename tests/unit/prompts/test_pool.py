"""Pools of examples: the nearest are found, unlike ones where that is asked, and files are whole."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from noria.errors import InvalidRequest, StateError, Unavailable
from noria.prompts.pool import NEAR, Pool, Shelf, text_of, write_pool
from noria.prompts.technique import Shot, Shots

SIMILAR = Shots(choose="similar", k=3, dataset="d@1", embedder="e", field="q")
WIDTH = 256


def _clustered(count: int, *, seed: int = 7) -> list[list[float]]:
    """Vectors around few centres, as texts of few intents are."""
    rng = random.Random(seed)
    centres = [[rng.gauss(0, 1) for _ in range(WIDTH)] for _ in range(40)]
    return [[value + rng.gauss(0, 0.4) for value in rng.choice(centres)] for _ in range(count)]


def _pool(path: Path, vectors: list[list[float]]) -> Pool:
    shots = [Shot(input={"q": f"question {n} é"}, answer=str(n)) for n in range(len(vectors))]
    write_pool(path, shots, vectors)
    return Pool(path)


def _exact(vectors: list[list[float]], query: list[float], k: int) -> list[int]:
    def cosine(n: int) -> float:
        vector = vectors[n]
        return sum(a * b for a, b in zip(vector, query, strict=True)) / sum(a * a for a in vector) ** 0.5

    return sorted(range(len(vectors)), key=cosine, reverse=True)[:k]


def test_examples_come_back_as_they_were(tmp_path: Path) -> None:
    vectors = _clustered(5)
    pool = _pool(tmp_path / "a.pool", vectors)
    assert pool.head.count == 5 and pool.example(4) == Shot(input={"q": "question 4 é"}, answer="4")
    assert [one.answer for one in pool.choose(vectors[2], SIMILAR)][-1] == "2", "the nearest stands last"
    assert len(pool.choose(vectors[2], SIMILAR)) == 3


def test_a_small_pool_is_searched_exactly(tmp_path: Path) -> None:
    vectors = _clustered(NEAR)
    pool = _pool(tmp_path / "a.pool", vectors)
    for query in _clustered(20, seed=3):
        assert pool.nearest(query, 5) == _exact(vectors, query, 5)


def test_a_large_pool_finds_nearly_all_of_the_nearest(tmp_path: Path) -> None:
    vectors = _clustered(1500)
    pool = _pool(tmp_path / "a.pool", vectors)
    rng = random.Random(11)
    queries = [[value + rng.gauss(0, 0.2) for value in one] for one in rng.sample(vectors, 12)]
    found = sum(len(set(pool.nearest(one, 5)) & set(_exact(vectors, one, 5))) for one in queries)
    assert found / (5 * len(queries)) >= 0.95


def test_diverse_examples_are_unlike_one_another(tmp_path: Path) -> None:
    near, other = [1.0, 0.1, 0.0, 0.0], [0.8, 0.0, 0.6, 0.0]
    pool = _pool(tmp_path / "a.pool", [near, near, near, other, [0.0, 0.0, 0.0, 1.0]])
    query = [1.0, 0.05, 0.1, 0.0]
    similar = {one.answer for one in pool.choose(query, Shots(choose="similar", k=2, embedder="e"))}
    diverse = {
        one.answer for one in pool.choose(query, Shots(choose="diverse", k=2, embedder="e", balance=0.5))
    }
    assert similar <= {"0", "1", "2"} and "3" in diverse and len(diverse) == 2


def test_what_is_no_pool_is_said(tmp_path: Path) -> None:
    (tmp_path / "b.pool").write_bytes(b"something else entirely")
    for name in ("a", "b"):
        with pytest.raises(StateError, match="label again"):
            Pool(tmp_path / f"{name}.pool")
    with pytest.raises(Unavailable):
        Shelf(tmp_path)("a")
    pool = _pool(tmp_path / "c.pool", _clustered(3))
    with pytest.raises(InvalidRequest, match="256"):
        pool.nearest([1.0, 2.0], 1)


def test_the_text_that_is_compared() -> None:
    assert text_of(SIMILAR, {"q": "x", "r": "y"}) == "x"
    only = Shots(choose="similar", embedder="e")
    assert text_of(only, {"q": "x", "n": 3}) == "x"
    for values in ({"q": "x", "r": "y"}, {"n": 3}):
        with pytest.raises(InvalidRequest, match="variables are texts"):
            text_of(only, values)
