"""One day's file, as its only writer sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from noria.storage.spans import line as lines
from noria.storage.spans.body import Opener, Packer, Wide, wide_fields, wide_of
from noria.storage.spans.line import StoredLine
from noria.storage.spans.rollup import Rollups
from noria.storage.spans.schema import LINE_COLUMNS, MAX_SPANS, SLOT_S, SPAN_BITS, STEPS, TRACE_COLUMNS
from noria.storage.sqlite import one, open_writer, rows, sync, value
from noria.tracing.histogram import bin_of
from noria.tracing.span import Span
from noria.tracing.store import Cipher
from noria.tracing.totals import Line, Role, Totals, is_placeholder, roles, targets_tried, totals
from noria.tracing.words import first_words, words

FEEDBACK_EVENT = "gen_ai.evaluation.result"
_INSERT_SPAN = f"INSERT OR REPLACE INTO spans VALUES ({', '.join('?' * (4 + len(LINE_COLUMNS)))})"
_INSERT_TRACE = f"INSERT OR REPLACE INTO traces VALUES ({', '.join('?' * (7 + len(TRACE_COLUMNS)))})"
_LINES = f"SELECT id, role, {lines.COLUMNS} FROM spans WHERE id BETWEEN ? AND ?"
Complete = Callable[[Span], Span]
"""Fills in what follows from a span's events, after events that came apart from it were added."""


class Counted(msgspec.Struct, frozen=True):
    """What one span means to the ledger."""

    span: Span
    role: Role


class Applied(msgspec.Struct):
    """What came of a batch."""

    counted: list[Counted]
    """Calls and attempts of the batch."""
    covered: list[tuple[str, bytes, bytes]]
    """(project, trace, span) of calls that count no more, since they turned out to be recorded twice."""
    dropped: int = 0
    """Spans beyond MAX_SPANS of one trace."""


class DayFile:
    """`spans/<day>.db`, open for writing."""

    def __init__(
        self,
        path: Path,
        *,
        complete: Complete,
        cipher: Cipher | None = None,
        durable: bool = False,
        dictionary: bytes | None = None,
    ) -> None:
        """`dictionary`: one learnt on another day, for a file that has none yet."""
        self.path = path
        self._connection = open_writer(path, STEPS, durable=durable)
        self._cipher = cipher
        self._complete = complete
        self._packer = Packer(cipher)
        self._opener = Opener(self._dictionary, cipher)
        self._rollups = Rollups()
        first = self._value("SELECT max(seq) FROM traces")
        self._next_seq = (first or 0) + 1
        self._changed: int = self._value("SELECT max(changed) FROM traces") or 0
        newest: Any = one(self._connection, "SELECT id, data FROM dictionaries ORDER BY id DESC LIMIT 1")
        if newest is None and dictionary is not None and cipher is None:
            newest = (self._keep_dictionary(dictionary), dictionary)
        if newest is not None and cipher is None:
            self._packer.use(*newest)
        self._low, self._high = (
            self._value("SELECT value FROM facts WHERE name = ?", (name,)) for name in ("low", "high")
        )

    def close(self) -> None:
        self._connection.close()

    def sync(self) -> None:
        """Bring all that is committed to the disk."""
        sync(self._connection)

    def transaction(self) -> AbstractContextManager[object]:
        """Commits at its end; an error inside leaves the file as it was."""
        return self._connection

    @property
    def dictionary(self) -> bytes | None:
        """What bodies are compressed with."""
        return self._dictionary(self._packer.dictionary) if self._packer.dictionary > 0 else None

    def cursors(self) -> dict[tuple[str, int], int]:
        """Offset by writer and segment."""
        found = rows(self._connection, "SELECT writer, segment, offset FROM cursors")
        return {(writer, segment): offset for writer, segment, offset in found}

    def advance(self, cursors: Mapping[tuple[str, int], int]) -> None:
        """To be called in the transaction of what was derived."""
        marks = [(writer, segment, offset) for (writer, segment), offset in cursors.items()]
        self._connection.executemany("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)", marks)

    def forget(self, writer: str, segment: int) -> None:
        """The segment is gone."""
        self._connection.execute("DELETE FROM cursors WHERE writer = ? AND segment = ?", (writer, segment))

    def apply(self, spans: Sequence[Span]) -> Applied:
        """Put spans in; one with the ids of another takes its place. To be called in a transaction."""
        applied = Applied([], [])
        batch = _Batch()
        for (project, trace), group in _by_trace(spans).items():
            self._apply_trace(project, trace, group, batch, applied)
        connection = self._connection
        if batch.replaced:
            connection.executemany("DELETE FROM words WHERE rowid = ?", batch.replaced)
        connection.executemany(_INSERT_SPAN, batch.spans)
        connection.executemany("INSERT OR REPLACE INTO bodies VALUES (?, ?, ?)", batch.bodies)
        if batch.words:
            connection.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", batch.words)
        connection.executemany(_INSERT_TRACE, batch.traces)
        connection.executemany("INSERT OR REPLACE INTO snippets VALUES (?, ?, ?)", batch.snippets)
        connection.executemany("UPDATE spans SET role = ? WHERE id = ?", batch.roles)
        self._rollups.flush(connection)
        self._keep_facts()
        self._learn()
        return applied

    def counted(self, spans: Sequence[Span]) -> Applied:
        """What `apply` said of spans that are already in."""
        applied = Applied([], [])
        for (project, trace), group in _by_trace(spans).items():
            seq = self._seq(project, trace)
            known = {line.span_id: line for line in self._lines(seq)} if seq is not None else {}
            merged: dict[bytes, Line] = {**known, **{span.span_id: span for span in group}}
            role = roles(list(merged.values()))
            applied.counted += [Counted(span, role[span.span_id]) for span in group if role[span.span_id]]
            batch = {span.span_id for span in group}
            applied.covered += [
                (project, trace, id) for id, r in role.items() if r is Role.COVERED and id not in batch
            ]
        return applied

    def erase(self, project: str, user: str, also: Sequence[bytes] = ()) -> tuple[list[bytes], int]:
        """Delete every trace that names `user`, and `also` these; (trace ids, number of spans)."""
        connection = self._connection
        connection.execute("PRAGMA secure_delete=ON")
        found: list[tuple[int, bytes]] = []
        spans = 0
        with connection:
            found += rows(
                connection,
                "SELECT seq, trace FROM traces WHERE project = ?1 AND (user = ?2 OR seq IN"
                " (SELECT id >> 16 FROM spans WHERE user = ?2))",
                (project, user),
            )
            known = {trace for _, trace in found}
            for trace in set(also) - known:
                found += rows(
                    connection,
                    "SELECT seq, trace FROM traces WHERE project = ? AND trace = ?",
                    (project, trace),
                )
            for seq, _ in found:
                low, high = _range(seq)
                spans += self._value("SELECT count(*) FROM spans WHERE id BETWEEN ? AND ?", (low, high))
                for table, column in (("words", "rowid"), ("bodies", "id"), ("spans", "id")):
                    connection.execute(f"DELETE FROM {table} WHERE {column} BETWEEN ? AND ?", (low, high))
                connection.execute("DELETE FROM snippets WHERE seq = ?", (seq,))
                connection.execute("DELETE FROM traces WHERE seq = ?", (seq,))
            if found:  # Deleted words leave the index only when its segments are merged.
                connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        if found:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA secure_delete=OFF")
        return [trace for _, trace in found], spans

    def _apply_trace(
        self, project: str, trace: bytes, group: list[Span], batch: _Batch, applied: Applied
    ) -> None:
        seq = self._seq(project, trace)
        if seq is None:
            known: list[StoredLine] = []
            seq = self._next_seq
            self._next_seq += 1
        else:
            known = self._lines(seq)
        stored = {line.span_id: line for line in known}
        fresh: dict[bytes, Span] = {}
        for span in group:
            old = fresh.get(span.span_id) or self._full(trace, project, stored.get(span.span_id), span)
            if old is None and len(stored) + len(fresh) >= MAX_SPANS:
                applied.dropped += 1
                continue
            merged = _merge(old, span)
            fresh[span.span_id] = merged if merged is span else self._complete(merged)
        if not fresh:
            return
        everything: dict[bytes, Line] = {**stored, **fresh}
        current = list(everything.values())
        role = roles(current)
        self._count(project, stored, fresh, role, current)
        free = (seq << SPAN_BITS) + len(stored)
        for span in fresh.values():
            line = stored.get(span.span_id)
            if line is None:
                id, free = free, free + 1
            else:
                id = line.id
                batch.replaced.append((id,))
            batch.add(id, span, role[span.span_id], self._packer, searchable=self._cipher is None)
            if role[span.span_id]:
                applied.counted.append(Counted(span, role[span.span_id]))
        for line in known:
            if line.span_id not in fresh and role[line.span_id] != line.role:
                batch.roles.append((int(role[line.span_id]), line.id))
                if role[line.span_id] is Role.COVERED:
                    applied.covered.append((project, trace, line.span_id))
        sums = totals(current, role)
        self._changed += 1
        feedback = sum(event.name == FEEDBACK_EVENT for span in fresh.values() for event in span.events)
        if known:
            feedback += self._value("SELECT feedback FROM traces WHERE seq = ?", (seq,)) or 0
        batch.traces.append(
            (seq, trace, project, self._changed, sums.start // (SLOT_S * 10**9), bin_of(sums.duration),
             feedback, *_trace_values(sums))
        )  # fmt: skip
        self._low = sums.start if self._low is None else min(self._low, sums.start)
        self._high = sums.start if self._high is None else max(self._high, sums.start)
        snippet = _speaker(sums, fresh, role, is_new=not known)
        if snippet is not None:
            seal = self._packer.seal_text
            batch.snippets.append((seq, seal(first_words(snippet.input)), seal(first_words(snippet.output))))

    def _count(
        self,
        project: str,
        stored: Mapping[bytes, StoredLine],
        fresh: Mapping[bytes, Span],
        role: Mapping[bytes, Role],
        current: Sequence[Line],
    ) -> None:
        for id, now in role.items():
            line, span = stored.get(id), fresh.get(id)
            if line is not None and line.role == Role.CALL and (span is not None or now is not Role.CALL):
                self._tally(project, line, -1, list(stored.values()))
            if now is Role.CALL and (span is not None or (line is not None and line.role != Role.CALL)):
                self._tally(project, span or stored[id], 1, current)

    def _tally(self, project: str, call: Line, sign: int, current: Sequence[Line]) -> None:
        tried = targets_tried(call, current) if (call.attempts or 0) > 1 else {}
        self._rollups.count(
            project, call, sign=sign, fallback=len(tried) > 1, retried=max(tried.values(), default=0) > 1
        )

    def _full(self, trace: bytes, project: str, line: StoredLine | None, span: Span) -> Span | None:
        """The stored span, whole where one of the two only holds the other's place."""
        if line is None:
            return None
        if not is_placeholder(line) and span.name:
            return span  # The newer one takes its place as it is.
        row = one(self._connection, "SELECT dictionary, data FROM bodies WHERE id = ?", (line.id,))
        wide = self._opener.open(*row) if row else None
        fields = wide_fields(wide) if wide else {}
        return Span(trace_id=trace, project=project, **lines.span_fields(line), **fields)

    def _seq(self, project: str, trace: bytes) -> int | None:
        return self._value("SELECT seq FROM traces WHERE trace = ? AND project = ?", (trace, project))

    def _lines(self, seq: int) -> list[StoredLine]:
        return [StoredLine(*row) for row in rows(self._connection, _LINES, _range(seq))]

    def _value(self, sql: str, values: tuple[object, ...] = ()) -> Any:
        return value(self._connection, sql, values)

    def _dictionary(self, number: int) -> bytes:
        return self._value("SELECT data FROM dictionaries WHERE id = ?", (number,))

    def _keep_dictionary(self, data: bytes) -> int:
        return self._value("INSERT INTO dictionaries (data) VALUES (?) RETURNING id", (data,))

    def _learn(self) -> None:
        learnt = self._packer.learn()
        if learnt is not None:
            self._packer.use(self._keep_dictionary(learnt), learnt)

    def _keep_facts(self) -> None:
        facts = [("low", self._low), ("high", self._high)]
        self._connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts)


SEARCHED = 1_048_576
"""Characters of an input or output that can be searched: the index holds up all writing while it is made."""


class _Batch:
    """Rows to be written together."""

    def __init__(self) -> None:
        self.spans: list[tuple[object, ...]] = []
        self.bodies: list[tuple[int, int, bytes]] = []
        self.words: list[tuple[int, str]] = []
        self.replaced: list[tuple[int]] = []
        self.traces: list[tuple[object, ...]] = []
        self.snippets: list[tuple[int, object, object]] = []
        self.roles: list[tuple[int, int]] = []

    def add(self, id: int, span: Span, role: Role, packer: Packer, *, searchable: bool) -> None:
        self.spans.append((id, int(role), span.project, bin_of(span.end - span.start), *lines.values(span)))
        wide: Wide = wide_of(span)
        data = packer.pack(wide)
        self.bodies.append((id, packer.dictionary, data))
        if searchable:
            said = (words(span.input)[:SEARCHED], words(span.output)[:SEARCHED], span.status_message)
            text = "\n".join(filter(None, said))
            if text:
                self.words.append((id, text))


def _by_trace(spans: Iterable[Span]) -> dict[tuple[str, bytes], list[Span]]:
    groups: dict[tuple[str, bytes], list[Span]] = {}
    for span in spans:
        groups.setdefault((span.project, span.trace_id), []).append(span)
    return groups


def _range(seq: int) -> tuple[int, int]:
    return seq << SPAN_BITS, (seq << SPAN_BITS) + (1 << SPAN_BITS) - 1


def _merge(old: Span | None, new: Span) -> Span:
    """The newer span, with the events that came apart from it."""
    if old is None or old is new or not (is_placeholder(old) or is_placeholder(new)):
        return new
    base, other = (new, old) if is_placeholder(old) else (old, new)
    seen = list(base.events)
    seen += [event for event in other.events if event not in seen]
    return msgspec.structs.replace(base, events=tuple(sorted(seen, key=lambda event: event.at)))


def _speaker(
    sums: Totals, fresh: Mapping[bytes, Span], role: Mapping[bytes, Role], *, is_new: bool
) -> Span | None:
    """The span whose words stand for the trace: its root, else, as long as there is none, a call."""
    root = fresh.get(sums.root) if sums.root is not None else None
    if root is not None and (root.input or root.output):
        return root
    if not is_new and root is None:
        return None
    said = [span for span in fresh.values() if span.input or span.output]
    return next((span for span in said if role[span.span_id] is Role.CALL), said[0] if said else None)


def _trace_values(sums: Totals) -> tuple[object, ...]:
    *values, tags = (getattr(sums, name) for name in TRACE_COLUMNS)
    return (*values, lines.tags_text(tags))
