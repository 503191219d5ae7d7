"""Counts, sums and distributions of calls by five minutes and by hour, written with the spans.

There is a row for each route, model and team together, and rows in which ALL stands for some of them: so the
whole, and each single route, model and team, are read from few rows.
"""

from __future__ import annotations

import apsw
import msgspec

from noria.storage.spans.schema import HOUR_S, SLOT_S
from noria.storage.sqlite import one
from noria.tracing.histogram import Bins, bin_of, merge, pack, unpack_into
from noria.tracing.totals import Line, model_of

ALL = "\x01"
"""In the place of a route, model or team: every one of them."""
COUNTERS = (
    "requests", "errors", "input_tokens", "output_tokens", "cost_pico", "unknown", "cacheable", "hits",
    "fallbacks", "retries",
)  # fmt: skip
(
    REQUESTS, ERRORS, INPUT_TOKENS, OUTPUT_TOKENS, COST_PICO, UNKNOWN, CACHEABLE, HITS, FALLBACKS, RETRIES,
) = range(len(COUNTERS))  # fmt: skip
_READ = f"""SELECT {", ".join(COUNTERS)}, kinds, latency, first FROM rollups
 WHERE project = ? AND step = ? AND at = ? AND route = ? AND model = ? AND team = ?"""
_WRITE = f"INSERT OR REPLACE INTO rollups VALUES ({', '.join('?' * (6 + len(COUNTERS) + 3))})"
MAX_KEPT = 4_000
"""Rows that are kept at hand, since they are likely to be written again."""
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

    def add(self, other: Cell) -> None:
        self.counters = [mine + theirs for mine, theirs in zip(self.counters, other.counters, strict=True)]
        merge(self.latency, other.latency)
        merge(self.first, other.first)
        if other.kinds:
            merge(self.kinds, other.kinds)

    def count(self, call: Line, *, sign: int, fallback: bool, retried: bool) -> None:
        """Count a call, or with a sign of -1 take it out again."""
        counters = self.counters
        counters[REQUESTS] += sign
        counters[INPUT_TOKENS] += sign * (call.input_tokens or 0)
        counters[OUTPUT_TOKENS] += sign * (call.output_tokens or 0)
        cost = call.cost_pico
        if cost is None:
            counters[UNKNOWN] += sign
        else:
            counters[COST_PICO] += sign * cost
        cache = call.cache
        if cache == "hit" or cache == "miss":
            counters[CACHEABLE] += sign
            counters[HITS] += sign * (cache == "hit")
        counters[FALLBACKS] += sign * fallback
        counters[RETRIES] += sign * retried
        if call.status == "error":
            counters[ERRORS] += sign
            kind = call.error_kind or str(call.http_status or "error")
            self.kinds[kind] = self.kinds.get(kind, 0) + sign
        if call.confirmed:
            bin = bin_of(call.end - call.start)
            self.latency[bin] = self.latency.get(bin, 0) + sign
            if call.first_token:
                bin = bin_of(call.first_token - call.start)
                self.first[bin] = self.first.get(bin, 0) + sign


class Rollups:
    """Changes to the rollups of one day, gathered over a batch."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, int, str, str, str], Cell] = {}
        self._kept: dict[Key, Cell] = {}

    def count(self, project: str, call: Line, *, sign: int, fallback: bool, retried: bool) -> None:
        second = call.start // 1_000_000_000
        key = (project, second - second % SLOT_S, call.route, model_of(call), call.team)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = Cell()
        cell.count(call, sign=sign, fallback=fallback, retried=retried)

    def flush(self, connection: apsw.Connection) -> None:
        """Merge what was gathered into the tables. After an error the object is of no more use."""
        slots: dict[Key, Cell] = {}
        for (project, slot, route, model, team), cell in self._cells.items():
            slots[project, SLOT_S, slot, route, model, team] = cell
            for names in ((route, ALL, ALL), (ALL, model, ALL), (ALL, ALL, team), (ALL, ALL, ALL)):
                slots.setdefault((project, SLOT_S, slot, *names), Cell()).add(cell)
        changes = dict(slots)
        for (project, _, slot, route, model, team), cell in slots.items():
            key = (project, HOUR_S, slot - slot % HOUR_S, route, model, team)
            changes.setdefault(key, Cell()).add(cell)
        connection.executemany(_WRITE, [self._row(connection, *change) for change in changes.items()])
        self._cells.clear()
        if len(self._kept) > MAX_KEPT:
            self._kept = {key: self._kept[key] for key in changes}

    def _row(self, connection: apsw.Connection, key: Key, change: Cell) -> tuple[object, ...]:
        cell = self._kept.get(key)
        if cell is None:
            cell = self._kept[key] = _stored(connection, key)
        cell.add(change)
        kinds = _encode(cell.kinds).decode()
        return (*key, *cell.counters, kinds, pack(cell.latency), pack(cell.first))


def _stored(connection: apsw.Connection, key: Key) -> Cell:
    cell = Cell()
    row = one(connection, _READ, key)
    if row is not None:
        *cell.counters, kinds, latency, first = row
        cell.kinds = _kinds(kinds)
        unpack_into(cell.latency, latency)
        unpack_into(cell.first, first)
    return cell
