"""A private Noria for tests and benchmarks: real worker and collector processes, published to directly.

with Stack(folder, config, workers=2) as noria:
    noria.url, noria.key(...)
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

import msgspec

from noria.access.key import Budget, Key, hash_token, new_token
from noria.core.digest import digest
from noria.gateway.snapshot import FORMAT, Live, Model, Provider, Route, Snapshot, Target
from noria.models.card import Card
from noria.models.price import Price
from noria.storage.home import Home
from noria.storage.snapshots import Snapshots

READY = 40.0
"""Seconds that the processes are given to answer."""


def free_port() -> int:
    """A port of the loopback address that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def snapshot(
    *,
    providers: dict[str, Provider],
    models: dict[str, Model],
    routes: dict[str, Route] | None = None,
    require_key: bool = True,
) -> Snapshot:
    """A Snapshot with its digest, and an implicit route for every model."""
    implicit = {name: Route(name=name, targets=(Target(model=name),), implicit=True) for name in models}
    anonymous = Key(id="key_anonymous", lookup="", hash=b"", routes=("*",))
    made = Snapshot(
        format=FORMAT,
        digest="",
        providers=providers,
        models=models,
        routes={**implicit, **(routes or {})},
        require_key=require_key,
        anonymous=None if require_key else anonymous,
    )
    return msgspec.structs.replace(made, digest=digest(made))


def mock_model(name: str = "mock", *, provider: str = "mock", price: Price | None = None) -> Model:
    """A Model of a mock upstream, with a card that bounds it."""
    card = Card(id=f"{provider}/{name}", name=name, context=128_000, max_output=4096)
    return Model(id=f"{provider}/{name}", provider=provider, upstream=name, card=card, price=price)


class Stack:
    """Worker and collector processes on one home."""

    def __init__(
        self, folder: Path, config: Snapshot, *, workers: int = 1, collector: bool = True,
        environment: dict[str, str] | None = None, worker_options: tuple[str, ...] = (),
        collector_options: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.home = Home(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._config = config
        self._workers = workers
        self._collector = collector
        self._options = {"worker": worker_options, "collector": collector_options}
        self._environment = {**os.environ, **(environment or {})}
        self._snapshots = Snapshots(self.home.snapshots)
        self._live = Live(format=FORMAT, epoch=1)
        self._pepper = self.home.pepper()

    def __enter__(self) -> Stack:
        self._snapshots.publish(config=self._config, live=self._live)
        if self._collector:
            self.start("collector")
        for number in range(self._workers):
            self.start(f"worker-{number}")
        try:
            self.wait()
        except TimeoutError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for role in sorted(self.processes, reverse=True):
            self.stop(role)

    def key(self, *, routes: tuple[str, ...] = ("*",), **more: object) -> str:
        """A new virtual key, in force when this returns; `more` are fields of `Key`."""
        token, lookup = new_token()
        made = Key(
            id=f"key_{lookup}", lookup=lookup, hash=hash_token(token.encode(), self._pepper), routes=routes
        )
        made = msgspec.structs.replace(made, **more)
        self.publish_live(keys={**self._live.keys, lookup: made})
        return token

    def budget(self, budget: Budget) -> None:
        """A budget more, in force when this returns."""
        self.publish_live(budgets={**self._live.budgets, budget.name: budget})

    def publish_live(self, **changes: object) -> None:
        self._live = msgspec.structs.replace(self._live, epoch=self._live.epoch + 1, **changes)
        self._snapshots.wait_served(self._snapshots.publish(live=self._live), timeout=READY)

    def publish(self, config: Snapshot) -> None:
        """Serve another config version."""
        self._snapshots.wait_served(self._snapshots.publish(config=config), timeout=READY)

    def start(self, role: str) -> None:
        """Start one process, as after a death."""
        kind, _, number = role.partition("-")
        command = [sys.executable, "-m", f"noria.server.{kind}", "--home", str(self.home.folder)]
        if kind == "worker":
            command += ["--number", number, "--port", str(self.port)]
        command += self._options[kind]
        log = open(self.home.logs / f"{role}.log", "ab")  # noqa: SIM115
        self.processes[role] = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)
        log.close()

    def kill(self, role: str) -> None:
        """kill -9."""
        self.processes[role].kill()
        self.processes[role].wait()

    def stop(self, role: str) -> None:
        """Stop in order."""
        process = self.processes[role]
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait(self) -> None:
        """Until every worker serves. Raises TimeoutError with the last words of the logs."""
        until = time.monotonic() + READY
        while time.monotonic() < until:
            if len(self._snapshots.serving()) >= self._workers and self._answers():
                return
            time.sleep(0.02)
        logs = "\n".join(path.read_text()[-2000:] for path in self.home.logs.glob("*.log"))
        raise TimeoutError(f"The stack did not start:\n{logs}")

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.url + "/v1/models", timeout=1).close()
        except urllib.error.HTTPError:
            pass
        except OSError:
            return False
        if not self._collector:
            return True
        return (self.home.run / "collector.sock").exists()
