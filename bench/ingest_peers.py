"""OTLP over HTTP into Noria's collector, MLflow and Phoenix: CPU a span, with the same bodies.

    python bench/ingest_peers.py [--spans 4096] [--rounds 3] [--only noria,mlflow,phoenix]

Each keeps its spans in SQLite and runs on one core, the sender on the other; they take turns. CPU is that of
the whole process tree from the first request until it is idle again, since Phoenix acknowledges what it has
only queued. Noria's text search and rollups are included. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ingest import Unix, collector, post, requests
from machine import LOAD_CPU, SUBJECT_CPU, cpu_seconds, median, need, table, tree
from peers import FOLDER, serving

from noria.testing.stack import free_port

PROTOBUF = {"content-type": "application/x-protobuf"}
QUIET = 2.0
"""Seconds with less than 5 % of a core, after which a contender has done its work."""


@dataclass
class Sink:
    name: str
    pid: int
    connect: Callable[[], http.client.HTTPConnection]
    headers: dict[str, str]
    cpu: list[float] = field(default_factory=list)
    acknowledged: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spans", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="noria,mlflow,phoenix")
    given = parser.parse_args()
    need("taskset")
    os.sched_setaffinity(0, {LOAD_CPU})
    starts = {"noria": noria, "mlflow": mlflow, "phoenix": phoenix}
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="noria-ingest-")))
        sinks: list[Sink] = []
        for name in given.only.split(","):
            if name != "noria" and not (FOLDER / name / ".installed").exists():
                print(f"{name} is not installed and is left out (bench/install_peers.sh {name})")
                continue
            (root / name).mkdir()
            sinks.append(stack.enter_context(starts[name](root / name)))
        for sink in sinks:
            _send(sink, requests(given.batch, given.batch, seed=1_000), given.senders, given.batch)
            sink.cpu, sink.acknowledged = [], []
        print(f"load of the machine before: {os.getloadavg()[0]:.2f}", flush=True)
        for number in range(given.rounds):
            for sink in sinks:
                bodies = requests(given.spans, given.batch, seed=number)
                _send(sink, bodies, given.senders, given.spans)
    base = sinks[0]
    rows = [
        [sink.name, median(sink.cpu),
         f"{median([mine / its for mine, its in zip(sink.cpu, base.cpu, strict=True)]):.1f}",
         f"{median(sink.acknowledged):,.0f}"]
        for sink in sinks
    ]  # fmt: skip
    print(table(["sink", "CPU µs/span", f"× {base.name}", "acknowledged spans/s"], rows))


def _send(sink: Sink, bodies: list[bytes], senders: int, spans: int) -> None:
    before = cpu_seconds(tree(sink.pid))
    wall, _ = post(bodies, sink.connect, sink.headers, senders=senders)
    sink.acknowledged.append(spans / wall)
    until_idle(sink.pid)
    sink.cpu.append((cpu_seconds(tree(sink.pid)) - before) / spans * 1e6)


def until_idle(pid: int) -> None:
    """Return when the process tree has done next to nothing for a while."""
    quiet = 0.0
    while quiet < QUIET:
        before = cpu_seconds(tree(pid))
        time.sleep(0.5)
        quiet = quiet + 0.5 if cpu_seconds(tree(pid)) - before < 0.025 else 0.0


@contextmanager
def noria(folder: Path) -> Iterator[Sink]:
    with collector(folder) as found:
        subprocess.run(
            ["taskset", "-a", "-p", "-c", str(SUBJECT_CPU), str(found.pid)], check=True, capture_output=True
        )
        yield Sink("noria", found.pid, lambda: Unix(found.path), found.headers)


def mlflow(folder: Path) -> AbstractContextManager[Sink]:
    """Its tracking server, one worker."""
    port = free_port()
    command = [
        str(FOLDER / "mlflow/bin/mlflow"), "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    return _served("mlflow", command, folder, port, {"x-mlflow-experiment-id": "0", **PROTOBUF}, {})


def phoenix(folder: Path) -> AbstractContextManager[Sink]:
    """`phoenix serve` with its own database."""
    port = free_port()
    environment = {
        "PHOENIX_WORKING_DIR": str(folder), "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()), "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    }  # fmt: skip
    command = [str(FOLDER / "phoenix/bin/phoenix"), "serve"]
    return _served("phoenix", command, folder, port, PROTOBUF, environment)


@contextmanager
def _served(
    name: str,
    command: list[str],
    folder: Path,
    port: int,
    headers: dict[str, str],
    environment: dict[str, str],
) -> Iterator[Sink]:
    url = f"http://127.0.0.1:{port}/"
    with serving(command, folder, url=url, cpu=SUBJECT_CPU, environment=environment) as pid:
        yield Sink(name, pid, lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=120), headers)


if __name__ == "__main__":
    main()
