"""[judges.NAME]: a prompt plus a model that gives verdicts, and the bar that it must reach to decide."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from noria.config.section import Many, ModelName, Section
from noria.errors import ConfigError
from noria.scoring.judge.bar import FAILED, Bar
from noria.scoring.resolve import described
from noria.scoring.scorer import ScorerSpec

Share = Annotated[float, Field(ge=0, le=1)]
Agreement = Annotated[float, Field(ge=-1, le=1)]
_ARGUMENTS = ("criterion", "scale", "categories", "prompt", "against", "temperature", "max_tokens")


class BarSection(Section):
    """What its calibration must show, by the interval's bound and not by the estimate."""

    kappa: Agreement | None = None
    """Cohen's κ with people's labels, at least."""
    alpha: Agreement | None = None
    """Krippendorff's α with people's labels, at least."""
    true_positive: Share | None = None
    """Of what people call yes, the share that it calls yes, at least."""
    false_positive: Share | None = None
    """Of what people call no, the share that it calls yes, at most."""
    consistent: Share | None = None
    """Of pairs, the share on which both orders agree, at least."""
    failed: Share = FAILED
    """Share of examples without a verdict, at most."""

    def compiled(self) -> Bar:
        return Bar(**self.model_dump())


class JudgeSection(Section):
    """A judge; evaluations name it by its own name."""

    kind: Literal[
        "rubric",
        "reference",
        "pairwise",
        "toxicity",
        "faithfulness",
        "answer_relevance",
        "context_precision",
        "context_recall",
    ] = "rubric"
    model: ModelName
    """A route, or `provider/name`."""
    criterion: str | None = None
    """What it judges by."""
    scale: str | None = None
    """"yes_no", a range such as "1-5", or "categories"."""
    categories: Many[str] | None = None
    prompt: str | None = None
    """A prompt of the project, `name@label` or `name@number`, instead of Noria's own."""
    against: str | None = None
    """Of a pair: the metadata field with the rival's answer; left out: the reference answer."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """Left out: 0."""
    max_tokens: Annotated[int, Field(ge=16)] | None = None
    """For one answer; left out: 1024. A model that thinks before it answers needs more."""
    threshold: float | None = None
    """From which value on its number counts as a yes, where labels are yes or no."""
    bar: BarSection | None = None
    """Without one it decides nothing."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            described(self.spec(""))
        except ConfigError as error:
            raise ValueError(f"is not right: {error}") from None
        return self

    def spec(self, name: str) -> ScorerSpec:
        """As it is recorded with a run; what is left out stays out."""
        arguments: dict[str, Any] = {"model": self.model}
        for argument in _ARGUMENTS:
            value = getattr(self, argument)
            if value is not None:
                arguments[argument] = list(value) if isinstance(value, tuple) else value
        return ScorerSpec(type=f"judge.{self.kind}", name=name, arguments=arguments)
