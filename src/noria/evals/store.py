"""What the runner and the reports need of storage; storage.evals implements it on noria.db."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from noria.core.example import Example
from noria.core.pages import Page
from noria.evals.answer import Answer, Judgement
from noria.evals.run import EvalRun, Progress, State


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What is written in one transaction."""

    examples: Sequence[Example] = ()
    answers: Sequence[Answer] = ()
    judgements: Sequence[Judgement] = ()


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a run holds of one example."""

    example: Example
    answers: tuple[Answer, ...] = ()
    """By repeat."""
    judgements: tuple[Judgement, ...] = ()


class RunReader(Protocol):
    """Reads."""

    def run(self, project: str, id: str) -> EvalRun | None: ...

    def runs(
        self,
        project: str,
        *,
        name: str = "",
        state: State | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[EvalRun]:
        """Newest first."""
        ...

    def kept(self, run: str) -> Iterator[Kept]:
        """All examples in order of id, streamed."""
        ...

    def kept_of(self, run: str, examples: Iterable[str]) -> dict[str, Kept]:
        """By example id."""
        ...


class RunStore(RunReader, Protocol):
    """Reads and writes; an answer or judgement that is there already is left as it is."""

    def write(self, run: str, written: Written) -> None: ...

    def save(self, run: EvalRun) -> bool:
        """State, message and progress; False, and nothing changed: it was ended by somebody else."""
        ...

    def counted(self, run: str) -> Progress:
        """As the stored answers and judgements say; `total` is left out."""
        ...

    def answers(self, project: str, keys: Sequence[str]) -> dict[str, Answer]:
        """Whole answers of the project's runs, by key."""
        ...

    def judgements(self, project: str, keys: Sequence[str]) -> dict[str, Judgement]:
        """Judgements without a failure, by key."""
        ...
