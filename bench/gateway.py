"""CPU time a request (or a streamed chunk) of Noria's gateway beside its peers, interleaved in one run.

    python bench/gateway.py [--rounds 5] [--seconds 4] [--only noria,nginx] [--case small,large,stream]

Each contender runs on one core; the mock upstream (C) and wrk on the other. Noria runs with a virtual key, a
rate limit, a budget, the spool and payload capture on; its collector runs on the load's core and is counted
in its own column. Peers that are not installed are left out; see docs/benchmarks.md for how to install them.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from machine import (
    LOAD_CPU, SUBJECT_CPU, build_mock, cpu_seconds, median, need, pinned, rss_mb, table, tree,
)  # fmt: skip
from peers import PEERS, Peer

from noria.access.key import Budget, RateLimit
from noria.gateway.snapshot import Provider
from noria.models.price import Price
from noria.testing.stack import Stack, free_port, mock_model, snapshot

CHUNKS = 100
SIZES = {"small": 1_000, "large": 100_000, "stream": 1_000}
"""Bytes of the request body."""


@dataclass
class Contender:
    name: str
    url: str
    headers: dict[str, str]
    pids: list[int]
    helpers: list[int] = field(default_factory=list)
    model: str = "mock/mock"
    results: dict[str, list[tuple[float, float, float]]] = field(default_factory=dict)
    """By case: CPU µs, helpers' CPU µs, requests a second; of each round."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--only", default="")
    parser.add_argument("--case", default="small,large,stream")
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    need("wrk", "taskset", "cc", "nginx")
    wanted = set(filter(None, given.only.split(",")))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(_mock(folder))
        contenders = [
            stack.enter_context(start)
            for name, start in _starts(folder, upstream).items()
            if not wanted or name in wanted
        ]
        for number in range(given.rounds):
            for case in given.case.split(","):
                for contender in contenders:
                    _round(contender, case, folder, given.seconds, given.connections)
            print(f"round {number + 1} of {given.rounds} done", flush=True)
        for case in given.case.split(","):
            _report(case, contenders)
        for contender in contenders:
            memory = ", ".join(f"{rss_mb(pid):.0f}" for pid in contender.pids)
            print(f"{contender.name}: resident memory {memory} MB")


def _starts(folder: Path, upstream: str) -> dict[str, object]:
    found = {"nginx": _nginx(folder, upstream), "noria": _noria(folder, upstream)}
    for peer in PEERS:
        if peer.installed():
            found[peer.name] = _peer(peer, folder, upstream)
        else:
            print(f"{peer.name} is not installed and is left out")
    return found


def _round(contender: Contender, case: str, folder: Path, seconds: int, connections: int) -> None:
    script = folder / f"{contender.name}-{case}.lua"
    script.write_text(_lua(contender, case))
    command = ["wrk", "-t1", f"-c{connections}", "-s", str(script), contender.url + "/v1/chat/completions"]
    subprocess.run(pinned([*command, "-d1s"], LOAD_CPU), capture_output=True, check=True)
    pids = [one for pid in contender.pids for one in tree(pid)]
    before, helpers = cpu_seconds(pids), cpu_seconds(contender.helpers)
    out = subprocess.run(
        pinned([*command, f"-d{seconds}s"], LOAD_CPU), capture_output=True, check=True, text=True
    ).stdout
    found = re.search(r"(\d+) requests in", out)
    assert found is not None, out
    requests = int(found.group(1))
    if "Non-2xx" in out or not requests:
        raise SystemExit(f"{contender.name} answered with errors in case {case}:\n{out}")
    used = cpu_seconds(pids) - before
    helped = cpu_seconds(contender.helpers) - helpers
    contender.results.setdefault(case, []).append(
        (used / requests * 1e6, helped / requests * 1e6, requests / seconds)
    )


def _report(case: str, contenders: list[Contender]) -> None:
    print(f"\n### {case}: {SIZES[case]:,} byte request" + (f", {CHUNKS} chunks" if case == "stream" else ""))
    base = next((one for one in contenders if one.name == "nginx"), contenders[0])
    nginx = median([cpu for cpu, _, _ in base.results[case]])
    rows: list[list[object]] = []
    for one in contenders:
        cpu = median([cpu for cpu, _, _ in one.results[case]])
        ratios = [mine[0] / its[0] for mine, its in zip(one.results[case], base.results[case], strict=True)]
        helped = median([helped for _, helped, _ in one.results[case]])
        rate = median([rate for _, _, rate in one.results[case]])
        row: list[object] = [one.name, cpu, helped, f"{median(ratios):.2f}", rate]
        if case == "stream":
            row.append(f"{(cpu - _plain(one)) / CHUNKS:.2f}")
        rows.append(row)
    columns = ["gateway", "CPU µs/request", "collector µs/request", f"× {base.name}", "requests/s"]
    del nginx
    print(table([*columns, "CPU µs/chunk"] if case == "stream" else columns, rows))


def _plain(contender: Contender) -> float:
    """CPU of a call that is not streamed, to be taken off a streamed one; 0 where it was not measured."""
    found = contender.results.get("small")
    return median([cpu for cpu, _, _ in found]) if found else 0.0


def _lua(contender: Contender, case: str) -> str:
    text = "a" * (SIZES[case] - 120)
    body = {"model": contender.model, "messages": [{"role": "user", "content": text}], "max_tokens": 64}
    if case == "stream":
        body["stream"] = True
    encoded = json.dumps(body, separators=(",", ":")).replace("\\", "\\\\").replace("'", "\\'")
    lines = ["wrk.method = 'POST'", f"wrk.body = '{encoded}'", "wrk.headers['content-type'] = 'application/json'"]
    lines += [f"wrk.headers['{name}'] = '{value}'" for name, value in contender.headers.items()]
    return "\n".join(lines)


@contextmanager
def _mock(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [str(build_mock(folder)), str(port), "900", str(CHUNKS)]
    process = subprocess.Popen(pinned(command, LOAD_CPU))
    time.sleep(0.2)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def _nginx(folder: Path, upstream: str) -> Iterator[Contender]:
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(
        f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log error;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; client_max_body_size 64m;
  client_body_buffer_size 1m; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
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
def _noria(folder: Path, upstream: str) -> Iterator[Contender]:
    price = Price(id="bench", input=Decimal("0.15"), output=Decimal("0.6"), cached=Decimal("0.075"))
    config = snapshot(
        providers={"mock": Provider(name="mock", dialect="openai", base_url=upstream + "/v1", auth="none")},
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
def _peer(peer: Peer, folder: Path, upstream: str) -> Iterator[Contender]:
    with peer.start(folder / peer.name, upstream, cpu=SUBJECT_CPU) as (url, headers, pid):
        yield Contender(peer.name, url, headers, [pid], model=peer.model)


if __name__ == "__main__":
    main()
