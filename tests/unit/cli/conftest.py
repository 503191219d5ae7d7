"""One Noria for all commands: `noria up` in a folder of its own, in front of a mock upstream."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from noria.cli.main import noria
from noria.errors import NoriaError
from noria.storage.home import Home
from noria.testing.stack import free_port

CONFIG = """
[server]
port = {port}

[providers.acme]
dialect = "openai"
base_url = "{upstream}/v1"
api_key = "env:ACME_KEY"

[models."acme/mock"]
price = {{ input = "1.00", output = "4.00" }}

[models."acme/slow"]
upstream = "mock/gap=50ms,chunks=60"

[models."acme/failing"]
upstream = "mock/fail=500:9"

[routes.fast]
targets = ["acme/mock"]

[routes.cascade]
targets = [{{ model = "acme/failing", order = 1 }}, {{ model = "acme/mock", order = 2 }}]
"""
ENVIRONMENT = {"ACME_KEY": "sk-mock", "NORIA_LOG": "INFO"}


class Running:
    """A `noria up`, and the commands that are run on it."""

    def __init__(self, folder: Path, upstream: str, *, workers: int = 1) -> None:
        self.folder = folder
        self.path = folder / "noria.toml"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.home = Home(folder / ".noria")
        if not self.path.exists():
            self.path.write_text(CONFIG.format(port=self.port, upstream=upstream))
        self._log = (folder / "up.log").open("wb")
        self.process = subprocess.Popen(
            [*NORIA, "up", "--config", str(self.path), "--workers", str(workers), "--port", str(self.port)],
            stdout=self._log, stderr=self._log, env={**os.environ, **ENVIRONMENT}, start_new_session=True,
        )  # fmt: skip
        self._wait()

    def run(self, *arguments: str, stdin: str | None = None) -> Result:
        """A command that is to succeed."""
        result = self.attempt(*arguments, stdin=stdin)
        if isinstance(result.exception, NoriaError):
            raise result.exception
        assert result.exit_code == 0, (result.output, result.exception)
        return result

    def attempt(self, *arguments: str, stdin: str | None = None) -> Result:
        environment = {**ENVIRONMENT, "NORIA_CONFIG": str(self.path), "NORIA_HOME": None}
        return CliRunner().invoke(noria, list(arguments), input=stdin, env=environment)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command of its own process."""
        return subprocess.Popen(
            [*NORIA, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, **ENVIRONMENT, "NORIA_CONFIG": str(self.path)},
        )  # fmt: skip

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        self._log.close()

    def _wait(self) -> None:
        until = time.monotonic() + 40
        log = self.folder / "up.log"
        while time.monotonic() < until and self.process.poll() is None:
            if b"Noria answers" in log.read_bytes():
                return
            time.sleep(0.05)
        raise TimeoutError(log.read_text())


NORIA = (sys.executable, "-m", "noria")


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    """The address of a mock upstream."""
    process = subprocess.Popen(
        [sys.executable, "-m", "noria.testing.upstream", "--model", "mock"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def make_running(upstream: str) -> Callable[..., Running]:
    """Starts another Noria in a folder; whoever asks stops it."""

    def make(folder: Path, *, workers: int = 1) -> Running:
        return Running(folder, upstream, workers=workers)

    return make


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, upstream: str) -> Iterator[Running]:
    found = Running(tmp_path_factory.mktemp("noria"), upstream)
    yield found
    found.stop()
