"""`noria explore` and `noria model compare` through a whole Noria, with a scripted good and a bad model."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from eval_noria import Running, Upstream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
BRIEF = """+++
bar = 0.5
models = ["acme/good", "acme/bad"]
shots = [2, 4]
max_tokens = 20

[constraints]
context = 1000
+++
# Sums

Add the two numbers and answer with the sum alone.
"""


class Adder(Upstream):
    """Adds; "bad" is wrong on every second sum; both say their steps where they are asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, tuple[str, ...]]] = []

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        time.sleep(self.pause)
        said = [one["content"] for one in body["messages"]]
        self.calls.append((body["model"], tuple(said)))
        last = said[-1]
        left, right = (int(part.rstrip("=?")) for part in last.split("\n")[0].split("+"))
        total = left + right + (body["model"] == "bad" and left % 2 == 0)
        text = f"I add them.\nAnswer: {total}" if "step by step" in last else str(total)
        message = {"role": "assistant", "content": text}
        return 200, {
            "id": "c", "object": "chat.completion", "created": 1, "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
        }  # fmt: skip


@pytest.fixture
def upstream() -> Iterator[Adder]:
    found = Adder()
    yield found
    found.close()


@pytest.fixture
def running(tmp_path: Path, upstream: Adder) -> Iterator[Running]:
    found = Running(tmp_path, upstream.url)
    (tmp_path / "brief.md").write_text(BRIEF)
    lines = [{"input": f"{n}+{n + 7}=?", "expected": str(n * 2 + 7)} for n in range(12)]
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    yield found
    found.stop()


def explored(running: Running, *more: str) -> tuple[str, ...]:
    folder = running.folder
    return ("explore", str(folder / "brief.md"), "--samples", str(folder / "samples.jsonl"), *more)


def test_a_brief_becomes_a_report_with_its_evidence(running: Running, upstream: Adder) -> None:
    found = running.run(*explored(running, "-o", str(running.folder / "report.html")))
    assert found["feasible"] == "feasible", found["sentence"]
    by_way = {(one["model"], one["way"]): one for one in found["findings"]}
    assert len(by_way) == 8
    good = by_way["acme/good", "zero-shot"]
    assert good["quality"]["estimate"] == 1.0 and good["verdicts"][0]["answer"] == "yes"
    assert good["cost"]["estimate"] == pytest.approx(1000 * (10 * 1.0 + 2 * 4.0) / 1e6)
    assert by_way["acme/bad", "zero-shot"]["quality"]["estimate"] == 0.5
    assert by_way["acme/good", "chain of thought"]["quality"]["estimate"] == 1.0
    assert "Equal numbers" in found["why_measure"]
    assert any(risk["about"] == "few samples" for risk in found["risks"])
    page = (running.folder / "report.html").read_text()
    assert "acme/good, 2-shot" in page and "leave-one-out" in page
    # A sample never sees its own answer: its question is the last message alone.
    shown = [said for _, said in upstream.calls if len(said) > 2]
    assert shown and all(said[-1] not in said[:-1] for said in shown)
    assert {len(said) for said in shown} == {2 + 2 * 2, 2 + 2 * 4}
    run = running.run("eval", "show", good["run"])["run"]
    assert run["dataset_name"] == "explore-sums" and run["tags"]["exploration"] == found["exploration"]["id"]
    # The same again is not paid for again.
    asked = len(upstream.calls)
    again = running.run(*explored(running))
    assert len(upstream.calls) == asked and float(again["spent"]) == 0
    assert [one["quality"] for one in again["findings"]] == [one["quality"] for one in found["findings"]]


def test_a_killed_exploration_goes_on_and_pays_nothing_twice(running: Running, upstream: Adder) -> None:
    upstream.pause = 0.15
    begun = running.run(*explored(running, "--detach", "--concurrency", "2"))
    until = time.monotonic() + 60
    while len(upstream.calls) < 30:
        assert time.monotonic() < until
        time.sleep(0.05)
    running.kill()
    before = len(upstream.calls)
    upstream.pause = 0.0
    running.up_again()
    found = running.run("explore", "show", begun["id"], "--follow")
    assert found["exploration"]["state"] == "done", found["exploration"]
    assert all(one["whole"] and one["answers"] == 12 for one in found["findings"])
    twice = [call for call, count in Counter(upstream.calls).items() if count > 1]
    # What was under way at the kill, and not yet stored, is asked again; no more than that.
    assert len(twice) <= 4 and before < 60
    assert len(upstream.calls) <= 8 * 12 + 4


def test_what_breaks_a_constraint_is_left_out_with_its_reason(running: Running) -> None:
    brief = running.folder / "brief.md"
    brief.write_text(BRIEF.replace("bar = 0.5", 'bar = 0.5\nunknown = "exclude"'))
    refused = running.attempt(*explored(running))
    assert "context is not known, and 1,000 tokens are required" in str(refused.exception)
    brief.write_text(BRIEF.replace("max_tokens", "max_token"))
    refused = running.attempt(*explored(running))
    assert "did you mean `max_tokens`?" in str(refused.exception)


def test_models_are_compared_over_a_dataset(running: Running, upstream: Adder) -> None:
    running.run("dataset", "import", "sums", str(running.folder / "samples.jsonl"), "--input", "input",
                "--expected", "expected")  # fmt: skip
    found = running.run(
        "model", "compare", "acme/good", "acme/bad", "--dataset", "sums", "--max-tokens", "20",
        "--require", "cost<=0.50",
    )  # fmt: skip
    good, bad = found["findings"]
    assert (good["quality"]["estimate"], bad["quality"]["estimate"]) == (1.0, 0.5)
    assert good["place"]["standing"] == "front"
    assert good["verdicts"][0]["question"] == "cost" and good["verdicts"][0]["answer"] == "yes"
    assert found["exploration"]["kind"] == "comparison" and not found["advice"]
