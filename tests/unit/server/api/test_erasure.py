"""A person's erasure reaches every copy that lineage knows, and what is left can still be verified."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from noria.access.audit import Act
from noria.access.role import SYSTEM
from noria.core.example import Example
from noria.datasets.curation.build import Build, BuildSource
from noria.datasets.curation.event import Event
from noria.datasets.curation.plan import StepSpec
from noria.datasets.curation.shard import Mark, Shard
from noria.evals.answer import ERASED, Answer, Judgement
from noria.evals.run import DatasetRef, EvalRun, RunSpec, TargetSpec
from noria.evals.store import Written
from noria.runtime.control import Control
from noria.scoring.scorer import Score
from noria.storage.curation import CurationTable
from noria.storage.evals import EvalTable
from noria.storage.home import Home
from noria.storage.jobs import Job
from noria.storage.spans import SpanWriter, day_of
from noria.tracing.span import Span
from noria.tracing.store import Erasure

from .conftest import Books, make_control

Client = Callable[..., TestClient]
AT = 1_795_176_000_000_000_000
TRACE = bytes(range(1, 17))
CALL = bytes(range(2, 18))
WORDS = secrets.token_hex(64)
"""That do not compress, so that they can be found."""
ACT = Act(by=SYSTEM, act="test", subject="s")


class Collector(Books):
    """Deletes spans, as the collector does."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.writer = SpanWriter(folder, complete=lambda span: span)

    async def erase_user(self, project: str, user: str, also: Sequence[str] = ()) -> Erasure:
        traces, spans = self.writer.erase(project, user, [bytes.fromhex(trace) for trace in also])
        return Erasure(len(traces), spans, 0)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    said = json.dumps({"messages": [{"role": "user", "content": WORDS}]})
    span = Span(
        trace_id=TRACE, span_id=b"\1" * 8, name="chat", start=AT, end=AT + 1, user="ann", session="s1",
        input=said, output="Lyon.", model="m",
    )  # fmt: skip
    books = Collector(Home(tmp_path / "home").spans)
    # A call that an evaluation made with the same words.
    called = Span(
        trace_id=CALL, span_id=b"\2" * 8, name="chat", start=AT, end=AT + 1, user="ed", input=said, output="x"
    )
    books.writer.write(day_of(AT), [span, called], {})
    found = make_control(tmp_path, books=books)
    found.start()
    yield found
    found.close()
    books.writer.close()


def _ok(answer: Any) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json()


def _copies(page: TestClient, control: Control) -> str:
    """Everywhere, among what is somebody else's; the id of the saved example."""
    other = {"id": "b", "input": {"text": "somebody else's"}}
    saved = _ok(page.post("/api/datasets/d/examples", json={"span": {"trace": TRACE.hex()}}))["ids"][0]
    _ok(page.post("/api/datasets/d/examples", json={"examples": [other]}))
    _ok(page.post("/api/datasets/d/versions/2/sign", json={}))
    # Revised, and its source hidden: the example is still the same one.
    hidden = {"id": saved, "input": {"text": WORDS + "!"}, "source": ""}
    _ok(page.post("/api/datasets/d/examples", json={"examples": [hidden]}))
    copied = control.datasets.table.example(control.datasets.version("default", "d", "2"), saved)
    assert copied is not None
    control.datasets.add("default", "copy", [copied], by=SYSTEM)
    page.post("/api/queues", json={"name": "q", "form": [{"name": "v", "kind": "comment"}], "reviews": 1})
    assert _ok(page.post("/api/queues/q/items", json={"dataset": {"name": "copy"}}))["added"] == 1
    _ok(page.post("/api/feedback", json={"session": "s1", "kind": "comment", "comment": WORDS}))
    evals = EvalTable(control.database, control.audit)
    spec = RunSpec(
        name="e", target=TargetSpec(model="m"), dataset=DatasetRef(name="d", number=1, digest="x"), scorers=()
    )
    evals.add(EvalRun(id="run_1", project="default", spec=spec, by="b", by_name="B", created_ms=1), ACT)
    examples = [copied, Example(id="b", input={"text": "x"})]
    answers = [
        Answer(example=one.id, revision="r", key=f"k{one.id}", text=WORDS, trace=CALL.hex())
        for one in examples[:1]
    ]
    answers += [Answer(example="b", revision="r", key="kb", text="somebody else's")]
    scores = (Score(name="s", value=1.0, reason=WORDS, details={"said": WORDS}),)
    judged = [Judgement(example=copied.id, scorer="s", key="j", scores=scores)]
    evals.write("run_1", Written(examples=examples, answers=answers, judgements=judged))
    _log_of_a_build(control, copied)
    return saved


def _log_of_a_build(control: Control, example: Example) -> None:
    build = Build(
        id="cur_1", project="default", dataset="d", source=BuildSource(dataset="d", version=1, digest="x"),
        steps=(StepSpec(type="exact"),), workers=1, by="b", by_name="B", created_ms=1, ended_ms=2,
    )  # fmt: skip
    CurationTable(control.database, control.audit).add(build, ACT)
    events = [
        Event(step=0, kind="edit", example=example.id, reasons=("r",), details={"was": WORDS}),
        Event(step=0, kind="drop", example=example.id, reasons=("r",), dropped=example),
        Event(step=0, kind="drop", example="b", reasons=("r",), dropped=Example(id="b", input={"t": "x"})),
    ]
    shard = Shard(control.home.folder / "curation" / "cur_1", 0, 0)
    shard.write(Mark(given=2, left=0), examples=[], events=events, signs=None)


def test_every_copy_goes_and_what_is_left_is_verified(client: Client, control: Control) -> None:
    page = client(local=True)
    saved = _copies(page, control)
    table = control.datasets.table
    before = {number: control.datasets.version("default", "d", str(number)) for number in (1, 2, 3)}
    assert any(WORDS.encode() in path.read_bytes() for path in _files(control))

    erased = _ok(page.post("/api/erasures", json={"user": "ann"}))
    assert erased.pop("places") == {
        "dataset d": 1, "dataset copy": 1, "queue q": 1, "run run_1": 1, "build cur_1": 2,
    }  # fmt: skip
    assert erased == {
        "traces": 2, "spans": 2, "stored": 0, "feedback": 1, "items": 1, "examples": 2, "answers": 1,
        "events": 2, "scrubbed": True,
    }  # fmt: skip
    for path in _files(control):
        assert WORDS.encode() not in path.read_bytes(), path

    for number, version in before.items():
        after = control.datasets.version("default", "d", str(number))
        assert (after.digest, after.examples, after.erased) == (version.digest, version.examples, 1)
        found = _ok(page.get(f"/api/datasets/d/versions/{number}/verify"))
        assert found["holds"] and found["erased"] == 1, "with the digests of what was erased"
        assert [one.id for one in table.examples(after)] == ["b"][: after.examples - 1]
    newest = control.datasets.version("default", "d")
    assert (newest.number, newest.examples, newest.erased) == (4, 1, 0) and table.verify(newest)
    assert control.datasets.version("default", "d", "golden").number == 2
    history = _ok(page.get(f"/api/datasets/d/examples/{saved}"))["history"]
    assert [(one["kind"], one["erased"]) for one in history] == [
        ("delete", False), ("patch", True), ("create", True),
    ]  # fmt: skip
    assert history[1]["revision"].startswith("sha256:") and len(history[1]["revision"]) == 71

    evals = EvalTable(control.database, control.audit)
    kept = evals.kept_of("run_1", [saved, "b"])
    assert kept[saved].answers[0].text == "" and kept[saved].judgements[0].scores[0].value == 1.0
    assert kept["b"].answers[0].text == "somebody else's"
    assert evals.answers("default", ["k" + saved, "kb"]).keys() == {"kb"}, "no other run may reuse it"
    events = _ok(page.get("/api/curation/builds/cur_1/events?kind=note"))["items"]
    assert [one["reasons"] for one in events] == [["erased"]] * 2
    assert _ok(page.get("/api/curation/builds/cur_1/events?kind=drop"))["items"][0]["example"] == "b"

    again = _ok(page.post("/api/erasures", json={"user": "ann"}))
    assert again["places"] == {} and again["examples"] == 0
    assert control.datasets.version("default", "d").number == 4
    assert ERASED == "Erased at a person's wish."


def test_what_is_saved_again_is_there_again_and_another_project_keeps_its_own(
    client: Client, control: Control
) -> None:
    page = client(local=True)
    _ok(page.post("/api/datasets/d/examples", json={"span": {"trace": TRACE.hex()}}))
    example = next(control.datasets.table.examples(control.datasets.version("default", "d")))
    control.datasets.add("other", "d", [example], by=SYSTEM)
    _ok(page.post("/api/erasures", json={"user": "ann"}))
    theirs = control.datasets.version("other", "d")
    assert [one.id for one in control.datasets.table.examples(theirs)] == [example.id]
    assert control.datasets.table.verify(theirs)
    again = control.datasets.add("default", "d", [example], by=SYSTEM)
    assert [one.id for one in control.datasets.table.examples(again)] == [example.id]


def test_a_damaged_body_is_found(client: Client, control: Control) -> None:
    _ok(client(local=True).post("/api/datasets/d/examples", json={"examples": [{"input": {"a": "b"}}]}))
    version = control.datasets.version("default", "d")
    assert control.datasets.table.verify(version)
    with control.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM example_bodies")
    assert not control.datasets.table.verify(version)


def _files(control: Control) -> list[Path]:
    return [path for path in control.home.folder.rglob("*") if path.is_file()]


def test_while_a_dataset_is_built_nothing_is_erased(
    client: Client, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = client(local=True)
    _ok(page.post("/api/datasets/d/examples", json={"span": {"trace": TRACE.hex()}}))
    job = Job(
        id="job_1", project="default", kind="dataset.build", subject="d cur_1", state="running", by="me",
        created_ms=1, updated_ms=1,
    )  # fmt: skip
    monkeypatch.setattr(control.jobs, "open", lambda: [job])
    refused = page.post("/api/erasures", json={"user": "ann"})
    assert refused.status_code == 409 and "cancel job job_1" in refused.json()["error"]["message"]
    assert control.datasets.version("default", "d").erased == 0
    monkeypatch.undo()
    assert _ok(page.post("/api/erasures", json={"user": "ann"}))["examples"] == 1


def test_a_user_whose_name_is_a_pattern_is_one_person(client: Client, control: Control) -> None:
    page = client(local=True)
    _ok(page.post("/api/datasets/d/examples", json={"span": {"trace": TRACE.hex()}}))
    for user in ("*", "a*", "ann*"):
        erased = _ok(page.post("/api/erasures", json={"user": user}))
        assert (erased["traces"], erased["examples"], erased["places"]) == (0, 0, {})
    assert control.datasets.version("default", "d").erased == 0
