"""Doctor: which processes run, who has the port, what waits in the spool, whether engines answer."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2

from noria.config.config import Config
from noria.errors import NoriaError, StateError
from noria.providers.engine import read
from noria.runtime.engines import missing
from noria.runtime.finding import Finding
from noria.runtime.supervisor import Status, status
from noria.storage.home import Home
from noria.storage.ledger import STEPS
from noria.storage.spool_reader import Position, SpoolReader
from noria.storage.sqlite import open_reader, rows

TIMEOUT = 3.0
"""Seconds for a process of this machine."""
LAGGING = 64 << 20
"""Bytes that may wait for a collector that runs."""
CROWDED = 0.75
"""Share of the spool's limit above which payload bodies are left out."""


def supervised(home: Home) -> Status | None:
    """What runs; asked without making the folders of a state that is not there."""
    return status(home) if (home.folder / "run").is_dir() else None


def processes(home: Home) -> Iterator[Finding]:
    """Those of a Noria that runs, and what one that died has left."""
    running = supervised(home)
    if running is not None and holder(home.folder / "run" / "supervisor.lock") is not None:
        yield from _children(home, running)
        return
    left = list(_holders(home))
    for role, pid in left:
        yield Finding(
            "processes",
            "wrong",
            f"{role} (process {pid}) runs without its supervisor.",
            f"It stops by itself within a minute; where it does not, `kill {pid}`.",
        )
    run = home.folder / "run"
    stale = [name for name in ("supervisor.json", "control.sock", "collector.sock") if (run / name).exists()]
    if stale and not left:
        yield Finding(
            "processes",
            "note",
            f"A Noria ended here without tidying up ({', '.join(stale)} are left).",
            "Nothing is lost; `noria up` goes on from there.",
        )
    elif not left:
        yield Finding("processes", "note", f"No Noria runs in {home.folder}.", "`noria up` starts it.")


def port(home: Home, config: Config) -> Iterator[Finding]:
    """Whether Noria has its port, or could have it."""
    running = supervised(home)
    number = config.server.port
    if running is not None:
        found = re.search(r":(\d+)$", running.address)
        number = int(found[1]) if found and config.server.public is None else number
    owners = listeners(number)
    if running is not None:
        ours = {child.pid for child in running.children}
        if owners and not ours & {pid for pid, _ in owners}:
            yield _taken(number, owners)
        elif not _connects(config.server.host, number):
            yield Finding(
                "port",
                "wrong",
                f"Noria runs and nothing answers on port {number}.",
                f"See {home.folder}/logs/worker-0.log.",
            )
        else:
            yield Finding("port", "ok", f"Noria answers on port {number}.")
    elif owners or _connects(config.server.host, number):
        yield _taken(number, owners)
    else:
        yield Finding("port", "ok", f"Port {number} is free.")


def spool(home: Home, config: Config) -> Iterator[Finding]:
    """What workers have recorded and the collector has not taken yet."""
    folder = home.folder / "spool"
    if not folder.is_dir():
        return
    used = sum(path.stat().st_size for path in folder.glob("*/*.seg") if path.exists())
    share = used / config.telemetry.spool_max
    collects = holder(home.folder / "run" / "collector.lock") is not None
    waiting = _waiting(home, folder)
    megabytes = f"{waiting / 1e6:.0f} MB"
    if share > CROWDED:
        yield Finding(
            "spool",
            "wrong",
            f"The spool is {share:.0%} full, so payload bodies are left out of what is recorded.",
            "See logs/collector.log, or raise spool_max in [telemetry]; calls are refused when it is full.",
        )
    if waiting > LAGGING and collects:
        yield Finding(
            "spool",
            "wrong",
            f"The collector lags: more than {megabytes} wait to be taken in.",
            "Traces and costs appear late; see logs/collector.log, and whether the disk is slow or full.",
        )
    elif waiting > 0 and not collects:
        yield Finding(
            "spool",
            "note",
            f"{max(waiting, 1_000_000) / 1e6:.0f} MB of records wait for a collector.",
            "`noria up` takes them in; nothing is lost.",
        )
    elif share <= CROWDED:
        yield Finding("spool", "ok", "The collector has taken in what is recorded.")


def engines(home: Home, config: Config, folder: Path) -> Iterator[Finding]:
    """Whether weights are here, and those that run answer."""
    running = supervised(home)
    for name, section in config.engines.items():
        try:
            lacks = missing(section, folder)
        except NoriaError as error:
            yield Finding(
                "engines",
                "wrong",
                f"The weights of engine {name} cannot be used: {error}",
                "Change noria.toml.",
            )
            continue
        if lacks:
            yield Finding(
                "engines",
                "wrong",
                f"The weights {section.weights} of engine {name} are not on this machine.",
                f"`noria model pull {section.weights}`, or `noria up`, which does it too.",
            )
        elif running is None or all(child.role != f"engine-{name}" for child in running.children):
            yield Finding("engines", "ok", f"The weights of engine {name} are here.")
        else:
            yield _engine(home, name)


def _engine(home: Home, name: str) -> Finding:
    log = f"See {home.folder}/logs/engine-{name}.log; a restart takes a few seconds."
    try:
        known = read(name, home)
        if known is None:
            return Finding("engines", "wrong", f"Engine {name} has not said where it listens.", log)
        headers = {"authorization": f"Bearer {known.key}"}
        answer = httpx2.get(f"{known.url}/models", headers=headers, timeout=TIMEOUT, trust_env=False)
    except (httpx2.HTTPError, StateError) as error:
        return Finding("engines", "wrong", f"Engine {name} does not answer ({error}).", log)
    if answer.status_code != 200:
        return Finding("engines", "wrong", f"Engine {name} answers {answer.status_code}.", log)
    return Finding("engines", "ok", f"Engine {name} answers.")


def _children(home: Home, running: Status) -> Iterator[Finding]:
    down = [child for child in running.children if not child.pid]
    for child in down:
        yield Finding(
            "processes",
            "wrong",
            f"{child.role} is down{_end(child.last_exit)}: {_last_words(home, child.role)}",
            f"It is started again by itself; see {home.folder}/logs/{child.role}.log.",
        )
    for child in running.children:
        if child.pid and child.restarts >= 3:
            yield Finding(
                "processes",
                "wrong",
                f"{child.role} has been restarted {child.restarts} times{_end(child.last_exit)}.",
                f"See {home.folder}/logs/{child.role}.log.",
            )
    if not down:
        count = len(running.children)
        yield Finding("processes", "ok", f"All {count} processes run (supervisor {running.pid}).")


def _end(status: int | None) -> str:
    if status is None:
        return ""
    if status >= 0:
        return f", last with exit status {status}"
    with suppress(ValueError):
        return f", last by {signal.Signals(-status).name}"
    return f", last by signal {-status}"


def _last_words(home: Home, role: str) -> str:
    try:
        lines = (home.folder / "logs" / f"{role}.log").read_text(errors="replace").strip().splitlines()
    except OSError:
        return "it left no log."
    return f"its last words are {lines[-1][:200]!r}." if lines else "it said nothing."


def environment_of(pid: int) -> dict[str, str] | None:
    """Of a process of this user: what it can read counts, not what this command's shell has."""
    try:
        parts = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    pairs = (part.decode(errors="replace").partition("=") for part in parts if b"=" in part)
    return {name: value for name, _, value in pairs}


def holder(lock: Path) -> int | None:
    """The process that holds a flock on the file; None: nobody, or no such file. Takes no lock itself."""
    try:
        wanted = lock.stat()
    except FileNotFoundError:
        return None
    device = f"{os.major(wanted.st_dev):02x}:{os.minor(wanted.st_dev):02x}:{wanted.st_ino}"
    for line in Path("/proc/locks").read_text().splitlines():
        parts = line.split()
        if len(parts) > 5 and parts[1] == "FLOCK" and parts[5] == device:
            return int(parts[4])
    return None


def _holders(home: Home) -> Iterator[tuple[str, int]]:
    for lock in sorted((home.folder / "run").glob("*.lock")):
        pid = holder(lock)
        if pid is not None:
            yield lock.stem, pid


def listeners(number: int) -> list[tuple[int, str]]:
    """(process id, command line) of those that listen on a TCP port; 0 and "" where it cannot be seen."""
    inodes: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                parts = line.split()
                if parts[3] == "0A" and int(parts[1].rpartition(":")[2], 16) == number:
                    inodes.add(f"socket:[{parts[9]}]")
    if not inodes:
        return []
    found: list[tuple[int, str]] = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _has_open(process, inodes):
            found.append((int(process.name), _command(process)))
    return sorted(found) or [(0, "")]


def _has_open(process: Path, inodes: set[str]) -> bool:
    try:
        return any(str(link.readlink()) in inodes for link in (process / "fd").iterdir())
    except OSError:  # Another user's, or gone.
        return False


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()[:120]
    except OSError:
        return ""


def _taken(number: int, owners: list[tuple[int, str]]) -> Finding:
    known = [(pid, command) for pid, command in owners if pid]
    who = (
        " and ".join(f"process {pid} (`{command}`)" for pid, command in known) or "a process of another user"
    )
    stop = f"Stop it (`kill {known[0][0]}`), or" if known else "Stop it, or"
    return Finding(
        "port",
        "wrong",
        f"Port {number} is taken by {who}.",
        f"{stop} choose another port in [server] of noria.toml.",
    )


def _connects(host: str, number: int) -> bool:
    try:
        socket.create_connection((host, number), timeout=TIMEOUT).close()
    except OSError:
        return False
    return True


def _waiting(home: Home, folder: Path) -> int:
    """Bytes of records that the ledger (written last) has not seen, at most a little over LAGGING."""
    cursors: dict[tuple[str, int], int] = {}
    connection = None
    with suppress(StateError):  # Said by the databases' own check.
        connection = open_reader(home.folder / "ledger.db", STEPS)
    if connection is not None:
        found = rows(connection, "SELECT writer, segment, offset FROM cursors")
        cursors = {(writer, segment): offset for writer, segment, offset in found}
        connection.close()
    reader = SpoolReader(folder)
    total = 0
    for writer in reader.writers():
        for segment in reader.segments(writer):
            at = segment.start
            offset = cursors.get((writer, segment.number))
            if offset is not None:
                at = Position(writer, segment.number, offset)
            while total <= LAGGING:
                batch = reader.read(at)
                total += batch.position.offset - at.offset
                if not batch.records:
                    break
                at = batch.position
    return total
