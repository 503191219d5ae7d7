"""The prompts that Noria's own judges ask with: files of `scoring/prompts`, in the form of every prompt file.

A copy in a project's `prompts/` becomes a prompt of its own, which `prompt = "name@label"` of a judge names.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import msgspec

from noria.core.digest import digest
from noria.core.messages import Message, Role, Text
from noria.errors import ConfigError

_ROLE = re.compile(r"^@(system|user)\n", re.MULTILINE)
_VARIABLE = re.compile(r"\{\{ (\w+) \}\}")
_TAG = re.compile(r"</(?=(question|answer|answer_a|answer_b|reference|context)\s*>)", re.IGNORECASE)


class BuiltIn(msgspec.Struct, frozen=True):
    """`calls.JudgePrompt`."""

    name: str
    parts: tuple[tuple[Role, str], ...]

    @property
    def digest(self) -> str:
        return digest(self.parts)

    def messages(self, variables: dict[str, object]) -> tuple[Message, ...]:
        """What is judged is data: it cannot close the tags that it stands in."""

        def value(match: re.Match[str]) -> str:
            if match[1] not in variables:
                raise ConfigError(f"The prompt {self.name} needs the variable {match[1]!r}.")
            text = str(variables[match[1]])
            return text if match[1] in ("form", "criterion") else _TAG.sub("<\\/", text)

        return tuple(
            Message(role=role, parts=(Text(text=_VARIABLE.sub(value, text)),)) for role, text in self.parts
        )


@cache
def built_in(name: str) -> BuiltIn:
    """Raises ConfigError where there is none of this name."""
    file = files("noria.scoring").joinpath("prompts", f"{name}.md")
    if not file.is_file():
        raise ConfigError(f"There is no judge prompt called {name!r}.")
    pieces = _ROLE.split(file.read_text(encoding="utf-8"))
    roles: list[tuple[Role, str]] = [
        ("system" if role == "system" else "user", text.strip())
        for role, text in zip(pieces[1::2], pieces[2::2], strict=True)
    ]
    return BuiltIn(name=name, parts=tuple(roles))
