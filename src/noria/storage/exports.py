"""How far each export has come: `exports/<name>.db`, written by the process that sends.

By day the position up to which it was sent, and of each trace how many of its spans: a trace that grows is
sent only by what is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from noria.storage.sqlite import open_writer, value

_FIRST = """
CREATE TABLE positions (day TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE sent (
  day TEXT NOT NULL, seq INTEGER NOT NULL, spans INTEGER NOT NULL, PRIMARY KEY (day, seq)
) WITHOUT ROWID;
"""
STEPS = (_FIRST,)


class Exports:
    """Durable once a method has returned; after a power cut some spans are sent again."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._connection = open_writer(path, STEPS)

    def close(self) -> None:
        self._connection.close()

    def begin(self, positions: Mapping[date, int]) -> None:
        """Where a new export starts, at least one day; one that has begun stays where it is."""
        if value(self._connection, "SELECT count(*) FROM positions"):
            return
        marks = [(day.isoformat(), position) for day, position in positions.items()]
        self._connection.executemany("INSERT INTO positions VALUES (?, ?)", marks)

    def position(self, day: date) -> int:
        """0: nothing of the day was sent."""
        found = value(self._connection, "SELECT position FROM positions WHERE day = ?", (day.isoformat(),))
        return found or 0

    def sent(self, day: date, seqs: Iterable[int]) -> dict[int, int]:
        """How many spans of these traces were sent."""
        found: dict[int, int] = {}
        for seq in seqs:
            count = value(
                self._connection, "SELECT spans FROM sent WHERE day = ? AND seq = ?", (day.isoformat(), seq)
            )
            if count:
                found[seq] = count
        return found

    def passed(self, day: date, position: int, sent: Mapping[int, int]) -> None:
        """All up to `position` was sent."""
        name = day.isoformat()
        with self._connection:
            self._connection.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", (name, position))
            marks = [(name, seq, spans) for seq, spans in sent.items()]
            self._connection.executemany("INSERT OR REPLACE INTO sent VALUES (?, ?, ?)", marks)

    def forget(self, day: date) -> None:
        """The day will not change any more: its traces need not be told apart."""
        self._connection.execute("DELETE FROM sent WHERE day = ?", (day.isoformat(),))
