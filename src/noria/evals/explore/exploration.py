"""An Exploration: candidates tried on a few samples, each in several ways, and what is recorded of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from noria.core.digest import digest
from noria.core.example import Example
from noria.evals.explore.arm import Arm
from noria.evals.explore.brief import Brief
from noria.evals.explore.candidates import Candidate
from noria.evals.run import DatasetRef, TargetSpec
from noria.scoring.numeric import number_in
from noria.scoring.reference import references
from noria.scoring.scorer import ScorerSpec

State = Literal["queued", "running", "done", "failed", "stopped"]
FEWEST, MOST = 5, 50
"""Samples of an exploration; a comparison over a dataset takes any number."""
AGREEING = 3
"""Answers to each sample where nothing can say how good one is."""


class ExploreSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What rebuilds it."""

    kind: Literal["exploration", "comparison"] = "exploration"
    brief: Brief
    dataset: DatasetRef
    samples: int
    candidates: tuple[Candidate, ...]
    arms: tuple[Arm, ...]
    target: TargetSpec | None = None
    """Of a comparison: what each model is asked with; its model is another one for each arm."""
    scorers: tuple[ScorerSpec, ...] = ()
    measure: str = ""
    """The number that is the quality; "": quality is not measured."""
    why_measure: str = ""
    """How it was chosen, in a sentence."""
    barred: str = ""
    """Why the scorer, a judge, may decide nothing."""
    fields: tuple[str, ...] = ()
    """Of the samples' inputs."""
    repeats: int = 1
    seed: int = 0
    concurrency: int = 4
    level: float = 0.95
    fresh: bool = False


class Exploration(msgspec.Struct, frozen=True, kw_only=True):
    """One execution."""

    id: str
    project: str
    spec: ExploreSpec
    state: State = "queued"
    message: str = ""
    job: str = ""
    by: str = ""
    by_name: str = ""
    created_ms: int = 0
    updated_ms: int = 0


def run_id(exploration: str, arm: Arm) -> str:
    """Of an arm's EvalRun: the same in every attempt, so that none is begun twice."""
    return "run_" + digest((exploration, arm)).removeprefix("sha256:")[:26]


class Chosen(msgspec.Struct, frozen=True):
    """A scorer by the form of the expected answers."""

    spec: ScorerSpec
    why: str


def chosen_scorer(samples: Sequence[Example], answers: Sequence[str]) -> Chosen:
    """Of samples that have expected answers. It is said why, since another may be meant."""
    known = [one for one in samples if one.expected is not None]
    texts = [references(one)[0] for one in known]
    if answers or _labels(texts):
        spec = ScorerSpec(type="exact", arguments={"ignore_case": True, "ignore_punctuation": True})
        if answers:
            why = f"the brief lists {len(answers)} answers, so that an answer is one of them or wrong"
        else:
            most = len(set(texts))
            why = f"the {len(texts)} expected answers are {most} short texts that repeat, such as labels"
        return Chosen(spec, f"Exact match, whatever the case and punctuation: {why}.")
    if all(isinstance(one.expected, dict) for one in known):
        return Chosen(
            ScorerSpec(type="exact"), "Exact match of the JSON text: every expected answer is an object."
        )
    if all(_is_number(text) for text in texts):
        return Chosen(ScorerSpec(type="numeric"), "Equal numbers: every expected answer is a number.")
    if all(len(text.split()) <= 5 for text in texts):
        spec = ScorerSpec(type="exact", arguments={"ignore_case": True, "ignore_punctuation": True})
        return Chosen(
            spec,
            "Exact match, whatever the case and punctuation: every expected answer is of five words at most.",
        )
    longest = max(len(text.split()) for text in texts)
    return Chosen(
        ScorerSpec(type="token_f1"),
        f"Overlap of words (F1): expected answers are free text of up to {longest} words. It is a rough "
        "measure; a judge says more.",
    )


def _labels(texts: Sequence[str]) -> bool:
    """Few and short ones, of which most come more than once."""
    counts = Counter(texts)
    repeated = sum(count for count in counts.values() if count > 1)
    return all(len(text) <= 60 for text in texts) and repeated >= len(texts) / 2 and len(counts) > 1


def _is_number(text: str) -> bool:
    """One number, with a unit behind it at most."""
    words = text.split()
    return (
        0 < len(words) <= 2
        and any(letter.isdigit() for letter in words[0])
        and number_in(text, take="only") is not None
    )


def problem_of(samples: Sequence[Example]) -> str:
    """Why these cannot be explored with; "" where they can."""
    if not FEWEST <= len(samples) <= MOST:
        return (
            f"There are {len(samples)} samples, and an exploration takes {FEWEST} to {MOST}; "
            "for more, import a dataset and use `noria model compare --dataset`."
        )
    return ""
