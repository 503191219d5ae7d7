"""A run that another program made: its scores are kept as they are, and cannot be made again here."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from noria.errors import ConfigError
from noria.evals.run import DatasetRef, RunSpec
from noria.evals.store import Kept
from noria.scoring.factory import LARGEST
from noria.scoring.scorer import Described, ScorerSpec, Value

TYPE = "imported"
"""Of the ScorerSpecs of such a run; their argument "kind" says what the scores are."""


class Log(Protocol):
    """One file, open."""

    def spec(self) -> RunSpec:
        """With DatasetRef's digest of the file."""
        ...

    def rows(self) -> Iterator[Kept]:
        """In order of example id, each with all its answers. Raises ConfigError naming what is wrong."""
        ...


def described(spec: ScorerSpec) -> Described:
    """What an imported scorer measured."""
    kind: Any = spec.arguments.get("kind", "mean")
    return Described(name=spec.name, kind=kind, better="neither" if kind == "category" else "higher")


class Kinds:
    """Finds out what scores are, from the values that were seen."""

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}

    def note(self, name: str, value: Value | None) -> None:
        seen = self._seen.setdefault(name, set())
        if value is not None:
            seen.add("share" if isinstance(value, bool) else "category" if isinstance(value, str) else "mean")

    def specs(self) -> tuple[ScorerSpec, ...]:
        """Numbers beside yes and no are numbers; texts beside anything are categories."""
        return tuple(
            ScorerSpec(type=TYPE, name=name, arguments={"kind": _kind(seen)})
            for name, seen in self._seen.items()
        )


def _kind(seen: set[str]) -> str:
    return next((kind for kind in ("category", "mean", "share") if kind in seen), "mean")


def dataset(name: str, digest: str) -> DatasetRef:
    """Where such a run's examples came from: the file that holds them."""
    return DatasetRef(file=name, digest=digest)


@contextmanager
def foreign(path: Path) -> Generator[None]:
    """Around what reads another program's JSON: a value that it does not write is the file's mistake."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path.name} is not such a log: a value in it is of another kind ({error})."
        ) from None


def number(value: Any) -> float | None:
    """A finite number of foreign JSON."""
    found = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return float(value) if found and abs(value) <= LARGEST else None
