"""OTLP over HTTP into a real collector process: CPU a span, spans a second, time until a span can be read.

    python bench/ingest.py --spans 100000

Every request is a protobuf export of `--batch` spans, 2 kB of text on each, acknowledged when durable, with
text search and rollups on. CPU is that of the collector process, from the operating system; `--senders` keep
that many requests under way.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from machine import cpu_seconds
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from span_store import MODELS, TEXT, Words

from noria.access.key import Key, hash_token, new_token
from noria.gateway.snapshot import FORMAT, Live, Snapshot
from noria.storage.home import Home
from noria.storage.snapshots import Snapshots
from noria.storage.spans import SpanStore


class Unix(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))


def requests(count: int, batch: int, *, seed: int = 1) -> list[bytes]:
    """Export requests as an SDK would send them."""
    chance = random.Random(seed)
    words = Words(chance)
    made: list[bytes] = []
    trace, root = chance.randbytes(16), chance.randbytes(8)
    for start in range(0, count, batch):
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = "shop"
        scope = group.scope_spans.add()
        scope.scope.name = "openinference.instrumentation.openai"
        now = time.time_ns()
        for index in range(min(batch, count - start)):
            if index % 8 == 0:
                trace, root = chance.randbytes(16), chance.randbytes(8)
            model = chance.choice(MODELS)
            span = scope.spans.add(
                trace_id=trace, span_id=root if index % 8 == 0 else chance.randbytes(8),
                parent_span_id=b"" if index % 8 == 0 else root, name=f"chat {model}", kind=3,
                start_time_unix_nano=now, end_time_unix_nano=now + chance.randrange(10**9),
            )  # fmt: skip
            attributes: dict[str, str | int] = {
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": model.partition("/")[0],
                "gen_ai.request.model": model.partition("/")[2],
                "gen_ai.response.id": f"chatcmpl-{start + index}",
                "gen_ai.usage.input_tokens": chance.randrange(3_000),
                "gen_ai.usage.output_tokens": chance.randrange(600),
                "user.id": f"user-{chance.randrange(500)}",
                "gen_ai.conversation.id": f"session-{chance.randrange(500)}",
                "server.address": "api.example.com",
                "gen_ai.input.messages": _message("user", words.text(TEXT // 2)),
                "gen_ai.output.messages": _message("assistant", words.text(TEXT // 2)),
            }  # fmt: skip
            for name, value in attributes.items():
                slot = span.attributes.add(key=name).value
                if isinstance(value, int):
                    slot.int_value = value
                else:
                    slot.string_value = value
        made.append(request.SerializeToString())
    return made


def _message(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


@dataclass
class Collector:
    """A collector process of its own, and what a sender needs."""

    pid: int
    home: Home
    path: Path
    headers: dict[str, str]


@contextmanager
def collector(folder: Path) -> Iterator[Collector]:
    """A collector with one key in the state folder `folder`."""
    home = Home(folder)
    token, lookup = new_token()
    key = Key(id="key_1", lookup=lookup, hash=hash_token(token.encode(), home.pepper()), routes=("*",))
    config = Snapshot(format=FORMAT, digest="sha256:" + "0" * 64, providers={}, models={}, routes={})
    Snapshots(home.snapshots).publish(config=config, live=Live(format=FORMAT, epoch=1, keys={lookup: key}))
    path = home.run / "collector.sock"
    process = subprocess.Popen([sys.executable, "-m", "noria.server.collector", "--home", str(folder)])
    try:
        while not path.exists():
            time.sleep(0.02)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/x-protobuf"}
        yield Collector(process.pid, home, path, headers)
    finally:
        process.terminate()
        process.wait()


def post(
    bodies: Iterable[bytes],
    connect: Callable[[], http.client.HTTPConnection],
    headers: dict[str, str],
    *,
    senders: int,
) -> tuple[float, list[float]]:
    """Send all to /v1/traces: seconds that it took, and seconds until each was acknowledged."""
    waiting = iter(bodies)
    guard = threading.Lock()
    delays: list[float] = []

    def send() -> None:
        connection = connect()
        while True:
            with guard:
                body = next(waiting, None)
            if body is None:
                return
            before = time.perf_counter()
            connection.request("POST", "/v1/traces", body, headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status not in (200, 202):
                raise SystemExit(f"The answer is {answer.status}: {said[:500]!r}")
            delays.append(time.perf_counter() - before)

    started = time.perf_counter()
    with ThreadPoolExecutor(senders) as pool:
        for done in [pool.submit(send) for _ in range(senders)]:
            done.result()
    return time.perf_counter() - started, delays


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--senders", type=int, default=4)
    given = parser.parse_args()
    bodies = requests(given.spans, given.batch)
    with tempfile.TemporaryDirectory(prefix="noria-ingest-") as folder, collector(Path(folder)) as noria:
        idle = cpu_seconds([noria.pid])
        wall, delays = post(bodies, lambda: Unix(noria.path), noria.headers, senders=given.senders)
        used = cpu_seconds([noria.pid]) - idle
        store = SpanStore(noria.home.spans)
        probe = requests(1, 1, seed=2)[0]
        visible, _ = post([probe], lambda: Unix(noria.path), noria.headers, senders=1)
        before = time.perf_counter()
        store.since("default", None)
        visible += time.perf_counter() - before
        size = sum(file.stat().st_size for file in noria.home.spans.iterdir())
    waited = f"{statistics.median(delays) * 1e3:8.0f} ms (median), {max(delays) * 1e3:.0f} ms (most)"
    print(f"{given.spans:,} spans in requests of {given.batch}, {given.senders} under way")
    print(f"CPU                {used / given.spans * 1e6:8.0f} µs a span (target 150)")
    print(f"durable            {given.spans / wall:8.0f} spans/s")
    print(f"acknowledged after {waited}")
    print(f"one span readable  {visible * 1e3:8.1f} ms after it was sent (target 1,000)")
    print(f"size               {size / given.spans:8.0f} bytes a span")


if __name__ == "__main__":
    main()
