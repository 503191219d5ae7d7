"""How a prompt goes beyond its own words: examples, reasoning, several answers, several steps.

Without any part it is zero-shot. The parts can be combined: few-shot with chain of thought and a vote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from noria.errors import InvalidRequest

MOST_EXAMPLES = 100
MOST_SAMPLES = 50
MOST_STEPS = 20


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class Shot(Struct, frozen=True, kw_only=True):
    """An example as a prompt shows it."""

    input: dict[str, Any]
    answer: str


class Shots(Struct, frozen=True, kw_only=True):
    """Few-shot: where the examples come from and which of them are shown."""

    choose: Literal["fixed", "random", "similar", "diverse"] = "fixed"
    """fixed: those of `given`, or of `ids` in the dataset; random: `k` of the dataset, the same for every
    call of this version; similar: the `k` nearest to the call's input; diverse: near it, and unlike one
    another (maximal marginal relevance: Carbonell and Goldstein, SIGIR 1998)."""
    k: int = 4
    given: tuple[Shot, ...] = ()
    dataset: str = ""
    """`name@number`; `name` alone is pinned to the newest version when the prompt's version is made."""
    digest: str = ""
    """Of the pinned dataset version."""
    split: str = ""
    ids: tuple[str, ...] = ()
    seed: int = 0
    embedder: str = ""
    """The embedding model that is asked for the inputs' vectors, for similar and diverse."""
    field: str = ""
    """The variable that is compared; "": the only one of an example's input."""
    balance: float = 0.7
    """diverse: 1 is nearness alone, 0 is unlikeness alone."""


class Reasoning(Struct, frozen=True, kw_only=True):
    """Chain of thought: the model reasons first, and the answer is what follows the last `answer`.

    Source of the default: Kojima et al. 2022, "Large Language Models are Zero-Shot Reasoners".
    """

    instruction: str = 'Let\'s think step by step, and end with a line that begins with "{answer}".'
    """Added behind the last user message; `{answer}` stands for the mark."""
    answer: str = "Answer:"


class Samples(Struct, frozen=True, kw_only=True):
    """Several answers to one question, of which one is taken."""

    n: int = 5
    choose: Literal["majority", "best"] = "majority"
    """majority: self-consistency (Wang et al. 2022); best: by `scorer`."""
    scorer: dict[str, Any] = {}
    """A ScorerSpec."""
    temperature: float = 0.7


class Step(Struct, frozen=True, kw_only=True):
    """Decomposition: asked before the prompt itself; what is answered is the variable `name` from then on."""

    name: str
    template: str


class Technique(Struct, frozen=True, kw_only=True):
    examples: Shots | None = None
    reasoning: Reasoning | None = None
    samples: Samples | None = None
    steps: tuple[Step, ...] = ()


def technique_of(written: Mapping[str, Any]) -> Technique:
    """Raises InvalidRequest, naming what is wrong."""
    try:
        found = msgspec.convert(dict(written), Technique)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"`technique` is not understood: {error}.", param="technique") from None
    problem = _problem(found)
    if problem:
        raise InvalidRequest(f"`technique.{problem}.", param="technique")
    return found


def written(technique: Technique) -> dict[str, Any]:
    """As `technique_of` reads it."""
    return msgspec.to_builtins(technique)


def _problem(found: Technique) -> str:
    shots, samples = found.examples, found.samples
    if shots is not None and (problem := _shots_problem(shots)):
        return f"examples.{problem}"
    if found.reasoning is not None and not found.reasoning.answer.strip():
        return "reasoning.answer` must be the words that come before the answer"
    if samples is not None:
        if not 2 <= samples.n <= MOST_SAMPLES:
            return f"samples.n` must be between 2 and {MOST_SAMPLES}"
        if (samples.choose == "best") != bool(samples.scorer):
            return 'samples.scorer` is for, and needed by, choose = "best"'
        if not 0 <= samples.temperature <= 2:
            return "samples.temperature` must be between 0 and 2"
    if len(found.steps) > MOST_STEPS:
        return f"steps` has more than {MOST_STEPS}"
    names = [step.name for step in found.steps]
    if len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
        return "steps` need names that are all different and can name a variable"
    return ""


def _shots_problem(shots: Shots) -> str:
    if (
        not 1 <= shots.k <= MOST_EXAMPLES
        or len(shots.given) > MOST_EXAMPLES
        or len(shots.ids) > MOST_EXAMPLES
    ):
        return f"k` must be between 1 and {MOST_EXAMPLES}, and so must be the number of examples"
    if not 0 <= shots.balance <= 1:
        return "balance` must be between 0 and 1"
    if shots.choose == "fixed":
        if bool(shots.given) == bool(shots.ids):
            return "given` or `ids` of a dataset: one of them is needed"
        return "dataset` is where the `ids` are looked up; name it" if shots.ids and not shots.dataset else ""
    if shots.given or shots.ids:
        return f'given` and `ids` are for choose = "fixed", not for {shots.choose!r}'
    if not shots.dataset:
        return f"dataset` is what {shots.choose} examples are chosen from; name it"
    if shots.choose in ("similar", "diverse") and not shots.embedder:
        return f"embedder` is needed for {shots.choose} examples: the embedding model to ask"
    return ""
