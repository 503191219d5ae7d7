"""BANKING77 explored with the real local model and a scripted better one, killed in the middle."""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from eval_noria import Running, Upstream

from noria.testing.stack import free_port

DATA = Path(os.environ.get("NORIA_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
TRAIN = DATA / "banking77" / "train.csv"
INTENTS = ("card_arrival", "lost_or_stolen_card", "exchange_rate")
pytestmark = [
    pytest.mark.weights,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not TRAIN.is_file(), reason="BANKING77 is not here; set NORIA_DATA"),
]
CONFIG = """
[server]
port = {port}

[engines.chat]
weights = "smollm2-135m-instruct"

[providers.acme]
dialect = "openai"
base_url = "{upstream}/v1"
api_key = "env:ACME_KEY"

[models."acme/knows"]
price = {{ input = "1.00", output = "4.00" }}
"""
BRIEF = f"""+++
bar = 0.9
answers = {json.dumps(INTENTS)}
techniques = ["zero-shot", "few-shot"]
shots = [3]
max_tokens = 16
models = ["local/smollm2-135m-instruct", "acme/knows"]
+++
# Which intent?

Name the intent of the bank customer's question.
"""


class Knows(Upstream):
    """Right on every question."""

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__()
        self.answers = answers
        self.calls = Counter[tuple[str, ...]]()

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        time.sleep(self.pause)
        said = tuple(one["content"] for one in body["messages"])
        self.calls[said] += 1
        message = {"role": "assistant", "content": self.answers[said[-1]]}
        return 200, {
            "id": "c", "object": "chat.completion", "created": 1, "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 60, "completion_tokens": 4, "total_tokens": 64},
        }  # fmt: skip


@pytest.fixture
def rows() -> list[dict[str, str]]:
    with TRAIN.open(newline="") as file:
        every = list(csv.DictReader(file))
    return [row for intent in INTENTS for row in [one for one in every if one["category"] == intent][:4]]


@pytest.fixture
def upstream(rows: list[dict[str, str]]) -> Iterator[Knows]:
    found = Knows({row["text"]: row["category"] for row in rows})
    yield found
    found.close()


@pytest.fixture
def running(tmp_path: Path, upstream: Knows, rows: list[dict[str, str]]) -> Iterator[Running]:
    (tmp_path / "noria.toml").write_text(CONFIG.format(port=free_port(), upstream=upstream.url))
    (tmp_path / "brief.md").write_text(BRIEF)
    with (tmp_path / "samples.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["text", "category"])
        writer.writeheader()
        writer.writerows(rows)
    found = Running(tmp_path, upstream.url)
    yield found
    found.stop()


def test_the_better_model_is_found_and_a_kill_pays_nothing_twice(
    running: Running, upstream: Knows, rows: list[dict[str, str]]
) -> None:
    upstream.pause = 0.4
    folder = running.folder
    begun = running.run(
        "explore", str(folder / "brief.md"), "--samples", str(folder / "samples.csv"), "--input", "text",
        "--expected", "category", "--detach", "--yes", "--concurrency", "2",
    )  # fmt: skip
    until = time.monotonic() + 300
    while upstream.calls.total() < 6:
        now = running.run("explore", "show", begun["id"])["exploration"]
        assert now["state"] in ("queued", "running") and time.monotonic() < until, now
        time.sleep(0.5)
    done = running.run("explore", "show", begun["id"])["findings"][0]
    running.kill()
    upstream.pause = 0.0
    running.up_again()
    found = running.run("explore", "show", begun["id"], "--follow")
    assert found["exploration"]["state"] == "done", found["exploration"]
    ways = {(one["model"], one["way"]): one for one in found["findings"]}
    assert len(ways) == 4 and all(one["whole"] and one["answers"] == 12 for one in ways.values())
    local = ways["local/smollm2-135m-instruct", "zero-shot"]
    assert local["quality"] == done["quality"] and local["run"] == done["run"]
    knows = ways["acme/knows", "zero-shot"]
    assert knows["quality"]["estimate"] == 1.0 > local["quality"]["estimate"]
    assert local["cost"]["estimate"] == 0 and knows["cost"]["estimate"] == pytest.approx(0.076)
    assert all(
        one["place"]["standing"] != "dominated" for one in found["findings"] if one["model"] == "acme/knows"
    )
    # Zero-shot and 3-shot of twelve samples; at most what was under way at the kill was asked twice.
    assert len(upstream.calls) == 24 and upstream.calls.total() <= 24 + 2
    for said in upstream.calls:
        shown = dict(zip(said[1:-1:2], said[2:-1:2], strict=True))
        assert said[-1] not in shown and len(shown) in (0, 3)
        assert all(upstream.answers[question] == answer for question, answer in shown.items())
    page = b"".join([running.attempt("explore", "export", begun["id"]).stdout.encode()])
    assert b"leave-one-out" in page
