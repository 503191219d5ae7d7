"""What one rendering may use. A template is a stranger's program: it ends in a sentence, never in a hang."""

from __future__ import annotations

from typing import Any

from noria.errors import InvalidRequest

STEPS = 100_000
"""Expressions and statements that one rendering may evaluate."""
CHARACTERS = 4_000_000
"""Characters that one rendering may make, in its output and in all texts on the way."""
LONGEST_SENTENCE = 400
MOST = 1 << 63
"""Whole numbers stay below this."""


class Missing:
    """Stands for a variable or field that there is none of; only `default` and `defined` take it."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def error(self) -> InvalidRequest:
        name = self.name if len(self.name) <= 80 else self.name[:80] + "…"
        return refuse(f"The variable {name!r} is not defined; give it, or write `{name} | default(…)`.")


def refuse(sentence: str) -> InvalidRequest:
    """The error of a template that cannot be rendered. A sentence may repeat what a caller sent."""
    if len(sentence) > LONGEST_SENTENCE:
        sentence = sentence[:LONGEST_SENTENCE] + "…"
    return InvalidRequest(sentence, param="variables")


class Budget:
    """Counts down; both methods raise InvalidRequest at the end.

    `weigh` charges for a value as a whole, with all that is in it as often as it is in it: a list that holds
    another twice is as heavy as it prints. So nothing that is made can be heavier than what was paid for it.
    """

    __slots__ = ("_characters", "_limits", "_steps", "_weights")

    def __init__(self, *, steps: int = STEPS, characters: int = CHARACTERS) -> None:
        self._limits = steps, characters
        self._steps = steps
        self._characters = characters
        self._weights: dict[int, tuple[int, Any]] = {}

    def step(self, count: int = 1) -> None:
        self._steps -= count
        if self._steps < 0:
            raise refuse(
                f"The template takes more than {self._limits[0]:,} steps; make its loops shorter or give it "
                "less."
            )

    def characters(self, count: int) -> None:
        self._characters -= count
        if self._characters < 0:
            raise refuse(
                f"The template makes more than {self._limits[1]:,} characters; make it shorter or give it "
                "less."
            )

    def weigh(self, value: Any) -> None:
        """Charge for going through all of `value`: a step a value, and one for every 64 characters."""
        if isinstance(value, list | dict | str):
            self.step(self._weight(value, 0))

    def _weight(self, value: Any, depth: int) -> int:
        if not isinstance(value, list | dict):
            return 1 + len(value) // 64 if isinstance(value, str) else 1
        kept = self._weights.get(id(value))
        if kept is not None:
            return kept[0]
        if depth > 100:
            raise refuse("A value is nested more than 100 deep; make it flatter.")
        weight = 1
        for one in [*value, *value.values()] if isinstance(value, dict) else value:
            weight += self._weight(one, depth + 1)
            if weight > self._limits[0]:
                break  # More than there is to spend: the caller's charge says so.
        self._weights[id(value)] = weight, value  # Kept alive, so that the id stays its own.
        return weight
