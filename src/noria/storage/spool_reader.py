"""The reading end of the spool, for the collector: tails the segments of every writer, live or dead."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from noria.errors import ConfigError, StateError
from noria.storage.locks import locked_elsewhere
from noria.storage.segment import ABANDONED, ENCRYPTED, FORMAT, HEADER, Head, frames, next_length, read_head
from noria.tracing.record import SpoolRecord
from noria.tracing.store import Cipher

_decode = msgspec.msgpack.Decoder(SpoolRecord).decode


class Position(msgspec.Struct, frozen=True, order=True):
    """How far a segment has been read; what a consumer keeps in the transaction of what it derived."""

    writer: str
    segment: int
    offset: int = HEADER


class SegmentInfo(msgspec.Struct, frozen=True):
    """A segment as it lies there."""

    writer: str
    number: int
    day: date | None
    """UTC day of all its records; None: it never held any."""
    sealed: bool
    """Nothing will be added: its writer went on to another, or died."""
    size: int
    process: int = 0
    """Of the process that wrote it, as in `counters_slots.DeadSlot`; a name's next process has another."""

    @property
    def start(self) -> Position:
        return Position(self.writer, self.number)


class Batch(msgspec.Struct, frozen=True):
    """What a read found."""

    records: list[SpoolRecord]
    position: Position
    """Where to go on."""
    drained: bool
    """Nothing will ever follow in this segment."""
    torn: int = 0
    """Frames dropped since they were not whole."""
    undecodable: int = 0
    """Whole frames skipped since this version does not understand them."""


class SpoolReader:
    """Stateless: where it stands is the caller's Position."""

    def __init__(self, folder: Path, *, cipher: Cipher | None = None) -> None:
        """`cipher` opens what was encrypted; what was not is read either way."""
        self._folder = folder
        self._cipher = cipher

    def writers(self) -> list[str]:
        """Every writer that ever was, in order of name."""
        return sorted(path.parent.name for path in self._folder.glob("*/lock"))

    def alive(self, writer: str) -> bool:
        """Whether a process writes under this name now."""
        try:
            file = os.open(self._folder / writer / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return locked_elsewhere(file, 0)
        finally:
            os.close(file)

    def segments(self, writer: str) -> list[SegmentInfo]:
        """A writer's segments, oldest first; one that is prepared and may yet begin is left out."""
        alive = self.alive(writer)  # Before the headers: what died since is seen as such next time.
        found: list[SegmentInfo] = []
        for path in sorted((self._folder / writer).glob("*.seg")):
            try:
                with open(path, "rb") as file:
                    head = read_head(file.read(HEADER))
                    size = os.fstat(file.fileno()).st_size
            except FileNotFoundError:
                continue
            if head is None:  # Killed between making the file and writing its header, or about to write it.
                head = Head(FORMAT, 0, 0, 0, 0, writer)
            sealed = bool(head.sealed) or not alive
            if head.day or sealed:
                day = datetime.fromtimestamp(head.day * 86_400, UTC).date() if head.day else None
                found.append(SegmentInfo(writer, int(path.stem), day, sealed, size, head.process))
        if not alive and self.alive(writer):
            return self.segments(writer)  # Some of them may be those of a process that has just begun.
        return found

    def read(self, position: Position, *, max_bytes: int = 1 << 20) -> Batch:
        """The records behind `position`, about `max_bytes` of them; no record and not drained: wait.

        Raises StateError where the segment was written by a newer version, ConfigError where its records are
        encrypted and the key is missing.
        """
        alive = self.alive(position.writer)
        try:
            file = os.open(self._path(position), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return Batch([], position, drained=True)
        try:
            head = read_head(os.pread(file, HEADER, 0))
            if head is None:
                return Batch([], position, drained=not alive)
            if head.format != FORMAT:
                raise StateError(
                    f"Segment {self._path(position)} has format {head.format}; use a newer Noria."
                )
            final = bool(head.sealed) or not alive
            return _read(file, head, position, self._cipher, max_bytes=max_bytes, final=final)
        finally:
            os.close(file)

    def remove(self, position: Position) -> None:
        """Forget a segment that every consumer has drained."""
        self._path(position).unlink(missing_ok=True)

    def _path(self, position: Position) -> Path:
        return self._folder / position.writer / f"{position.segment:012d}.seg"


def _read(
    file: int, head: Head, position: Position, cipher: Cipher | None, *, max_bytes: int, final: bool
) -> Batch:
    end = head.sealed if head.sealed not in (0, ABANDONED) else os.fstat(file).st_size
    start = position.offset
    data = os.pread(file, max(min(max_bytes, end - start), 0), start)
    length = next_length(data)
    if 8 + length > len(data) and start + 8 + length <= end:
        data = os.pread(file, 8 + length, start)
    records: list[SpoolRecord] = []
    read, torn, undecodable = 0, 0, 0
    for behind, payload in frames(data):
        if payload is None:
            if not final:
                break  # Still on its way to this core, or broken: known once the segment is final.
            torn += 1
        else:
            try:
                records.append(_decode(_opened(payload, cipher)))
            except msgspec.DecodeError:
                undecodable += 1
        read = behind
    offset = min(start + read, end)
    drained = False
    if final and not _more(file, offset, end):
        drained = True
        torn += _has_rest(file, offset, end)
    return Batch(records, msgspec.structs.replace(position, offset=offset), drained, torn, undecodable)


def _opened(payload: memoryview, cipher: Cipher | None) -> memoryview | bytes:
    if bytes(payload[:1]) != ENCRYPTED:
        return payload
    if cipher is None:
        raise ConfigError("The spool holds encrypted records and there is no key; set NORIA_ENCRYPTION_KEY.")
    return cipher.decrypt(bytes(payload[1:]))


def _more(file: int, offset: int, end: int) -> bool:
    """Whether a frame that fits follows."""
    length = next_length(os.pread(file, 8, offset)) if offset + 8 <= end else 0
    return length > 0 and offset + 8 + length <= end


def _has_rest(file: int, offset: int, end: int) -> int:
    """1 where an append was begun behind the last whole frame and never ended."""
    return int(any(os.pread(file, max(min(64, end - offset), 0), offset)))
