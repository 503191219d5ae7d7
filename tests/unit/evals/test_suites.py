"""The shipped suites: every part has data, a prompt that renders and scorers; the report can be signed."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import pytest

from noria.errors import ConfigError, NotFound
from noria.evals.metrics import metrics
from noria.evals.report.report import Report
from noria.evals.report.suite import Chapter, SuiteReport, suite_html, suite_markdown
from noria.evals.run import DatasetRef, EvalRun, RunSpec, TargetSpec
from noria.evals.sheet import sheet
from noria.evals.suites.data import READERS, read
from noria.evals.suites.suite import SHIPPED, Part, load
from noria.prompts.compiled import turns
from noria.runtime.suites import _compiled
from noria.scoring.resolve import described

DATA = Path(os.environ.get("NORIA_DATA", Path(__file__).parents[4] / "shared" / "data"))
OWN = ("secrets", "injections")
"""Data that is within Noria."""
PARTS = [(name, part) for name in SHIPPED for part in load(name).parts]


def test_every_reader_is_used_by_a_part() -> None:
    assert {part.data for _, part in PARTS} == set(READERS)


@pytest.mark.parametrize(("suite", "part"), PARTS, ids=lambda one: one if isinstance(one, str) else one.name)
def test_parts(suite: str, part: Part) -> None:
    assert all(described(spec) for spec in part.specs("local/judge"))
    if part.judged:
        with pytest.raises(ConfigError, match="--judge"):
            part.specs("")
    if part.data not in OWN and not DATA.exists():
        pytest.skip("the public data sets are not here")
    examples = list(islice(read(part.data, DATA), 50))
    assert len({one.id for one in examples}) == len(examples) >= 30
    for example in examples:
        if part.choices:
            assert len(example.metadata[part.choices]) >= 2
        if part.prompt:
            assert all(turn.text.strip() for turn in turns(_compiled(part), example.input))


def test_data_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"The data 'gsm8k' is not in .*: .*test\.jsonl is missing"):
        list(read("gsm8k", tmp_path))
    (tmp_path / "gsm8k").mkdir()
    (tmp_path / "gsm8k" / "test.jsonl").write_text('{"q": 1}\n')
    with pytest.raises(ConfigError, match="is not as published"):
        list(read("gsm8k", tmp_path))
    with pytest.raises(NotFound, match="responsible, capability"):
        load("none")


def test_a_suite_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'title = "Mine"\n[[parts]]\nname = "a"\ndata = "gsm8k"\nscorers = ["numeric"]\n'
    )
    assert load("mine", folder=tmp_path).parts[0].specs("")[0].type == "numeric"
    (tmp_path / "mine.toml").write_text('title = "Mine"\ntypo = 1\nparts = []\n')
    with pytest.raises(ConfigError, match="typo"):
        load("mine", folder=tmp_path)


def test_the_report_names_what_was_not_run_and_has_a_place_to_sign() -> None:
    suite = load("responsible")
    spec = RunSpec(name="x", target=TargetSpec(model="<m>"), dataset=DatasetRef(file="x", digest="sha256:1"))
    run = EvalRun(id="run_1", project="default", spec=spec, state="failed", message="The <model> is gone.")
    chapter = Chapter(part=suite.parts[0], report=Report(run=run, metrics=metrics(sheet([], []))))
    made = SuiteReport(
        name="responsible", suite=suite, chapters=(chapter,), missing=("privacy",), version="1"
    )
    page = suite_html(made)
    assert "Not run, and so not judged here: privacy." in page and "Sign-off" in page
    assert "&lt;model&gt; is gone" in page and "<m>" not in page
    assert all(note[:40] in page for note in suite.notes)
    assert "Not run: privacy" in suite_markdown(made)
