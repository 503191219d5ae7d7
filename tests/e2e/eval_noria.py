"""A real `noria up` with evaluations, in front of an upstream that counts what it is asked."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from noria.cli.main import noria
from noria.runtime.supervisor import status
from noria.storage.home import Home
from noria.testing.stack import free_port

NORIA = (sys.executable, "-m", "noria")
CONFIG = """
[server]
port = {port}

[providers.acme]
dialect = "openai"
base_url = "{upstream}/v1"
api_key = "env:ACME_KEY"

[models."acme/good"]
price = {{ input = "1.00", output = "4.00" }}

[models."acme/bad"]
price = {{ input = "1.00", output = "4.00" }}

[models."acme/broken"]

[models."acme/embed"]

[evals.few]
target = {{ prompt = "few@latest", model = "acme/good" }}
dataset = "sums:rest"
scorers = ["exact"]

[evals.sums]
target = {{ model = "acme/good", parameters = {{ max_tokens = 20 }} }}
file = "sums.jsonl"
scorers = ["exact", {{ type = "numeric" }}, "latency"]
concurrency = 4

[evals.own]
target = {{ function = "own:answer" }}
file = "sums.jsonl"
scorers = ["exact"]

[evals.prompted]
target = {{ prompt = "sum@latest", model = "acme/good" }}
file = "sums.jsonl"
scorers = ["exact"]

[prompts.labels.production]
gates = ["prompted"]

[gates.prompted]
eval = "prompted"
conditions = [{{ scorer = "exact", at_least = 0.9 }}]

[gates.better]
eval = "prompted"
conditions = [{{ scorer = "exact", better_than = "label:production" }}]

[gates.release]
eval = "sums"
conditions = [
  {{ scorer = "exact", at_least = 0.9 }},
  {{ scorer = "exact", no_worse_than = "previous", by = 0.05 }},
  {{ scorer = "latency", at_most = 20.0 }},
]
"""
OWN = """
def answer(given):
    left, _, right = given["input"].partition("+")
    return str(int(left) + int(right.rstrip("=?")))
"""


class Upstream:
    """Adds two numbers; "bad" is wrong on every third, "broken" refuses. Counts each model's questions."""

    def __init__(self) -> None:
        self.asked = Counter[tuple[str, str]]()
        self.pause = 0.0
        self.bodies: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status, answer = outer.answer(body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if "input" in body:
            return 200, _embedded(body["input"])
        self.bodies.append(body)
        model, asked = body["model"], body["messages"][-1]["content"]
        time.sleep(self.pause)
        self.asked[model, asked] += 1
        if model == "broken":
            return 400, {"error": {"message": "This model is gone.", "type": "invalid_request_error"}}
        left, right = (int(part.rstrip("=?")) for part in asked.split("+"))
        wrong = model == "bad" and left % 3 == 0
        return 200, {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": str(left + right + wrong)},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
        }

    def close(self) -> None:
        self._server.shutdown()


def _embedded(texts: str | list[str]) -> dict[str, Any]:
    """A vector that is near where the first number is near."""
    numbers = [int(text.partition("+")[0]) for text in ([texts] if isinstance(texts, str) else texts)]
    vectors = [[math.cos(number / 100), math.sin(number / 100)] for number in numbers]
    data = [{"object": "embedding", "index": n, "embedding": one} for n, one in enumerate(vectors)]
    usage = {"prompt_tokens": len(numbers), "total_tokens": len(numbers)}
    return {"object": "list", "model": "embed", "data": data, "usage": usage}


class Running:
    """`noria up` in a folder, and commands on it."""

    def __init__(self, folder: Path, upstream: str, *, examples: int = 60) -> None:
        self.folder = folder
        self.path = folder / "noria.toml"
        self.port = free_port()
        self.home = Home(folder / ".noria")
        if not self.path.exists():
            self.path.write_text(CONFIG.format(port=self.port, upstream=upstream))
            (folder / "own.py").write_text(OWN)
            lines = [
                {
                    "id": f"s{n:04}",
                    "input": {"input": f"{n}+{n * 2}=?"},
                    "expected": str(n * 3),
                    "tags": ["even"[n % 2 * 4 :] or "odd"],
                }
                for n in range(examples)
            ]
            (folder / "sums.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.process = self._up()

    def _up(self) -> subprocess.Popen[bytes]:
        log = (self.folder / "up.log").open("wb")
        process = subprocess.Popen(
            [*NORIA, "up", "--config", str(self.path), "--workers", "1", "--port", str(self.port)],
            stdout=log,
            stderr=log,
            env={**os.environ, "ACME_KEY": "sk-mock", "NORIA_LOG": "INFO"},
            start_new_session=True,
        )
        log.close()
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            if b"Noria answers" in (self.folder / "up.log").read_bytes():
                return process
            time.sleep(0.05)
        raise TimeoutError((self.folder / "up.log").read_text())

    def up_again(self) -> None:
        self.process = self._up()

    def run(self, *arguments: str) -> Any:
        """What a command that succeeds prints, as JSON."""
        result = self.attempt(*arguments, "--json")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def attempt(self, *arguments: str) -> Result:
        environment = {"ACME_KEY": "sk-mock", "NORIA_CONFIG": str(self.path), "NORIA_HOME": None}
        return CliRunner().invoke(noria, list(arguments), env=environment)

    def kill(self) -> None:
        """kill -9 of all: supervisor, control, workers, collector; a job dies with its control."""
        running = status(self.home)
        assert running is not None
        self.process.kill()
        for child in running.children:
            if child.pid:
                os.kill(child.pid, signal.SIGKILL)
        self.process.wait(10)

    def kill_job(self) -> None:
        """kill -9 of the process of the one job that is under way, and of nothing else."""
        running = status(self.home)
        assert running is not None
        (control,) = [one.pid for one in running.children if one.role == "control"]
        found: list[int] = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                task = b"noria.runtime.task" in (path / "cmdline").read_bytes()
            except OSError:
                continue  # It has ended meanwhile.
            if task and parent == control:
                found.append(int(path.name))
        (job,) = found
        os.kill(job, signal.SIGKILL)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
