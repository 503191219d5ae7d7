"""CPU time a request (or a streamed chunk) of Noria's gateway beside its peers, interleaved in one run.

    python bench/gateway.py [--rounds 5] [--seconds 4] [--only noria,nginx] [--case small,stream]

Each contender runs on one core; the mock upstream (C) and wrk on the other. Noria runs with a virtual key, a
rate limit, a budget, the spool and payload capture on; its collector runs on the load's core and is counted
in its own column. `translated` is a stream asked for in Anthropic's dialect and answered in OpenAI's: Noria
only. Peers that are not installed are left out; bench/install_peers.sh installs them.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from contenders import CHUNKS, SIZES, Contender, check, mock, starts
from machine import LOAD_CPU, cpu_seconds, median, need, pinned, rss_mb, table, tree

CASES = ("small", "large", "stream", "translated")


@dataclass
class Round:
    """µs of CPU a request, of the contender and of its helpers, and requests a second."""

    cpu: float
    helped: float
    rate: float


Results = dict[tuple[str, str], list[Round]]
"""By contender and case."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--only", default="", help="contenders; all that are installed where it is not given")
    parser.add_argument("--case", default=",".join(CASES))
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    need("wrk", "taskset", "cc", "nginx")
    cases = given.case.split(",")
    results: Results = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(mock(folder))
        only = set(filter(None, given.only.split(",")))
        contenders = [stack.enter_context(start()) for start in starts(folder, upstream, only)]
        pairs = [(one, case) for case in cases for one in contenders if offers(one, case)]
        for contender, case in pairs:
            check(contender, case)
        print(f"load of the machine before: {os.getloadavg()[0]:.2f}", flush=True)
        for number in range(given.rounds):
            for contender, case in pairs:
                done = _round(contender, case, folder, given.seconds, given.connections)
                results.setdefault((contender.name, case), []).append(done)
            print(f"round {number + 1} of {given.rounds} done", flush=True)
        for case in cases:
            _report(case, [one.name for one, its in pairs if its == case], results)
        print(
            "\n" + table(["gateway", "resident memory MB"], [[one.name, _memory(one)] for one in contenders])
        )


def offers(contender: Contender, case: str) -> bool:
    return case != "translated" or contender.name == "noria"


def _round(contender: Contender, case: str, folder: Path, seconds: int, connections: int) -> Round:
    script = folder / f"{contender.name}-{case}.lua"
    script.write_text(_lua(contender, case))
    path = contender.request(case)[0]
    command = ["wrk", "-t1", f"-c{connections}", "--timeout", "30s", "-s", str(script), contender.url + path]
    subprocess.run(pinned([*command, "-d1s"], LOAD_CPU), capture_output=True, check=True)
    pids = [one for pid in contender.pids for one in tree(pid)]
    for length in (seconds, 4 * seconds, 16 * seconds):  # One that is slow may not answer anything in a few.
        before, helpers = cpu_seconds(pids), cpu_seconds(contender.helpers)
        out = subprocess.run(
            pinned([*command, f"-d{length}s"], LOAD_CPU), capture_output=True, check=True, text=True
        ).stdout
        found = re.search(r"(\d+) requests in", out)
        assert found is not None, out
        requests = int(found.group(1))
        if "Non-2xx" in out:
            raise SystemExit(f"{contender.name} answered with errors in case {case}:\n{out}")
        if requests:
            used = cpu_seconds(pids) - before
            helped = cpu_seconds(contender.helpers) - helpers
            return Round(used / requests * 1e6, helped / requests * 1e6, requests / length)
    raise SystemExit(f"{contender.name} does not answer in case {case}:\n{out}")


def _report(case: str, names: list[str], results: Results) -> None:
    print(
        f"\n### {case}: {SIZES[case]:,} byte request"
        + (f", {CHUNKS} chunks" if case in ("stream", "translated") else "")
    )
    base = results.get(("nginx", case)) or results[names[0], case]
    rows: list[list[object]] = []
    chunked = case in ("stream", "translated")
    for name in names:
        rounds = results[name, case]
        ratios = [one.cpu / its.cpu for one, its in zip(rounds, base, strict=True)]
        row: list[object] = [
            name,
            median([one.cpu for one in rounds]),
            median([one.helped for one in rounds]),
            f"{median(ratios):.2f}",
            f"{min(ratios):.2f}–{max(ratios):.2f}",
            f"{median([one.rate for one in rounds]):,.0f}",
        ]
        if chunked and (name, "small") in results:
            plain = results[name, "small"]
            chunks = [(one.cpu - its.cpu) / CHUNKS for one, its in zip(rounds, plain, strict=True)]
            row.append(f"{median(chunks):.2f}")
        rows.append(row)
    columns = ["gateway", "CPU µs/request", "collector µs/request", "× nginx", "of rounds", "requests/s"]
    if chunked and len(rows[0]) > len(columns):
        columns.append("CPU µs/chunk")
    print(table(columns, rows))


def _memory(contender: Contender) -> str:
    return f"{sum(rss_mb(one) for pid in contender.pids for one in tree(pid)):.0f}"


def _lua(contender: Contender, case: str) -> str:
    _, headers, body = contender.request(case)
    encoded = body.decode().replace("\\", "\\\\").replace("'", "\\'")
    lines = ["wrk.method = 'POST'", f"wrk.body = '{encoded}'"]
    lines += [f"wrk.headers['{name}'] = '{value}'" for name, value in headers.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
