"""An Optimization: the search for a better version of a prompt, and what it has found."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from noria.core.digest import digest
from noria.evals.run import DatasetRef, TargetSpec
from noria.prompts.version import PromptContent
from noria.scoring.scorer import ScorerSpec

State = Literal["queued", "running", "done", "failed", "stopped"]
SPLITS = ("train", "validation", "test")


class OptimizeSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What rebuilds the search."""

    prompt: str
    """Name of the prompt."""
    target: TargetSpec
    """The version that it begins with, on the model that answers."""
    datasets: dict[str, DatasetRef]
    """By name of SPLITS: train is learnt from, validation chooses, test only tells what that is worth."""
    hashed: bool = False
    """The dataset has no such splits: each of `datasets` is all of it, and half, a quarter and a quarter of
    the examples are taken by hash of their groups."""
    scorer: ScorerSpec
    measure: str
    """What of the scorer is made better."""
    lower: bool = False
    """Whether less is better."""
    reflect: str
    """Route or model that reads what went wrong and writes better words."""
    answers: int = 300
    """Most answers that the search asks for; the test at the end is not counted."""
    shots: tuple[int, ...] = ()
    """Numbers of examples out of train that are tried as a part of the prompt, with the best words."""
    budget: Decimal | None = None
    """Dollars for all of it."""
    seed: int = 0
    concurrency: int = 8


class Optimization(msgspec.Struct, frozen=True, kw_only=True):
    """One search."""

    id: str
    project: str
    spec: OptimizeSpec
    state: State = "queued"
    message: str = ""
    job: str = ""
    by: str = ""
    by_name: str = ""
    created_ms: int = 0
    ended_ms: int = 0
    result: Result | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What it came to, or stands at."""

    candidates: int = 1
    """Contents that were looked at, the first included."""
    answers: int = 0
    cost: Decimal = Decimal(0)
    unknown: int = 0
    """Calls whose cost is not known; then `cost` is a lower bound."""
    content: PromptContent | None = None
    """The best on validation; None: none is better than the first."""
    validation: tuple[float, float] | None = None
    """Means of the first and of the best over the validation examples."""
    number: int = 0
    """Of the version that was made; 0: none."""
    runs: tuple[str, str] | None = None
    """EvalRuns of the first and of the best over the test examples: the evidence."""


class Tried(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer of one candidate to one example, judged; or a model's proposal of better words."""

    text: str = ""
    value: float | None = None
    """None: there is none, and `failed` says why."""
    failed: str = ""
    feedback: str = ""
    """What the scorer said of it."""
    cost: Decimal | None = None
    trace: str = ""


Components = dict[str, str]
"""Name -> text of the parts of a content that the search may write anew."""


def components(content: PromptContent) -> Components:
    """The texts of the messages."""
    return {f"{place}.{one.role}": one.template for place, one in enumerate(content.messages)}


def with_components(content: PromptContent, texts: Components) -> PromptContent:
    """The content with these texts."""
    messages = tuple(
        msgspec.structs.replace(one, template=texts[f"{place}.{one.role}"])
        for place, one in enumerate(content.messages)
    )
    return msgspec.structs.replace(content, messages=messages)


def with_shots(content: PromptContent, ids: Sequence[str], *, dataset: str) -> PromptContent:
    """The content with these examples of `dataset` (name@number) shown in every call."""
    shots: dict[str, Any] = {"choose": "fixed", "ids": list(ids), "dataset": dataset}
    return msgspec.structs.replace(content, technique={**content.technique, "examples": shots})


def share_of(group: str) -> str:
    """Which of SPLITS a group is in where the dataset says nothing: half, a quarter, a quarter."""
    place = int(digest(group)[-8:], 16) / 0x1_0000_0000
    return SPLITS[0] if place < 0.5 else SPLITS[1] if place < 0.75 else SPLITS[2]
