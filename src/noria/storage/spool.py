"""The writing end of the spool: `spool/<writer>/<number>.seg`, where records survive this process.

A helper thread prepares the next segment while the present one fills, syncs what was appended, and watches
the room that is left; `append` itself does no system call but for the clock's.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from noria.core.clock import Clock, SystemClock
from noria.errors import StateError, Unavailable
from noria.storage.locks import try_lock
from noria.storage.segment import DAY_NS, ENCRYPTED, NAME_BYTES, OpenSegment, abandon, frame_bytes
from noria.tracing.record import Begin, Otlp, SpoolRecord
from noria.tracing.store import Cipher

SHORT_SHARE = 0.75
"""Above this share of the limit payload bodies are to be left out."""
_NICE = 5
_LOOK_S = 1.0
"""Between two looks at the room that all writers take."""
_encode = msgspec.msgpack.Encoder().encode

Durability = Literal["process", "disk"]


class SpoolWriter:
    """One process's spool (`gateway.ports.Spool`), to be used by one thread.

    At the limit, or on a full disk, new work (Begin, Otlp) is refused as soon as no further segment can be
    prepared; what is left of the present one is kept for the ends of what has begun. It goes on by itself
    when there is room again.

    With durability "process" the disk is synced every `sync_s` seconds, with "disk" at once after an append,
    many appends together; `append` waits for neither, `flush` does.
    """

    def __init__(
        self,
        folder: Path,
        *,
        writer: str,
        limit_bytes: int,
        segment_bytes: int = 16 << 20,
        sync_s: float = 0.2,
        durability: Durability = "process",
        cipher: Cipher | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`limit_bytes` holds for all writers in `folder`; with `cipher` nothing is written in the clear.

        Raises StateError where the name is taken.
        """
        if len(writer.encode()) > NAME_BYTES:
            raise StateError(f"A spool writer's name has at most {NAME_BYTES} bytes; shorten {writer!r}.")
        self._spool = folder
        self._folder = folder / writer
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._writer = writer
        self._limit = limit_bytes
        self._segment_bytes = segment_bytes
        self._cipher = cipher
        self._now = (clock or SystemClock()).now_ns
        self._lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not try_lock(self._lock, 0):
            os.close(self._lock)
            raise StateError(
                f"Another process writes the spool of {writer!r}; stop it, or choose another name."
            )
        self._number = self._inherit()
        self._segment: OpenSegment | None = None
        self._day_end = 0
        self._next: OpenSegment | None = None
        self._retired: list[OpenSegment] = []
        self._full = False
        self._crowded = False
        self._synced: tuple[OpenSegment | None, int] = (None, 0)
        self._making = threading.Lock()
        self._syncing = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._looked = 0.0
        self._disk = durability == "disk"
        self._pause = sync_s
        self._make_next()
        self._helper = threading.Thread(target=self._help, name=f"spool-{writer}", daemon=True)
        self._helper.start()

    @property
    def short(self) -> bool:
        """Whether payload bodies are to be left out, since room is short."""
        return self._crowded

    def append(self, record: SpoolRecord) -> None:
        """On return the record survives kill -9. Raises Unavailable where there is no room."""
        if self._full and isinstance(record, (Begin, Otlp)):
            raise _no_room()
        payload = _encode(record)
        if self._cipher is not None:
            payload = ENCRYPTED + self._cipher.encrypt(payload)
        now = self._now()
        segment = self._segment
        if segment is None or now >= self._day_end or not segment.put(payload):
            self._rotate(len(payload), now).put(payload)
        if self._disk:
            self._wake.set()

    def flush(self) -> None:
        """Return when all that was appended is on the disk."""
        self._sync()

    def close(self) -> None:
        """Seal, sync, and let another process take the name."""
        self._closing = True
        self._wake.set()
        self._helper.join()
        if self._segment is not None:
            self._segment.seal()
            self._retired.append(self._segment)
            self._segment = None
        self._sync()
        if self._next is not None:
            self._next.path.unlink()
            self._next.close()
            self._next = None
        os.close(self._lock)

    def _inherit(self) -> int:
        """Close what a dead predecessor left open; the number of the last segment there ever was."""
        last = int.from_bytes(os.pread(self._lock, 8, 0), "little")
        for path in self._folder.glob("*.seg"):
            last = max(last, int(path.stem))
            with suppress(FileNotFoundError):  # The collector may be just removing it.
                if not abandon(path):
                    path.unlink()
        return last

    def _rotate(self, length: int, now: int) -> OpenSegment:
        needed = frame_bytes(length)
        own = needed > self._segment_bytes
        with self._making:
            if own or self._next is None:
                following = self._made(max(needed, self._segment_bytes))
            else:
                following, self._next = self._next, None
        if following is None:
            self._full = self._crowded = True
            self._wake.set()
            raise _no_room()
        if self._segment is not None:
            self._segment.seal()
            self._retired.append(self._segment)
        day = now // DAY_NS
        following.begin(day=day, at=now)
        self._day_end = (day + 1) * DAY_NS
        self._segment = following
        self._wake.set()
        return following

    def _made(self, size: int) -> OpenSegment | None:
        """A new segment, or None where the limit or the disk has no room; under `_making`."""
        used = _used(self._spool)
        self._crowded = used + size > self._limit * SHORT_SHARE
        if used + size > self._limit:
            return None
        number = self._number + 1
        try:
            os.pwrite(self._lock, number.to_bytes(8, "little"), 0)
            made = OpenSegment(self._folder / f"{number:012d}.seg", size=size, writer=self._writer)
        except OSError:  # ENOSPC, EDQUOT, EFBIG, EIO: whatever it is, there is nowhere to write.
            self._crowded = True
            return None
        self._number = number
        return made

    def _make_next(self) -> None:
        with self._making:
            if self._next is None:
                self._next = self._made(self._segment_bytes)
                self._full = self._next is None
            elif time.monotonic() - self._looked > _LOOK_S:
                self._looked = time.monotonic()
                self._crowded = _used(self._spool) > self._limit * SHORT_SHARE

    def _help(self) -> None:
        with suppress(OSError):  # Writing to the disk takes milliseconds that a call would have to wait for.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        failing = False
        while not self._closing:
            self._wake.wait(self._pause)
            self._wake.clear()
            self._make_next()
            try:
                self._sync()
            except OSError:  # The disk fails: what is appended now would not outlive a power cut.
                failing = self._full = True
            else:
                if failing:
                    failing, self._full = False, self._next is None

    def _sync(self) -> None:
        with self._syncing:
            while self._retired:
                segment = self._retired[0]
                segment.sync()
                self._retired.remove(segment)
                segment.close()
            segment = self._segment
            if segment is not None and self._synced != (reached := (segment, segment.offset)):
                segment.sync()
                self._synced = reached


def _used(spool: Path) -> int:
    total = 0
    for path in spool.glob("*/*.seg"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # The collector has just removed it.
    return total


def _no_room() -> Unavailable:
    return Unavailable(
        "There is no room to record this call; free disk space, or raise the spool's limit.", retry_after=1
    )
