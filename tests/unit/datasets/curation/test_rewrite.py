"""Texts changed by a model, within a budget and paid for once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from builds import apply, example

from noria.core.example import Example
from noria.datasets.curation.step import Answered, Changed, Tools, Unable
from noria.errors import ConfigError, StateError, UpstreamFailed

_STEP = {"type": "rewrite", "model": "m", "instruction": "Be brief.", "fields": ["input"]}


class Model:
    """Answers with the text in capitals, and counts."""

    def __init__(self, cost: float | None = 0.5) -> None:
        self.asked: list[str] = []
        self._cost = cost
        self._lock = threading.Lock()

    def __call__(self, model: str, system: str, user: str) -> Answered:
        assert (model, system) == ("m", "Be brief.")
        with self._lock:
            self.asked.append(user)
        if user == "broken":
            raise UpstreamFailed("No answer.")
        return Answered("" if user == "nothing" else user.upper(), self._cost)


def _tools(folder: Path, model: Model, run: str = "run") -> Tools:
    (folder / run).mkdir(exist_ok=True)
    return Tools(folder=folder / run, calls=folder / "answers", chat=model)


def test_answers_failures_and_what_is_paid_once(tmp_path: Path) -> None:
    model = Model()
    given = [example("a", "one"), example("b", "broken"), example("c", "nothing"), example("d", "UP")]
    step = {**_STEP, "calls": 100}
    one, broken, nothing, same = apply(step, *given, tools=_tools(tmp_path, model))
    assert isinstance(one, Changed) and one.example.input["input"] == "ONE"
    assert broken == Unable("call failed", {"why": "No answer."})
    assert nothing == Unable("empty answer")
    assert isinstance(same, Example)
    # Another run with the same instruction asks only for what had failed.
    apply(step, *given, tools=_tools(tmp_path, model, "other"))
    assert sorted(model.asked) == ["UP", "broken", "broken", "nothing", "one"]


def test_the_budget_is_kept_over_attempts(tmp_path: Path) -> None:
    model = Model(cost=0.4)
    given = [example(str(place), f"text {place}") for place in range(10)]
    step = {**_STEP, "budget": 1.0, "at_once": 4}
    for _ in range(2):
        outcomes = apply(step, *given, tools=_tools(tmp_path, model))
    assert sum(isinstance(one, Changed) for one in outcomes) == len(model.asked)
    assert outcomes.count(Unable("budget is spent")) == 10 - len(model.asked)
    # What a call costs is known after the first: those under way by then may go over.
    assert 2 <= len(model.asked) <= 4


def test_a_number_of_calls_is_kept_exactly(tmp_path: Path) -> None:
    model = Model(cost=None)
    given = [example(str(place), f"text {place}") for place in range(10)]
    apply({**_STEP, "calls": 3, "at_once": 8}, *given, tools=_tools(tmp_path, model))
    assert len(model.asked) == 3


def test_a_budget_needs_a_price(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="not known"):
        apply({**_STEP, "budget": 1.0}, example("a", "one"), tools=_tools(tmp_path, Model(cost=None)))


def test_without_a_gateway_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="noria up"):
        apply({**_STEP, "calls": 1}, example("a", "one"), tools=Tools(folder=tmp_path))
