"""`ledger.db`: what calls have cost, exactly and once each, and what dead workers left unsettled.

An entry is one upstream attempt, or a call that was answered without one; it is found again by its ids, so
that a span that comes twice counts once. Sums by hour and group are kept in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import msgspec

from noria.core.money import to_nano
from noria.errors import InvalidRequest
from noria.storage.sqlite import one, open_reader, open_writer, rows, sync, value
from noria.tracing.record import Begin, Reservation
from noria.tracing.span import Span
from noria.tracing.store import CostRow, Costs, Window

HOUR_NS = 3_600_000_000_000
_FIRST = """
CREATE TABLE cursors (
  writer TEXT NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY (writer, segment)
) WITHOUT ROWID;
CREATE TABLE groups (
  id INTEGER PRIMARY KEY, project TEXT, team TEXT, user TEXT, route TEXT, model TEXT, key TEXT, tags TEXT,
  UNIQUE (project, team, user, route, model, key, tags)
);
CREATE TABLE sums (
  hour INTEGER, grp INTEGER, cost_pico INTEGER, calls INTEGER, unknown INTEGER, estimated INTEGER,
  unconfirmed INTEGER, input_tokens INTEGER, output_tokens INTEGER, cached_tokens INTEGER,
  PRIMARY KEY (hour, grp)
) WITHOUT ROWID;
CREATE TABLE entries (
  id BLOB PRIMARY KEY, seen INTEGER, hour INTEGER, grp INTEGER, cost_pico INTEGER, unknown INTEGER,
  estimated INTEGER, unconfirmed INTEGER, input_tokens INTEGER, output_tokens INTEGER, cached_tokens INTEGER
) WITHOUT ROWID;
CREATE TABLE spent (
  row BLOB PRIMARY KEY, budget TEXT, subject TEXT, window_start INTEGER, nano INTEGER
) WITHOUT ROWID;
CREATE TABLE pending (
  span BLOB PRIMARY KEY, root BLOB, writer TEXT, segment INTEGER, pid INTEGER, ended INTEGER, record BLOB
) WITHOUT ROWID;
CREATE INDEX pending_root ON pending (root);
CREATE INDEX pending_writer ON pending (writer);
"""
STEPS = (_FIRST,)
_MEASURES = "cost_pico, unknown, estimated, unconfirmed, input_tokens, output_tokens, cached_tokens"
_ADD = """
INSERT INTO sums VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (hour, grp) DO UPDATE SET
 cost_pico = cost_pico + ?3, calls = calls + ?4, unknown = unknown + ?5, estimated = estimated + ?6,
 unconfirmed = unconfirmed + ?7, input_tokens = input_tokens + ?8, output_tokens = output_tokens + ?9,
 cached_tokens = cached_tokens + ?10"""
_ENTER = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_SPEND = """
INSERT INTO spent VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (row) DO UPDATE SET nano = nano + ?5"""
_GROUPINGS = ("team", "user", "route", "model", "key", "project")
_encode = msgspec.msgpack.Encoder().encode
_begin = msgspec.msgpack.Decoder(Begin).decode
_tags = msgspec.json.Encoder(order="sorted").encode


class Entry(msgspec.Struct, frozen=True):
    """What one attempt, or call without attempts, means to the books."""

    span: Span
    reservations: tuple[Reservation, ...] = ()
    spent_nano: int = 0
    """What each of the reserved rows was settled with."""


class Pending(msgspec.Struct, frozen=True):
    """A Begin of which the End, or the call's end, is not on record."""

    begin: Begin
    writer: str
    segment: int
    process: int
    """`storage.incarnation` of its writer."""
    ended: bool = False
    """The attempt has ended, the call has not."""


class Change(msgspec.Struct):
    """What a batch of records brings to the books."""

    entries: list[Entry] = []
    covered: list[tuple[bytes, bytes]] = []
    """(trace, span) of entries that count no more."""
    begun: list[Pending] = []
    ended: list[bytes] = []
    """Attempts whose end came while their call goes on."""
    finished: list[bytes] = []
    """Calls that have ended: nothing of theirs is pending."""


class Spent(msgspec.Struct, frozen=True):
    """What the entries have spent of one budget, subject and window."""

    row: bytes
    budget: str
    subject: str
    window_start: int
    nano: int


class Ledger:
    """The only writer; use from one thread."""

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self._connection = open_writer(path, STEPS, durable=durable)
        self._groups: dict[tuple[str, ...], int] = {}

    def close(self) -> None:
        self._connection.close()

    def sync(self) -> None:
        """Bring all that is committed to the disk."""
        sync(self._connection)

    def cursors(self) -> dict[tuple[str, int], int]:
        """Offset by writer and segment."""
        found = rows(self._connection, "SELECT writer, segment, offset FROM cursors")
        return {(writer, segment): offset for writer, segment, offset in found}

    def write(self, change: Change, cursors: Mapping[tuple[str, int], int], *, now: int) -> None:
        """One transaction. `now` is in Unix nanoseconds."""
        try:
            with self._connection:
                self._write(change, now // HOUR_NS)
                marks = [(writer, segment, offset) for (writer, segment), offset in cursors.items()]
                self._connection.executemany("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)", marks)
        except apsw.Error:
            self._groups.clear()  # Some of them may have been made in what was rolled back.
            raise

    def forget(self, writer: str, segment: int) -> None:
        """The segment is gone."""
        self._connection.execute("DELETE FROM cursors WHERE writer = ? AND segment = ?", (writer, segment))

    def prune(self, *, now: int, keep_hours: int = 72) -> None:
        """Forget which entries are in the sums, of so long ago that none of them comes again."""
        self._connection.execute("DELETE FROM entries WHERE seen < ?", (now // HOUR_NS - keep_hours,))

    def begin_of(self, root: bytes) -> Begin | None:
        """The first attempt of a call that has not ended."""
        found = [pending.begin for pending in self._pending("root = ?", (root,))]
        return min(found, key=lambda begin: begin.at, default=None)

    def pending(self, writer: str) -> list[Pending]:
        """What has begun under this name and not ended."""
        return self._pending("writer = ?", (writer,))

    def pending_writers(self) -> set[str]:
        """All that have something pending."""
        return {writer for (writer,) in rows(self._connection, "SELECT DISTINCT writer FROM pending")}

    def cost_of(self, trace: bytes, span: bytes) -> int | None:
        """Pico-dollars of one entry; None where it is unknown, or there is none."""
        return value(self._connection, "SELECT cost_pico FROM entries WHERE id = ?", (span + trace,))

    def erase(self, project: str, user: str) -> None:
        """Keep what a person's calls cost, and forget whose they were."""
        connection = self._connection
        with connection:
            for id, team, route, model, key, tags in rows(
                connection,
                "SELECT id, team, route, model, key, tags FROM groups WHERE project = ? AND user = ?",
                (project, user),
            ):
                into = self._group((project, team, "", route, model, key, tags))
                for hour, *measures in rows(
                    connection, f"SELECT hour, calls, {_MEASURES} FROM sums WHERE grp = ?", (id,)
                ):
                    calls, cost, *rest = measures
                    connection.execute(_ADD, (hour, into, cost, calls, *rest))
                connection.execute("DELETE FROM sums WHERE grp = ?", (id,))
                connection.execute("UPDATE entries SET grp = ? WHERE grp = ?", (into, id))
                connection.execute("DELETE FROM groups WHERE id = ?", (id,))
            connection.execute("DELETE FROM spent WHERE subject = ?", (f"user:{user}",))
        self._groups.clear()

    def spent(self) -> list[Spent]:
        """By budget, subject and window: what counters are rebuilt from."""
        found = rows(self._connection, "SELECT row, budget, subject, window_start, nano FROM spent")
        return [Spent(*row) for row in found]

    def _write(self, change: Change, hour: int) -> None:
        connection = self._connection
        self._enter(change.entries, hour)
        for trace, span in change.covered:
            self._take_out(span + trace)
        finished = set(change.finished)
        begun = [pending for pending in change.begun if pending.begin.root not in finished]
        ended = set(change.ended)
        connection.executemany(
            "INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    pending.begin.span,
                    pending.begin.root,
                    pending.writer,
                    pending.segment,
                    pending.process,
                    pending.begin.span in ended,
                    _encode(pending.begin),
                )
                for pending in begun
            ],
        )
        connection.executemany("UPDATE pending SET ended = 1 WHERE span = ?", [(span,) for span in ended])
        connection.executemany("DELETE FROM pending WHERE root = ?", [(root,) for root in finished])

    def _enter(self, entries: Iterable[Entry], seen: int) -> None:
        new = {entry.span.span_id + entry.span.trace_id: entry for entry in entries}
        made = [(id, seen, *self._values(entry.span)) for id, entry in new.items()]
        added = {id for (id,) in self._connection.executemany(_ENTER + " RETURNING id", made)}
        spent: list[tuple[object, ...]] = []
        sums: dict[tuple[int, int], list[int]] = {}
        for row in made:
            id, _, hour, group, *measures = row
            if id in added:
                spent += [
                    (held.row, held.budget, held.subject, held.window_start, new[id].spent_nano)
                    for held in new[id].reservations
                ]
            else:
                self._take_out(id)
                self._connection.execute(_ENTER, row)
            cost, *rest = measures
            old = sums.setdefault((hour, group), [0] * 8)
            sums[hour, group] = [a + b for a, b in zip(old, (cost or 0, 1, *rest), strict=True)]
        self._connection.executemany(_ADD, [(*key, *values) for key, values in sums.items()])
        self._connection.executemany(_SPEND, spent)

    def _values(self, span: Span) -> tuple[Any, ...]:
        """Hour, group and measures."""
        tags = _tags(span.tags).decode() if span.tags else ""
        model = span.target or (f"{span.provider}/{span.model}" if span.provider else span.model)
        return (
            span.start // HOUR_NS,
            self._group((span.project, span.team, span.user, span.route, model, span.key, tags)),
            span.cost_pico,
            span.cost_pico is None,
            span.usage == "estimated",
            not span.confirmed,
            span.input_tokens or 0,
            span.output_tokens or 0,
            span.cached_tokens or 0,
        )

    def _take_out(self, id: bytes) -> bool:
        """Whether the entry was there."""
        row = one(
            self._connection, f"DELETE FROM entries WHERE id = ? RETURNING hour, grp, {_MEASURES}", (id,)
        )
        if row is None:
            return False
        hour, group, cost, *rest = row
        self._connection.execute(_ADD, (hour, group, -(cost or 0), -1, *(-measure for measure in rest)))
        return True

    def _group(self, names: tuple[str, ...]) -> int:
        found = self._groups.get(names)
        if found is None:
            self._connection.execute(
                "INSERT OR IGNORE INTO groups (project, team, user, route, model, key, tags)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                names,
            )
            found = value(
                self._connection,
                "SELECT id FROM groups WHERE project = ? AND team = ? AND user = ? AND route = ?"
                " AND model = ? AND key = ? AND tags = ?",
                names,
            )
            if len(self._groups) > 65_536:
                self._groups.clear()
            self._groups[names] = found
        return found

    def _pending(self, clause: str, values: Sequence[object]) -> list[Pending]:
        found = rows(
            self._connection,
            f"SELECT record, writer, segment, pid, ended FROM pending WHERE {clause}",
            values,
        )
        return [Pending(_begin(record), *of, ended=bool(ended)) for record, *of, ended in found]


def settled_with(span: Span, reservations: Iterable[Reservation]) -> int:
    """Nano-dollars that the gateway settled an attempt's reservations with: its cost, else the bound."""
    if span.cost_pico is not None:
        return to_nano(Decimal(span.cost_pico).scaleb(-12))
    return max((held.nano for held in reservations), default=0)


class LedgerStore:
    """`tracing.store.LedgerReader`; any thread, any process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def costs(self, project: str | None, window: Window, *, by: str) -> Costs:
        """See `LedgerReader.costs`; the window is widened to whole hours."""
        column, before = _grouping(by)
        clause = "hour >= ? AND hour < ?"
        values: list[object] = [*before, window.start // HOUR_NS, -(-window.end // HOUR_NS)]
        if project is not None:
            clause += " AND project = ?"
            values.append(project)
        connection = open_reader(self._path, STEPS)
        found: list[tuple[Any, ...]] = []
        if connection is not None:
            try:
                found += rows(
                    connection,
                    f"SELECT {column} AS name, sum(cost_pico), sum(calls), sum(unknown),"
                    " sum(estimated), sum(unconfirmed), sum(input_tokens), sum(output_tokens),"
                    f" sum(cached_tokens) FROM sums JOIN groups ON groups.id = sums.grp WHERE {clause}"
                    " GROUP BY name HAVING sum(calls) <> 0",
                    values,
                )
            finally:
                connection.close()
        items = [(str(name or ""), [int(part) for part in parts]) for name, *parts in found]
        items.sort(key=lambda item: (-item[1][0], item[0]))
        total = [sum(column) for column in zip(*(parts for _, parts in items), strict=True)] or [0] * 8
        return Costs(
            by=by,
            start_ms=window.start // 1_000_000,
            end_ms=window.end // 1_000_000,
            rows=[_row(name, parts) for name, parts in items],
            total=_row("", total),
        )


def _row(name: str, parts: Sequence[int]) -> CostRow:
    cost, *counts = parts
    text = format(Decimal(cost).scaleb(-12), "f")
    return CostRow(name, text.rstrip("0").rstrip(".") if "." in text else text, *counts)


def _grouping(by: str) -> tuple[str, list[object]]:
    if by in _GROUPINGS:
        return f"groups.{by}", []
    if by == "day":
        return "date(hour * 3600, 'unixepoch')", []
    if by.startswith("tag:") and len(by) > 4 and by.isprintable() and not {'"', "\\"} & set(by):
        return "json_extract(nullif(tags, ''), ?)", [f'$."{by[4:]}"']
    names = ", ".join((*_GROUPINGS, "day", "tag:NAME"))
    raise InvalidRequest(f"Costs are grouped by one of {names}.", param="by")
