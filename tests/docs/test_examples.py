"""The projects in examples/ do what their READMEs say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path

import pytest
from blocks import ROOT
from running import NORIA, Running, start

from noria.testing.stack import free_port


def _run(running: Running, script: str) -> str:
    """What the script prints in the project's folder."""
    environment = {
        **os.environ,
        "NORIA_BASE_URL": f"http://127.0.0.1:{running.port}",
        "PATH": f"{NORIA.parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [sys.executable, script],
        cwd=running.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def local_chat(tmp_path: Path) -> Generator[Running]:
    shutil.copytree(ROOT / "examples" / "local-chat", tmp_path / "project")
    running = start(tmp_path / "project")
    yield running
    running.stop()


@pytest.mark.weights
def test_local_chat(local_chat: Running) -> None:
    said = _run(local_chat, "chat.py")
    assert "> On which continent is it?" in said
    assert re.search(r"\{'name': '.*', 'age': \d+\}", said)


@pytest.fixture
def two_providers(tmp_path: Path) -> Generator[Running]:
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "two-providers", folder)
    port = str(free_port())
    config = folder / "noria.toml"
    config.write_text(config.read_text().replace("9901", port))
    with open(tmp_path / "mock.log", "wb") as log:
        command = [sys.executable, "-m", "noria.testing.upstream", "--port", port]
        mock = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        running = start(folder)
        yield running
        running.stop()
    finally:
        mock.terminate()
        mock.wait()


def test_two_providers(two_providers: Running) -> None:
    said = _run(two_providers, "show.py")
    shares = re.search(r"\{'(.*)': (\d+), '(.*)': (\d+)\}", said)
    assert shares is not None and {shares[1], shares[3]} == {
        "openai/gpt-6-luna",
        "anthropic/claude-haiku-5-5",
    }, said
    assert "the same again for each user: True" in said
    assert "anthropic/claude-haiku-5-5, after 2 attempts" in said
    spent = re.search(r"(\d+) calls, then 429; spent \$([\d.]+) of \$([\d.]+)", said)
    assert spent is not None and int(spent[1]) > 0, said
    assert Decimal(0) < Decimal(spent[2]) <= Decimal(spent[3]) == Decimal("0.01")
