"""What the pages of prompts, datasets, evaluations and judges show in their tests: made by the commands and
the API of a real Noria, in front of an upstream that sorts messages by what they are about, more or less
well.

`python tests/e2e/page_noria.py FOLDER` serves it until interrupted.
"""

from __future__ import annotations

import hashlib
import json
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from click.testing import CliRunner

from noria.cli.api import Api
from noria.cli.main import noria
from noria.runtime.supervisor import status
from noria.storage.home import Home

CONFIG = """
[providers.acme]
dialect = "openai"
base_url = "{sorter}/v1"
api_key = "env:MOCK_KEY"
[models."acme/large"]
context = 100000
max_output = 4096
price = {{ input = "3.00", output = "15.00" }}
[models."acme/small"]
context = 100000
max_output = 4096
price = {{ input = "0.20", output = "0.80" }}
[models."acme/slow"]
context = 100000
max_output = 4096
price = {{ input = "1.00", output = "4.00" }}
[routes.sorting]
targets = ["acme/large"]

[monitors.sorting]
filter = "route:sorting"
scorers = ["refusal", "polite", {{ type = "length", arguments = {{ most = 20 }} }}]
notify = ["oncall"]
[[monitors.sorting.alerts]]
measure = "error_rate"
above = {{ warn = 0.02, alert = 0.05 }}
[[monitors.sorting.alerts]]
measure = "latency_p95"
above = {{ warn = "5ms", alert = "2s" }}
[[monitors.sorting.alerts]]
scorer = "length.words"
below = {{ warn = 3, alert = 2 }}
[channels.oncall]
webhook = "{sorter}/v1/alerts"

[prompts.labels.production]
gates = ["release"]
[prompts.policy.no_promises]
forbid = "(?i)guarantee"
message = "Promise nothing: say what usually happens."

[evals.triage]
target = {{ prompt = "triage@latest", model = "acme/large", parameters = {{ max_tokens = 20 }} }}
file = "triage.jsonl"
scorers = ["exact", {{ type = "token_f1" }}, "latency"]
concurrency = 8
[evals.slowly]
target = {{ prompt = "triage@latest", model = "acme/slow" }}
file = "triage.jsonl"
scorers = ["exact"]
concurrency = 1
[gates.release]
eval = "triage"
conditions = [
  {{ scorer = "exact", at_least = 0.8 }},
  {{ scorer = "latency", at_most = 20.0 }},
]

[judges.polite]
model = "acme/judge"
criterion = "The answer is polite."
scale = "yes_no"
[judges.polite.bar]
kappa = 0.6
false_positive = 0.3
[judges.careless]
model = "acme/coin"
criterion = "The answer is polite."
scale = "yes_no"
[judges.careless.bar]
kappa = 0.6
[studies.tuning]
objective = {{ type = "eval", eval = "triage", scorer = "exact" }}
trials = 16
concurrency = 4
budget = "5"
[studies.tuning.parameters]
prompt = {{ choice = ["triage@1", "triage@2", "triage@3"] }}
model = {{ choice = ["acme/large", "acme/small"] }}
temperature = {{ float = [0.0, 1.0] }}
max_tokens = {{ int = [8, 32] }}
[datasets.tidy.build]
source = "collected"
steps = [
  {{ type = "normalize" }},
  {{ type = "length", least = 16, fields = ["input"] }},
  {{ type = "exact", fields = ["input"] }},
  {{ type = "pii", mode = "redact" }},
]
[models."acme/learner"]
context = 100000
max_output = 4096
price = {{ input = "0.20", output = "0.80" }}
[models."acme/judge"]
context = 100000
price = {{ input = "1.00", output = "4.00" }}
[models."acme/coin"]
context = 100000
price = {{ input = "1.00", output = "4.00" }}
"""

ABOUT = {
    "delivery": ("Where is my parcel?", "My order has not arrived since {}.", "Track shipment {} please."),
    "refund": ("I want my money back for order {}.", "Refund {} please.", "You charged me twice for {}."),
    "account": ("I cannot sign in since {}.", "Change my e-mail to user{}@example.com.", "Close account {}."),
    "product": ("Does item {} come in blue?", "Is {} back in stock?", "What size is {}?"),
}
POLITE = (
    "Thank you for asking: {} is on its way.",
    "Happy to help with {}.",
    "I am sorry about {}; here is how.",
)
RUDE = ("Look {} up yourself.", "No. {} is not my problem.", "{}? Read the manual.")

PROMPT = """+++
description = "Sorts a customer's message into one of four queues."
tags = ["support", "classification"]
owners = ["ada"]
model = "support"

[variables]
input = "string"
{variables}
[parameters]
temperature = 0
max_tokens = {tokens}
+++
@system
{system}

@user
{{{{ input }}}}
"""
SYSTEMS = (
    "Sort the message. Answer with one word.",
    "Sort the customer's message into delivery, refund, account or product. Answer with one word.",
    "You sort messages of customers.\nThe queues are: delivery, refund, account, product.\n"
    "Answer with the name of one queue, in lower case, and nothing else.",
    "You sort messages of customers in a {{ tone }} way.\n"
    "The queues are: delivery, refund, account, product.\n"
    "We guarantee an answer. Answer with the name of one queue, in lower case, and nothing else.",
)
BETTER = (
    "Think of what the customer wants to happen next, then name its queue.\n"
    "delivery: a parcel on its way. refund: money back. account: signing in, addresses, closing it. "
    "product: a question about an item.\nAnswer with the queue alone, in lower case."
)

BRIEF = """+++
models = ["acme/large", "acme/small", "acme/slow"]
bar = 0.8
answers = ["delivery", "refund", "account", "product"]
max_tokens = 20
languages = ["en"]
[constraints]
latency_p95_ms = 400
cost_per_1000 = "0.50"
+++
# Which queue does a message belong to?

Sort a shop's messages into queues: delivery, refund, account, product.
"""


def chance(*words: object) -> float:
    """Between 0 and 1, the same for the same words."""
    return int(hashlib.sha256("\x00".join(map(str, words)).encode()).hexdigest()[:8], 16) / 2**32


class Sorter:
    """large is right in nine of ten, small in seven; better with a longer prompt. Judges are so, too."""

    def __init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                data = json.dumps(outer.answer(body)).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        if "messages" not in body:
            return {}
        model, texts = body["model"], [message["content"] for message in body["messages"]]
        asked = texts[-1] if isinstance(texts[-1], str) else json.dumps(texts[-1])
        time.sleep({"large": 0.03, "slow": 0.8}.get(model, 0.005) * (0.5 + chance(asked, "time")))
        said = (
            self._verdict(model, asked)
            if model in ("judge", "coin")
            else f"```\n{BETTER}\n```"
            if "write the message anew" in asked
            else self._queue(model, asked, texts)
        )
        words = sum(len(str(text)) for text in texts) // 4
        return {
            "id": "c", "object": "chat.completion", "created": 1, "model": model,
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": words, "completion_tokens": 2, "total_tokens": words + 2},
        }  # fmt: skip

    def _queue(self, model: str, asked: str, texts: list[str]) -> str:
        right = next((row["expected"] for row in questions() if row["input"]["input"] == asked), "product")
        skill = {"large": 0.86, "slow": 0.9}.get(model, 0.68) + min(0.08, len(texts[0]) / 2500)
        if model == "learner":
            skill = 0.97 if texts[0].startswith(BETTER[:40]) else 0.45
        wrong = [each for each in ABOUT if each != right]
        return right if chance(asked, model) < skill else wrong[int(chance(asked) * len(wrong))]

    def _verdict(self, model: str, asked: str) -> str:
        polite = any(part.split("{}")[0] in asked and part.split("{}")[1] in asked for part in POLITE)
        slips = chance(asked, model) < (0.06 if model == "judge" else 0.45)
        return json.dumps({"reason": "The tone.", "verdict": "yes" if polite != slips else "no"})

    def close(self) -> None:
        self._server.shutdown()


def questions() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number in range(160):
        about = list(ABOUT)[number % 4]
        text = ABOUT[about][number // 4 % 3].format(1000 + number)
        text = text if str(1000 + number) in text else f"{text} It is number {1000 + number}."
        found.append(
            {
                "id": f"q{number:04}",
                "input": {"input": text},
                "expected": about,
                "metadata": {"channel": ("mail", "chat", "phone")[number % 3]},
                "tags": ["hard" if number % 5 == 0 else "easy"],
            }
        )
    return found


def labelled() -> list[dict[str, Any]]:
    """Answers with what people said of their tone."""
    found: list[dict[str, Any]] = []
    for number in range(120):
        kind = number % 2 == 0
        answer = (POLITE if kind else RUDE)[number % 3].format(f"order {number}")
        found.append(
            {
                "id": f"t{number:04}",
                "input": {"input": f"Where is order {number}?"},
                "metadata": {"answer": answer, "label": "yes" if kind else "no"},
            }
        )
    return found


def collected() -> list[dict[str, Any]]:
    """Messages as they come: some twice, some too short, some with addresses in them."""
    rows = [{**row, "id": f"m{number:04}"} for number, row in enumerate(questions())]
    twice = [{**row, "id": f"again{row['id']}"} for row in rows[::9]]
    short = [{"id": f"short{number}", "input": {"input": f"hi {number}"}} for number in range(12)]
    return [*rows, *twice, *short]


def write(folder: Path) -> None:
    """The files that the configuration names."""
    (folder / "prompts").mkdir(exist_ok=True)
    (folder / "triage.jsonl").write_text("".join(json.dumps(row) + "\n" for row in questions()))
    (folder / "collected.jsonl").write_text("".join(json.dumps(row) + "\n" for row in collected()))
    (folder / "tone.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labelled()))


def call(home: Home, text: str) -> None:
    """As an application does, through the gateway."""
    running = status(home)
    assert running is not None
    body = {"model": "sorting", "messages": [{"role": "user", "content": text}], "max_tokens": 20}
    headers = {"content-type": "application/json"}
    request = Request(f"{running.address}/v1/chat/completions", json.dumps(body).encode(), headers)
    urlopen(request, timeout=60).close()


def seed(folder: Path, config: Path) -> None:
    """Through the commands that people have."""

    api = Api(Home(folder / "state"))

    def run(*arguments: str, codes: tuple[int, ...] = (0,)) -> Any:
        environment = {"NORIA_CONFIG": str(config), "NORIA_HOME": str(folder / "state"), "MOCK_KEY": "x"}
        result = CliRunner().invoke(noria, [*arguments, "--json"], env=environment)
        if result.exit_code not in codes:
            raise RuntimeError(f"noria {' '.join(arguments)}: {result.output} {result.exception!r}")
        return json.loads(result.stdout) if result.stdout.strip() else None

    def push(number: int, comment: str) -> None:
        extra = 'tone = {type = "string", enum = ["calm", "brisk"], default = "calm"}' if number == 3 else ""
        text = PROMPT.format(variables=extra, tokens=20 + number, system=SYSTEMS[number])
        (folder / "prompts" / "triage.md").write_text(text)
        run("prompt", "push", "triage", "-m", comment, "--folder", str(folder / "prompts"))

    def load(name: str, file: str, comment: str, **more: object) -> None:
        sources = [{"path": str(folder / file), "format": "jsonl"}]
        api.post(f"/api/datasets/{name}/import-local", {"sources": sources, "comment": comment, **more})

    for row in questions()[:60]:
        call(Home(folder / "state"), row["input"]["input"])
    rows = questions()
    shares = {"train": 0.7, "test": 0.3}
    load("messages", "triage.jsonl", "As collected", splits=shares)
    rows[3]["expected"] = "refund"
    rows[8]["tags"] = ["hard", "checked"]
    (folder / "later.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:150]))
    load("messages", "later.jsonl", "One label put right, ten taken out", replace=True)
    load("tone", "tone.jsonl", "Labelled by two people")
    for number, comment in enumerate(
        ("First try", "The queues named", "One line a rule", "A tone to choose")
    ):
        push(number, comment)
        if number < 3:
            run("eval", "run", "triage", "--prompt", f"triage@{number + 1}", "--yes", codes=(0, 1))
    run("eval", "run", "triage", "--prompt", "triage@3", "--model", "acme/small", "--yes", codes=(0, 1))
    run("eval", "run", "triage", "--prompt", "triage@3", "--model", "acme/slow", "--limit", "60", "--yes",
        codes=(0, 1))  # fmt: skip
    run("prompt", "label", "triage", "staging", "2", "-m", "To be looked at")
    run("prompt", "label", "triage", "production", "2", "-m", "First release", codes=(0, 1))
    run("prompt", "label", "triage", "production", "3", "-m", "Better by the gate", codes=(0, 1))
    run("study", "run", "tuning")
    run("optimize", "run", "triage@1", "--dataset", "messages", "--scorer", "exact",
        "--model", "acme/learner", "--reflect", "acme/large", "--answers", "260", "--budget", "1",
        codes=(0, 1))  # fmt: skip
    load("collected", "collected.jsonl", "From the mailbox")
    run("dataset", "build", "tidy")
    spoken = api.get("/api/traces", limit=80, **{"from": "-1h"})["items"]
    for number, trace in enumerate(spoken):
        said = {"kind": "thumb", "value": number % 7 != 0}
        api.post("/api/feedback", {"trace": trace["id"], **said})
        if number % 2 == 0:
            rating = {"kind": "score", "name": "helpful", "value": 3 + number % 5 / 2}
            api.post("/api/feedback", {"trace": trace["id"], **rating})
        if number % 20 == 0:
            api.post("/api/feedback", {"trace": trace["id"], "kind": "comment", "comment": "Wrong queue."})
    for judge in ("polite", "careless"):
        run("judge", "calibrate", judge, "tone", codes=(0, 1))
    (folder / "brief.md").write_text(BRIEF)
    few = questions()[:24]
    (folder / "few.jsonl").write_text("".join(json.dumps(row) + "\n" for row in few))
    run("explore", str(folder / "brief.md"), "--samples", str(folder / "few.jsonl"), "--yes", codes=(0, 1))
    run(
        "model", "compare", "acme/large", "acme/small", "--dataset", "messages@2:test",
        "--prompt", "triage@3", "--require", "cost<=1", "--yes",
    )  # fmt: skip


if __name__ == "__main__":
    from test_page import running

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with running(Path(sys.argv[1]), engine=False) as (address, home):
        print(address, (home.run / "setup-token").read_text().strip(), flush=True)
        seed(Path(sys.argv[1]), Path(sys.argv[1]) / "noria.toml")
        print("seeded", flush=True)
        threading.Event().wait()
