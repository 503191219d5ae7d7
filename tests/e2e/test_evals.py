"""Evaluations through a whole Noria: command line, jobs, gateway, gates; and `kill -9` in the middle."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from eval_noria import Running, Upstream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    found = Upstream()
    yield found
    found.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Running]:
    pytest.importorskip("dbos")
    found = Running(tmp_path_factory.mktemp("noria"), upstream.url)
    yield found
    found.stop()


def test_a_run_is_scored_paid_for_and_traced(running: Running, upstream: Upstream) -> None:
    found = running.run("eval", "run", "sums", "--yes")
    run, metrics = found["run"], found["metrics"]
    assert (run["state"], run["message"], run["sound"]) == ("done", "", True)
    assert (run["progress"]["answered"], run["progress"]["scored"], run["progress"]["failed"]) == (60, 60, 0)
    # 10 tokens in at 1 dollar, 2 out at 4 dollars a million, 60 times.
    assert Decimal(run["progress"]["cost"]) == Decimal("0.00108") and run["progress"]["unknown"] == 0
    exact = next(one for one in metrics["measures"] if one["name"] == "exact")
    assert exact["interval"]["estimate"] == 1.0 and exact["failed"] == 0
    assert upstream.asked["good", "3+6=?"] == 1
    shown = running.run("eval", "show", "sums", "--examples", "all", "--slices", "exact")
    assert len(shown["examples"]) == 60 and {one["value"] for one in shown["slices"]} >= {"even", "odd"}
    answer = shown["examples"][3]["answers"][0]
    assert answer["text"] == "9" and answer["scores"][0] == {
        "name": "exact", "value": True, "failed": "", "reason": "", "trace": "",
    }  # fmt: skip
    # Its spans are found by the run's id.
    spans = running.run("trace", "list", f"episode:{run['id']}", "--limit", "200")
    assert len(spans) == 60 and answer["trace"] in {one["id"] for one in spans}


def test_the_same_again_costs_nothing(running: Running, upstream: Upstream) -> None:
    before = upstream.asked.total()
    run = running.run("eval", "run", "sums", "--yes")["run"]
    assert (run["progress"]["reused"], run["progress"]["cost"], run["state"]) == (60, "0", "done")
    assert upstream.asked.total() == before


def test_a_worse_model_is_shown_to_be_worse_and_held_back(running: Running) -> None:
    good = running.run("eval", "show", "sums")["run"]["id"]
    gate = running.run("gate", "check", "release")[0]
    assert gate["verdict"] == "pass" and len(gate["conditions"]) == 3, gate
    bad = running.run("eval", "run", "sums", "--model", "acme/bad", "--yes")["run"]["id"]
    found = running.run("eval", "compare", bad, good)
    exact = next(one for one in found["scorers"] if one["name"] == "exact")
    assert exact["verdict"] == "worse" and exact["losses"] == 20 and exact["ties"] == 40
    assert exact["difference"]["estimate"] == pytest.approx(-1 / 3) and exact["p_adjusted"] < 0.001
    assert len(found["regressions"]["exact"]) == 20
    result = running.attempt("gate", "check", "release", "--run", bad, "--json")
    assert result.exit_code == 1
    [checked] = json.loads(result.stdout)
    assert checked["verdict"] == "fail" and "exact 0.6667" in checked["reason"], checked
    # Of the model that noria.toml names the run before is still the evidence.
    [checked] = running.run("gate", "check", "release")
    assert (checked["verdict"], checked["evidence"]["run"]) == ("pass", good)
    assert f"(Run {good}, " in checked["reason"]
    listed = {one["id"]: one for one in running.run("eval", "list", "sums")}
    assert [one["name"] for one in listed[bad]["headlines"]] == ["exact", "numeric", "latency"]
    assert listed[bad]["headlines"][0]["interval"]["estimate"] == pytest.approx(2 / 3)
    text = running.attempt("eval", "compare", bad, good)
    assert text.exit_code == 0 and "worse" in text.output and "s0003" in text.output


def test_where_all_fails_it_says_so_and_stops_asking(running: Running, upstream: Upstream) -> None:
    result = running.attempt("eval", "run", "sums", "--model", "acme/broken", "--yes", "--json")
    assert result.exit_code == 1
    run = json.loads(result.stdout)["run"]
    assert run["state"] == "failed" and "All of the first 20 calls failed" in run["message"]
    assert "This model is gone." in run["message"]
    assert sum(count for (model, _), count in upstream.asked.items() if model == "broken") <= 30


def test_a_function_of_ones_own(running: Running) -> None:
    run = running.run("eval", "run", "own", "--yes")["run"]
    assert (run["state"], run["progress"]["scored"], run["progress"]["failed"]) == ("done", 60, 0)


def test_a_cost_that_is_not_known_is_asked_about(running: Running) -> None:
    result = running.attempt("eval", "run", "own")
    assert "Give --yes" in str(result.exception)


def test_a_run_that_cannot_begin_says_why(running: Running) -> None:
    (running.folder / "own.py").rename(running.folder / "gone.py")
    try:
        result = running.attempt("eval", "run", "own", "--yes", "--json")
    finally:
        (running.folder / "gone.py").rename(running.folder / "own.py")
    run = json.loads(result.stdout)["run"]
    assert (result.exit_code, run["state"]) == (1, "failed")
    assert "The module 'own' of the function 'own:answer' cannot be imported" in run["message"]


def test_stopped_and_resumed(running: Running, upstream: Upstream) -> None:
    upstream.asked.clear()
    upstream.pause = 0.1
    id = running.run("eval", "run", "sums", "--fresh", "--yes", "--detach")["id"]
    _wait(running, id, 8)
    assert running.attempt("eval", "stop", id).exit_code == 0
    stopped = running.run("eval", "show", id)["run"]
    assert stopped["state"] == "stopped" and 8 <= stopped["progress"]["answered"] < 60
    upstream.pause = 0
    assert running.attempt("eval", "resume", id).exit_code == 0
    run = running.run("eval", "show", id)["run"]
    assert (run["state"], run["progress"]["scored"]) == ("done", 60)
    # Those under way when it was stopped, four at most, may have been asked twice.
    assert len(upstream.asked) == 60 and upstream.asked.total() <= 64


def test_killed_in_the_middle_it_goes_on_and_pays_for_nothing_twice(
    running: Running, upstream: Upstream
) -> None:
    upstream.asked.clear()
    upstream.pause = 0.1
    id = running.run("eval", "run", "sums", "--fresh", "--yes", "--detach")["id"]
    _wait(running, id, 12)
    running.kill()
    at_kill = Counter(upstream.asked)
    upstream.pause = 0
    running.up_again()
    _wait(running, id, 60)
    found = running.run("eval", "show", id)
    run = found["run"]
    assert (run["state"], run["progress"]["answered"], run["progress"]["scored"]) == ("done", 60, 60)
    again = {asked: count for asked, count in upstream.asked.items() if count > 1}
    # What was on its way when the power went, at most one call a place, is all that can be asked again.
    assert len(again) <= 4 and set(again.values()) <= {2}, again
    assert len(at_kill) >= 12 and len(upstream.asked) == 60
    exact = next(one for one in found["metrics"]["measures"] if one["name"] == "exact")
    assert exact["scores"] == 60 and Decimal(run["progress"]["cost"]) == Decimal("0.00108")


def _wait(running: Running, id: str, scored: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        run = running.run("eval", "show", id)["run"]
        if run["progress"]["scored"] >= scored and (scored < 60 or run["state"] == "done"):
            return
        time.sleep(0.1)
    raise TimeoutError(run)


def test_reports_and_logs(running: Running, tmp_path: Path) -> None:
    bad = running.run("eval", "run", "sums", "--model", "acme/bad", "--yes")["run"]["id"]
    good = running.run("eval", "run", "sums", "--yes")["run"]["id"]
    for name in ("r.html", "r.md", "r.xml", "r.json", "r.eval"):
        result = running.attempt("eval", "export", bad, "--baseline", good, "-o", str(tmp_path / name))
        assert result.exit_code == 0, result.output
    page = (tmp_path / "r.html").read_text()
    assert "<svg" in page and "http" not in page.replace("http://", "").lower().split("<main>")[0]
    assert "Worst regressions" in page and "fail" in page
    assert "| exact |" in (tmp_path / "r.md").read_text()
    suites = Xml.parse(tmp_path / "r.xml").getroot()
    first = suites.find("testsuite")
    assert first is not None and int(first.get("failures", "0")) >= 1
    again = running.run("eval", "import", str(tmp_path / "r.eval"), "--name", "again")
    exact = next(one for one in again["metrics"]["measures"] if one["name"] == "exact")
    assert exact["interval"]["estimate"] == pytest.approx(2 / 3) and exact["scores"] == 60
    compared = running.run("eval", "compare", again["run"]["id"], good)
    assert next(one for one in compared["scorers"] if one["name"] == "exact")["losses"] == 20


def test_a_protected_label_waits_for_the_gate(running: Running) -> None:
    file = running.folder / "prompts" / "sum.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text("+++\n+++\n{{ input }}\n")
    assert running.attempt("prompt", "push", "sum").exit_code == 0
    held = running.attempt("prompt", "label", "sum", "production", "1")
    assert "No run of prompted has looked at version 1 of sum" in str(held.exception)
    run = running.run("eval", "run", "prompted", "--yes")["run"]
    assert (run["state"], run["prompt"], run["prompt_number"]) == ("done", "sum@latest", 1)
    assert running.attempt("prompt", "label", "sum", "production", "1").exit_code == 0

    file.write_text("+++\n+++\n1+1=?\n")
    assert running.attempt("prompt", "push", "sum").exit_code == 0
    assert running.run("eval", "run", "prompted", "--yes")["run"]["prompt_number"] == 2
    held = running.attempt("prompt", "label", "sum", "production", "2")
    assert "prompted: fail. exact 0" in str(held.exception), held.exception
    [better] = json.loads(running.attempt("gate", "check", "better", "--json").stdout)
    assert better["verdict"] == "fail" and better["evidence"]["baseline"] == run["id"]


def test_watch_runs_what_a_change_touches(running: Running) -> None:
    assert "changed" not in running.attempt("eval", "watch", "sums", "prompted", "--once").stderr
    path = running.folder / "prompts" / "sum.md"
    path.write_text("+++\n+++\n{{ input }}\n")
    assert running.attempt("prompt", "push", "sum").exit_code == 0
    result = running.attempt("eval", "watch", "sums", "prompted", "--once")
    assert "prompted: the prompt changed" in result.stderr and "sums:" not in result.stderr
    assert "exact 1" in result.stdout and "better" in result.stdout


def test_examples_are_chosen_by_likeness_from_a_dataset(running: Running, upstream: Upstream) -> None:
    file = str(running.folder / "sums.jsonl")
    done = running.attempt("dataset", "import", "sums", file, "--split", "pool=0.5", "--split", "rest=0.5")
    assert done.exit_code == 0, (done.output, done.exception)
    (running.folder / "prompts").mkdir(exist_ok=True)
    (running.folder / "prompts" / "few.md").write_text(FEW)
    pushed = running.attempt("prompt", "push", "few")
    assert pushed.exit_code == 0, (pushed.output, pushed.exception)
    upstream.bodies.clear()
    run = running.run("eval", "run", "few", "--yes", "--fresh")["run"]
    assert (run["state"], run["message"], run["progress"]["failed"]) == ("done", "", 0)
    assert run["dataset_name"] == "sums" and run["split"] == "rest"
    for body in upstream.bodies:
        *shown, asked = [one["content"] for one in body["messages"]]
        number = int(asked.partition("+")[0])
        near = [int(text.partition("+")[0]) for text in shown[::2]]
        assert len(near) == 2 and all(abs(one - number) <= 12 for one in near), (asked, shown)
        assert shown[1::2] == [str(one * 3) for one in near]


FEW = """+++
[variables]
input = "string"

[technique.examples]
choose = "similar"
k = 2
dataset = "sums"
split = "pool"
embedder = "acme/embed"
+++
{{ input }}
"""
