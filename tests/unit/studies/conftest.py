"""A study in a real noria.db."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from noria.access.audit import Act
from noria.access.role import SYSTEM
from noria.core.clock import SystemClock
from noria.core.ids import new_id
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.studies import StudyTable
from noria.studies.objective import Objective
from noria.studies.parameter import Float, Parameters
from noria.studies.runner import Runner
from noria.studies.study import ObjectiveSpec, Study, StudySpec

LINE: Parameters = {"x": Float(low=0.0, high=1.0)}


class Desk:
    """Makes and runs studies."""

    def __init__(self, database: Database) -> None:
        self.table = StudyTable(database, AuditLog(database, SystemClock()))

    def study(self, parameters: Parameters = LINE, **spec: Any) -> Study:
        made = Study(
            id=new_id("study"),
            project="default",
            spec=StudySpec(
                name="s",
                parameters=parameters,
                objective=spec.pop("objective", ObjectiveSpec(type="function")),
                **spec,
            ),
        )
        self.table.add(made, Act(by=SYSTEM, act="study.run", subject=made.id))
        return made

    async def run(self, study: Study, objective: Objective, **more: Any) -> Study:
        runner = Runner(study, objective=objective, store=self.table, clock=SystemClock(), **more)
        return await runner.run()

    def again(self, study: Study) -> Study:
        """As it is kept."""
        found = self.table.study("default", study.id)
        assert found is not None
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = Database.open(tmp_path / "noria.db")
    yield Desk(database)
    database.close()
