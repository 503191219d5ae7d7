"""[evals.NAME] and [gates.NAME]: what is evaluated, and what a release must meet."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from noria.config.reference import FileReference, HttpUrl, PathText
from noria.config.section import Name, Section, Some
from noria.config.units import Duration, Money


class EvalTargetSection(Section):
    """What answers: a route or model, alone or with a prompt; an HTTP endpoint; a Python function."""

    model: str | None = None
    """A route, or `provider/name`."""
    prompt: str | None = None
    """`name`, `name@label` or `name@number`; its own model is called where `model` is left out."""
    url: HttpUrl | None = None
    """Takes an example's input as JSON by POST, and answers with text or JSON."""
    headers: dict[str, FileReference] = {}
    """Sent to `url`; a value may be a reference such as `env:NAME`."""
    function: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")] | None = None
    """A callable as module:name, found from the folder of noria.toml."""
    version: str = ""
    """Of an endpoint or function: with it, answers are used again until it changes."""
    choices: str | None = None
    """The metadata field that holds the choices of a multiple-choice question: the model is asked for the
    log-probability of each instead of for a text."""
    parameters: dict[str, Any] = {}
    """Keys of a chat completion, such as `temperature` and `max_tokens`."""
    timeout: Duration = 600.0
    """For one answer of an endpoint or function."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        asked = [name for name in ("url", "function") if getattr(self, name) is not None]
        if self.model is not None or self.prompt is not None:
            asked.append("model")
        if len(asked) != 1:
            raise ValueError("names one of `model` (or `prompt`), `url` and `function`")
        return self


class EvalScorerSection(Section):
    """A scorer with its arguments."""

    type: str
    """As installed, such as "exact" or "rouge", or the name of a [scorers.NAME] or [judges.NAME]."""
    name: str = ""
    """Under which its scores are shown; left out: the type."""
    arguments: dict[str, Any] = {}


class EvalSection(Section):
    """A target, a dataset and scorers: `noria eval run NAME`."""

    target: EvalTargetSection | str
    """A route or model, or a table."""
    dataset: str | None = None
    """A dataset: `name`, `name@3`, `name@golden` or `name@3:split`."""
    file: PathText | None = None
    """Instead of `dataset`: a JSON Lines file with one example a line."""
    scorers: Some[EvalScorerSection | str]
    repeats: Annotated[int, Field(ge=1, le=100)] = 1
    """Answers to each example."""
    limit: Annotated[int, Field(ge=0)] = 0
    """At most so many examples, chosen by hash; 0: all."""
    seed: int = 0
    concurrency: Annotated[int, Field(ge=1, le=256)] = 8
    """Answers under way at once."""
    budget: Money | None = None
    """US dollars, judges included; no call is begun that could exceed it."""
    max_failed: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of failed answers or scores above which the run's numbers are not to be trusted."""

    @model_validator(mode="after")
    def _examples(self) -> Self:
        if (self.dataset is None) == (self.file is None):
            raise ValueError("names one of `dataset` and `file`")
        return self


class ConditionSection(Section):
    """One condition of a gate."""

    scorer: str
    """What is measured, such as "exact" or "rouge.l"; or "latency" (95th percentile, seconds), "cost" (mean,
    dollars), "tokens" (95th percentile) of an answer."""
    at_least: float | None = None
    at_most: float | None = None
    better_than: Annotated[str, Field(pattern=r"^(label:.+|run:.+|previous)$")] | None = None
    """A baseline: "label:production" (the newest run with the prompt that the label points to), "run:ID", or
    "previous" (the newest earlier run)."""
    no_worse_than: Annotated[str, Field(pattern=r"^(label:.+|run:.+|previous)$")] | None = None
    by: Annotated[float, Field(ge=0)] = 0.0
    """With `better_than` the least gain, with `no_worse_than` the most loss."""
    level: Annotated[float, Field(gt=0.5, lt=1)] | None = None
    """Confidence. Left out, a bound is held against the estimate, and a baseline at 0.95."""
    tag: str | None = None
    """Only the examples with this tag."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        rules = ("at_least", "at_most", "better_than", "no_worse_than")
        if sum(getattr(self, name) is not None for name in rules) != 1:
            raise ValueError("states one of `at_least`, `at_most`, `better_than` and `no_worse_than`")
        if self.no_worse_than is not None and not self.by:
            raise ValueError(
                "says `no_worse_than` without `by`: no number of examples shows that nothing was lost, so "
                "state the most that may be"
            )
        return self


class GateSection(Section):
    """What a run of an evaluation must meet: `noria gate check NAME`."""

    eval: Name
    """Name of the evaluation."""
    conditions: Some[ConditionSection]
