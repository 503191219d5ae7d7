"""The days' files, as readers see them: any thread, any process, beside the writer."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

import apsw

from noria.storage.spans.body import Opener, Wide
from noria.storage.spans.schema import STEPS
from noria.storage.spans.writer import days_in, path_of
from noria.storage.sqlite import one, open_reader, rows, value
from noria.tracing.store import Cipher, Window


class DayReader:
    """One day's file in one thread."""

    def __init__(self, day: date, connection: apsw.Connection, inode: int, cipher: Cipher | None) -> None:
        self.day = day
        self.inode = inode
        self.connection = connection
        self.opener = Opener(self._dictionary, cipher)

    def span_of_starts(self) -> tuple[int, int]:
        """Earliest and latest start of its traces, Unix nanoseconds; (1, 0) where it has none."""
        found = dict(rows(self.connection, "SELECT name, value FROM facts"))
        low, high = found.get("low"), found.get("high")
        return (1, 0) if low is None or high is None else (low, high)

    def body(self, id: int) -> Wide | None:
        row = one(self.connection, "SELECT dictionary, data FROM bodies WHERE id = ?", (id,))
        return self.opener.open(*row) if row else None

    def _dictionary(self, number: int) -> bytes:
        return value(self.connection, "SELECT data FROM dictionaries WHERE id = ?", (number,))


class Days:
    """Opens each file once a thread, and lets go of those that retention has deleted."""

    def __init__(self, folder: Path, cipher: Cipher | None) -> None:
        self._folder = folder
        self._cipher = cipher
        self._local = threading.local()

    def all(self) -> list[DayReader]:
        """Newest day first."""
        opened: dict[date, DayReader] = self._local.__dict__.setdefault("opened", {})
        found: list[DayReader] = []
        present = days_in(self._folder)
        for gone in opened.keys() - set(present):
            opened.pop(gone).connection.close()
        for day in reversed(present):
            reader = self._reader(opened, day)
            if reader is not None:
                found.append(reader)
        return found

    def overlapping(self, window: Window) -> list[DayReader]:
        """Those that may hold traces of the window, newest day first."""
        found: list[DayReader] = []
        for reader in self.all():
            low, high = reader.span_of_starts()
            if low < window.end and high >= window.start:
                found.append(reader)
        return found

    def _reader(self, opened: dict[date, DayReader], day: date) -> DayReader | None:
        path = path_of(self._folder, day)
        try:
            inode = path.stat().st_ino
        except FileNotFoundError:
            return None
        reader = opened.get(day)
        if reader is not None and reader.inode != inode:  # A restored backup lies there now.
            reader.connection.close()
            reader = None
        if reader is None:
            connection = open_reader(path, STEPS)
            if connection is None:
                return None
            reader = opened[day] = DayReader(day, connection, inode, self._cipher)
        return reader
