"""The tour of examples/banking77, step by step as its README says, on real data with the local model."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from noria.testing.stack import free_port

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("NORIA_DATA", ROOT.parent / "shared" / "data")) / "banking77" / "train.csv"
pytestmark = [pytest.mark.slow, pytest.mark.weights, pytest.mark.timeout(1500)]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    if not DATA.exists():
        pytest.skip("BANKING77 is not here")
    made = tmp_path / "tour"
    shutil.copytree(ROOT / "examples" / "banking77", made)
    path = made / "noria.toml"
    port = free_port()
    path.write_text(path.read_text().replace("port = 8400", f"port = {port}"))
    (made / "port").write_text(str(port))
    with (made / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "noria", "up", "--workers", "1"], cwd=made, stdout=log, stderr=log
        )
    try:
        until = time.monotonic() + 60
        while b"Noria answers" not in (made / "up.log").read_bytes():
            assert time.monotonic() < until and process.poll() is None, (made / "up.log").read_text()
            time.sleep(0.1)
        yield made
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_the_tour_ends_with_the_better_prompt_served(folder: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", (folder / "README.md").read_text(), re.M | re.S)
    said = [_run(folder, block) for block in blocks]
    data, pushed, measured, moved, served = said
    assert "Version 1 of banking77: 10,003 examples" in data and "train 7" in data
    assert "intent@1 is new" in pushed and "intent@2 is new" in pushed
    assert re.search(r"better\b.*exact|exact.*\bbetter", measured), measured
    assert "protected" in moved and "release: fail" in moved and "stands for version 2" in moved
    assert '"content":"card_arrival"' in served and "x-noria-prompt: intent@2" in served
    assert _call(folder)["x-noria-prompt"].startswith("intent@2")


def _run(folder: Path, block: str) -> str:
    """What the block prints, run as a reader would."""
    block = block.replace("curl -s ", "curl -si ").replace("8400", (folder / "port").read_text())
    environment = {
        **os.environ,
        "BANKING77": str(DATA),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["sh", "-e", "-c", block], cwd=folder, env=environment, capture_output=True, text=True, timeout=900
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def _call(folder: Path) -> dict[str, str]:
    body = {
        "model": "prompt/intent",
        "messages": [],
        "noria": {"variables": {"text": "How do I change my PIN?"}},
    }
    url = f"http://127.0.0.1:{(folder / 'port').read_text()}/v1/chat/completions"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return {name.lower(): value for name, value in answer.headers.items()}
