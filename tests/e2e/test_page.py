"""The page in a real browser, against a running Noria with a local model: the specs of ui/tests."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from noria.storage.home import Home
from noria.testing import load
from noria.testing.stack import free_port

sys.path.insert(0, str(Path(__file__).parent))
import page_noria

ROOT = Path(__file__).parents[2]
CONFIG = """
[server]
port = {port}
workers = 1
[access]
require_key = false
{engine}[providers.mock]
dialect = "openai"
base_url = "{upstream}/v1"
api_key = "env:MOCK_KEY"
[models."mock/answers"]
context = 100000
max_output = 4096
price = {{ input = "1.5", output = "6" }}
[models."mock/fails"]
upstream = "mock/fail=500"
context = 100000
max_output = 4096
price = {{ input = "1.5", output = "6" }}
[routes.default]
targets = ["{default}"]
[routes.support]
targets = ["mock/answers"]
[routes.broken]
targets = ["mock/fails"]
retries = 0
[budgets.team]
subject = "team:*"
amount = "50"
per = "month"
"""


ENGINE = """[engines.chat]
weights = "smollm2-135m-instruct"
"""


@contextmanager
def running(folder: Path, *, engine: bool = True) -> Iterator[tuple[str, Home]]:
    """`noria up` in the folder; without the engine nothing needs weights."""
    upstream = subprocess.Popen([sys.executable, "-m", "noria.testing.upstream"], stdout=subprocess.PIPE)
    assert upstream.stdout is not None
    address = upstream.stdout.readline().decode().strip()
    port, sorter = free_port(), page_noria.Sorter()
    config = CONFIG.format(
        port=port, upstream=address, engine=ENGINE if engine else "",
        default="local/smollm2-135m-instruct" if engine else "mock/answers",
    )  # fmt: skip
    (folder / "noria.toml").write_text(config + page_noria.CONFIG.format(sorter=sorter.url))
    page_noria.write(folder)
    environment = {**os.environ, "MOCK_KEY": "x", "NORIA_HOME": str(folder / "state")}
    log = open(folder / "up.log", "wb")  # noqa: SIM115
    process = subprocess.Popen(
        [sys.executable, "-m", "noria", "up"], cwd=folder, stdout=log, stderr=log, env=environment
    )
    home = Home(folder / "state")
    until = time.monotonic() + 120
    while not (home.run / "setup-token").exists():
        assert process.poll() is None and time.monotonic() < until, (folder / "up.log").read_text()
        time.sleep(0.1)
    try:
        yield f"http://127.0.0.1:{port}", home
    finally:
        process.terminate()
        process.wait(60)
        upstream.kill()
        upstream.wait()
        sorter.close()
        log.close()


@pytest.fixture
def noria(tmp_path: Path) -> Iterator[tuple[str, Home]]:
    with running(tmp_path) as found:
        page_noria.seed(tmp_path, tmp_path / "noria.toml")
        yield found


def _body(number: int) -> bytes:
    route = ("support", "support", "broken", "support")[number % 4]
    question = ("Where is my parcel?", "I want a refund.", "How do I export my data?")[number % 3]
    return json.dumps(
        {
            "model": route,
            "messages": [{"role": "user", "content": question}],
            "max_tokens": 60,
            "stream": number % 2 == 0,
            "user": f"user{number % 7}",
            "noria": {"session": f"s{number % 11}", "tags": {"env": "prod"}},
        }
    ).encode()


async def _traffic(url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        results = await load(url + "/v1/chat/completions", body=_body, connections=4, requests=160)
        if sum(result.status == 200 for result in results) > 80:
            return
        await asyncio.sleep(0.5)
    raise AssertionError("no traffic came through")


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.timeout(1500)
def test_every_page_in_a_browser(noria: tuple[str, Home]) -> None:
    url, home = noria
    asyncio.run(_traffic(url))
    token = (home.run / "setup-token").read_text().strip()
    environment = {**os.environ, "NORIA_URL": url, "NORIA_SETUP_TOKEN": token}
    run = subprocess.run(
        ["npm", "run", "--silent", "test:page"],
        cwd=ROOT / "ui", env=environment, capture_output=True, text=True, timeout=1440, check=False,
    )  # fmt: skip
    print(run.stdout[-6000:])
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-3000:]
