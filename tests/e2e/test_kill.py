"""kill -9 of every kind of process under load: what was answered is recorded, once, and all come back.

Every response that a client received whole has exactly one confirmed span; spans of calls that no client
received whole are at most the calls in flight at the kills.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import msgspec
import pytest

from noria.runtime.supervisor import Status
from noria.runtime.unix_http import UnixConnection
from noria.storage.home import Home
from noria.storage.spans import SpanStore
from noria.testing import Result, load
from noria.testing.stack import free_port
from noria.tracing.store import TraceDetail

CONNECTIONS = 12
CONFIG = """
[server]
port = {port}
[access]
require_key = false
[providers.mock]
dialect = "openai"
base_url = "{upstream}/v1"
api_key = "env:MOCK_KEY"
models = ["mock"]
[models."mock/mock"]
context = 100000
max_output = 4096
price = {{ input = "1.5", output = "6" }}
[routes.r]
targets = ["mock/mock"]
retries = 3
"""


class Noria:
    """`noria up` in a folder of its own."""

    def __init__(self, folder: Path, upstream: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.home = Home(folder / ".noria")
        (folder / "noria.toml").write_text(CONFIG.format(port=self.port, upstream=upstream))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        environment = {**os.environ, "MOCK_KEY": "x"}
        environment.pop("NORIA_HOME", None)
        log = open(self.folder / "up.log", "ab")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "noria", "up", "--workers", "2"],
            cwd=self.folder, stdout=log, stderr=log, env=environment,
        )  # fmt: skip
        log.close()

    def down(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def pids(self) -> dict[str, int]:
        """Of the children that run now, by role."""
        try:
            status = msgspec.json.decode((self.home.run / "supervisor.json").read_bytes(), type=Status)
        except (FileNotFoundError, msgspec.DecodeError):
            return {}
        return {child.role: child.pid for child in status.children if child.pid}


@pytest.fixture
def upstream() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", "noria.testing.upstream"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    yield process.stdout.readline().decode().strip()
    process.kill()
    process.wait()


def _body(number: int) -> bytes:
    body = {"model": "r", "max_tokens": 60, "messages": [{"role": "user", "content": f"call {number}"}]}
    return json.dumps({**body, "stream": number % 2 == 0}).encode()


async def _answers(noria: Noria, *, within: float = 30.0) -> None:
    until = time.monotonic() + within
    while time.monotonic() < until:
        [result] = await load(noria.url + "/v1/chat/completions", body=_body(1), connections=1, requests=1)
        if result.status == 200 and result.whole:
            return
        await asyncio.sleep(0.05)
    raise AssertionError((noria.folder / "up.log").read_text()[-3000:])


async def _kill(noria: Noria, role: str) -> None:
    """Kill one process; a killed supervisor is started again, as a service manager would."""
    if role == "supervisor":
        assert noria.process is not None
        noria.process.kill()
        noria.process.wait()
        noria.up()
        await _answers(noria)
        return
    pids = noria.pids()
    matching = [pid for name, pid in pids.items() if name.startswith(role)]
    if matching:
        try:
            os.kill(random.choice(matching), signal.SIGKILL)
        except ProcessLookupError:
            return


def _drained(noria: Noria, *, within: float = 60.0) -> None:
    """Wait for the collector, which the supervisor lets rest for longer each time that it is killed."""
    until = time.monotonic() + within
    while True:
        connection = UnixConnection(noria.home.run / "collector.sock", timeout=within)
        try:
            connection.request("POST", "/internal/drain")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            assert time.monotonic() < until, (noria.home.logs / "collector.log").read_text()[-3000:]
        finally:
            connection.close()
        time.sleep(0.1)


def _whole(result: Result) -> bool:
    if not (result.whole and result.status == 200):
        return False
    return result.body.endswith(b"data: [DONE]\n\n") if result.number % 2 == 0 else True


def _calls(trace: TraceDetail | None) -> list[bool]:
    """Whether confirmed, of the gateway calls in the trace."""
    if trace is None:
        return []
    return [span.confirmed for span in trace.spans if span.kind == "server"]


async def _storm(noria: Noria, *, kills: int) -> tuple[list[Result], int]:
    """Results, and how many kills there were."""
    stop = asyncio.Event()
    running = asyncio.create_task(
        load(noria.url + "/v1/chat/completions", body=_body, connections=CONNECTIONS, until=stop)
    )
    roles = ["worker", "collector", "worker", "control", "worker", "supervisor", "collector"]
    for number in range(kills):
        await asyncio.sleep(random.uniform(0.2, 0.6))
        await _kill(noria, roles[number % len(roles)])
    await _answers(noria)
    await asyncio.sleep(1.0)
    stop.set()
    return await running, kills


def _check(noria: Noria, results: list[Result], kills: int) -> None:
    store = SpanStore(noria.home.spans)
    whole = [result for result in results if _whole(result)]
    assert len(whole) > kills * 5
    counts: Counter[int] = Counter()
    missing: list[str] = []
    for result in whole:
        calls = _calls(store.trace("default", bytes.fromhex(result.trace)))
        counts[len(calls)] += 1
        if calls != [True]:
            missing.append(f"{result.trace} {calls}")
    assert missing == [], f"{len(missing)} of {len(whole)}: {missing[:5]}; {counts}"
    partial = [result for result in results if result.trace and not _whole(result)]
    assert len(partial) <= kills * CONNECTIONS


async def _run(tmp_path: Path, upstream: str, kills: int) -> None:
    random.seed(7)
    noria = Noria(tmp_path, upstream)
    noria.up()
    try:
        await _answers(noria)
        results, kills = await _storm(noria, kills=kills)
        await asyncio.to_thread(_drained, noria)
        _check(noria, results, kills)
        print(f"{kills} kills, {sum(map(_whole, results))} whole answers, each with one span")
    finally:
        noria.down()


async def test_a_few_kills(tmp_path: Path, upstream: str) -> None:
    await _run(tmp_path, upstream, 7)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_fifty_kills(tmp_path: Path, upstream: str) -> None:
    await _run(tmp_path, upstream, 50)
