"""Counts, sums and distributions of calls by five minutes and by hour, written with the spans."""

from __future__ import annotations

from collections.abc import Iterable

import apsw
import msgspec

from noria.storage.spans.schema import HOUR_S, SLOT_S
from noria.storage.sqlite import one
from noria.tracing.histogram import Bins, bin_of, merge, pack, unpack_into
from noria.tracing.totals import Line, model_of

COUNTERS = (
    "requests", "errors", "input_tokens", "output_tokens", "cost_pico", "unknown", "cacheable", "hits",
    "fallbacks", "retries",
)  # fmt: skip
_READ = f"""SELECT {", ".join(COUNTERS)}, kinds, latency, first FROM rollups
 WHERE project = ? AND step = ? AND at = ? AND route = ? AND model = ? AND team = ?"""
_WRITE = f"INSERT OR REPLACE INTO rollups VALUES ({', '.join('?' * (6 + len(COUNTERS) + 3))})"
Key = tuple[str, int, int, str, str, str]
"""Project, step, start of the step (Unix seconds), route, model, team."""
_kinds = msgspec.json.Decoder(dict[str, int]).decode
_encode = msgspec.json.Encoder().encode


class Cell:
    """The sums of one key."""

    __slots__ = ("counters", "first", "kinds", "latency")

    def __init__(self) -> None:
        self.counters = [0] * len(COUNTERS)
        self.kinds: dict[str, int] = {}
        self.latency: Bins = {}
        self.first: Bins = {}


def added(cell: Cell, call: Line, *, sign: int, fallback: bool, retried: bool) -> None:
    """Count a call, or with a sign of -1 take it out again."""
    failed = call.status == "error"
    for index, value in enumerate(
        (
            1,
            failed,
            call.input_tokens or 0,
            call.output_tokens or 0,
            call.cost_pico or 0,
            call.cost_pico is None,
            call.cache in ("hit", "miss"),
            call.cache == "hit",
            fallback,
            retried,
        )
    ):
        cell.counters[index] += sign * value
    if failed:
        kind = call.error_kind or str(call.http_status or "error")
        cell.kinds[kind] = cell.kinds.get(kind, 0) + sign
    if call.confirmed:
        merge(cell.latency, {bin_of(call.end - call.start): sign})
        if call.first_token:
            merge(cell.first, {bin_of(call.first_token - call.start): sign})


class Rollups:
    """Changes to the rollups of one day, gathered over a batch."""

    def __init__(self) -> None:
        self._cells: dict[Key, Cell] = {}

    def count(self, project: str, call: Line, *, sign: int, fallback: bool, retried: bool) -> None:
        second = call.start // 1_000_000_000
        for step in (SLOT_S, HOUR_S):
            key = (project, step, second - second % step, call.route, model_of(call), call.team)
            cell = self._cells.get(key)
            if cell is None:
                cell = self._cells[key] = Cell()
            added(cell, call, sign=sign, fallback=fallback, retried=retried)

    def flush(self, connection: apsw.Connection) -> None:
        """Merge what was gathered into the tables."""
        rows = [(*key, *_merged(connection, key, cell)) for key, cell in self._cells.items()]
        connection.executemany(_WRITE, rows)
        self._cells.clear()


def _merged(connection: apsw.Connection, key: Key, cell: Cell) -> Iterable[object]:
    row = one(connection, _READ, key)
    if row is not None:
        *counters, kinds, latency, first = row
        cell.counters = [old + new for old, new in zip(counters, cell.counters, strict=True)]
        for kind, count in _kinds(kinds).items():
            cell.kinds[kind] = cell.kinds.get(kind, 0) + count
        old: Bins = {}
        unpack_into(old, latency)
        merge(cell.latency, old)
        old = {}
        unpack_into(old, first)
        merge(cell.first, old)
    kinds = _encode({kind: count for kind, count in cell.kinds.items() if count}).decode()
    return (*cell.counters, kinds, pack(cell.latency), pack(cell.first))
