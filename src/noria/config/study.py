"""[studies.NAME]: which parameters are searched for what."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from noria.config.section import Many, Name, Section
from noria.config.units import Duration, Money

# Named here, because fields of the section below hide `int` and `float` from its annotations.
Whole = int
Number = int | float
Value = str | int | float | bool


class ParameterSection(Section):
    """One of `float`, `int` and `choice`."""

    float: Annotated[Many[Number] | None, Field(min_length=2, max_length=2)] = None
    """Lowest and highest number."""
    int: Annotated[Many[Whole] | None, Field(min_length=2, max_length=2)] = None
    """Lowest and highest whole number, both included."""
    choice: Annotated[Many[Value] | None, Field(min_length=1, max_length=1000)] = None
    """Values without an order."""
    log: bool = False
    """Numbers are tried evenly on a logarithmic scale."""
    step: Number | None = None
    """Between numbers that are tried."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(one is not None for one in (self.float, self.int, self.choice)) != 1:
            raise ValueError("states one of `float`, `int` and `choice`")
        if self.choice is not None and (self.log or self.step is not None):
            raise ValueError("is a choice, which has neither `log` nor `step`")
        return self


class ObjectiveSection(Section):
    """What is measured at each set of values. `type` is "eval" or "function", or what else is installed."""

    type: str
    eval: Name | None = None
    """For "eval": an [evals.NAME] that is run with the values."""
    scorer: str | None = None
    """For "eval": the measure to be best, such as "exact" or "bleu"."""
    function: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")] | None = None
    """For "function": `async def function(values, trial)` as module:name, found from noria.toml's folder."""
    arguments: dict[str, Any] = {}
    """For other types."""

    @model_validator(mode="after")
    def _needed(self) -> Self:
        needs: dict[str, tuple[str, ...]] = {"eval": ("eval", "scorer"), "function": ("function",)}
        for name in needs.get(self.type, ()):
            if getattr(self, name) is None:
                raise ValueError(f"is of type {self.type!r} and needs `{name}`")
        return self


class StudySection(Section):
    """A search for the parameters with which an objective is best: `noria study run NAME`."""

    objective: ObjectiveSection
    parameters: Annotated[dict[str, ParameterSection], Field(min_length=1, max_length=100)]
    """By name. For "eval": `model` and `prompt` (choices), settings of the prompt's technique such as
    `"examples.k"`, and keys of a chat completion such as `temperature`."""
    better: Literal["higher", "lower"] | None = None
    """Left out: as the scorer says; "higher" for a function."""
    trials: Annotated[int, Field(ge=1, le=100_000)] = 50
    """At most."""
    time: Duration | None = None
    """After which no trial is begun."""
    budget: Money | None = None
    """US dollars for all trials."""
    concurrency: Annotated[int, Field(ge=1, le=64)] = 1
    """Trials under way at once."""
    pruning: bool = True
    """Give up trials that are going worse than most."""
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
