"""What the benchmarks share: pinned processes, their CPU time, medians, tables."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

SUBJECT_CPU, LOAD_CPU = 0, 1
"""The core of what is measured, and the core of the mock upstream and the load generator."""
_TICK = os.sysconf("SC_CLK_TCK")


def pinned(command: Sequence[str], cpu: int, *, first: bool = False) -> list[str]:
    """`command` on one core; `first`: before all others there, where this user may say so.

    By real-time priority, since niceness does not count between sessions (sched_autogroup).
    """
    ahead = ["chrt", "-f", "10"] if first and os.geteuid() == 0 else []
    return ["taskset", "-c", str(cpu), *ahead, *command]


def tree(pid: int) -> list[int]:
    """The process and all that descend from it."""
    found = [pid]
    for one in found:
        tasks = Path(f"/proc/{one}/task")
        if not tasks.exists():
            continue
        for task in tasks.iterdir():
            try:
                found += [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                continue
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes and of their reaped children."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / _TICK


def rss_mb(pid: int) -> float:
    """Resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def build(name: str, folder: Path) -> Path:
    """A program of this folder, compiled."""
    source = Path(__file__).with_name(name)
    target = folder / source.stem
    subprocess.run(["cc", "-O2", "-o", str(target), str(source), "-lm"], check=True)
    return target


def need(*programs: str) -> None:
    """Raises SystemExit with what to install."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        raise SystemExit(
            f"This benchmark needs {', '.join(missing)}; install them with the system's packages."
        )


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else str(value)
