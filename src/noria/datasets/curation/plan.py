"""A build as declared, and as it is run: passes over the examples, each ending where all must be known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from noria import hooks
from noria.core.digest import digest
from noria.datasets.curation.step import AnyStep, GlobalStep, Step
from noria.errors import ConfigError


class StepSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What rebuilds a step, and is recorded with every run."""

    type: str
    """As registered: `step.<type>`."""
    arguments: dict[str, Any] = {}


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """One way over all examples."""

    local: tuple[int, ...]
    """Places in the plan of the steps that it applies."""
    ends: int | None = None
    """The global step that it signs for."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Steps in their order."""

    specs: tuple[StepSpec, ...]

    @property
    def digest(self) -> str:
        """Of all steps with their arguments and versions."""
        return digest(self.lineage())

    def lineage(self) -> list[dict[str, Any]]:
        """As recorded in the version that the build makes: every argument, given or not."""
        return [
            {"type": spec.type, "version": step.version, "arguments": msgspec.to_builtins(step)}
            for spec, step in zip(self.specs, self.steps(), strict=True)
        ]

    def steps(self) -> list[AnyStep]:
        """Raises ConfigError for the first that cannot be made."""
        return [step_of(spec) for spec in self.specs]

    def passes(self) -> list[Pass]:
        """At least one."""
        found: list[Pass] = []
        local: list[int] = []
        for place, step in enumerate(self.steps()):
            if is_global(step):
                found.append(Pass(local=tuple(local), ends=place))
                local = []
            else:
                local.append(place)
        return [*found, Pass(local=tuple(local))]


def step_of(spec: StepSpec) -> AnyStep:
    """The step, made of its arguments. Raises ConfigError that says which is wrong."""
    kind = hooks.load("step", spec.type)
    try:
        return msgspec.convert(spec.arguments, kind)
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_fields__) or "none"
        raise ConfigError(
            f"Step {spec.type!r} cannot take its arguments ({error}); it knows: {known}."
        ) from None


def is_global(step: AnyStep) -> bool:
    """Whether it needs to know all examples."""
    return hasattr(step, "decide")


def local_of(step: AnyStep) -> Step:
    """As a local step."""
    return cast(Step, step)


def global_of(step: AnyStep) -> GlobalStep:
    """As a global step."""
    return cast(GlobalStep, step)


def specs_of(given: Sequence[dict[str, Any]]) -> tuple[StepSpec, ...]:
    """Of `{type = …, argument = …}` tables."""
    return tuple(
        StepSpec(type=one["type"], arguments={name: value for name, value in one.items() if name != "type"})
        for one in given
    )
