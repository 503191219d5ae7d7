"""What users say of answers: through a worker, by the SDK, found again by filter and command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from noria import errors
from noria.client import Noria
from noria.storage.home import Home
from noria.testing.stack import free_port

CONFIG = """
[server]
port = {port}
workers = 1
[providers.mock]
dialect = "openai"
base_url = "{upstream}/v1"
api_key = "env:MOCK_KEY"
models = ["answers"]
[routes.fast]
targets = ["mock/answers"]
"""


class Served:
    """A `noria up` in a folder, and its command line."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.home = Home(folder / "state")
        self.environment = {**os.environ, "MOCK_KEY": "x", "NORIA_HOME": str(self.home.folder)}

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "noria", *words], cwd=self.folder, env=self.environment,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def key(self, role: str) -> str:
        return self.run("key", "create", f"app-{role}", "--role", role).strip()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    upstream = subprocess.Popen([sys.executable, "-m", "noria.testing.upstream"], stdout=subprocess.PIPE)
    assert upstream.stdout is not None
    address = upstream.stdout.readline().decode().strip()
    port = free_port()
    (tmp_path / "noria.toml").write_text(CONFIG.format(port=port, upstream=address))
    found = Served(tmp_path, port)
    with (tmp_path / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "noria", "up"], cwd=tmp_path, stdout=log, stderr=log, env=found.environment
        )
        until = time.monotonic() + 90
        while not _ready(found.url):
            assert process.poll() is None and time.monotonic() < until, (tmp_path / "up.log").read_text()
            time.sleep(0.1)
        yield found
        process.terminate()
        process.wait(60)
    upstream.kill()
    upstream.wait()


def _ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def test_a_thumb_goes_from_the_application_to_the_trace(served: Served) -> None:
    with Noria(served.url, served.key("caller")) as noria:
        answer = noria.chat("fast", "Where is my parcel?")
        trace = answer.receipt.trace
        first = noria.feedback(trace, kind="thumb", value=True, name="answer", id="click-7", user="ann")
        assert (
            noria.feedback(trace, kind="thumb", value=True, name="answer", id="click-7", user="ann") == first
        )
        assert noria.revise_feedback("click-7", value=False, comment="It is late.") == 2
        noria.feedback(session="s-1", kind="score", name="csat", value=4)
        kept, refused = noria.feedback_batch(
            [
                {"trace": trace, "kind": "correction", "value": "It arrives tomorrow."},
                {"trace": trace, "kind": "correction", "value": ""},
            ]
        )
        assert kept.id and "should have been said" in refused.refused
        with pytest.raises(errors.InvalidRequest, match="32"):
            noria.feedback("nonsense", kind="thumb", value=True)
    found = _listed(served, 3)
    assert [(one["kind"], one["user"]) for one in found if one["trace"]] == [
        ("correction", ""), ("thumb", "ann"),
    ]  # fmt: skip
    down = json.loads(served.run("trace", "list", "feedback:down", "--json"))
    assert [one["id"] for one in down] == [trace]
    shown = json.loads(served.run("feedback", "show", first, "--json"))
    assert [one["value"] for one in shown] == [True, False]
    lines = served.run("feedback", "export").splitlines()
    assert sorted(json.loads(line)["kind"] for line in lines) == ["correction", "score", "thumb"]
    assert "late" in served.run("trace", "show", trace)


def _listed(served: Served, count: int) -> list[dict[str, object]]:
    found = json.loads(served.run("feedback", "list", "--json"))
    assert len(found) == count, found
    return found


def test_an_erasure_takes_feedback_and_review_items_along(served: Served) -> None:
    with Noria(served.url, served.key("caller")) as noria:
        answer = noria.chat("fast", "My name is Ann.", user="ann")
        noria.feedback(answer.receipt.trace, kind="comment", comment="about ann")
        noria.feedback(session="s", kind="comment", comment="by ann", user="ann")
    form = [{"name": "ok", "kind": "label", "choices": [{"value": "yes"}, {"value": "no"}]}]
    (served.folder / "queue.json").write_text(json.dumps({"name": "q", "form": form, "grace_s": 0}))
    served.run("review", "create", "queue.json")
    until = time.monotonic() + 10
    while json.loads(served.run("review", "add", "q", "--spans", "user:ann", "--json"))["added"] != 1:
        assert time.monotonic() < until
        time.sleep(0.2)
    turn = json.loads(served.run("review", "next", "q", "--json"))
    assert turn["item"]["outputs"][0]["text"]
    served.run("review", "answer", "q", turn["item"]["id"], "ok=yes")
    assert len(served.run("review", "export", "q").splitlines()) == 1
    token = (served.home.run / "local-token").read_text().strip()
    with httpx2.Client(transport=httpx2.HTTPTransport(uds=str(served.home.run / "control.sock"))) as control:
        headers = {"authorization": f"Bearer {token}"}
        done = control.post("http://control/api/erasures", json={"user": "ann"}, headers=headers)
        assert done.status_code == 200 and done.json()["traces"] == 1
    assert served.run("review", "export", "q") == ""
    assert json.loads(served.run("feedback", "list", "--json")) == []
