"""Two reviewers and an adjudicator in three browser contexts at once: ui/tests/review.spec.ts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from noria.storage.home import Home
from noria.testing.stack import free_port

ROOT = Path(__file__).parents[2]
CONFIG = """
[server]
port = {port}
workers = 1
[access]
require_key = false
[providers.mock]
dialect = "openai"
base_url = "http://127.0.0.1:9/v1"
models = ["answers"]
"""


@pytest.fixture
def noria(tmp_path: Path) -> Iterator[tuple[str, Home]]:
    """`noria up` in a folder of its own; it calls no model."""
    port = free_port()
    (tmp_path / "noria.toml").write_text(CONFIG.format(port=port))
    home = Home(tmp_path / "state")
    environment = {**os.environ, "NORIA_HOME": str(home.folder)}
    with (tmp_path / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "noria", "up"], cwd=tmp_path, stdout=log, stderr=log, env=environment
        )
        until = time.monotonic() + 120
        while not (home.run / "setup-token").exists():
            assert process.poll() is None and time.monotonic() < until, (tmp_path / "up.log").read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", home
        process.terminate()
        process.wait(60)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_reviewers_and_an_adjudicator(noria: tuple[str, Home]) -> None:
    url, home = noria
    token = (home.run / "setup-token").read_text().strip()
    environment = {**os.environ, "NORIA_URL": url, "NORIA_SETUP_TOKEN": token}
    run = subprocess.run(
        ["npx", "vitest", "run", "--config", "vitest.page.config.ts", "tests/review.spec.ts"],
        cwd=ROOT / "ui", env=environment, capture_output=True, text=True, timeout=540, check=False,
    )  # fmt: skip
    print(run.stdout[-6000:])
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-3000:]
