"""How long Noria takes to start: from `noria up` to an answer, and from `noria --help` to its text.

    python bench/start.py [--repeats 5]

`noria up` runs in a folder where it has run before (weights fetched, database made). An upstream's answer
comes from the mock; the local model's from SmolLM2 135M, first token included. Wall time, medians.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from contenders import mock
from machine import median, need, rss_mb, table, tree

from noria.testing.stack import free_port

PATIENCE = 120.0
LOCAL = "local/smollm2-135m-instruct"
NORIA = str(Path(sys.executable).with_name("noria"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    need("cc", "taskset")
    with tempfile.TemporaryDirectory() as name, mock(Path(name)) as upstream:
        folder = Path(name)
        port = free_port()
        (folder / "noria.toml").write_text(_config(port, upstream))
        print(f"load of the machine before: {os.getloadavg()[0]:.2f}", flush=True)
        for model in ("mock/mock", LOCAL):
            _up(folder, port, model)
        remote = [_up(folder, port, "mock/mock") for _ in range(given.repeats)]
        local = [_up(folder, port, LOCAL) for _ in range(given.repeats)]
        helps = [_help() for _ in range(given.repeats)]
    upstream_s, local_s = (median([took for took, _ in runs]) for runs in (remote, local))
    rows: list[list[object]] = [
        ["`noria up` again to an answer by an upstream", f"{upstream_s:.2f} s", "< 2 s"],
        ["`noria up` again to an answer by the local model", f"{local_s:.2f} s", "< 5 s"],
        ["`noria --help`", f"{median(helps):.2f} s", ""],
    ]
    memory = local[-1][1]
    for role in sorted(memory):
        rows.append(
            [f"resident memory: {role}", f"{memory[role]:.0f} MB", "< 120 MB" if "worker" in role else ""]
        )
    print(table(["what", "measured", "target"], rows))


def _up(folder: Path, port: int, model: str) -> tuple[float, dict[str, float]]:
    """Seconds from the start of `noria up` to a whole answer, and MB of each process then."""
    before = time.perf_counter()
    log = (folder / "up.log").open("wb")
    process = subprocess.Popen([NORIA, "up"], cwd=folder, stdout=log, stderr=log)
    try:
        until = time.monotonic() + PATIENCE
        while not answered(port, model):
            if time.monotonic() > until or process.poll() is not None:
                raise SystemExit(f"noria up gives no answer:\n{(folder / 'up.log').read_text()[-3000:]}")
            time.sleep(0.01)
        took = time.perf_counter() - before
        return took, {_role(pid): rss_mb(pid) for pid in tree(process.pid)[1:]}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        log.close()


def answered(port: int, model: str) -> bool:
    message = {"role": "user", "content": "Say yes."}
    body = json.dumps({"model": model, "messages": [message], "max_tokens": 4}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions", body, {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status == 200
    except OSError:  # It does not listen yet, or answers 503.
        return False


def _role(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    module = next((word for word in words if word.startswith("noria.")), words[0])
    role = module.rpartition(".")[2]
    for option in ("--number", "--name"):
        if option in words:
            role += " " + words[words.index(option) + 1]
    return role


def _help() -> float:
    before = time.perf_counter()
    subprocess.run([NORIA, "--help"], check=True, capture_output=True)
    return time.perf_counter() - before


def _config(port: int, upstream: str) -> str:
    return f"""
[server]
port = {port}
[access]
require_key = false
[engines.chat]
weights = "smollm2-135m-instruct"
[engines.encoder]
weights = "bge-small-en-v1.5"
kind = "encoder"
[providers.mock]
dialect = "openai"
base_url = "{upstream}/v1"
models = ["mock"]
[routes.default]
targets = ["{LOCAL}"]
"""


if __name__ == "__main__":
    main()
