"""The local engine through Noria beside the engine alone: tokens a second, one chat and eight at once.

    python bench/engine.py [--rounds 5] [--tokens 128]

Streamed chats with SmolLM2 135M under `noria up`; straight to the engine's port and through the gateway in
turn. Eight chats share the engine's batch: what they get together is compared with one.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from machine import median, table
from start import LOCAL, NORIA, PATIENCE, answered

from noria.providers.engine import resolve_engine
from noria.storage.home import Home
from noria.testing.stack import free_port

CHATS = 8


@dataclass
class Way:
    name: str
    url: str
    headers: dict[str, str]
    model: str


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=128)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "noria.toml").write_text(_config(port))
        log = (folder / "up.log").open("wb")
        process = subprocess.Popen([NORIA, "up", "--workers", "1"], cwd=folder, stdout=log, stderr=log)
        try:
            until = time.monotonic() + PATIENCE
            while not answered(port, LOCAL):
                if time.monotonic() > until or process.poll() is not None:
                    raise SystemExit(f"noria up gives no answer:\n{(folder / 'up.log').read_text()[-3000:]}")
                time.sleep(0.2)
            url, key = resolve_engine("chat", Home.beside(folder / "noria.toml"))
            straight = Way("straight", url, {"authorization": f"Bearer {key}"}, LOCAL.partition("/")[2])
            through = Way("relayed", f"http://127.0.0.1:{port}/v1", {}, LOCAL)
            print(f"load of the machine before: {os.getloadavg()[0]:.2f}", flush=True)
            _measure([straight, through], given.rounds, given.tokens)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
            log.close()


def _measure(ways: list[Way], rounds: int, tokens: int) -> None:
    found: dict[tuple[str, int], list[float]] = {}
    for way in ways:
        _speed(way, 1, tokens, "warming up")
    for number in range(rounds):
        for chats in (1, CHATS):
            # Who goes first takes turns, and no two texts are alike: the engine's cache helps neither.
            for way in ways if number % 2 else reversed(ways):
                found.setdefault((way.name, chats), []).append(_speed(way, chats, tokens, f"round {number}"))
    rows: list[list[object]] = []
    for chats in (1, CHATS):
        straight, through = (found[way.name, chats] for way in ways)
        ratio = median([mine / its for mine, its in zip(through, straight, strict=True)])
        shared = median(through) / median(found[ways[1].name, 1])
        rows.append([chats, median(straight), median(through), f"{ratio:.3f}", f"{shared:.2f}"])
    columns = ["chats at once", "straight tokens/s", "through Noria tokens/s", "ratio", "× one chat"]
    print(table(columns, rows))


def _speed(way: Way, chats: int, tokens: int, salt: str) -> float:
    """Tokens a second of all chats together."""
    before = time.perf_counter()
    with ThreadPoolExecutor(chats) as pool:
        counts = list(pool.map(lambda number: _chat(way, tokens, f"{salt} of chat {number}"), range(chats)))
    return sum(counts) / (time.perf_counter() - before)


def _chat(way: Way, tokens: int, salt: str) -> int:
    """Tokens of one streamed answer, as its usage says."""
    text = f"{way.name}, {salt}: write a long story about a lighthouse keeper and the sea."
    body = {
        "model": way.model, "messages": [{"role": "user", "content": text}], "max_tokens": tokens,
        "temperature": 0, "stream": True, "stream_options": {"include_usage": True},
    }  # fmt: skip
    request = urllib.request.Request(
        way.url + "/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json", **way.headers},
    )
    count = 0
    with urllib.request.urlopen(request, timeout=600) as answer:
        for line in answer:
            if line.startswith(b"data: {"):
                usage = json.loads(line[6:]).get("usage")
                count = usage["completion_tokens"] if usage else count
    return count


def _config(port: int) -> str:
    return f"""
[server]
port = {port}
[access]
require_key = false
[engines.chat]
weights = "smollm2-135m-instruct"
[routes.default]
targets = ["{LOCAL}"]
"""


if __name__ == "__main__":
    main()
