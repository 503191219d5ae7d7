"""What the spool's tests run in other processes."""

from __future__ import annotations

import itertools
import os
import resource
import signal
from pathlib import Path

from noria.errors import Unavailable
from noria.storage.spool import SpoolWriter
from noria.tracing.record import Stored


def record(number: int, size: int = 40) -> Stored:
    return Stored(id=str(number), kind="response", project="p", key="k", at=number, body=b"x" * size)


def forever(folder: str, writer: str) -> None:
    """Append numbered records; once append has returned, write the number to `acknowledged`."""
    spool = SpoolWriter(Path(folder), writer=writer, limit_bytes=1 << 30, segment_bytes=1 << 14)
    log = os.open(Path(folder).parent / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    print("ready", flush=True)
    for number in itertools.count():
        spool.append(record(number, size=number * 37 % 3000))
        os.write(log, b"%d %d\n" % (os.getpid(), number))


def without_room(folder: str) -> None:
    """Append where files may not grow past 64 KiB, then where they may."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, hard))
    spool = SpoolWriter(Path(folder), writer="w", limit_bytes=1 << 30, segment_bytes=1 << 15, sync_s=0.02)
    try:
        spool.append(record(1))
    except Unavailable:
        print("refused", flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    while True:
        try:
            spool.append(record(2))
        except Unavailable:
            continue
        break
    print("recovered", flush=True)
    spool.close()
