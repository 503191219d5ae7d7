"""Calibrations as they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from noria.core.author import Author
from noria.core.pages import Page
from noria.scoring.judge.calibration import Calibration
from noria.scoring.judge.label import AS_WRITTEN, Reading, Verdict
from noria.scoring.scorer import ScorerSpec

State = Literal["running", "done", "failed"]


class CalibrationRun(msgspec.Struct, frozen=True, kw_only=True):
    """One calibration of one judge: what was judged on which labels, and what came out."""

    id: str
    project: str
    judge: str
    identity: str
    """Of prompt, model, its targets and arguments: another identity is another judge."""
    spec: ScorerSpec
    dataset: str
    version: int
    split: str = ""
    repeats: int = 1
    """How often the first examples are judged, for the noise."""
    threshold: float | None = None
    reading: Reading = AS_WRITTEN
    state: State = "running"
    message: str = ""
    """Why it failed."""
    measured: Calibration | None = None
    by: str = ""
    by_name: str = ""
    created_ms: int = 0
    ended_ms: int = 0


class CalibrationStore(Protocol):
    """Calibrations, and the verdicts that they are made of."""

    def add(self, run: CalibrationRun, *, by: Author) -> None: ...

    def get(self, project: str, id: str) -> CalibrationRun | None: ...

    def page(self, project: str, judge: str, *, cursor: str | None, limit: int) -> Page[CalibrationRun]:
        """Newest first."""
        ...

    def of_identity(self, project: str, identity: str) -> CalibrationRun | None:
        """The newest of that very judge that is done, whatever it was called."""
        ...

    def newest(self, project: str) -> dict[str, dict[str, CalibrationRun]]:
        """The newest that is done, by judge and identity; the newest of a judge comes last."""
        ...

    def add_verdicts(self, id: str, verdicts: Sequence[Verdict]) -> None:
        """One that is there already is left as it is, unless it has failed."""
        ...

    def verdicts(self, id: str) -> list[Verdict]: ...

    def end(self, id: str, *, measured: Calibration | None, message: str, now_ms: int) -> None:
        """Done where something was measured, else failed; what has ended stays as it ended."""
        ...
