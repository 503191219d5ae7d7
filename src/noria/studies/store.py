"""Where a study and its trials are kept."""

from __future__ import annotations

from typing import Protocol

from noria.studies.study import Study
from noria.studies.trial import TrialRecord


class TrialStore(Protocol):
    """Each call is durable when it returns."""

    def trials(self, study: str) -> list[TrialRecord]:
        """By number."""
        ...

    def put(self, study: str, trial: TrialRecord) -> None:
        """As it is now, whether new or not."""
        ...

    def save(self, study: Study) -> bool:
        """State and progress. False, and nothing changed: it was stopped meanwhile."""
        ...
