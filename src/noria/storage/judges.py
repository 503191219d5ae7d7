"""Calibrations of judges in noria.db."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import RowMapping, delete, func, insert, select, update

from noria.access.audit import Act
from noria.core.author import Author
from noria.core.pages import Page
from noria.scoring.judge.calibration import Calibration
from noria.scoring.judge.label import Reading, Verdict
from noria.scoring.judge.store import CalibrationRun
from noria.scoring.scorer import ScorerSpec
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.tables import judge_calibrations as calibrations
from noria.storage.tables import judge_verdicts as table

_BATCH = 1_000
_encode = msgspec.json.Encoder().encode
_spec = msgspec.json.Decoder(ScorerSpec).decode
_reading = msgspec.json.Decoder(Reading).decode
_measured = msgspec.json.Decoder(Calibration).decode
_verdict = msgspec.json.Decoder(Verdict).decode


class CalibrationTable:
    """scoring.judge.store.CalibrationStore. May be opened by control and by a job's child at once."""

    def __init__(self, database: Database, log: AuditLog) -> None:
        self._database = database
        self._log = log

    def add(self, run: CalibrationRun, *, by: Author) -> None:
        details = {"judge": run.judge, "dataset": run.dataset, "version": run.version}
        act = Act(by=by, act="judge.calibrate", subject=run.id, project=run.project, details=details)
        with self._database.write() as connection:
            connection.execute(insert(calibrations).values(_values(run)))
            self._log.append(connection, act)

    def get(self, project: str, id: str) -> CalibrationRun | None:
        query = select(calibrations).where(calibrations.c.project == project, calibrations.c.id == id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else _run(row)

    def page(self, project: str, judge: str, *, cursor: str | None, limit: int) -> Page[CalibrationRun]:
        chosen = (calibrations.c.project == project) & (calibrations.c.judge == judge)
        query = select(calibrations).where(chosen).order_by(calibrations.c.id.desc()).limit(limit + 1)
        if cursor:
            query = query.where(calibrations.c.id < cursor)
        with self._database.read() as connection:
            found = [_run(row) for row in connection.execute(query).mappings()]
        items = tuple(found[:limit])
        return Page(items, items[-1].id if len(found) > limit else None)

    def of_identity(self, project: str, identity: str) -> CalibrationRun | None:
        chosen = (
            calibrations.c.project == project,
            calibrations.c.identity == identity,
            calibrations.c.state == "done",
        )
        query = select(calibrations).where(*chosen).order_by(calibrations.c.id.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else _run(row)

    def newest(self, project: str) -> dict[str, dict[str, CalibrationRun]]:
        # Ids sort by time.
        ids = (
            select(func.max(calibrations.c.id))
            .where(calibrations.c.project == project, calibrations.c.state == "done")
            .group_by(calibrations.c.judge, calibrations.c.identity)
        )
        found: dict[str, dict[str, CalibrationRun]] = {}
        with self._database.read() as connection:
            rows = connection.execute(select(calibrations).where(calibrations.c.id.in_(ids))).mappings()
            for run in sorted(map(_run, rows), key=lambda run: run.id):
                found.setdefault(run.judge, {})[run.identity] = run
        return found

    def add_verdicts(self, id: str, verdicts: Sequence[Verdict]) -> None:
        for start in range(0, len(verdicts), _BATCH):
            batch = verdicts[start : start + _BATCH]
            with self._database.write() as connection:
                names = [one.example for one in batch]
                query = select(table).where(table.c.calibration == id, table.c.example.in_(names))
                opened = self._database.seal.opened
                there = {
                    (row.example, row.repeat): _verdict(opened(row.body)) for row in connection.execute(query)
                }
                for one in batch:
                    place = (one.example, one.repeat)
                    if place in there and not there[place].failed:
                        continue
                    if place in there:
                        connection.execute(
                            delete(table).where(
                                table.c.calibration == id,
                                table.c.example == one.example,
                                table.c.repeat == one.repeat,
                            )
                        )
                    there[place] = one
                    connection.execute(
                        insert(table).values(
                            calibration=id,
                            example=one.example,
                            repeat=one.repeat,
                            body=self._database.seal.bytes(_encode(one)),
                        )
                    )

    def verdicts(self, id: str) -> list[Verdict]:
        query = (
            select(table.c.body).where(table.c.calibration == id).order_by(table.c.example, table.c.repeat)
        )
        with self._database.read() as connection:
            return [_verdict(self._database.seal.opened(body)) for body in connection.scalars(query)]

    def end(self, id: str, *, measured: Calibration | None, message: str, now_ms: int) -> None:
        values: dict[str, Any] = {
            "state": "failed" if measured is None else "done",
            "measured": None if measured is None else _encode(measured).decode(),
            "message": message,
            "ended_ms": now_ms,
        }
        chosen = (calibrations.c.id == id) & (calibrations.c.state == "running")
        with self._database.write() as connection:
            connection.execute(update(calibrations).where(chosen).values(values))


def _values(run: CalibrationRun) -> dict[str, Any]:
    values = msgspec.structs.asdict(run)
    values["spec"] = _encode(run.spec).decode()
    values["reading"] = _encode(run.reading).decode()
    values["measured"] = None if run.measured is None else _encode(run.measured).decode()
    return values


def _run(row: RowMapping) -> CalibrationRun:
    values = dict(row)
    values["spec"] = _spec(values["spec"])
    values["reading"] = _reading(values["reading"])
    values["measured"] = None if values["measured"] is None else _measured(values["measured"])
    return CalibrationRun(**values)
