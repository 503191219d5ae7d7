"""What a gateway adds in time: arrivals that do not wait for answers, and many slow streams at once.

    python bench/latency.py [--rate 1000] [--seconds 10] [--rounds 3] [--streams 500] [--only nginx,noria]

`small` (and `stream`, a fifth as often) arrives as a Poisson process of `--rate` a second, at mock and each
contender in turn; each time runs from when the request was due. `paced` is `--streams` streams at once, whose
chunks the mock stamps with the time of their sending: how long each was held on its way is measured. One core
for the contender, the other for the mock and the load (which come before Noria's collector there).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from contenders import Contender, check, direct, mock, starts
from machine import LOAD_CPU, build, cpu_seconds, median, need, pinned, table, tree

Figures = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--only", default="nginx,noria,tensorzero")
    given = parser.parse_args()
    need("taskset", "cc", "nginx")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        load = build("load.c", folder)
        upstream = stack.enter_context(mock(folder))
        contenders = [stack.enter_context(direct(upstream))]
        only = set(filter(None, given.only.split(",")))
        contenders += [stack.enter_context(start()) for start in starts(folder, upstream, only)]
        for one in contenders:
            for case in ("small", "stream", "paced"):
                check(one, case)
        print(f"load of the machine before: {os.getloadavg()[0]:.2f}", flush=True)
        for case, rate in (("small", given.rate), ("stream", given.rate // 5)):
            found: dict[str, list[Figures]] = {one.name: [] for one in contenders}
            for _ in range(given.rounds):
                for one in contenders:
                    more = [str(rate), str(given.seconds), str(given.connections)]
                    run(load, "open", one, "small", folder, [str(given.rate), "1", str(given.connections)])
                    found[one.name].append(run(load, "open", one, case, folder, more)[0])
            _added(case, found, rate)
        print(f"\n### {given.streams} streams at once")
        rows: list[list[object]] = []
        for one in contenders:
            figures, cpu = run(load, "streams", one, "paced", folder, [str(given.streams)])
            hold = figures["hold"]
            chunks = figures["chunks"]
            rows.append(
                [one.name, f"{chunks:,}", *(_ms(hold[name]) for name in ("p50", "p99", "p999", "most")),
                 figures["unfinished"] + figures["errors"], f"{cpu / chunks * 1e6:.1f}" if cpu else ""]
            )  # fmt: skip
        columns = ["gateway", "chunks", "p50 ms", "p99 ms", "p99.9 ms", "most ms", "failed", "CPU µs/chunk"]
        print(table(columns, rows))


def run(
    load: Path, mode: str, one: Contender, case: str, folder: Path, more: list[str]
) -> tuple[Figures, float]:
    """What the load generator says, in µs, and the contender's CPU seconds."""
    request = folder / f"{one.name}-{case}.http"
    request.write_bytes(one.raw(case))
    pids = [child for pid in one.pids for child in tree(pid)]
    before = cpu_seconds(pids)
    command = pinned([str(load), mode, str(one.port), str(request), *more], LOAD_CPU, first=True)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{one.name}, {case}: {done.stderr}")
    figures: Figures = json.loads(done.stdout)
    if figures["errors"]:
        raise SystemExit(f"{one.name} answered {case} with errors: {done.stderr}")
    return figures, cpu_seconds(pids) - before


def _added(case: str, found: dict[str, list[Figures]], rate: int) -> None:
    """Differences to the direct run of the same round; the median of the rounds."""
    print(f"\n### {case}, {rate:,} arrivals a second: added to direct, ms")
    bases = found["direct"]
    rows: list[list[object]] = []
    for name, rounds in found.items():
        row: list[object] = [name]
        for part, share in (("first", "p50"), ("first", "p99"), ("end", "p50"), ("end", "p99")):
            values = [
                one[part][share] - (0 if name == "direct" else base[part][share])
                for one, base in zip(rounds, bases, strict=True)
            ]
            row.append(_ms(median(values)))
        rows.append(row)
    rows[0][0] = "direct (not added)"
    print(table(["gateway", "first byte p50", "first byte p99", "whole p50", "whole p99"], rows))


def _ms(us: float) -> str:
    return f"{us / 1000:.2f}"


if __name__ == "__main__":
    main()
