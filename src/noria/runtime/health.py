"""Whether all is well: processes, disk, sizes, and what to do where something is not."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Literal

import msgspec

from noria.runtime.neighbour import Stand
from noria.runtime.supervisor import status
from noria.storage.home import Home
from noria.storage.snapshots import Snapshots

_SCARCE_BYTES = 1_000_000_000
_SCARCE_SHARE = 0.05
_LATE_S = 30


class Process(msgspec.Struct, frozen=True):
    """`behind`: runs, and does not yet serve the newest configuration."""

    name: str
    pid: int | None
    state: Literal["running", "down", "behind"]
    detail: str = ""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`problems` are sentences that say what to do. Sizes are bytes."""

    state: Literal["ok", "degraded"]
    problems: list[str]
    schema_version: str
    config_digest: str | None
    uptime_s: float
    processes: list[Process]
    disk_free: int
    disk_total: int
    sizes: dict[str, int]
    spool_lag_s: float | None


def look(
    home: Home,
    snapshots: Snapshots,
    *,
    schema: str,
    digest: str | None,
    started: float,
    collector: Stand | None,
) -> Health:
    """`started` is the monotonic time of control's start; `collector` None: it does not answer."""
    processes, problems = _processes(home, snapshots)
    disk = shutil.disk_usage(home.folder)
    if disk.free < min(_SCARCE_BYTES, disk.total * _SCARCE_SHARE):
        problems.append(
            f"Only {disk.free // 1_000_000} MB are free for {home.folder}; make room, or shorten "
            "telemetry.retention."
        )
    if digest is None:
        problems.append("No configuration has been applied yet; run `noria apply`.")
    if collector is None:
        problems.append(
            "The collector does not answer; calls are recorded, and traces appear when it is back."
        )
    elif collector.problem:
        problems.append(collector.problem)
    elif collector.lag_s > _LATE_S:
        problems.append(f"The collector is {collector.lag_s:.0f} s behind; traces and costs appear late.")
    return Health(
        state="degraded" if problems else "ok",
        problems=problems,
        schema_version=schema,
        config_digest=digest,
        uptime_s=time.monotonic() - started,
        processes=processes,
        disk_free=disk.free,
        disk_total=disk.total,
        sizes={
            "database": _file(home.database),
            "spans": _folder(home.spans),
            "spool": _folder(home.spool),
            "ledger": _file(home.ledger),
            "stored": _file(home.stored),
            "blobs": _folder(home.blobs),
            "logs": _folder(home.logs),
        },
        spool_lag_s=None if collector is None else collector.lag_s,
    )


def _processes(home: Home, snapshots: Snapshots) -> tuple[list[Process], list[str]]:
    generation, serving = snapshots.generation, snapshots.serving()
    running = status(home)
    found: list[Process] = []
    problems: list[str] = []
    if running is None:
        found.append(Process("control", os.getpid(), "running", "started by hand"))
        workers: list[tuple[str, int, int | None]] = [
            (f"worker-{number}", number, None) for number in serving
        ]
    else:
        found.append(Process("supervisor", running.pid, "running", running.address))
        workers = []
        for child in running.children:
            kind, _, number = child.role.partition("-")
            if kind == "worker" and child.pid:
                workers.append((child.role, int(number), child.pid))
                continue
            detail = f"restarted {child.restarts} times" if child.restarts else ""
            found.append(Process(child.role, child.pid or None, "running" if child.pid else "down", detail))
            if not child.pid:
                problems.append(f"{child.role} is down; its log is logs/{child.role}.log.")
    for name, number, pid in workers:
        served = serving.get(number)
        if served is not None and served >= generation:
            found.append(Process(name, pid, "running"))
        else:
            found.append(Process(name, pid, "behind", "does not yet serve the newest configuration"))
            problems.append(f"{name} does not serve the newest configuration; its log is logs/{name}.log.")
    return found, problems


def _file(path: Path) -> int:
    return sum(one.stat().st_size for one in path.parent.glob(path.name + "*") if one.is_file())


def _folder(path: Path) -> int:
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += (Path(folder) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total
