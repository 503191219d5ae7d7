"""[datasets.NAME.build]: how a dataset is made of another, or of files, by curation steps."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_serializer, model_validator

from noria.config.reference import PathText
from noria.config.section import Many, Section, Some
from noria.datasets.curation.plan import Plan, StepSpec, step_of
from noria.errors import ConfigError


class StepSection(Section):
    """One step: its `type`, and the arguments of that type beside it."""

    model_config = ConfigDict(extra="allow")

    type: str
    """As `noria dataset steps` lists them."""

    @model_validator(mode="after")
    def _made(self) -> StepSection:
        try:
            step_of(self.spec())
        except ConfigError as error:
            raise ValueError(f"cannot be made: {str(error).removesuffix('.')}") from None
        return self

    @model_serializer
    def _written(self) -> dict[str, Any]:
        return {"type": self.type, **self.spec().arguments}

    def spec(self) -> StepSpec:
        """As the build runs it."""
        return StepSpec(type=self.type, arguments=dict(self.model_extra or {}))


class BuildSection(Section):
    """Where the examples come from and what is done to them, in this order."""

    source: str | None = None
    """A dataset, by name or as `name@version`; without a version, its newest."""
    files: Many[PathText] = ()
    """Files of examples instead, as `noria dataset import` reads them, with the dataset's `columns`; paths or
    patterns."""
    steps: Some[StepSection]
    workers: Annotated[int, Field(ge=1, le=256)] | None = None
    """Processes; left out: one a core."""

    @model_validator(mode="after")
    def _one_source(self) -> BuildSection:
        if (self.source is None) == (not self.files):
            raise ValueError("needs one of `source` and `files`")
        return self

    def plan(self) -> Plan:
        """As it is run."""
        return Plan(specs=tuple(step.spec() for step in self.steps))
