"""A Prompt's entry in the catalogue, and the moves of its labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from noria.core.gate import GateResult
from noria.errors import Conflict, NotFound


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of all versions together."""

    project: str
    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    created_ms: int = 0
    updated_ms: int = 0
    latest: int = 0
    """Number of the newest version on any branch."""


class LabelMove(msgspec.Struct, frozen=True, kw_only=True):
    """One event in the history of a label; it is never changed."""

    project: str
    prompt: str
    label: str
    sequence: int
    """1, 2, 3, … for each label."""
    kind: Literal["move", "rollback", "remove"] = "move"
    number: int = 0
    """The version that the label stands for from now on; 0: none."""
    digest: str = ""
    moved_ms: int = 0
    by: str = ""
    by_name: str = ""
    reason: str = ""
    gates: tuple[GateResult, ...] = ()
    approval: str = ""
    """Id of the approval that let it through."""


def standing(moves: Sequence[LabelMove], at_ms: int) -> LabelMove | None:
    """The move by which the label stood at a time; None: it stood for nothing. `moves` are in order."""
    found = [one for one in moves if one.moved_ms <= at_ms]
    return found[-1] if found and found[-1].number else None


def before(moves: Sequence[LabelMove]) -> LabelMove:
    """Where a rollback goes: the move before the one in force. A second rollback goes one further back.

    Raises NotFound where there is nothing to go back to.
    """
    stack: list[LabelMove] = []
    for one in moves:
        if one.kind == "rollback":
            while stack and stack[-1].number != one.number:
                stack.pop()
            stack = stack or [one]
        elif one.kind == "remove" or not stack or stack[-1].number != one.number:
            stack.append(one)
    earlier = [one for one in stack[:-1] if one.number]
    if not earlier:
        name = f"{moves[0].label!r} of prompt {moves[0].prompt!r}" if moves else "this prompt"
        raise NotFound(f"The label {name} has stood for no version before; move it instead.", param="label")
    return earlier[-1]


def held(moves: Sequence[LabelMove], number: int) -> LabelMove:
    """The last move by which the label stood for the version `number`. Raises Conflict where it never did."""
    found = [one for one in moves if one.number == number]
    if not found:
        raise Conflict(
            f"The label has never stood for version {number}, so it cannot go back to it; move it instead.",
            param="label",
        )
    return found[-1]
