"""[prompts]: where the files are, which labels are protected, what the policy asks of prompts."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from noria.config.section import Many, Name, Section, Some
from noria.prompts.policy import Rule
from noria.prompts.promotion import Protection


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return value


Pattern = Annotated[str, AfterValidator(_pattern)]


class LabelSection(Section):
    """A protected label: it moves only when all of this holds."""

    gates: Many[Name] = ()
    """Gates that must pass for the version."""
    approval: bool = False
    """Whether somebody else must approve the move."""

    def compiled(self) -> Protection:
        return Protection(gates=self.gates, approval=self.approval)


class PolicySection(Section):
    """A rule that `noria prompt lint` checks; what is set must hold of every prompt that it is about."""

    forbid: Pattern | None = None
    """A regular expression that no message may contain."""
    require: Pattern | None = None
    """A regular expression that some message must contain."""
    role: Literal["system", "developer", "user", "assistant"] | None = None
    """Only messages of this role are looked at."""
    models: Some[str] | None = None
    """The models and routes that a prompt may name."""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """Of the prompt's own text, estimated."""
    tags: Some[str] | None = None
    """Only prompts with one of these tags; left out: all."""
    severity: Literal["error", "warning"] = "error"
    message: str = ""
    """What is said where the rule does not hold."""

    def compiled(self, name: str) -> Rule:
        return Rule(
            name=name,
            forbid=self.forbid or "",
            require=self.require or "",
            role=self.role or "",
            models=self.models or (),
            max_tokens=self.max_tokens or 0,
            tags=self.tags or (),
            severity=self.severity,
            message=self.message,
        )


class PromptsSection(Section):
    """Prompts of this installation."""

    folder: str = "prompts"
    """Of the files `<name>.md`, relative to the root noria.toml."""
    labels: dict[Name, LabelSection] = {}
    """Protected labels."""
    policy: dict[Name, PolicySection] = {}

    def protection(self, label: str) -> Protection:
        """What is asked of moves of `label`; nothing of one that is not protected."""
        found = self.labels.get(label)
        return Protection() if found is None else found.compiled()

    def rules(self) -> tuple[Rule, ...]:
        """The policy as lint checks it."""
        return tuple(rule.compiled(name) for name, rule in self.policy.items())
