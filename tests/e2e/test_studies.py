"""Studies through a whole Noria: command line, jobs, evaluations as trials; and `kill -9` in the middle."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from eval_noria import CONFIG, Running, Upstream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
EXAMPLES = 60
STUDIES = """
[studies.which]
objective = { type = "eval", eval = "sums", scorer = "exact" }
parameters.model = { choice = ["acme/good", "acme/bad"] }
parameters.temperature = { float = [0.0, 1.0], step = 0.5 }
trials = 20
concurrency = 2

[studies.search]
objective = { type = "eval", eval = "sums", scorer = "exact" }
parameters.temperature = { float = [0.0, 1.0] }
trials = 4
budget = "1.00"

[studies.killed]
objective = { type = "eval", eval = "sums", scorer = "exact" }
parameters.temperature = { float = [0.0, 1.0] }
trials = 4
seed = 7

[studies.pruned]
objective = { type = "eval", eval = "sums", scorer = "exact" }
parameters.model = { choice = ["acme/good", "acme/bad"] }
parameters.temperature = { float = [0.0, 1.0] }
trials = 14

[studies.broken]
objective = { type = "eval", eval = "sums", scorer = "exact" }
parameters.model = { choice = ["acme/broken"] }

[studies.shots]
objective = { type = "eval", eval = "told", scorer = "exact" }
parameters."examples.k" = { int = [0, 2] }
parameters."examples.choose" = { choice = ["random", "similar"] }
parameters."examples.dataset" = { choice = ["sums"] }
trials = 6

[evals.told]
target = { prompt = "few@latest", model = "acme/good" }
file = "sums.jsonl"
limit = 4
scorers = ["exact"]

[studies.nowhere]
objective = { type = "eval", eval = "sums", scorer = "exact" }
parameters."examples.k" = { int = [0, 2] }

[studies.misspelt]
objective = { type = "eval", eval = "told", scorer = "exact" }
parameters."examples.kk" = { int = [0, 2] }

[studies.own]
objective = { type = "function", function = "objective:score" }
parameters.x = { float = [-1.0, 1.0] }
parameters.n = { int = [1, 64], log = true }
trials = 12
better = "lower"
concurrency = 4
"""
FEW = """+++
[variables]
input = "string"
[technique.examples]
choose = "similar"
dataset = "sums"
embedder = "acme/embed"
+++
@user
{{ input }}
"""
OBJECTIVE = """
async def score(values, trial):
    return values["x"] ** 2 + values["n"]
"""


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    found = Upstream()
    yield found
    found.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Running]:
    for module in ("dbos", "optuna"):
        pytest.importorskip(module)
    folder = tmp_path_factory.mktemp("noria")
    (folder / "noria.toml").write_text(CONFIG.format(port=1, upstream=upstream.url) + STUDIES)
    (folder / "objective.py").write_text(OBJECTIVE)
    lines = [
        {"id": f"s{n:04}", "input": {"input": f"{n}+{n * 2}=?"}, "expected": str(n * 3)}
        for n in range(EXAMPLES)
    ]
    (folder / "sums.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = Running(folder, upstream.url)
    yield found
    found.stop()


def test_the_better_model_is_found(running: Running, upstream: Upstream) -> None:
    found = running.run("study", "run", "which")
    study, trials = found["study"], found["trials"]
    assert (study["state"], study["message"]) == ("done", "Every combination was tried."), study
    assert {(t["values"]["model"], t["values"]["temperature"]) for t in trials} == {
        (model, temperature) for model in ("acme/good", "acme/bad") for temperature in (0.0, 0.5, 1.0)
    }
    done = {t["values"]["model"]: t for t in trials if t["state"] == "done"}
    best = trials[study["progress"]["best"]]
    assert (best["value"], best["values"]["model"]) == (1.0, "acme/good")
    assert best["low"] < 1.0 and best["high"] == 1.0
    if "acme/bad" in done:
        assert done["acme/bad"]["value"] == pytest.approx(2 / 3)
    # What a trial measured is a run like any other, under a name that decides no gate.
    run = running.run("eval", "show", best["evidence"]["run"])["run"]
    assert (run["name"], run["tags"]["study"]) == ("sums.study", study["id"])
    assert Decimal(study["progress"]["cost"]) == sum(Decimal(t["cost"]) for t in trials)
    assert study["progress"]["unknown"] == 0
    text = running.attempt("study", "show", "which")
    assert text.exit_code == 0 and "acme/good" in text.output


def test_how_many_examples_are_shown_and_how_they_are_chosen(running: Running, upstream: Upstream) -> None:
    assert running.attempt("dataset", "import", "sums", str(running.folder / "sums.jsonl")).exit_code == 0
    (running.folder / "prompts").mkdir()
    (running.folder / "prompts" / "few.md").write_text(FEW)
    assert running.attempt("prompt", "push", "few").exit_code == 0
    upstream.bodies.clear()
    found = running.run("study", "run", "shots")
    study, trials = found["study"], found["trials"]
    assert study["state"] == "done" and len(trials) == 6, study
    assert all(trial["values"]["examples.dataset"] == "sums@1" for trial in trials)
    shown = {len(body["messages"]) for body in upstream.bodies}
    assert shown == {1, 3, 5}, "none, one and two examples before the question"
    for trial in trials:
        run = running.run("eval", "show", trial["evidence"]["run"])["run"]
        assert run["progress"]["failed"] == 0 and (trial["state"], trial["value"]) == ("done", 1.0)
    for name, said in (("nowhere", "shows no examples"), ("misspelt", "no setting 'examples.kk'")):
        result = running.attempt("study", "run", name)
        assert result.exit_code and said in str(result.exception)


def test_a_study_that_was_stopped_goes_on(running: Running, upstream: Upstream) -> None:
    upstream.pause = 0.02
    id = running.run("study", "run", "search", "--detach")["id"]
    _wait(running, id, 1)
    assert running.attempt("study", "stop", id).exit_code == 0
    stopped = running.run("study", "show", id)["study"]
    assert stopped["state"] == "stopped" and stopped["message"].endswith("it can be resumed.")
    assert all(run["state"] in ("done", "stopped") for run in running.run("eval", "list", "sums.study"))
    upstream.pause = 0
    found = running.run("study", "resume", id, "--trials", "5")
    assert (found["study"]["state"], found["study"]["progress"]["done"]) == ("done", 5), found["study"]
    assert [t["number"] for t in found["trials"]] == list(range(5))


def test_killed_in_the_middle_it_goes_on_and_pays_for_nothing_twice(
    running: Running, upstream: Upstream
) -> None:
    upstream.asked.clear()
    upstream.pause = 0.02
    id = running.run("study", "run", "killed", "--detach")["id"]
    _wait(running, id, 1)
    running.kill()
    upstream.pause = 0
    running.up_again()
    deadline = time.monotonic() + 90
    while (found := running.run("study", "show", id))["study"]["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, found["study"]
        time.sleep(0.2)
    study, trials = found["study"], found["trials"]
    assert (study["state"], study["progress"]["done"]) == ("done", 4), study
    assert len({t["evidence"]["run"] for t in trials}) == len(trials) == 4
    # The four questions under way at the kill, at most, were asked twice.
    assert EXAMPLES * 4 <= upstream.asked.total() <= EXAMPLES * 4 + 4


def test_what_is_worse_is_given_up_before_its_end(running: Running, upstream: Upstream) -> None:
    upstream.pause = 0.15
    found = running.run("study", "run", "pruned")
    upstream.pause = 0
    pruned = [trial for trial in found["trials"] if trial["state"] == "pruned"]
    assert pruned and all(trial["values"]["model"] == "acme/bad" for trial in pruned)
    run = running.run("eval", "show", pruned[0]["evidence"]["run"])["run"]
    assert (run["state"], run["message"]) == ("stopped", "Its trial was given up.")
    assert run["progress"]["answered"] < EXAMPLES
    assert Decimal(pruned[0]["cost"]) > 0


def test_what_always_fails_says_why(running: Running) -> None:
    result = running.attempt("study", "run", "broken", "--json")
    assert result.exit_code == 1
    study = json.loads(result.stdout)["study"]
    assert study["state"] == "failed" and "This model is gone." in study["message"], study


def test_a_function_of_ones_own(running: Running) -> None:
    found = running.run("study", "run", "own")
    study = found["study"]
    assert (study["state"], study["progress"]["done"], study["progress"]["cost"]) == ("done", 12, "0")
    assert sum(found["importance"].values()) == pytest.approx(1)
    assert running.run("study", "list", "own")[0]["id"] == study["id"]
    assert {one["name"] for one in running.run("study", "list", "--defined")} == {
        "which", "search", "killed", "pruned", "broken", "own", "shots", "nowhere", "misspelt",
    }  # fmt: skip
    assert running.attempt("study", "delete", study["id"]).exit_code == 0
    assert running.run("study", "list", "own") == []


def test_what_is_not_there_is_named(running: Running) -> None:
    result = running.attempt("study", "run", "whch")
    assert "[studies.whch]" in str(result.exception) and "which" in str(result.exception)


def _wait(running: Running, id: str, ended: int) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while True:
        found = running.run("study", "show", id)["study"]
        if found["progress"]["done"] >= ended:
            return found
        assert found["state"] in ("queued", "running") and time.monotonic() < deadline, found
        time.sleep(0.05)
