"""Locks that the kernel gives back when their holder dies, however it dies.

Open file description locks (Linux, `F_OFD_SETLK`): they belong to one `open`, so that closing another
descriptor of the file does not drop them. They are shared by forked children; Noria's processes are executed
afresh, and their descriptors close on exec.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time
from types import TracebackType

from noria.errors import Unavailable

_flock = struct.Struct("hhqqi4x")  # l_type, l_whence, l_start, l_len, l_pid: struct flock with 64-bit off_t
_BUSY = (errno.EAGAIN, errno.EACCES)
PATIENCE = 0.5
"""Seconds that a caller waits for a holder that lives but does not go on (stopped, swapped out)."""


def _request(kind: int, byte: int) -> bytes:
    return _flock.pack(kind, os.SEEK_SET, byte, 1, 0)


def try_lock(file: int, byte: int) -> bool:
    """Lock one byte of an open file for as long as it stays open; False where another holds it."""
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _request(fcntl.F_WRLCK, byte))
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise
    return True


def unlock(file: int, byte: int) -> None:
    """Give the byte back."""
    fcntl.fcntl(file, fcntl.F_OFD_SETLK, _request(fcntl.F_UNLCK, byte))


def locked_elsewhere(file: int, byte: int) -> bool:
    """Whether another open of the file holds the byte."""
    found = fcntl.fcntl(file, fcntl.F_OFD_GETLK, _request(fcntl.F_WRLCK, byte))
    return _flock.unpack(found)[0] != fcntl.F_UNLCK


class Guard:
    """A critical section of a few microseconds among processes; not reentrant, and for one thread of each.

    Entering raises Unavailable where the holder keeps it for longer than PATIENCE.
    """

    __slots__ = ("_file", "_give", "_take")

    def __init__(self, file: int, byte: int) -> None:
        self._file = file
        self._take = _request(fcntl.F_WRLCK, byte)
        self._give = _request(fcntl.F_UNLCK, byte)

    def __enter__(self) -> None:
        try:
            fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, self._take)
        except OSError as error:
            if error.errno not in _BUSY:
                raise
            self._wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, self._give)

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            time.sleep(0.000_02)
            try:
                fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, self._take)
            except OSError as error:
                if error.errno not in _BUSY:
                    raise
            else:
                return
        raise Unavailable("Another process holds the counters and does not go on; try again.", retry_after=1)
