"""Studies in noria.db: studies.store.TrialStore."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import msgspec
from sqlalchemy import RowMapping, delete, insert, select, update

from noria.access.audit import Act
from noria.core.pages import Page
from noria.errors import NotFound
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.tables import studies, study_trials
from noria.studies.study import ENDED, Progress, State, Study, StudySpec
from noria.studies.trial import TrialRecord

_PICO = Decimal(10**12)
_trial = msgspec.json.Decoder(TrialRecord).decode
_encode = msgspec.json.Encoder().encode


class StudyTable:
    """Studies with their trials; a trial's body is JSON."""

    def __init__(self, database: Database, log: AuditLog) -> None:
        self._database = database
        self._log = log

    def add(self, study: Study, act: Act) -> None:
        with self._database.write() as connection:
            connection.execute(insert(studies).values(_values(study)))
            self._log.append(connection, act)

    def study(self, project: str, id: str) -> Study | None:
        query = select(studies).where(studies.c.id == id, studies.c.project == project)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else _study(row)

    def studies(
        self,
        project: str,
        *,
        name: str = "",
        state: State | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Study]:
        """Newest first."""
        query = select(studies).where(studies.c.project == project).order_by(studies.c.id.desc())
        if name:
            query = query.where(studies.c.name == name)
        if state is not None:
            query = query.where(studies.c.state == state)
        if cursor:
            query = query.where(studies.c.id < cursor)
        with self._database.read() as connection:
            found = [_study(row) for row in connection.execute(query.limit(limit + 1)).mappings()]
        items = tuple(found[:limit])
        return Page(items, items[-1].id if len(found) > limit else None)

    def change(self, study: Study, act: Act) -> None:
        """The state, bounds or job of a study that may have ended, by somebody's wish. Raises NotFound."""
        values = _values(study)
        fields = ("state", "message", "spec", "progress", "job", "ended_ms")
        with self._database.write() as connection:
            query = update(studies).where(studies.c.id == study.id)
            if not connection.execute(query.values({name: values[name] for name in fields})).rowcount:
                raise NotFound(f"There is no study {study.id}.")
            self._log.append(connection, act)

    def note_job(self, study: Study) -> None:
        """Which job does it."""
        with self._database.write() as connection:
            connection.execute(update(studies).where(studies.c.id == study.id).values(job=study.job))

    def remove(self, study: Study, act: Act) -> None:
        """With its trials; what they were measured on stays."""
        with self._database.write() as connection:
            connection.execute(delete(studies).where(studies.c.id == study.id))
            connection.execute(delete(study_trials).where(study_trials.c.study == study.id))
            self._log.append(connection, act)

    def save(self, study: Study) -> bool:
        values = _values(study)
        fields = ("state", "message", "progress", "started_ms", "ended_ms")
        query = update(studies).where(studies.c.id == study.id, studies.c.state.not_in(ENDED))
        with self._database.write() as connection:
            return bool(connection.execute(query.values({name: values[name] for name in fields})).rowcount)

    def put(self, study: str, trial: TrialRecord) -> None:
        values = {
            "state": trial.state,
            "cost_pico": None if trial.cost is None else _pico(trial.cost),
            "body": self._database.seal.bytes(_encode(trial)),
        }
        this = (study_trials.c.study == study, study_trials.c.number == trial.number)
        with self._database.write() as connection:
            if not connection.execute(update(study_trials).where(*this).values(values)).rowcount:
                connection.execute(insert(study_trials).values(study=study, number=trial.number, **values))

    def trials(self, study: str) -> list[TrialRecord]:
        query = (
            select(study_trials.c.body).where(study_trials.c.study == study).order_by(study_trials.c.number)
        )
        with self._database.read() as connection:
            return [_trial(self._database.seal.opened(row.body)) for row in connection.execute(query)]


def _values(study: Study) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(study)
    return {**values, "name": study.spec.name}


def _study(row: RowMapping) -> Study:
    values = {name: value for name, value in row.items() if name != "name"}
    values["spec"] = msgspec.convert(values["spec"], StudySpec)
    values["progress"] = msgspec.convert(values["progress"], Progress)
    return Study(**values)


def _pico(cost: Decimal) -> int:
    return int((cost * _PICO).to_integral_value(rounding=ROUND_HALF_EVEN))
