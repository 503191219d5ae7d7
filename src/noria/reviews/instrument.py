"""Standard questionnaires and their scores; each is a file in `instruments/`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from noria.errors import InvalidRequest


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a questionnaire."""

    text: str
    reversed: bool = False
    """Agreement speaks against."""


class Instrument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A questionnaire as published."""

    name: str
    title: str
    source: str
    statements: tuple[Statement, ...]
    low: int
    high: int
    low_title: str = ""
    high_title: str = ""
    scoring: Literal["percent", "promoters", "mean"] = "percent"
    """percent: the sum of all points, of at most 100; promoters: 100 for 9 and 10, −100 for 0 to 6, else 0,
    whose mean is the net promoter score; mean: of the answers, as given."""

    def score(self, answers: Sequence[int]) -> float:
        """Of one person. `answers` in the order of the statements, within `low` and `high`."""
        points = [
            self.high - answer if statement.reversed else answer - self.low
            for statement, answer in zip(self.statements, answers, strict=True)
        ]
        if self.scoring == "percent":
            return 100 * sum(points) / (len(points) * (self.high - self.low))
        if self.scoring == "promoters":
            return 100.0 if answers[0] >= 9 else -100.0 if answers[0] <= 6 else 0.0
        return self.low + sum(points) / len(points)


@cache
def shipped() -> dict[str, Instrument]:
    """By name."""
    folder = files("noria.reviews") / "instruments"
    found = (
        msgspec.toml.decode(file.read_bytes(), type=Instrument)
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    )
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def named(name: str) -> Instrument:
    """Raises InvalidRequest that names those there are."""
    found = shipped().get(name)
    if found is None:
        raise InvalidRequest(
            f"There is no questionnaire {name!r}; there are {', '.join(shipped())}.", param="instrument"
        )
    return found
