"""Calibrations are kept whole; a verdict that is there already is never written twice."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import delete

from noria.access.role import SYSTEM
from noria.core.clock import SystemClock
from noria.scoring.judge.calibration import measure
from noria.scoring.judge.label import Verdict
from noria.scoring.judge.store import CalibrationRun
from noria.scoring.scorer import ScorerSpec
from noria.storage.audit import AuditLog
from noria.storage.database import Database
from noria.storage.judges import CalibrationTable
from noria.storage.tables import judge_verdicts

RUN = CalibrationRun(
    id="cal_1",
    project="default",
    judge="kind",
    identity="sha256:a",
    spec=ScorerSpec(type="judge.rubric", name="kind", arguments={"model": "m", "criterion": "kind \0"}),
    dataset="labels",
    version=3,
    by="acc_1",
    by_name="Ada",
    created_ms=5,
)
VERDICTS = [
    Verdict(example=f"e{number:03d}", label=number % 2 == 0, judged=number % 3 == 0) for number in range(30)
] + [Verdict(example="e000", repeat=1, label=True, failed="nonsense \0")]


def test_calibrations(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "noria.db")
    table = CalibrationTable(database, AuditLog(database, SystemClock()))
    table.add(RUN, by=SYSTEM)
    assert table.get("default", "cal_1") == RUN
    assert table.get("other", "cal_1") is None
    table.add_verdicts("cal_1", VERDICTS[:20])
    table.add_verdicts("cal_1", [replace(VERDICTS[0], judged=False), *VERDICTS[10:]])
    late = replace(VERDICTS[-1], failed="", judged=True)
    table.add_verdicts("cal_1", [late])
    assert table.verdicts("cal_1")[1] == late
    with database.write() as connection:
        connection.execute(delete(judge_verdicts).where(judge_verdicts.c.repeat == 1))
    table.add_verdicts("cal_1", [VERDICTS[-1]])
    assert table.verdicts("cal_1") == sorted(VERDICTS, key=lambda one: (one.example, one.repeat))
    assert table.newest("default") == {}

    measured = measure(VERDICTS)
    table.end("cal_1", measured=measured, message="", now_ms=9)
    ended = replace(RUN, state="done", measured=measured, ended_ms=9)
    assert table.get("default", "cal_1") == ended
    table.end("cal_1", measured=None, message="late", now_ms=10)
    assert table.get("default", "cal_1") == ended

    table.add(replace(RUN, id="cal_2"), by=SYSTEM)
    table.end("cal_2", measured=None, message="no labels", now_ms=11)
    table.add(replace(RUN, id="cal_3", identity="sha256:b"), by=SYSTEM)
    table.end("cal_3", measured=measured, message="", now_ms=12)
    assert {name: list(runs) for name, runs in table.newest("default").items()} == {
        "kind": ["sha256:a", "sha256:b"]
    }
    first = table.page("default", "kind", cursor=None, limit=2)
    assert [run.id for run in first.items] == ["cal_3", "cal_2"]
    assert [run.id for run in table.page("default", "kind", cursor=first.next, limit=2).items] == ["cal_1"]
    database.close()
