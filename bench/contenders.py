"""What is measured: nginx as a bare proxy, Noria and the installed peers, with the mock behind them."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from machine import LOAD_CPU, SUBJECT_CPU, build, pinned
from peers import PEERS, Peer

from noria.access.key import Budget, RateLimit
from noria.gateway.snapshot import Provider
from noria.models.price import Price
from noria.testing.stack import Stack, free_port, mock_model, snapshot

CHUNKS = 100
"""Content chunks of the mock's streams, sent in one burst."""
PACED_MS, PACED_CHUNKS = 50, 60
"""The mock's paced streams: time between chunks, and how many."""
SIZES = {"small": 1_000, "large": 100_000, "stream": 1_000, "paced": 1_000, "translated": 1_000}
"""Bytes of the request body."""
CHAT = "/v1/chat/completions"


@dataclass
class Contender:
    """A gateway that runs. `helpers` are processes of it whose CPU time is counted apart."""

    name: str
    url: str
    headers: dict[str, str]
    pids: list[int]
    helpers: list[int] = field(default_factory=list)
    model: str = "mock/mock"
    path: str = CHAT

    def request(self, case: str) -> tuple[str, dict[str, str], bytes]:
        """Path, headers and body of one request of a case."""
        text = ("paced " if case == "paced" else "") + "a" * (SIZES[case] - 120)
        body = {"model": self.model, "messages": [{"role": "user", "content": text}], "max_tokens": 64}
        path, headers = self.path, {"content-type": "application/json", **self.headers}
        if case in ("stream", "paced", "translated"):
            body["stream"] = True
        if case == "translated":
            path = "/v1/messages"
            headers["anthropic-version"] = "2023-06-01"
        return path, headers, json.dumps(body, separators=(",", ":")).encode()

    def raw(self, case: str) -> bytes:
        """The same as bytes of HTTP/1.1."""
        path, headers, body = self.request(case)
        lines = [f"POST {path} HTTP/1.1", f"host: {self.url.removeprefix('http://')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"content-length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode() + body

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


def check(contender: Contender, case: str) -> None:
    """One call. Raises SystemExit unless the answer is a 200 with what the mock says."""
    path, headers, body = contender.request(case)
    request = urllib.request.Request(contender.url + path, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise SystemExit(
            f"{contender.name} answers {case} with {error.code}: {error.read()[:2000]!r}"
        ) from None
    wanted = {"stream": b" word99", "translated": b" word99", "paced": b"t000"}.get(case, b"aaaa")
    if wanted not in text:
        raise SystemExit(f"{contender.name} answers {case} without what the mock sent: {text[:2000]!r}")


def starts(
    folder: Path, upstream: str, only: set[str]
) -> list[Callable[[], AbstractContextManager[Contender]]]:
    """What starts each contender that is wanted (all: an empty set) and installed."""
    found: list[Callable[[], AbstractContextManager[Contender]]] = []
    if not only or "nginx" in only:
        found.append(lambda: nginx(folder, upstream))
    if not only or "noria" in only:
        found.append(lambda: noria(folder, upstream))
    for peer in PEERS:
        if only and peer.name not in only:
            continue
        if peer.installed():
            found.append(lambda peer=peer: started(peer, folder, upstream))
        else:
            print(f"{peer.name} is not installed and is left out (bench/install_peers.sh {peer.name})")
    return found


@contextmanager
def mock(folder: Path) -> Iterator[str]:
    """URL of the mock upstream, on the load's core and before everything else there."""
    port = free_port()
    program = build("mock_upstream.c", folder)
    command = [str(program), str(port), "900", str(CHUNKS), str(PACED_MS), str(PACED_CHUNKS)]
    process = subprocess.Popen(pinned(command, LOAD_CPU, first=True))
    time.sleep(0.2)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def direct(upstream: str) -> Iterator[Contender]:
    """The mock itself: what the load generator and the machine take."""
    yield Contender("direct", upstream, {}, [])


@contextmanager
def nginx(folder: Path, upstream: str) -> Iterator[Contender]:
    """One worker process, upstream connections kept, nothing buffered that is streamed."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(
        f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log error;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; client_max_body_size 64m;
  client_body_buffer_size 1m; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s;
  keepalive_requests 100000000; tcp_nodelay on;
  upstream mock {{ server {upstream.removeprefix("http://")}; keepalive 64; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port};
    location / {{ proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection "";
                 proxy_buffering off; }} }}
}}"""
    )
    process = subprocess.Popen(pinned(["nginx", "-c", str(config), "-p", str(folder)], SUBJECT_CPU))
    time.sleep(0.5)
    try:
        yield Contender("nginx", f"http://127.0.0.1:{port}", {}, [process.pid])
    finally:
        process.terminate()
        process.wait()


@contextmanager
def noria(folder: Path, upstream: str) -> Iterator[Contender]:
    """One worker: a virtual key with a rate limit, a budget, a priced model, spool and payload capture on."""
    price = Price(id="bench", input=Decimal("0.15"), output=Decimal("0.6"), cached=Decimal("0.075"))
    config = snapshot(
        providers={
            "mock": Provider(
                name="mock", dialect="openai", base_url=upstream + "/v1", auth="none", max_connections=2048
            )
        },
        models={"mock/mock": mock_model(price=price)},
    )
    with Stack(folder / "noria", config, worker_options=("--spool-limit", str(8 << 30))) as stack:
        stack.budget(Budget(name="b", subject="key:*", amount_nano=10**18, window="day"))
        limit = RateLimit(unit="requests", amount=10**12, window_s=60)
        key = stack.key(limits=(limit,))
        worker, collector = stack.processes["worker-0"].pid, stack.processes["collector"].pid
        for pid, cpu in ((worker, SUBJECT_CPU), (collector, LOAD_CPU)):
            subprocess.run(["taskset", "-a", "-p", "-c", str(cpu), str(pid)], check=True, capture_output=True)
        yield Contender("noria", stack.url, {"authorization": f"Bearer {key}"}, [worker], [collector])


@contextmanager
def started(peer: Peer, folder: Path, upstream: str) -> Iterator[Contender]:
    """A peer as it is recommended to run in production, as far as the mock allows."""
    mine = folder / peer.name
    mine.mkdir()
    with peer.start(mine, upstream, cpu=SUBJECT_CPU) as (url, headers, pid):
        yield Contender(peer.name, url, headers, [pid], model=peer.model, path=peer.path)
