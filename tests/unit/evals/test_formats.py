"""Logs of Inspect and promptfoo are read as they are, and what we write is read again with nothing lost."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import zstandard

from noria.errors import ConfigError
from noria.evals.formats.archive import Archive
from noria.evals.formats.inspect_log import InspectLog, write_inspect
from noria.evals.formats.promptfoo import PromptfooLog, promptfoo
from noria.evals.metrics import metrics
from noria.evals.report.html import html
from noria.evals.report.junit import junit
from noria.evals.report.markdown import markdown
from noria.evals.report.report import Report
from noria.evals.sheet import sheet
from noria.scoring.resolve import described

sys.path.insert(0, str(Path(__file__).parent))
from desk import EXACT, Desk, examples, right

FILES = Path(__file__).parent / "files"


async def made(desk: Desk) -> Any:
    def sometimes(given: dict[str, Any]) -> str:
        if given["input"].endswith("7"):
            raise RuntimeError("<script>no</script>\x00")
        return "wrong | # x" if given["input"].endswith("3") else right(given)

    run = await desk.go(desk.add(repeats=2), sometimes, examples(20, group="g"))
    return run, list(desk.store.kept(run.id))


@pytest.mark.parametrize("form", ["inspect", "promptfoo"])
async def test_written_and_read_again(desk: Desk, tmp_path: Path, form: str) -> None:
    run, kept = await made(desk)
    before = metrics(sheet(kept, described(EXACT)))
    path = tmp_path / "log"
    if form == "inspect":
        write_inspect(path, run, before, kept)
        log: Any = InspectLog(path)
    else:
        path.write_bytes(promptfoo(run, kept))
        log = PromptfooLog(path)
    rows = list(log.rows())
    assert len(rows) == 20 and log.spec().repeats == 2
    by_text = {one.example.input["input"]: one for one in rows}
    for one in kept:
        other = by_text[one.example.input["input"]]
        assert [answer.text for answer in other.answers] == [answer.text for answer in one.answers]
        assert [bool(answer.failed) for answer in other.answers] == [
            bool(answer.failed) for answer in one.answers
        ]
        ours = [score.value for each in one.judgements for score in each.scores if not score.failed]
        theirs = [
            s.value
            for each in other.judgements
            for s in each.scores
            if s.name == "exact" and s.value is not None
        ]
        if ours:
            assert ours == theirs


def test_a_log_that_inspect_wrote() -> None:
    log = InspectLog(FILES / "inspect.eval")
    spec = log.spec()
    assert (spec.name, spec.target.model, spec.scorers[0].name) == ("sums", "mockllm/model", "exact")
    rows = list(log.rows())
    assert [row.example.expected for row in rows] == [f"answer {n}" for n in range(5)]
    assert rows[1].answers[0].text == "answer 1" and rows[1].judgements[0].scores[0].value is True
    assert rows[1].example.metadata == {"level": 1}


def test_results_that_promptfoo_wrote() -> None:
    log = PromptfooLog(FILES / "promptfoo.json")
    assert [one.name for one in log.spec().scorers] == ["pass", "equals", "zed"]
    row = next(row for row in log.rows() if row.example.input == {"q": "x 1"})
    assert {s.name: s.value for j in row.judgements for s in j.scores} == {
        "pass": False,
        "equals": True,
        "zed": False,
    }
    assert (str(row.answers[0].cost), row.answers[0].latency) == ("0.001", 0.002)


def test_what_is_no_log_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.eval"
    path.write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(ConfigError, match=r"x\.eval is not a log that can be read"):
        InspectLog(path)
    with ZipFile(path, "w") as archive:
        archive.writestr("header.json", "{]")
    with pytest.raises(ConfigError, match=r"header\.json of x\.eval is not JSON"):
        InspectLog(path)
    path.write_text(json.dumps({"results": 3}))
    with pytest.raises(ConfigError, match="is not promptfoo's results"):
        PromptfooLog(path)


@pytest.mark.parametrize(
    "sample",
    [
        {"input": "a", "scores": {"s": 3}},
        {"input": "a", "output": "text"},
        {"input": "a", "error": "text"},
        {"input": "a", "metadata": [1]},
        {"input": "a", "output": {"usage": {"input_tokens": "many"}}},
        [],
    ],
)
def test_values_of_another_kind_are_a_sentence(tmp_path: Path, sample: Any) -> None:
    path = tmp_path / "x.eval"
    with ZipFile(path, "w") as archive:
        archive.writestr("header.json", "{}")
        archive.writestr("samples/1_epoch_1.json", json.dumps(sample))
    with pytest.raises(ConfigError, match=r"x\.eval"):
        log = InspectLog(path)
        log.spec()
        list(log.rows())
    path = tmp_path / "x.json"
    rows = [{"vars": {}, "response": {"output": "x"}, "gradingResult": sample, "testCase": [1]}]
    path.write_text(json.dumps({"results": {"results": rows}}))
    with pytest.raises(ConfigError, match=r"x\.json"):
        log = PromptfooLog(path)
        log.spec()
        list(log.rows())


def test_a_member_never_unpacks_to_more_than_it_says(tmp_path: Path) -> None:
    path = tmp_path / "bomb.eval"
    packed = zstandard.compress(b" " * 50_000_000)
    with ZipFile(path, "w") as archive:
        archive.writestr("header.json", packed)
    data = bytearray(path.read_bytes())
    for mark, method in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = data.index(mark) + method
        data[at : at + 2] = (93).to_bytes(2, "little")
    path.write_bytes(data)
    assert len(Archive(path).read("header.json")) <= len(packed)


async def test_reports_hold_hostile_answers_as_text(desk: Desk) -> None:
    run, kept = await made(desk)
    found = sheet(kept, described(EXACT))
    report = Report(run=run, metrics=metrics(found), failures=tuple(kept[:10]), signature=True)
    page = html(report)
    assert "<script" not in page and "&lt;script&gt;no" in page and "Sign-off" in page
    assert "src=" not in page and "http:" not in page and "@import" not in page
    assert b"<failure" in junit(report, found)
    text = markdown(report)
    assert "| exact |" in text and text.count("\n## ") == 0
