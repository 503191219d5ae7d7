"""`noria optimize` through a whole Noria: better words are found, proved, and survive a kill -9."""

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
PROMPT = """+++
model = "acme/task"

[variables]
input = "string"
+++
@system
Answer.

@user
{{ input }}
"""


class Speller(Upstream):
    """`task` answers in capitals as soon as its instructions say so; `writer` writes instructions that do."""

    def __init__(self) -> None:
        super().__init__()
        self.proposals = ["Answer in small letters.", "Answer in CAPITALS."]
        self.seen = Counter[tuple[str, ...]]()

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        time.sleep(self.pause)
        said = [one["content"] for one in body["messages"]]
        if body["model"] == "writer":
            place = "{{ input }}" if "{{ input }}" in said[-1].split("```")[1] else ""
            index = min(sum(one[0] == "writer" for one in self.seen.elements()), 1)
            self.seen["writer", said[-1]] += 1
            text = f"```\n{place or self.proposals[index]}\n```"
        else:
            self.seen[("task", *said)] += 1
            text = said[-1].upper() if "CAPITALS" in said[0] else said[-1]
        message = {"role": "assistant", "content": text}
        return 200, {
            "id": "c", "object": "chat.completion", "created": 1, "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
        }  # fmt: skip


@pytest.fixture
def upstream() -> Iterator[Speller]:
    found = Speller()
    yield found
    found.close()


@pytest.fixture
def running(tmp_path: Path, upstream: Speller) -> Iterator[Running]:
    pytest.importorskip("gepa")
    found = Running(tmp_path, upstream.url)
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "shout.md").write_text(PROMPT)
    with found.path.open("a") as config:
        for name in ("task", "writer"):
            config.write(f'[models."acme/{name}"]\nprice = {{ input = "1.00", output = "4.00" }}\n')
    found.run("apply", "--yes")
    lines = [{"id": f"w{n:03}", "input": {"input": f"word {n}"}, "expected": f"WORD {n}"} for n in range(80)]
    (tmp_path / "words.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    found.run("dataset", "import", "words", str(tmp_path / "words.jsonl"))
    found.run("prompt", "push", "shout")
    yield found
    found.stop()


SEARCH = (
    "optimize", "run", "shout", "--dataset", "words", "--scorer", "exact", "--reflect", "acme/writer",
    "--answers", "120",
)  # fmt: skip


def test_better_words_become_a_version_with_their_evidence(running: Running, upstream: Speller) -> None:
    found = running.run(*SEARCH)
    assert found["state"] == "done" and found["number"] == 2, found
    assert (found["before"], found["after"]) == (0.0, 1.0)
    version = running.run("prompt", "show", "shout@2")
    assert "CAPITALS" in json.dumps(version) and "optimized" in json.dumps(version)
    compared = running.run("eval", "compare", found["runs"][1], found["runs"][0])
    assert compared["scorers"][0]["verdict"] == "better"
    assert max(count for key, count in upstream.seen.items() if key[0] == "task") <= 2


def test_a_killed_search_goes_on_and_asks_nothing_twice(running: Running, upstream: Speller) -> None:
    upstream.pause = 0.1
    begun = running.run(*SEARCH, "--detach")
    until = time.monotonic() + 60
    while sum(upstream.seen.values()) < 30:
        assert time.monotonic() < until
        time.sleep(0.05)
    running.kill()
    before = Counter(upstream.seen)
    upstream.pause = 0.0
    running.up_again()
    until = time.monotonic() + 120
    while (found := running.run("optimize", "show", begun["id"]))["state"] in ("queued", "running"):
        assert time.monotonic() < until, found
        time.sleep(0.3)
    assert found["state"] == "done" and found["number"] == 2, found
    again = [key for key, count in (Counter(upstream.seen) - before).items() if key in before and count]
    # What was under way at the kill is asked again, and the test at the end asks what the search has asked.
    assert len([key for key in again if "CAPITALS" not in key[1] and key[1] != "Answer."]) <= 8


def test_a_budget_is_kept_over_all_sittings(running: Running, upstream: Speller) -> None:
    upstream.pause = 0.1
    begun = running.run(*SEARCH, "--budget", "0.0005", "--detach")
    until = time.monotonic() + 120
    while sum(upstream.seen.values()) < 12:
        assert time.monotonic() < until
        time.sleep(0.05)
    running.kill()
    upstream.pause = 0.0
    running.up_again()
    while (found := running.run("optimize", "show", begun["id"]))["state"] in ("queued", "running"):
        assert time.monotonic() < until, found
        time.sleep(0.3)
    assert found["message"].endswith("The budget of 0.0005 dollars is used up."), found
    assert (found["state"], found["number"]) == ("done", None)
    # 18 millionths of a dollar an answer; those under way at the kill and at the end are beyond it.
    assert sum(upstream.seen.values()) <= 28 + 2 * 8
    assert not list((running.folder / ".noria" / "optimize").glob("*")), "what it kept is gone"


def test_a_search_whose_job_dies_says_so_and_goes_on_with_what_was_under_way(
    running: Running, upstream: Speller
) -> None:
    upstream.pause = 0.3
    begun = running.run(*SEARCH, "--detach")
    until = time.monotonic() + 120
    while sum(upstream.seen.values()) < 12:
        assert time.monotonic() < until
        time.sleep(0.02)
    running.kill_job()
    while (found := running.run("optimize", "show", begun["id"]))["state"] == "running":
        assert time.monotonic() < until, found
        time.sleep(0.1)
    assert found["state"] == "failed" and "status -9" in found["message"], found
    upstream.pause = 0.0
    found = running.run("optimize", "resume", begun["id"])
    while (found := running.run("optimize", "show", begun["id"]))["state"] in ("queued", "running"):
        assert time.monotonic() < until, found
        time.sleep(0.3)
    assert found["state"] == "done" and found["number"] == 2, found
    # The test at the end asks once more what the search has asked of the first and of the best.
    more = {key[1] for key, count in upstream.seen.items() if count > 1}
    assert more <= {"Answer.", "Answer in CAPITALS."} and max(upstream.seen.values()) <= 2, upstream.seen
