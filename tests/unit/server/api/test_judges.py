"""Judges and scorers over the API: what they say of themselves, and what a calibration makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from noria.access.role import SYSTEM
from noria.errors import ConfigError
from noria.runtime.control import Control
from noria.scoring.judge.calibration import measure
from noria.scoring.judge.label import Verdict
from noria.scoring.judge.store import CalibrationRun
from noria.scoring.scorer import ScorerSpec
from noria.storage.audit import AuditLog
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
    assert judged.judges.corrected("default", spec, [True]) is None
    calibrated(judged)
    # It calls every tenth harmless answer kind, and misses none that is.
    found = judged.judges.corrected("default", spec, [True] * 550 + [False] * 450)
    assert found is not None and found.estimate == pytest.approx(0.5, abs=0.01)


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
