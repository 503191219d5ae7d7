"""A Suite: several evaluations of one target, whose results are read and signed together."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from noria.core.digest import digest
from noria.errors import ConfigError, NotFound
from noria.prompts.version import PromptContent, PromptMessage
from noria.scoring.scorer import ScorerSpec

SHIPPED = ("responsible", "capability")
JUDGE = "$judge"
"""Stands in a scorer's arguments for the model that judges."""


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One evaluation of a suite."""

    name: str
    data: str
    """Name of a reader of `evals.suites.data`."""
    scorers: tuple[str | ScorerSpec, ...]
    about: str = ""
    system: str = ""
    prompt: str = ""
    """A template over the fields of the data; "": the input as it is."""
    parameters: dict[str, Any] = {}
    choices: str = ""

    def content(self) -> PromptContent | None:
        """The prompt, as a version of one."""
        if not self.prompt:
            return None
        messages = [PromptMessage(role="system", template=self.system)] if self.system else []
        messages.append(PromptMessage(role="user", template=self.prompt))
        return PromptContent(messages=tuple(messages), parameters=self.parameters)

    def specs(self, judge: str) -> tuple[ScorerSpec, ...]:
        """With the model that judges in its place. Raises ConfigError where one is needed and not given."""
        return tuple(_spec(one, judge, self.name) for one in self.scorers)

    @property
    def judged(self) -> bool:
        return any(JUDGE in one.arguments.values() for one in self.scorers if isinstance(one, ScorerSpec))


class Suite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As its file says."""

    title: str
    parts: tuple[Part, ...]
    about: str = ""
    notes: tuple[str, ...] = ()
    sign: bool = False

    @property
    def digest(self) -> str:
        return digest(self)


def load(name: str, *, folder: Path | None = None) -> Suite:
    """One that is shipped, or `<name>.toml` in a folder. Raises NotFound, ConfigError."""
    if folder is not None and (folder / f"{name}.toml").is_file():
        text, shown = (folder / f"{name}.toml").read_text(), str(folder / f"{name}.toml")
    elif name in SHIPPED:
        text, shown = files("noria.evals.suites").joinpath(f"{name}.toml").read_text(), f"{name}.toml"
    else:
        raise NotFound(f"There is no suite {name!r}; there are {', '.join(SHIPPED)}.")
    try:
        return msgspec.convert(tomllib.loads(text), Suite)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{shown} is not a suite: {error}.") from None


def _spec(one: str | ScorerSpec, judge: str, part: str) -> ScorerSpec:
    spec = ScorerSpec(type=one) if isinstance(one, str) else one
    if JUDGE not in spec.arguments.values():
        return spec
    if not judge:
        raise ConfigError(
            f"The part {part!r} is scored by a model; name it with --judge, or leave the part out."
        )
    given = {name: judge if value == JUDGE else value for name, value in spec.arguments.items()}
    return msgspec.structs.replace(spec, arguments=given)
