"""A run's results as columns: one line an example, however often it was answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

import msgspec

from noria.core.example import Example
from noria.evals.store import Kept
from noria.scoring.scorer import Described, Score

_WORDS = 200
"""Characters of a score's reason that are kept."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One example. Tuples are by repeat."""

    id: str
    revision: str
    """Of the example: another one has other words, another reference, or other metadata. "": not known, as
    in another program's log."""
    group: str
    tags: tuple[str, ...]
    facts: dict[str, str]
    """Metadata that can name a slice: texts, yes or no, whole numbers."""
    length: int
    """Characters of the input."""
    answers: int
    failed: int
    """Of them, those that there are none of."""
    latency: tuple[float, ...] = ()
    cost: tuple[float, ...] = ()
    """Dollars, of the answers whose cost is known."""
    tokens: tuple[int, ...] = ()
    scores: dict[str, tuple[Score, ...]] = {}
    """By name of what is measured; failed scores are among them."""

    def values(self, name: str) -> list[float]:
        """Numbers, and yes and no as 1 and 0."""
        scores = self.scores.get(name, ())
        return [float(one.value) for one in scores if isinstance(one.value, float | int)]

    def value(self, name: str) -> float | None:
        """The mean over its repeats; None: there is none that did not fail."""
        values = self.values(name)
        return fmean(values) if values else None

    def parts(self, name: str) -> tuple[float, ...] | None:
        """Sufficient statistics, summed over its repeats."""
        found = [one.parts for one in self.scores.get(name, ()) if one.parts and not one.failed]
        if len(found) > 1:
            return tuple(map(sum, zip(*found, strict=True)))
        return found[0] if found else None


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """All lines, in order of id, and what their scores mean."""

    measures: tuple[Described, ...]
    lines: tuple[Line, ...]

    def measure(self, name: str) -> Described | None:
        return next((one for one in self.measures if one.name == name), None)

    def only(self, ids: frozenset[str]) -> Sheet:
        """The lines of these examples."""
        return msgspec.structs.replace(self, lines=tuple(line for line in self.lines if line.id in ids))


def sheet(kept: Iterable[Kept], measures: Sequence[Described]) -> Sheet:
    """Measures that the run's scorers did not announce are means."""
    lines = tuple(sorted((_line(one) for one in kept), key=lambda line: line.id))
    announced = {one.name for one in measures}
    found = {name: None for line in lines for name in line.scores if name not in announced}
    return Sheet(measures=(*measures, *(Described(name=name) for name in found)), lines=lines)


def groups_of(lines: Sequence[Line]) -> list[str] | None:
    """By which intervals are clustered; None: all are independent."""
    groups = [line.group for line in lines]
    return groups if any(groups) else None


def _line(kept: Kept) -> Line:
    example = kept.example
    scores: dict[str, list[Score]] = {}
    for judgement in sorted(kept.judgements, key=lambda one: one.repeat):
        for score in judgement.scores:
            # A sheet holds a whole run: the words of its scores stay in the database.
            bare = msgspec.structs.replace(
                score, reason=score.reason[:_WORDS], details={}, trace="", cost=None
            )
            scores.setdefault(score.name, []).append(bare)
    answers = [one for one in kept.answers if not one.failed]
    return Line(
        id=example.id,
        revision=kept.answers[0].revision if kept.answers else "",
        group=example.group,
        tags=example.tags,
        facts=_facts(example),
        length=_length(example.input),
        answers=len(kept.answers),
        failed=len(kept.answers) - len(answers),
        latency=tuple(one.latency for one in answers if one.latency is not None),
        cost=tuple(float(one.cost) for one in answers if one.cost is not None),
        tokens=tuple(one.usage.input + one.usage.output for one in answers if one.usage is not None),
        scores={name: tuple(of) for name, of in scores.items()},
    )


def _facts(example: Example) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in example.metadata.items():
        if isinstance(value, bool | int) or (isinstance(value, str) and len(value) <= 60):
            found[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(_length(one) for one in value.values())
    return sum(_length(one) for one in value) if isinstance(value, list) else 0
