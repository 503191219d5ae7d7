"""Labelled examples: an answer, and what people say of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from noria.core.example import Example
from noria.errors import InvalidRequest
from noria.scoring.reference import text_of
from noria.scoring.scorer import Described, Output, Score, Value

_WORDS = {
    "yes": True, "true": True, "no": False, "false": False,
    "win": 1.0, "own": 1.0, "tie": 0.5, "loss": 0.0, "rival": 0.0,
}  # fmt: skip


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where labelled examples have what; each is looked for in the metadata, then in the input."""

    answer: str = "answer"
    label: str = "label"
    yes: tuple[str, ...] = ()
    """Labels that mean yes, where they are words: all others mean no."""


AS_WRITTEN = Reading()


class Labelled(msgspec.Struct, frozen=True):
    """An answer with people's verdict on it."""

    output: Output
    label: Value
    size: float
    """Natural logarithm of its length, or of its length over the rival's."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge said of one labelled answer."""

    example: str
    repeat: int = 0
    label: Value
    judged: Value | None = None
    failed: str = ""
    size: float = 0.0
    places: tuple[str, ...] = ()
    """Of a pair: the verdict with the answer first, and with it second; "A" is whatever stood first."""
    group: str = ""
    trace: str = ""


def labelled(
    example: Example, described: Described, *, reading: Reading = AS_WRITTEN, rival: str = ""
) -> Labelled | None:
    """None: it has no label.

    A label is a yes or no, a number or a category, as the judge's; "win", "tie" or "loss" of a pair.
    Raises InvalidRequest where it has a label that the judge could not give, or no answer.
    """
    said, given = (
        example.metadata.get(name, example.input.get(name)) for name in (reading.answer, reading.label)
    )
    if given is None:
        return None
    if said is None:
        raise InvalidRequest(f"Example {example.id} has a label and no {reading.answer!r} to be judged.")
    if reading.yes:
        given = text_of(given) in reading.yes
    text = text_of(said)
    context = example.metadata.get("context")
    passages = context if isinstance(context, list) else [] if context is None else [context]
    output = Output(example=example, text=text, context=tuple(text_of(one) for one in passages))
    other = len(text_of(example.metadata.get(rival, ""))) if rival else 0
    size = math.log((1 + len(text)) / (1 + other))
    return Labelled(output, _value(given, described, example.id), size)


def verdict(given: Labelled, scores: Sequence[Score], *, name: str, repeat: int) -> Verdict:
    """What the score called `name` says."""
    score = next((one for one in scores if one.name == name), None)
    failed = "The judge said nothing." if score is None else score.failed
    return Verdict(
        example=given.output.example.id,
        repeat=repeat,
        label=given.label,
        judged=None if score is None else score.value,
        failed=failed,
        size=given.size,
        places=() if score is None else tuple(str(one) for one in score.details.get("orders", ())),
        group=given.output.example.group,
        trace="" if score is None else score.trace,
    )


def _value(given: Any, described: Described, id: str) -> Value:
    if described.kind == "category":
        return text_of(given)
    found = _WORDS.get(given.strip().casefold(), given) if isinstance(given, str) else given
    if described.kind == "share" and found in (True, False):
        return bool(found)
    if described.kind == "mean" and isinstance(found, bool | int | float) and math.isfinite(found):
        return found if isinstance(found, bool) else float(found)
    wanted = "yes or no" if described.kind == "share" else "a number"
    raise InvalidRequest(
        f"Example {id} is labelled {text_of(given)[:60]!r}; this judge's labels are {wanted}."
    )
