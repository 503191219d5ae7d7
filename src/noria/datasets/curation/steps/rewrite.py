"""Texts changed by a model."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.answers import Answers
from noria.datasets.curation.fields import Path, replaced, texts
from noria.datasets.curation.step import Answered, Changed, Outcome, Tools, Unable, Work
from noria.errors import ConfigError, NoriaError, StateError


class Rewrite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model rewrites texts by an instruction, up to a budget. Every answer is kept on disk at once: a run
    that goes on, and the next run with the same instruction, pay for none twice."""

    model: str
    """A route or model of this Noria."""
    instruction: str
    """The system message; the text is the user's. The model is to answer with the new text alone."""
    fields: tuple[str, ...] = ("expected",)
    budget: float | None = None
    """Dollars of all calls of one run; the model needs a known price."""
    calls: int | None = None
    """Or how many calls. What comes after is left as it is, and counted."""
    at_once: int = 8
    version: ClassVar[str] = "1"
    alone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.budget is None and self.calls is None:
            raise ValueError("`budget` or `calls` must say how much it may spend")
        if self.at_once < 1:
            raise ValueError("`at_once` must be at least 1")

    def open(self, tools: Tools) -> Work:
        if tools.chat is None:
            raise ConfigError(
                f"There is no gateway that could call {self.model!r}; start Noria with `noria up`."
            )
        name = hashlib.sha256(msgspec.json.encode((self.model, self.instruction))).hexdigest()[:32]
        answers = Answers(tools.calls / name, spent=tools.folder / f"spent-{name}", seal=tools.seal)
        writer = _Writer(self, tools, answers)

        def work(examples: Sequence[Example]) -> list[Outcome]:
            with ThreadPoolExecutor(self.at_once) as pool:
                return list(pool.map(writer.judge, examples))

        return work


class _Writer:
    def __init__(self, step: Rewrite, tools: Tools, answers: Answers) -> None:
        self._step = step
        self._tools = tools
        self._answers = answers
        self._lock = threading.Lock()
        self._under_way = 0

    def judge(self, example: Example) -> Outcome:
        new: dict[Path, str] = {}
        for path, text in texts(example, self._step.fields):
            try:
                answer = self._answers.get(text) or self._ask(text)
            except StateError:
                raise
            except NoriaError as error:
                return Unable("call failed", {"why": str(error)})
            if answer is None:
                return Unable("budget is spent")
            if not answer.text.strip():
                return Unable("empty answer")
            new[path] = answer.text
        after = replaced(example, new)
        return Changed(after, ("rewritten",)) if after != example else example

    def _ask(self, text: str) -> Answered | None:
        """None: nothing is left to spend. Raises StateError where a budget cannot be kept."""
        chat = self._tools.chat
        assert chat is not None, "open has seen it"
        with self._lock:
            spent = self._answers.spent
            # A call under way is taken to cost what the dearest has cost so far.
            ahead = spent.cost + (self._under_way + 1) * spent.dearest
            if self._step.budget is not None and ahead > self._step.budget:
                return None
            if self._step.calls is not None and spent.calls + self._under_way >= self._step.calls:
                return None
            self._under_way += 1
        try:
            answer = chat(self._step.model, self._step.instruction, text)
        except BaseException:
            with self._lock:
                self._under_way -= 1
            raise
        with self._lock:  # One act: in between, the call would count twice and keep another one back.
            self._under_way -= 1
            self._answers.put(text, answer)
        if self._step.budget is not None and answer.cost is None:
            raise StateError(
                f"What {self._step.model} costs is not known, so no `budget` can be kept; give it a price, "
                "or give `calls` instead."
            )
        return answer
