"""Gates over the API: which run is evidence of what, and what is said where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from noria.access.audit import Act
from noria.access.role import SYSTEM
from noria.core.example import Example
from noria.core.ids import new_id
from noria.evals.answer import Answer, Judgement
from noria.evals.run import EvalRun, Progress
from noria.evals.store import Written
from noria.runtime.control import Control
from noria.scoring.scorer import Score
from noria.storage.audit import AuditLog
from noria.storage.evals import EvalTable

Client = Callable[..., TestClient]
GATES = """
[models."acme/large"]

[evals.tone]
target = { prompt = "reply@latest", model = "fast", parameters = { temperature = 0 } }
file = "tone.jsonl"
scorers = ["exact"]

[gates.release]
eval = "tone"
conditions = [{ scorer = "exact", at_least = 0.8 }]

[gates.better]
eval = "tone"
conditions = [{ scorer = "exact", better_than = "label:production" }]

[gates.ad-hoc]
eval = "elsewhere"
conditions = [{ scorer = "exact", at_least = 0.8 }]

[prompts.labels.staging]
gates = ["release"]
"""


class Desk:
    """A control with an evaluation and gates, and runs that are done."""

    def __init__(self, control: Control, api: TestClient) -> None:
        self.control = control
        self.api = api
        self.edit(control.path.read_text() + GATES)
        self.data("first")

    def edit(self, text: str) -> None:
        self.control.path.write_text(text)
        self.control.versions.apply(None, by=SYSTEM)

    def data(self, word: str) -> None:
        rows = [{"id": f"e{n:03}", "input": {"input": f"{word} {n}"}, "expected": "yes"} for n in range(100)]
        (self.control.path.parent / "tone.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def push(self, text: str) -> None:
        body = {"content": {"messages": [{"role": "user", "template": text}]}}
        assert self.api.post("/api/prompts/reply/versions", json=body).status_code == 201

    def run(self, right: int, *, name: str = "tone", **target: Any) -> str:
        """As a run now would be, with so many of 100 right."""
        section = self.control.evals.section("tone")
        if target:
            section = section.model_copy(update={"target": section.target.model_copy(update=target)})
        spec = self.control.evals.spec("default", name, section)
        run = EvalRun(id=new_id("run"), project="default", spec=spec, state="running")
        table = EvalTable(self.control.database, AuditLog(self.control.database, self.control.clock))
        table.add(run, Act(by=SYSTEM, act="eval.run", subject=run.id))
        ids = [f"e{n:03}" for n in range(100)]
        table.write(
            run.id,
            Written(
                examples=[Example(id=id, input={}) for id in ids],
                answers=[Answer(example=id, revision="r", text="a") for id in ids],
                judgements=[
                    Judgement(example=id, scorer="exact", scores=(Score(name="exact", value=n < right),))
                    for n, id in enumerate(ids)
                ],
            ),
        )
        done = msgspec.structs.replace(
            run, progress=Progress(total=100, answered=100, scored=100, scores=100)
        )
        now = self.control.clock.now_ns() // 1_000_000
        assert table.save(done.to("done", at_ms=now - 3_600_000))
        return run.id

    def check(self, gate: str = "release", **body: Any) -> dict[str, Any]:
        answer = self.api.post(f"/api/evals/gates/{gate}/check", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def desk(control: Control, client: Client) -> Desk:
    return Desk(control, client(local=True))


def test_a_gate_is_asked_about_what_noria_toml_names_now(desk: Desk) -> None:
    assert "no prompt version 'reply@latest'" in desk.check()["reason"]
    desk.push("Answer: {{ input }}")
    found = desk.check()
    assert found["verdict"] == "undecided"
    assert "No run of tone has looked at reply@latest (version 1) on fast" in found["reason"]
    good = desk.run(90)
    found = desk.check()
    assert (found["verdict"], found["evidence"]) == ("pass", {"run": good, "age": "1 hour"})
    assert found["reason"].endswith(f"(Run {good}, 1 hour old.)")
    # Newer runs of another model or other parameters are no evidence, neither for nor against.
    desk.run(10, model="acme/large")
    desk.run(10, parameters={"temperature": 1})
    assert desk.check()["evidence"]["run"] == good


@pytest.mark.parametrize("change", ["prompt", "route", "data", "scorers"])
def test_what_has_changed_since_is_no_evidence(desk: Desk, change: str) -> None:
    desk.push("Answer: {{ input }}")
    good = desk.run(90)
    text = desk.control.path.read_text()
    if change == "prompt":
        desk.push("Answer well: {{ input }}")
    elif change == "route":
        desk.edit(text.replace('targets = [{ model = "acme/small" }]', 'targets = ["acme/large"]'))
    elif change == "data":
        desk.data("second")
    else:
        desk.edit(text.replace('scorers = ["exact"]', 'scorers = [{ type = "contains", name = "exact" }]'))
    found = desk.check()
    assert found["verdict"] == "undecided" and f"{good}, 1 hour old, differs in" in found["reason"]
    words = {"prompt": "the prompt", "route": "what the model leads to", "data": "the dataset"}
    assert words.get(change, "the scorers") in found["reason"]
    named = desk.check(run=good)
    # Of the run's own target the run is evidence, as long as data and scorers are the same.
    assert named["verdict"] == ("pass" if change in ("prompt", "route") else "undecided"), named


def test_a_run_of_something_else_decides_nothing(desk: Desk) -> None:
    desk.push("Answer: {{ input }}")
    other = desk.run(90, name="other")
    assert "is of other; the gate looks at runs of tone" in desk.check(run=other)["reason"]
    found = desk.check("ad-hoc")
    assert found["verdict"] == "undecided" and "no [evals.elsewhere]" in found["reason"]
    elsewhere = desk.run(90, name="elsewhere")
    assert desk.check("ad-hoc")["verdict"] == "undecided"
    assert desk.check("ad-hoc", run=elsewhere)["verdict"] == "pass"


def test_a_label_waits_for_a_run_of_the_very_version(desk: Desk) -> None:
    desk.push("Answer: {{ input }}")
    desk.push("Answer well: {{ input }}")
    desk.run(90, prompt="reply@1")
    desk.run(90, prompt="reply@2", model="acme/large")
    label = "/api/prompts/reply/labels/staging"

    def asked(version: int) -> dict[str, Any]:
        return desk.api.get(f"{label}/gates", params={"to": version}).json()["items"][0]

    assert asked(1)["verdict"] == "pass"
    assert asked(2)["verdict"] == "undecided"
    assert "is of version 2 of reply as it is now" in asked(2)["reason"]
    assert "the target" in asked(2)["reason"] or "what the model leads to" in asked(2)["reason"]
    assert desk.api.put(label, json={"to": "2", "reason": "better"}).status_code == 409
    good = desk.run(95, prompt="reply@2")
    assert asked(2)["verdict"] == "pass" and asked(2)["evidence"]["run"] == good
    assert desk.api.put(label, json={"to": "2", "reason": "better"}).status_code == 200


def test_a_baseline_is_over_the_same_examples(desk: Desk) -> None:
    desk.push("Answer: {{ input }}")
    desk.push("Answer well: {{ input }}")
    label = {"to": "1", "reason": "first"}
    assert desk.api.put("/api/prompts/reply/labels/production", json=label).status_code == 200
    before = desk.run(50, prompt="reply@1")
    desk.run(0, prompt="reply@1", model="acme/large")
    desk.run(90)
    found = desk.check("better")
    assert (found["verdict"], found["evidence"]["baseline"]) == ("pass", before), found
    desk.data("second")
    desk.run(90)
    found = desk.check("better")
    assert found["verdict"] == "undecided" and "over the same examples" in found["reason"]
