"""Monitors in noria.db: how far each has looked, and its scores on spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import msgspec
from sqlalchemy import RowMapping, case, delete, func, insert, select, update

from noria.monitoring.monitor import Monitor
from noria.monitoring.score import SpanScore
from noria.storage.database import Database
from noria.storage.tables import monitor_scores, monitors

_PICO = Decimal(10**12)
_PART = 500
"""Rows of one transaction, or names of one query."""
Span = tuple[str, str]
"""Trace and span, in hex."""


class MonitorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor as it was last configured, and how far it has looked."""

    monitor: Monitor
    added_ms: int
    changed_ms: int
    removed_ms: int
    """0: it is in noria.toml."""
    positions: dict[date, int]
    """By day's file: the last change that it has looked at."""
    looked_ms: int
    problem: str
    """What keeps it from looking, in a sentence; "": nothing."""


class Moments(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of one step, summed up."""

    step: int
    """0, 1, …"""
    n: int
    mean: float | None
    squares: float
    """Sum of the squared differences from the mean."""
    failed: int


class MonitorTable:
    """Written by control, which says what there is, and by the process that judges."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seal = database.seal

    def sync(self, wanted: Sequence[Monitor], *, positions: dict[date, int], now_ms: int) -> None:
        """What noria.toml says. One that is new begins behind `positions`."""
        begin = {day.isoformat(): position for day, position in positions.items()}
        with self._database.write() as connection:
            rows = connection.execute(select(monitors)).mappings()
            known = {(row["project"], row["name"]): row for row in rows}
            for one in wanted:
                row = known.pop((one.project, one.name), None)
                spec = msgspec.to_builtins(one)
                this = (monitors.c.project == one.project, monitors.c.name == one.name)
                if row is None:
                    connection.execute(
                        insert(monitors).values(
                            project=one.project, name=one.name, digest=one.digest, spec=spec, added_ms=now_ms,
                            changed_ms=now_ms, removed_ms=0, positions=begin, looked_ms=0, problem="",
                        )
                    )  # fmt: skip
                elif row["removed_ms"]:
                    values = {"added_ms": now_ms, "changed_ms": now_ms, "removed_ms": 0, "positions": begin}
                    connection.execute(
                        update(monitors).where(*this).values(**values, digest=one.digest, spec=spec)
                    )
                elif row["spec"] != spec:
                    changed = now_ms if row["digest"] != one.digest else row["changed_ms"]
                    values = {"spec": spec, "digest": one.digest, "changed_ms": changed}
                    connection.execute(update(monitors).where(*this).values(**values))
            for (project, name), row in known.items():
                if not row["removed_ms"]:
                    this = (monitors.c.project == project, monitors.c.name == name)
                    connection.execute(update(monitors).where(*this).values(removed_ms=now_ms))

    def all(self, project: str | None = None) -> list[MonitorRecord]:
        """Those in noria.toml, by project and name."""
        query = select(monitors).where(monitors.c.removed_ms == 0)
        query = query.order_by(monitors.c.project, monitors.c.name)
        if project is not None:
            query = query.where(monitors.c.project == project)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def get(self, project: str, name: str) -> MonitorRecord | None:
        query = select(monitors).where(
            monitors.c.project == project, monitors.c.name == name, monitors.c.removed_ms == 0
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else _record(row)

    def looked(
        self, monitor: Monitor, day: date, position: int, scores: Sequence[SpanScore], *, now_ms: int
    ) -> None:
        """Keep scores, and that all up to `position` has been looked at: both or neither."""
        this = (monitors.c.project == monitor.project, monitors.c.name == monitor.name)
        with self._database.write() as connection:
            positions = connection.scalar(select(monitors.c.positions).where(*this))
            if positions is None:
                return
            kept = {**positions, day.isoformat(): max(position, positions.get(day.isoformat(), 0))}
            connection.execute(
                update(monitors).where(*this).values(positions=kept, looked_ms=now_ms, problem="")
            )
            if scores:
                connection.execute(insert(monitor_scores), [self._values(one) for one in scores])

    def forget_days(self, monitor: Monitor, gone: Iterable[date]) -> None:
        """Days whose spans are deleted."""
        this = (monitors.c.project == monitor.project, monitors.c.name == monitor.name)
        names = {day.isoformat() for day in gone}
        with self._database.write() as connection:
            found: dict[str, int] = connection.scalar(select(monitors.c.positions).where(*this)) or {}
            left = {day: position for day, position in found.items() if day not in names}
            connection.execute(update(monitors).where(*this).values(positions=left))

    def note(self, monitor: Monitor, problem: str) -> None:
        """What keeps it from looking."""
        this = (monitors.c.project == monitor.project, monitors.c.name == monitor.name)
        with self._database.write() as connection:
            connection.execute(update(monitors).where(*this).values(problem=problem))

    def known(self, monitor: Monitor, spans: Sequence[Span]) -> set[Span]:
        """Those of `spans` that it has scores of, or reasons for having none."""
        found: set[Span] = set()
        table = monitor_scores.c
        traces = sorted({trace for trace, _ in spans})
        with self._database.read() as connection:
            for start in range(0, len(traces), _PART):
                part = traces[start : start + _PART]
                query = select(table.trace, table.span).where(
                    table.project == monitor.project, table.monitor == monitor.name, table.trace.in_(part)
                )
                found |= {(row.trace, row.span) for row in connection.execute(query)}
        return found & set(spans)

    def judged_since(self, monitor: Monitor, since_ms: int) -> list[int]:
        """When calls were judged by a model, by time."""
        table = monitor_scores.c
        query = (
            select(func.min(table.judged_ms).label("at"))
            .where(table.project == monitor.project, table.monitor == monitor.name)
            .where(table.judged_ms > since_ms, table.judged_by != "")
            .group_by(table.trace, table.span)
        )
        with self._database.read() as connection:
            return sorted(connection.scalars(query))

    def spent_since(self, monitor: Monitor, since_ms: int) -> Decimal:
        """US dollars that its judges have cost, as far as they are known."""
        table = monitor_scores.c
        query = select(func.sum(table.cost_pico)).where(
            table.project == monitor.project, table.monitor == monitor.name, table.judged_ms > since_ms
        )
        with self._database.read() as connection:
            return Decimal(connection.scalar(query) or 0) / _PICO

    def of_trace(self, project: str, trace: str) -> list[SpanScore]:
        """By monitor, span and name; of monitors that are gone, too."""
        table = monitor_scores.c
        query = (
            select(monitor_scores)
            .where(table.project == project, table.trace == trace)
            .order_by(table.monitor, table.span, table.name, table.judged_ms)
        )
        with self._database.read() as connection:
            return [self._score(row) for row in connection.execute(query).mappings()]

    def moments(
        self, project: str, monitor: str, name: str, *, start_ms: int, end_ms: int, step_ms: int
    ) -> list[Moments]:
        """Of the scores of a name, by the time at which the calls began; steps without any are left out."""
        table = monitor_scores.c
        where = (
            table.project == project, table.monitor == monitor, table.name == name,
            table.at_ms >= start_ms, table.at_ms < end_ms,
        )  # fmt: skip
        step = ((table.at_ms - start_ms) // step_ms).label("step")
        good = table.state == "scored"
        sums = (
            select(
                step,
                func.sum(case((good, 1), else_=0)).label("n"),
                func.avg(case((good, table.value))).label("mean"),
                func.sum(case((table.state == "failed", 1), else_=0)).label("failed"),
            )
            .where(*where)
            .group_by(step)
            .order_by(step)
        )
        with self._database.read() as connection:
            first = connection.execute(sums).all()
            centre = next((row.mean for row in first if row.mean is not None), 0.0)
            # From a centre near the values, so that squares of large numbers do not lose their digits.
            off = table.value - centre
            squares = select(step, func.sum(off * off).label("squares")).where(*where, good).group_by(step)
            spread = {int(row.step): row.squares or 0.0 for row in connection.execute(squares)}
        return [
            Moments(
                step=int(row.step),
                n=int(row.n),
                mean=None if row.mean is None else float(row.mean),
                squares=0.0
                if row.mean is None
                else max(0.0, spread.get(int(row.step), 0.0) - int(row.n) * (float(row.mean) - centre) ** 2),
                failed=int(row.failed),
            )
            for row in first
        ]

    def outcomes(self, project: str, *, since_ms: int) -> dict[str, dict[str, int]]:
        """By monitor: how many scores came out how."""
        table = monitor_scores.c
        query = (
            select(table.monitor, table.state, func.count().label("many"))
            .where(table.project == project, table.judged_ms > since_ms)
            .group_by(table.monitor, table.state)
        )
        found: dict[str, dict[str, int]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                found.setdefault(row.monitor, {})[row.state] = row.many
        return found

    def erase(self, project: str, traces: Sequence[str]) -> None:
        """Delete what was made of these traces."""
        table = monitor_scores.c
        for start in range(0, len(traces), _PART):
            part = traces[start : start + _PART]
            with self._database.write() as connection:
                connection.execute(
                    delete(monitor_scores).where(table.project == project, table.trace.in_(part))
                )

    def prune(self, before_ms: int) -> int:
        """Delete scores of calls that began earlier, some at a time; how many went."""
        table = monitor_scores.c
        gone = 0
        while True:
            with self._database.write() as connection:
                traces = list(
                    connection.scalars(select(table.trace).where(table.at_ms < before_ms).limit(_PART))
                )
                if not traces:
                    return gone
                old = (table.trace.in_(traces), table.at_ms < before_ms)
                gone += connection.execute(delete(monitor_scores).where(*old)).rowcount

    def _values(self, one: SpanScore) -> dict[str, Any]:
        values = msgspec.structs.asdict(one)
        cost = values.pop("cost")
        pico = None if cost is None else int((cost * _PICO).to_integral_value(rounding=ROUND_HALF_EVEN))
        return {**values, "cost_pico": pico, "reason": self._seal.text(one.reason)}

    def _score(self, row: RowMapping) -> SpanScore:
        values = dict(row)
        pico = values.pop("cost_pico")
        values["cost"] = None if pico is None else Decimal(pico) / _PICO
        values["reason"] = self._seal.opened_text(values["reason"])
        return SpanScore(**values)


def _record(row: RowMapping) -> MonitorRecord:
    return MonitorRecord(
        monitor=msgspec.convert(row["spec"], Monitor),
        added_ms=row["added_ms"],
        changed_ms=row["changed_ms"],
        removed_ms=row["removed_ms"],
        positions={date.fromisoformat(day): position for day, position in row["positions"].items()},
        looked_ms=row["looked_ms"],
        problem=row["problem"],
    )
