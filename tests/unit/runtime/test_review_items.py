"""What becomes an item of a review queue, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from noria.access.audit import Act
from noria.access.role import SYSTEM
from noria.core.clock import SystemClock
from noria.core.example import Example
from noria.errors import NotFound
from noria.evals.answer import Answer, Judgement
from noria.evals.run import DatasetRef, EvalRun, RunSpec, TargetSpec
from noria.evals.store import Written
from noria.reviews.item import Content
from noria.reviews.source import Examples, LeftOut, Run, Wanted
from noria.runtime.review_items import ItemSources
from noria.scoring.scorer import Score, ScorerSpec
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.datasets import DatasetTable
from noria.storage.evals import EvalTable

EXAMPLES = [Example(id=f"e{n}", input={"input": f"q{n}"}) for n in range(4)]


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[ItemSources]:
    """Two runs over the same examples; of the first, one answer failed and one has no second."""
    database = Database.open(tmp_path / "noria.db")
    log = AuditLog(database, SystemClock())
    runs = EvalTable(database, log)
    for name in ("run_a", "run_b"):
        spec = RunSpec(
            name="e", target=TargetSpec(model="m"), dataset=DatasetRef(file="x.jsonl"),
            scorers=(ScorerSpec(type="exact"), ScorerSpec(type="latency")),
        )  # fmt: skip
        act = Act(by=SYSTEM, act="eval.run", subject=name, project="p")
        runs.add(EvalRun(id=name, project="p", spec=spec), act)
        examples = EXAMPLES if name == "run_a" else EXAMPLES[:3]
        failed = {"e2"} if name == "run_a" else set[str]()
        answers = [
            Answer(example=one.id, revision=one.revision, text="" if one.id in failed else f"{name} {one.id}",
                   failed="refused" if one.id in failed else "")
            for one in examples
        ]  # fmt: skip
        right = {"run_a": ("e0", "e1"), "run_b": ("e0",)}[name]
        judgements = [
            Judgement(example=one.id, scorer=scorer, scores=(Score(name=scorer, value=value),))
            for one in examples
            for scorer, value in (("exact", one.id in right), ("latency", 30.0))
        ]
        runs.write(name, Written(examples=examples, answers=answers, judgements=judgements))
    yield ItemSources(
        spans=lambda: pytest.fail("no spans are asked for"),
        resolve=lambda project, filter: filter,
        datasets=DatasetTable(database, log, SystemClock()),
        runs=runs,
    )
    database.close()


def _contents(sources: ItemSources, **run: Any) -> tuple[list[Content], dict[str, int]]:
    left_out = LeftOut()
    found = list(sources.contents("p", Wanted(run=Run(id="run_a", **run)), None, left_out))
    return found, dict(left_out.reasons)


def _ids(found: list[Content]) -> list[str]:
    return [one.example.id for one in found]


def test_answers_of_a_run(sources: ItemSources) -> None:
    found, left_out = _contents(sources)
    assert _ids(found) == ["e0", "e1", "e3"] and left_out == {"the answer failed": 1}
    assert found[0].outputs[0].text == "run_a e0" and found[0].hidden == {"scores": {"exact": [True]}}
    assert _ids(_contents(sources, limit=2)[0]) == ["e0", "e1"]
    assert _ids(_contents(sources, only="failed")[0]) == ["e3"]


def test_two_runs_beside_one_another(sources: ItemSources) -> None:
    found, left_out = _contents(sources, against="run_b")
    assert _ids(found) == ["e0", "e1"]
    assert left_out == {"the answer failed": 1, "the other run has no such example": 1}
    assert [output.text for output in found[1].outputs] == ["run_a e1", "run_b e1"]
    assert _ids(_contents(sources, against="run_b", only="disagreement")[0]) == ["e1"]


def test_what_is_not_there_is_named(sources: ItemSources) -> None:
    with pytest.raises(NotFound, match="run_c"):
        _contents(sources, against="run_c")
    with pytest.raises(NotFound, match="nothing"):
        list(sources.contents("p", Wanted(dataset=Examples(name="nothing")), None, LeftOut()))
