"""An EvalRun: a target answered and scored over a dataset version, and the states that it goes through."""

from __future__ import annotations

from decimal import Decimal
from pathlib import PurePath
from typing import Any, Literal

import msgspec

from noria.core.digest import digest
from noria.errors import Conflict
from noria.prompts.compiled import CompiledPrompt
from noria.prompts.version import PromptContent
from noria.scoring.scorer import ScorerSpec
from noria.stats.interval import Interval

State = Literal["queued", "running", "done", "failed", "stopped"]
ENDED: tuple[State, ...] = ("done", "failed", "stopped")
_NEXT: dict[State, tuple[State, ...]] = {
    "queued": ("running", "failed", "stopped"),
    "running": ("running", "done", "failed", "stopped"),
    "stopped": ("queued",),
    "failed": ("queued",),
    "done": (),
}


class TargetSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What answers, with all that decides how; exactly one of `model`, `url` and `function` is set."""

    model: str = ""
    """A route, or `provider/name`."""
    serves: str = ""
    """Digest of what the route or model led to when the run was made; "": not known."""
    prompt: str = ""
    """As it was named: "name", "name@label" or "name@number"."""
    prompt_number: int = 0
    content: PromptContent | None = None
    """The prompt's version, whole."""
    compiled: CompiledPrompt | None = None
    """The same, ready to be rendered, with the examples that it shows."""
    parameters: dict[str, Any] = {}
    """Keys of a chat completion; they win over the prompt's own."""
    url: str = ""
    """An HTTP endpoint that takes an example's input as JSON."""
    headers: dict[str, str] = {}
    """Sent to `url`; values may be references to secrets."""
    function: str = ""
    """A Python callable, "module:name"."""
    version: str = ""
    """Of an endpoint or function, as its owner counts: without one its answers are not used again."""
    choices: str = ""
    """Name under which an example's metadata holds the choices whose log-probabilities are asked for."""
    timeout: float = 600.0
    """Seconds for one answer."""

    @property
    def kind(self) -> Literal["model", "http", "function"]:
        return "http" if self.url else "function" if self.function else "model"

    @property
    def digest(self) -> str:
        """Equal for targets that may share answers."""
        content = "" if self.content is None else self.content.digest
        return digest(
            (
                self.model,
                self.serves,
                content,
                self.parameters,
                self.url,
                self.function,
                self.version,
                self.choices,
            )
        )

    @property
    def shares(self) -> bool:
        """Whether an answer may be used by another run: what answers is known not to have changed."""
        return bool(self.serves if self.kind == "model" else self.version)

    @property
    def shown(self) -> str:
        """In a few words."""
        what = self.url or self.function or self.model
        number = f" (version {self.prompt_number})" if self.prompt_number else ""
        return f"{self.prompt}{number} on {what}" if self.prompt else what


class DatasetRef(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The examples of a run; exactly one of `name` and `file` is set."""

    name: str = ""
    number: int = 0
    digest: str = ""
    """Of the version, or of the file's bytes."""
    split: str = ""
    file: str = ""
    limit: int = 0
    """At most so many examples, chosen by hash of their ids and the seed; 0: all."""

    @property
    def shown(self) -> str:
        name = f"{self.name}@{self.number}" if self.name else PurePath(self.file).name
        split = f" {self.split}" if self.split else ""
        return f"{name}{split}" + (f", {self.limit} examples" if self.limit else "")


class RunSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What rebuilds a run."""

    name: str
    """Of the evaluation; runs of one name are compared with one another."""
    target: TargetSpec
    dataset: DatasetRef
    scorers: tuple[ScorerSpec, ...] = ()
    repeats: int = 1
    """Answers to each example."""
    seed: int = 0
    concurrency: int = 8
    budget: Decimal | None = None
    """Dollars; no call is begun that could exceed it."""
    max_failed: float = 0.1
    """Share of failed answers or scores from which the run's numbers are not to be trusted."""
    fresh: bool = False
    """Answers and judgements of earlier runs are not used."""
    tags: dict[str, str] = {}
    """Free, such as the commit that CI runs for."""


def changes(before: RunSpec | None, now: RunSpec) -> list[str]:
    """What of two specs of one evaluation would make their numbers differ."""
    if before is None:
        return ["everything: it was never run"]
    found = {
        "the prompt": (_content(before), _content(now)),
        "what the model leads to": (before.target.serves, now.target.serves),
        "the dataset": (before.dataset.digest, now.dataset.digest),
        "which examples": (
            (before.dataset.split, before.dataset.limit),
            (now.dataset.split, now.dataset.limit),
        ),
        "the scorers": (before.scorers, now.scorers),
        "repeats or seed": ((before.repeats, before.seed), (now.repeats, now.seed)),
    }
    what = [name for name, (left, right) in found.items() if left != right]
    if not what and before.target.digest != now.target.digest:
        what.append("the target")
    return what


def _content(spec: RunSpec) -> str:
    return "" if spec.target.content is None else spec.target.content.digest


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a run is. An answer is one example answered once."""

    total: int | None = None
    """Answers that there are to be; None: not counted yet."""
    answered: int = 0
    failed: int = 0
    """Of `answered`, those that were refused or broke."""
    reused: int = 0
    """Of `answered`, those that an earlier run had paid for."""
    scored: int = 0
    """Answers with all their scores."""
    failed_scores: int = 0
    scores: int = 0
    cost: Decimal = Decimal(0)
    """Dollars that this run has spent, judges included, as far as they are known."""
    unknown: int = 0
    """Calls whose cost is not known; then `cost` is a lower bound."""


class Headline(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One scorer's number, kept with the run so that a list of runs can show it."""

    name: str
    kind: Literal["mean", "share", "category", "corpus"]
    better: Literal["higher", "lower", "neither"]
    interval: Interval | None = None
    failed: int = 0
    """Scores that failed."""
    worth: float | None = None
    """How many independent examples a judge's share of yes is worth."""


class EvalRun(msgspec.Struct, frozen=True, kw_only=True):
    """One execution."""

    id: str
    project: str
    spec: RunSpec
    state: State = "queued"
    message: str = ""
    """Why it ended as it did."""
    progress: Progress = Progress()
    headlines: tuple[Headline, ...] = ()
    """At 95 %; empty: it has not come to its end."""
    job: str = ""
    by: str = ""
    by_name: str = ""
    created_ms: int = 0
    started_ms: int = 0
    ended_ms: int = 0

    def to(self, state: State, *, message: str = "", at_ms: int = 0) -> EvalRun:
        """In another state. Raises Conflict where that does not follow from this one."""
        if state not in _NEXT[self.state]:
            raise Conflict(f"The run {self.id} is {self.state}, and cannot become {state}.")
        return msgspec.structs.replace(
            self,
            state=state,
            message=message,
            started_ms=at_ms if state == "running" and not self.started_ms else self.started_ms,
            ended_ms=at_ms if state in ENDED else 0,
        )

    @property
    def sound(self) -> bool:
        """Whether few enough answers and scores failed."""
        now = self.progress
        answers = now.failed <= self.spec.max_failed * max(now.answered, 1)
        return answers and now.failed_scores <= self.spec.max_failed * max(now.scores, 1)
