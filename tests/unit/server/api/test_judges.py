"""Judges and scorers over the API: what they say of themselves, and what a calibration makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from noria.access.audit import Act
from noria.access.role import SYSTEM
from noria.core.example import Example
from noria.core.ids import new_id
from noria.errors import ConfigError
from noria.evals.answer import Answer, Judgement, judgement_key
from noria.evals.run import DatasetRef, EvalRun, Progress, RunSpec, TargetSpec
from noria.evals.store import Written
from noria.runtime.control import Control
from noria.scoring.judge.calibration import measure
from noria.scoring.judge.label import Verdict
from noria.scoring.judge.store import CalibrationRun
from noria.scoring.scorer import Score, ScorerSpec
from noria.storage.audit import AuditLog
from noria.storage.evals import EvalTable
from noria.storage.judges import CalibrationTable

Client = Callable[..., TestClient]
JUDGES = """
[models."acme/large"]

[judges.kind]
model = "fast"
criterion = "The answer is kind."
bar = { kappa = 0.6 }

[judges.free]
model = "acme/small"
kind = "faithfulness"

[scorers.near]
type = "numeric"
arguments = { tolerance = 0.5 }
"""
GOOD = [
    Verdict(example=str(number), label=number % 2 == 0, judged=(number % 2 == 0) is (number % 20 != 1))
    for number in range(400)
]


@pytest.fixture
def judged(control: Control) -> Control:
    """With judges in its noria.toml."""
    control.path.write_text(control.path.read_text() + JUDGES)
    control.versions.apply(None, by=SYSTEM)
    return control


def calibrated(control: Control, verdicts: list[Verdict] = GOOD) -> CalibrationRun:
    """A calibration of the judge `kind` as it is now."""
    spec = control.judges.spec("kind")
    assert spec is not None
    run = CalibrationRun(
        id=f"cal_{len(control.judges.calibrations('default', 'kind').items)}",
        project="default",
        judge="kind",
        identity=control.judges.identity("default", spec),
        spec=spec,
        dataset="labels",
        version=1,
    )
    store = CalibrationTable(control.database, AuditLog(control.database, control.clock))
    store.add(run, by=SYSTEM)
    store.add_verdicts(run.id, verdicts)
    store.end(run.id, measured=measure(verdicts), message="", now_ms=1)
    return run


def test_judges_say_whether_they_may_gate(judged: Control, client: Client) -> None:
    admin = client(local=True)
    found = {one["name"]: one for one in admin.get("/api/judges").json()["items"]}
    assert (
        found["kind"]["gate"]["verdict"] == "undecided"
        and "never calibrated" in found["kind"]["gate"]["reason"]
    )
    assert "has no bar" in found["free"]["gate"]["reason"] and found["free"]["type"] == "judge.faithfulness"
    calibrated(judged)
    kind = admin.get("/api/judges/kind").json()
    assert kind["gate"]["verdict"] == "pass" and kind["current"], kind["gate"]
    assert kind["calibration"]["measured"]["kappa"]["low"] > 0.6
    page = admin.get("/api/judges/kind/calibrations").json()
    assert [one["id"] for one in page["items"]] == ["cal_0"] and page["next"] is None
    assert admin.get("/api/judges/calibrations/cal_0").json()["state"] == "done"
    assert admin.get("/api/judges/calibrations/cal_9").status_code == 404
    assert "[judges.kin]" in admin.get("/api/judges/kin").json()["error"]["message"]


def test_a_route_that_leads_elsewhere_is_another_judge(judged: Control) -> None:
    calibrated(judged)
    assert judged.judges.may_gate("default", "kind").verdict == "pass"
    text = judged.path.read_text().replace('targets = [{ model = "acme/small" }]', 'targets = ["acme/large"]')
    judged.path.write_text(text)
    judged.versions.apply(None, by=SYSTEM)
    stand = judged.judges.one("default", "kind")
    assert stand.gate.verdict == "undecided" and "another prompt, model or rubric" in stand.gate.reason
    assert stand.run is not None and stand.run.identity != stand.identity


def test_only_what_is_vouched_for_decides(judged: Control) -> None:
    spec = judged.judges.spec("kind")
    assert spec is not None
    assert judged.judges.barred("default", ScorerSpec(type="exact")) == ""
    assert "never calibrated" in judged.judges.barred("default", spec)
    calibrated(judged)
    assert judged.judges.barred("default", spec) == ""
    other = ScorerSpec(type="judge.rubric", name="x", arguments={**spec.arguments, "criterion": "another"})
    assert "not a judge that noria.toml names" in judged.judges.barred("default", other)
    gone = ScorerSpec(type="judge.rubric", arguments={"model": "nothing", "criterion": "c"})
    assert "no route or model 'nothing'" in judged.judges.barred("default", gone)
    guesses = [Verdict(example=str(n), label=n % 2 == 0, judged=n % 3 == 0) for n in range(300)]
    calibrated(judged, guesses)
    assert "kappa must be at least 0.6" in judged.judges.barred("default", spec)


def test_rates_are_corrected(judged: Control) -> None:
    spec = judged.judges.spec("kind")
    assert spec is not None
    found = judged.judges.corrected_share("default", spec, 0.55, worth=1000, n=1000)
    assert found.interval is None and "never calibrated" in found.why
    run = calibrated(judged)
    # It calls every tenth harmless answer kind, and misses none that is.
    found = judged.judges.corrected_share("default", spec, 0.55, worth=1000, n=1000)
    assert found.interval is not None and found.interval.estimate == pytest.approx(0.5, abs=0.01)
    assert found.calibration == run.id
    other = msgspec.structs.replace(spec, identity="another")
    assert judged.judges.corrected_share("default", other, 0.5, worth=9, n=9).interval is None


def asked(control: Control, verdicts: list[bool]) -> str:
    """A run that is done, in which the judge `kind` said this of each answer."""
    named = control.judges.spec("kind")
    assert named is not None
    spec = RunSpec(
        name="tone",
        target=TargetSpec(model="fast"),
        dataset=DatasetRef(file="x.jsonl", digest="d"),
        scorers=(control.judges.pinned("default", named),),
    )
    run = EvalRun(id=new_id("run"), project="default", spec=spec, state="running")
    table = EvalTable(control.database, AuditLog(control.database, control.clock))
    table.add(run, Act(by=SYSTEM, act="eval.run", subject=run.id))
    ids = [f"e{number:04}" for number in range(len(verdicts))]
    table.write(
        run.id,
        Written(
            examples=[Example(id=id, input={}) for id in ids],
            answers=[Answer(example=id, revision="r", text="a") for id in ids],
            judgements=[
                Judgement(example=id, scorer="kind", scores=(Score(name="kind", value=one),))
                for id, one in zip(ids, verdicts, strict=True)
            ],
        ),
    )
    progress = Progress(total=len(ids), answered=len(ids), scored=len(ids), scores=len(ids))
    table.save(msgspec.structs.replace(run, progress=progress).to("done"))
    return run.id


def test_a_judges_rate_is_shown_beside_what_people_would_say(judged: Control, client: Client) -> None:
    admin = client(local=True)
    run = asked(judged, [True] * 550 + [False] * 450)
    [before] = admin.get(f"/api/evals/runs/{run}").json()["metrics"]["measures"]
    assert before["corrected"]["interval"] is None and "never calibrated" in before["corrected"]["why"]
    calibrated(judged)
    [measure] = admin.get(f"/api/evals/runs/{run}").json()["metrics"]["measures"]
    people = measure["corrected"]["interval"]
    assert measure["interval"]["estimate"] == 0.55 and people["estimate"] == pytest.approx(0.5, abs=0.01)
    assert people["method"] == "Rogan-Gladen" and people["low"] < 0.5 < people["high"]
    # A list shows the same, without reading the run.
    [listed] = admin.get("/api/evals/runs").json()["items"]
    [headline] = listed["headlines"]
    assert (headline["name"], headline["interval"]) == ("kind", measure["interval"])
    assert headline["corrected"] == measure["corrected"]
    for form, words in (
        ("html", "<th>corrected</th>"),
        ("markdown", "| corrected |"),
        ("junit", "; corrected 0.5"),
    ):
        text = admin.get(f"/api/evals/runs/{run}/report", params={"form": form}).text
        assert words in text and ("Rogan" in text or form == "junit")


def test_a_judge_inside_another_scorer_needs_its_bar_too(judged: Control) -> None:
    kind = judged.judges.spec("kind")
    assert kind is not None
    inner = {"type": kind.type, "arguments": kind.arguments}
    gap = ScorerSpec(type="bias.groups", arguments={"scorer": inner, "groups": ["a", "b"]})
    assert "never calibrated" in judged.judges.barred("default", gap)
    pinned = judged.judges.pinned("default", gap)
    assert pinned.identity == judged.judges.pinned("default", kind).identity != ""
    calibrated(judged)
    assert judged.judges.barred("default", pinned) == ""


def test_a_run_keeps_the_judge_that_judged_it(judged: Control) -> None:
    kind = judged.judges.spec("kind")
    assert kind is not None
    then = judged.judges.pinned("default", kind)
    text = judged.path.read_text().replace('targets = [{ model = "acme/small" }]', 'targets = ["acme/large"]')
    judged.path.write_text(text)
    judged.versions.apply(None, by=SYSTEM)
    calibrated(judged)
    assert judged.judges.barred("default", kind) == "", "the one of now is calibrated"
    assert "run the evaluation again" in judged.judges.barred("default", then)
    now = judged.judges.pinned("default", kind)
    assert judgement_key(now, "1", "said") != judgement_key(then, "1", "said")


def test_whoever_may_only_look_may_not_calibrate(judged: Control, client: Client) -> None:
    made = client(local=True).post("/api/keys", json={"name": "v", "role": "viewer"}).json()
    viewer = client(key=made["token"])
    assert viewer.get("/api/judges").status_code == 200
    assert viewer.post("/api/judges/kind/calibrations", json={"dataset": "d"}).status_code == 403
    assert viewer.post("/api/scorers/try", json={"type": "exact", "text": "a"}).status_code == 403
    answer = client(local=True).post("/api/judges/kind/calibrations", json={"dataset": "nothing"})
    assert answer.status_code == 404 and "nothing" in answer.json()["error"]["message"]


def test_scorers(judged: Control, client: Client) -> None:
    admin = client(local=True)
    found = admin.get("/api/scorers").json()
    types = {one["type"]: one for one in found["types"]}
    assert types["judge.rubric"]["calls_models"] and not types["exact"]["calls_models"]
    assert all(one["about"].endswith((".", ":", ";")) for one in found["types"]), [
        one["about"] for one in found["types"]
    ]
    assert found["named"] == [
        {
            "name": "near",
            "type": "numeric",
            "arguments": {"tolerance": 0.5},
            "measures": [{"name": "near", "kind": "share", "better": "higher"}],
        }
    ]

    def tried(**body: Any) -> Any:
        return admin.post("/api/scorers/try", json=body).json()

    assert tried(type="near", text="about 3.2", expected=3)["scores"][0]["value"] is True
    assert tried(type="numeric", text="about 3.2", expected=3)["scores"][0]["value"] is False
    assert "no expected answer" in tried(type="exact", text="a")["scores"][0]["failed"]
    assert "calls a model" in tried(type="similarity", text="a")["error"]["message"]
    assert "does not take" in tried(type="exact", text="a", arguments={"x": 1})["error"]["message"]


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ('[judges.a]\nmodel = "fast"', "needs criterion"),
        ('[judges.a]\nmodel = "fast"\ncriterion = "c"\nscale = "5-1"', "`scale` is yes_no"),
        ('[judges.a]\nmodel = "fast"\nkind = "faithfulness"\nscale = "1-5"', "does not take scale"),
        ('[scorers.a]\ntype = "exactly"', "No scorer of type 'exactly'"),
        ('[scorers.a]\ntype = "exact"\narguments = { casing = 1 }', "does not take casing"),
    ],
)
def test_mistakes_in_noria_toml_are_sentences(control: Control, section: str, says: str) -> None:
    control.path.write_text(control.path.read_text() + "\n" + section)
    with pytest.raises(ConfigError) as caught:
        control.versions.apply(None, by=SYSTEM)
    assert says in str(caught.value) and "noria.toml:" in str(caught.value)
