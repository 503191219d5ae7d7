"""A PromptVersion made ready: what the SDK, evaluations and the gateway's workers render from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from noria.errors import InvalidRequest
from noria.prompts.budget import Budget
from noria.prompts.program import Program
from noria.prompts.render import render
from noria.prompts.technique import Shot, Technique
from noria.prompts.variables import completed

FORMAT = 1
EXAMPLES = "examples"
"""A template that reads this variable writes the examples itself; else they become turns of their own."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


class CompiledMessage(Struct, frozen=True, kw_only=True):
    role: Literal["system", "developer", "user", "assistant"]
    program: Program


class CompiledStep(Struct, frozen=True, kw_only=True):
    name: str
    program: Program


class CompiledPrompt(Struct, frozen=True, kw_only=True):
    """`parameters`, `tools` and `response_format` are in the form of a chat completion."""

    format: int = FORMAT
    project: str
    name: str
    number: int
    digest: str
    messages: tuple[CompiledMessage, ...]
    variables: dict[str, Any] = {}
    model: str = ""
    parameters: dict[str, Any] = {}
    tools: tuple[dict[str, Any], ...] = ()
    response_format: dict[str, Any] | None = None
    technique: Technique = Technique()
    steps: tuple[CompiledStep, ...] = ()
    inline: bool = False
    """Whether a template writes the examples itself."""
    shots: tuple[Shot, ...] = ()
    """The examples that every call shows: fixed ones, and random ones once drawn."""
    pool: str = ""
    """Name of the pool that similar or diverse examples are chosen from."""
    unusable: str = ""
    """Why it cannot be rendered: a dataset that is gone. "" where it can."""


class Turn(msgspec.Struct, frozen=True):
    """A rendered message."""

    role: Literal["system", "developer", "user", "assistant"]
    text: str


def turns(
    prompt: CompiledPrompt, variables: Mapping[str, Any], *, shots: Sequence[Shot] | None = None
) -> list[Turn]:
    """The messages. `shots` are the examples chosen for this call; None: those of the prompt.

    Raises InvalidRequest for missing or ill-typed variables, and for a template that does not end in time.
    """
    if prompt.unusable:
        raise InvalidRequest(prompt.unusable, param="prompt")
    chosen = prompt.shots if shots is None else shots
    values = completed(prompt.variables, variables)
    shown = {**values, EXAMPLES: [msgspec.to_builtins(one) for one in chosen]} if prompt.inline else values
    budget = Budget()
    found = [Turn(one.role, render(one.program, shown, budget)) for one in prompt.messages]
    if chosen and not prompt.inline:
        found = _with_shots(prompt, found, chosen, budget)
    if prompt.technique.reasoning is not None:
        found = _with_reasoning(prompt, found)
    return found


def _with_shots(
    prompt: CompiledPrompt, found: list[Turn], shots: Sequence[Shot], budget: Budget
) -> list[Turn]:
    """Each example is the last user message as it would be for its input, and its answer."""
    last = _last_user(prompt)
    program = prompt.messages[last].program
    pairs: list[Turn] = []
    for shot in shots:
        pairs.append(Turn("user", render(program, completed(_loose(prompt.variables), shot.input), budget)))
        pairs.append(Turn("assistant", shot.answer))
    return [*found[:last], *pairs, *found[last:]]


def _with_reasoning(prompt: CompiledPrompt, found: list[Turn]) -> list[Turn]:
    reasoning = prompt.technique.reasoning
    assert reasoning is not None
    last = max(index for index, turn in enumerate(found) if turn.role == "user")
    said = reasoning.instruction.replace("{answer}", reasoning.answer)
    return [*found[:last], Turn("user", f"{found[last].text}\n\n{said}"), *found[last + 1 :]]


def _last_user(prompt: CompiledPrompt) -> int:
    return max(index for index, message in enumerate(prompt.messages) if message.role == "user")


def _loose(schema: Mapping[str, Any]) -> dict[str, Any]:
    """For examples: they may have fields that the prompt does not know, and lack those it does not show."""
    return {name: value for name, value in schema.items() if name not in ("required", "additionalProperties")}
