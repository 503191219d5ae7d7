"""One running Noria with the local model, in whose folder pages are read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from running import NORIA, Running, start, wait_for_model


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    folder = tmp_path_factory.mktemp("reader")
    subprocess.run([NORIA, "init"], cwd=folder, check=True, capture_output=True)
    found = start(folder)
    try:
        wait_for_model(found.port)
        yield found
    finally:
        found.stop()
