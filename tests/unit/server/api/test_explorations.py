"""Explorations by the API: what would be run, what is left out, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

BRIEF = """+++
max_tokens = 50
{head}
+++
# Which intent?

Name the intent.
"""
SAMPLES = [{"id": f"s{n}", "input": {"text": f"question {n}"}, "expected": "ab"[n % 2]} for n in range(6)]


@pytest.fixture
def api(client: Callable[..., TestClient]) -> TestClient:
    pytest.importorskip("dbos")
    return client(local=True)


def plan(api: TestClient, head: str = "", **more: Any) -> Any:
    body = {"brief": BRIEF.format(head=head), "samples": SAMPLES, **more}
    return api.post("/api/explorations/plan", json=body)


def test_a_plan_says_what_would_be_run_and_makes_nothing(api: TestClient) -> None:
    found = plan(api).json()
    tried = [one["model"] for one in found["candidates"] if not one["excluded"]]
    assert tried and found["ways"] == 4 * len(tried) and found["answers"] == found["ways"] * 6
    assert found["measure"] == "exact" and "repeat" in found["why_measure"]
    assert found["cost"] is None and "price" in found["unknown"]
    assert api.get("/api/explorations").json()["items"] == []
    assert "explore-which-intent" not in api.get("/api/datasets").text


def test_constraints_leave_candidates_out_with_their_reasons(api: TestClient) -> None:
    found = plan(api, "[constraints]\ncontext = 9000").json()
    reasons = {one["model"]: (one["excluded"], one["unknown"]) for one in found["candidates"]}
    assert any("8,192 tokens, and 9,000 are required" in said for of, _ in reasons.values() for said in of)
    found = plan(api, "[constraints]\nparameters = 9000").json()["candidates"]
    assert all("its size is not known" in one["unknown"][0] and not one["excluded"] for one in found)
    unpriced = plan(api, 'budget = "1"').json()
    assert all("cannot be kept within the budget" in one["excluded"][0] for one in unpriced["candidates"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"samples": SAMPLES[:3]}, "There are 3 samples"),
        ({"samples": [SAMPLES[0]] * 6}, "Two samples have the same id"),
        ({"samples": []}, "either samples or the dataset"),
        ({"samples": [], "dataset": "nowhere"}, "no dataset 'nowhere'"),
        ({"models": ["acme/larg"]}, "no route or model 'acme/larg'"),
        ({"samples": [{**one, "expected": None} if one["id"] == "s1" else one for one in SAMPLES]}, "5 of 6"),
        ({"samples": [{**one, "input": {one["id"]: "x"}} for one in SAMPLES]}, "no field in common"),
        ({"brief": "+++\nbare = 1\n+++\nDo."}, "did you mean `bar`?"),
        ({"brief": "+++\nscorers = [\"exct\"]\n+++\nDo."}, "exct"),
        ({"brief": "+++\nmeasure = \"f1\"\n+++\nDo."}, "No scorer measures 'f1'"),
    ],
)  # fmt: skip
def test_what_cannot_be_explored_is_refused_with_a_sentence(
    api: TestClient, body: dict[str, Any], words: str
) -> None:
    answer = plan(api, **body)
    assert 400 <= answer.status_code < 500
    assert words in answer.json()["error"]["message"]


def test_without_expected_answers_agreement_is_measured(api: TestClient) -> None:
    bare = [{"id": one["id"], "input": one["input"]} for one in SAMPLES]
    found = plan(api, samples=bare).json()
    assert found["measure"] == "" and "only agreement" in found["why_measure"]
    assert found["ways"] % 2 == 0 and found["answers"] == found["ways"] * 6 * 3


def test_a_judge_without_a_calibration_is_said_to_decide_nothing(api: TestClient) -> None:
    bare = [{"id": one["id"], "input": one["input"]} for one in SAMPLES]
    head = (
        'scorers = [{ type = "judge.rubric", arguments = { model = "fast", criterion = "Is it polite?" } }]'
    )
    found = plan(api, head, samples=bare)
    assert found.status_code == 200, found.text
    assert "calibration" in found.json()["barred"] and found.json()["judged"]


def test_where_all_is_excluded_nothing_begins(api: TestClient) -> None:
    head = 'unknown = "exclude"\n[constraints]\nparameters = 1'
    answer = api.post("/api/explorations", json={"brief": BRIEF.format(head=head), "samples": SAMPLES})
    assert answer.status_code == 400 and "Every candidate is excluded" in answer.text
    assert api.get("/api/explorations").json()["items"] == []


def test_candidates_are_looked_at_by_requirements(api: TestClient) -> None:
    found = api.post("/api/explorations/candidates", json={"require": ["context>=9k"]}).json()["items"]
    assert any(one["excluded"] for one in found)
    refused = api.post("/api/explorations/candidates", json={"require": ["contxt>=9k"]})
    assert refused.status_code == 400 and "`context`" in refused.text


def test_what_is_not_there_is_not_found(api: TestClient) -> None:
    for path in ("", "/findings", "/report"):
        assert api.get(f"/api/explorations/exp_nothing{path}").status_code == 404
    for act in ("stop", "resume"):
        assert api.post(f"/api/explorations/exp_nothing/{act}").status_code == 404
