"""With payloads encrypted, no file of a running Noria holds in the clear what people or models said."""

import asyncio
import base64
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from noria.gateway.snapshot import Provider
from noria.providers.secrets import Vault
from noria.storage.spans import SpanStore
from noria.testing import Upstream
from noria.testing.stack import Stack, free_port, mock_model, snapshot

KEY = b"k" * 32
ASKED = "the heron stands in the reeds at dawn"


async def test_nothing_is_kept_in_the_clear_and_all_is_read_back(tmp_path: Path) -> None:
    async with Upstream() as upstream:
        config = snapshot(
            providers={"a": Provider(name="a", dialect="openai", base_url=upstream.url + "/v1", auth="none")},
            models={"a/m": mock_model("m", provider="a")},
        )
        stack = Stack(
            tmp_path / "home",
            config,
            environment={"NORIA_ENCRYPTION_KEY": base64.b64encode(KEY).decode()},
            worker_options=("--encrypt-payloads",),
            collector_options=("--encrypt-payloads",),
        )
        await asyncio.to_thread(_run, stack)


def _run(stack: Stack) -> None:
    with stack:
        body = {"model": "a/m", "messages": [{"role": "user", "content": ASKED}], "store": True}
        headers = {"authorization": f"Bearer {stack.key()}"}
        answer = httpx2.post(f"{stack.url}/v1/chat/completions", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        said = answer.json()["choices"][0]["message"]["content"]
        trace = bytes.fromhex(answer.headers["x-noria-trace-id"])
        assert len(said) > 20
        spans = SpanStore(stack.home.spans, cipher=Vault([KEY]))
        until = time.monotonic() + 5
        while (found := spans.trace("default", trace)) is None or len(found.spans) < 2:
            assert time.monotonic() < until
            time.sleep(0.02)
        for path in sorted(one for one in stack.home.folder.rglob("*") if one.is_file()):
            kept = path.read_bytes()
            assert ASKED.encode() not in kept, path
            assert said.encode() not in kept, path
    assert ASKED in str(found.spans[0].input)
    assert said in str(found.spans[0].output)


CONFIG = """
[server]
port = {port}

[encryption]
payloads = true

[providers.acme]
dialect = "openai"
base_url = "{upstream}/v1"
auth = "none"
models = ["mock"]

[models."acme/mock"]
price = {{ input = "1.00", output = "4.00" }}

[evals.e]
dataset = "birds"
target = {{ model = "acme/mock" }}
scorers = [{{ type = "exact" }}]

[datasets.clean.build]
source = "birds"
workers = 1
steps = [{{ type = "normalize" }}, {{ type = "length", least = 300, fields = ["input"] }}]
"""
LONG = secrets.token_hex(64)
"""That does not compress, so that it would be found in a compressed body too."""


async def test_nothing_of_datasets_runs_reviews_feedback_and_jobs_is_in_the_clear(tmp_path: Path) -> None:
    async with Upstream() as upstream:
        await asyncio.to_thread(_work, tmp_path, upstream.url)


def _work(folder: Path, upstream: str) -> None:
    port = free_port()
    (folder / "noria.toml").write_text(CONFIG.format(port=port, upstream=upstream))
    given = [{"id": f"b{n}", "input": {"input": f"{LONG} {n}"}, "expected": LONG} for n in range(3)]
    # One that a build edits and drops.
    given.append({"id": "odd", "input": {"input": f"  {LONG}\u00a0\u00a0"}, "expected": LONG})
    (folder / "birds.jsonl").write_text("".join(json.dumps(one) + "\n" for one in given))
    environment = {
        **os.environ,
        "NORIA_ENCRYPTION_KEY": base64.b64encode(KEY).decode(),
        "NORIA_CONFIG": str(folder / "noria.toml"),
    }
    environment.pop("NORIA_HOME", None)
    noria = [sys.executable, "-m", "noria"]

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*noria, *arguments], env=environment, cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    with (folder / "up.log").open("wb") as log:
        up = subprocess.Popen(
            [*noria, "up", "--workers", "1"],
            env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + 90
        while b"Noria answers" not in (folder / "up.log").read_bytes():
            assert time.monotonic() < until and up.poll() is None, (folder / "up.log").read_text()
            time.sleep(0.1)
        run("dataset", "import", "birds", "birds.jsonl")
        run("dataset", "build", "clean")
        run("eval", "run", "e", "--yes")
        form = [{"name": "fixed", "kind": "correction"}]
        with _local(folder) as page:
            _post(page, "/api/queues", {"name": "q", "form": form, "reviews": 1, "grace_s": 0})
            _post(page, "/api/queues/q/items", {"dataset": {"name": "birds"}})
            item = _post(page, "/api/queues/q/next", {})["item"]
            answers = {"answers": {"fixed": LONG}, "comment": LONG}
            _post(page, f"/api/queues/q/items/{item['id']}/answer", answers)
            item = _post(page, "/api/queues/q/next", {})["item"]
            _post(page, f"/api/queues/q/items/{item['id']}/flag", {"reason": LONG})
            said = {"session": "s", "kind": "comment", "comment": LONG}
            _post(page, "/api/feedback", said)
            _post(page, "/api/feedback", {"session": "s", "kind": "demonstration", "value": LONG})
            events = page.get("/api/curation/builds").json()["items"][0]["id"]
            shown = page.get(f"/api/curation/builds/{events}/events").text
        assert LONG in shown
        run("dataset", "export", "birds", str(folder / "out.jsonl"))
        assert LONG in (folder / "out.jsonl").read_text()
        assert LONG in run("eval", "show", "e", "--examples", "all", "--json")
        for path in sorted(one for one in (folder / ".noria").rglob("*") if one.is_file()):
            assert LONG.encode() not in path.read_bytes(), path
    finally:
        os.killpg(up.pid, signal.SIGTERM)
        up.wait(60)


def _local(folder: Path) -> httpx2.Client:
    token = (folder / ".noria" / "run" / "local-token").read_text()
    transport = httpx2.HTTPTransport(uds=str(folder / ".noria" / "run" / "control.sock"))
    headers = {"authorization": f"Bearer {token}"}
    return httpx2.Client(transport=transport, base_url="http://noria", headers=headers, timeout=60)


def _post(page: httpx2.Client, path: str, body: object) -> dict[str, dict[str, str]]:
    answer = page.post(path, json=body)
    assert answer.status_code < 300, answer.text
    return answer.json()
