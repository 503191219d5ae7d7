"""One segment file of the spool: preallocated, mapped, append-only, readable while it is written.

    bytes 0-7    b"NORIASEG"
          8-11   format
          12-15  the writing process (`storage.incarnation`)
          16-19  day of all its records, in days since 1970 (UTC); 0: prepared and not begun
          20-23  where its frames end, once it is sealed; 0: open; ABANDONED: its writer died
          24-31  when it was begun, Unix nanoseconds
          32-63  writer, UTF-8, padded with zeros
    then frames, each at a multiple of 8: length of the payload, CRC-32 of length and payload, payload

A frame's length is stored last, as one aligned word. Until then a reader sees 0 there and stops, so that a
process that is killed at any instruction leaves either a whole frame or none.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import msgspec

from noria.storage.incarnation import incarnation

MAGIC = b"NORIASEG"
FORMAT = 1
HEADER = 64
ABANDONED = 0xFFFF_FFFF
ENCRYPTED = b"\xc1"
"""First byte of a payload that is encrypted; msgpack never uses it."""
NAME_BYTES = 32
DAY_NS = 86_400_000_000_000
_DAY, _SEALED = 4, 5  # 32-bit words of the header
_head = struct.Struct("<8sIIIIQ32s")
_frame = struct.Struct("<II")


class Head(msgspec.Struct, frozen=True):
    """A segment's header."""

    format: int
    process: int
    day: int
    sealed: int
    begun: int
    writer: str


class OpenSegment:
    """A segment that this process writes."""

    __slots__ = ("_file", "_map", "_offset", "_size", "_words", "path")

    def __init__(self, path: Path, *, size: int, writer: str) -> None:
        """Make the file with all its blocks. Raises OSError, leaving no file, where there is no room.

        Without the blocks a full disk would be a SIGBUS at the first store (posix_fallocate, not truncate).
        """
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(self._file, 0, size)
            self._map = mmap.mmap(self._file, size)
        except OSError:
            os.close(self._file)
            path.unlink()
            raise
        self._size = size
        self._offset = HEADER
        self._map[:HEADER] = _head.pack(MAGIC, FORMAT, incarnation(), 0, 0, 0, writer.encode())
        self._words = memoryview(self._map).cast("I")

    @property
    def offset(self) -> int:
        """Where the next frame goes."""
        return self._offset

    def begin(self, *, day: int, at: int) -> None:
        """From now on it may hold frames, and readers see it."""
        self._map[24:32] = at.to_bytes(8, "little")
        self._words[_DAY] = day

    def put(self, payload: bytes) -> bool:
        """Append one frame; False where it does not fit. On return it survives this process."""
        at, length = self._offset, len(payload)
        start = at + 8
        end = start + length
        if end > self._size:
            return False
        self._map[start:end] = payload
        word = at >> 2
        self._words[word + 1] = checksum(length, payload)
        self._words[word] = length
        self._offset = (end + 7) & ~7
        return True

    def seal(self) -> None:
        """No more frames follow."""
        self._words[_SEALED] = self._offset

    def sync(self) -> None:
        """Bring what was appended to the disk (also from another thread)."""
        os.fdatasync(self._file)

    def close(self) -> None:
        self._words.release()
        self._map.close()
        os.close(self._file)


def frame_bytes(length: int) -> int:
    """What a segment needs to hold one payload of `length` bytes alone."""
    return HEADER + 8 + (length + 7 & ~7)


def checksum(length: int, payload: bytes | memoryview) -> int:
    return crc32(payload, length)


def read_head(data: bytes) -> Head | None:
    """The header in a segment's first 64 bytes; None where they are none of ours."""
    if len(data) < HEADER:
        return None
    magic, form, process, day, sealed, begun, writer = _head.unpack_from(data)
    if magic != MAGIC:
        return None
    return Head(form, process, day, sealed, begun, writer.rstrip(b"\0").decode("utf-8", "replace"))


def abandon(path: Path) -> bool:
    """Tell readers that a segment whose writer died is written no more; False where it never began."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        head = read_head(os.pread(file, HEADER, 0))
        if head is None or not head.day:
            return False
        if not head.sealed:
            os.pwrite(file, ABANDONED.to_bytes(4, "little"), _SEALED * 4)
        return True
    finally:
        os.close(file)


def frames(data: bytes) -> Iterator[tuple[int, memoryview | None]]:
    """The frames at the start of `data`: offset behind each, and its payload, None where the checksum fails.

    Stops at a length of 0, and before a frame that `data` does not hold whole.
    """
    view = memoryview(data)
    at = 0
    while at + 8 <= len(data):
        length, crc = _frame.unpack_from(data, at)
        end = at + 8 + length
        if not length or end > len(data):
            return
        payload = view[at + 8 : end]
        at = end + 7 & ~7
        yield at, payload if checksum(length, payload) == crc else None


def next_length(data: bytes) -> int:
    """Payload length of the frame at the start of `data`; 0: there is none."""
    return _frame.unpack_from(data)[0] if len(data) >= 8 else 0
