"""[scorers.NAME]: a scorer with its arguments, under a name of one's own."""

from __future__ import annotations

from typing import Any, Self

from pydantic import model_validator

from noria.config.section import Section
from noria.errors import ConfigError
from noria.scoring.resolve import described
from noria.scoring.scorer import ScorerSpec


class ScorerSection(Section):
    """A scorer with its arguments; evaluations name it by its own name."""

    type: str
    """As installed: `noria scorer list` shows them with what they take."""
    arguments: dict[str, Any] = {}

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            described(self.spec(""))
        except ConfigError as error:
            raise ValueError(f"is not right: {error}") from None
        return self

    def spec(self, name: str) -> ScorerSpec:
        """As it is recorded with a run."""
        return ScorerSpec(type=self.type, name=name, arguments=self.arguments)
