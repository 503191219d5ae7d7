"""Prompts through a whole Noria: from files and a dataset to what two workers serve within a second."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from noria.client import Noria
from noria.testing import Upstream
from noria.testing.stack import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
NORIA = (sys.executable, "-m", "noria")
CONFIG = """
[server]
port = {port}
[access]
require_key = false
[providers.acme]
dialect = "openai"
base_url = "{upstream}/v1"
[models."acme/mock"]
[models."acme/slow"]
upstream = "mock/gap=60ms,chunks=30"
[routes.default]
targets = ["acme/mock"]
"""
INTENT = """+++
model = "default"
[variables]
text = "string"
[technique.examples]
choose = "similar"
k = 2
dataset = "intents"
embedder = "acme/mock"
+++
@system
Name the intent.
@user
{{ text }}
"""


class Mock:
    """The mock upstream in a thread of its own, so that what it was sent can be looked at."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._ready.wait(10)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with Upstream() as self.upstream:
            self.url = self.upstream.url
            self._ready.set()
            await self._end.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    def last(self) -> dict[str, Any]:
        return self.upstream.ledger.served[-1].body


class Whole:
    """`noria up` with two workers."""

    def __init__(self, folder: Path, mock: Mock) -> None:
        self.folder, self.mock, self.port = folder, mock, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "prompts").mkdir()
        (folder / "noria.toml").write_text(CONFIG.format(port=self.port, upstream=mock.url))
        self._log = (folder / "up.log").open("wb")
        self._process = subprocess.Popen(
            [*NORIA, "up", "--workers", "2"], cwd=folder, stdout=self._log, stderr=self._log
        )
        until = time.monotonic() + 60
        while b"Noria answers" not in (folder / "up.log").read_bytes():
            assert time.monotonic() < until and self._process.poll() is None, (folder / "up.log").read_text()
            time.sleep(0.05)

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*NORIA, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=90
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def write(self, name: str, text: str) -> None:
        (self.folder / "prompts" / f"{name}.md").write_text(text)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)
        self._log.close()


@pytest.fixture(scope="module")
def noria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    mock = Mock()
    found = Whole(tmp_path_factory.mktemp("noria"), mock)
    yield found
    found.stop()
    mock.stop()


def _version(noria: Whole, name: str) -> str:
    """Which version serves a call."""
    client = OpenAI(base_url=noria.url + "/v1", api_key="-", max_retries=0)
    answer = client.chat.completions.with_raw_response.create(model=f"prompt/{name}", messages=[])
    return answer.headers["x-noria-prompt"].partition(";")[0]


def test_similar_examples_of_a_dataset_are_served_by_the_gateway(noria: Whole) -> None:
    lines = [{"input": {"text": f"How do I {n}?"}, "expected": f"intent {n}"} for n in range(150)]
    (noria.folder / "intents.jsonl").write_text("\n".join(json.dumps(one) for one in lines))
    noria.run("dataset", "import", "intents", "intents.jsonl")
    noria.write("intent", INTENT)
    noria.run("prompt", "push", "intent")
    noria.run("prompt", "label", "intent", "production", "latest")
    client = OpenAI(base_url=noria.url + "/v1", api_key="-", max_retries=0)
    said = {"noria": {"variables": {"text": "How do I 77?"}}}
    client.chat.completions.create(model="prompt/intent", messages=[], extra_body=said)
    messages = noria.mock.last()["messages"]
    assert [one["role"] for one in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [one["content"] for one in messages[-3:]] == ["How do I 77?", "intent 77", "How do I 77?"]
    with Noria(noria.url) as own:
        own.prompt("intent").chat({"text": "How do I 3?"})
    assert noria.mock.last()["messages"][-2]["content"] == "intent 3"
    (version,) = json.loads(noria.run("prompt", "show", "intent", "--versions", "--json"))
    assert version["content"]["technique"]["examples"]["dataset"] == "intents@1"


def test_a_moved_label_is_served_within_a_second_and_calls_in_flight_end_on_theirs(noria: Whole) -> None:
    noria.write("hello", '+++\nmodel = "acme/slow"\n+++\nSay one.')
    noria.run("prompt", "push", "hello", "--label", "production")
    noria.write("hello", '+++\nmodel = "acme/mock"\n+++\nSay two.')
    noria.run("prompt", "push", "hello")
    client = OpenAI(base_url=noria.url + "/v1", api_key="-", max_retries=0)
    raw = client.chat.completions.with_raw_response.create(model="prompt/hello", messages=[], stream=True)
    assert raw.headers["x-noria-prompt"].startswith("hello@1;")
    with Noria(noria.url) as own:
        assert own.prompt("hello").number == 1
        noria.run("prompt", "label", "hello", "production", "2")
        moved = time.monotonic()
        seen = {_version(noria, "hello") for _ in range(20)}
        assert seen == {"hello@2"} and time.monotonic() - moved < 10
        assert own.prompt("hello").number == 1 and own.prompt("hello", max_age=0).number == 2
    pieces = [one.choices[0].delta.content or "" for one in raw.parse() if one.choices]
    assert len([piece for piece in pieces if piece]) >= 20
    noria.run("prompt", "rollback", "hello")
    assert _version(noria, "hello") == "hello@1"


def test_prompts_are_served_while_control_is_dead(noria: Whole) -> None:
    noria.write("steady", '+++\nmodel = "default"\n+++\nSay {{ what }}.')
    noria.run("prompt", "push", "steady", "--label", "production")
    control = next(
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if _command(path) and "noria.server.control" in _command(path) and str(noria.folder) in _command(path)
    )
    os.kill(control, signal.SIGSTOP)  # Silent, and not restarted.
    try:
        with Noria(noria.url) as own:
            prompt = own.prompt("steady")
            assert prompt.render(what="it") == [{"role": "user", "content": "Say it."}]
            assert prompt.chat({"what": "it"}).text
        said = {"noria": {"variables": {"what": "more"}}}
        client = OpenAI(base_url=noria.url + "/v1", api_key="-", max_retries=0)
        client.chat.completions.create(model="prompt/steady", messages=[], extra_body=said)
        assert noria.mock.last()["messages"][0]["content"] == "Say more."
    finally:
        os.kill(control, signal.SIGCONT)
    noria.run("prompt", "list")
    deadline = time.monotonic() + 15
    while not json.loads(noria.run("trace", "list", "prompt:steady@1", "--json")):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _command(path: Path) -> str:
    try:
        return (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
