"""A study runs within its bounds, keeps every trial, and goes on where it was cut off."""

from __future__ import annotations

import asyncio
import math
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from noria.errors import Unavailable
from noria.studies.parameter import Choice, Float, Int, Values
from noria.studies.search import importance
from noria.studies.trial import Outcome, Trial, TrialRecord

pytest.importorskip("optuna")

TWO = {"x": Float(low=-1.0, high=1.0), "y": Float(low=-1.0, high=1.0)}


async def valley(values: Values, trial: Trial) -> float:
    x, y = values["x"], values["y"]
    assert isinstance(x, float) and isinstance(y, float)
    return (x - 0.3) ** 2 + 0.01 * y**2


async def test_it_finds_the_best_values(desk: Any) -> None:
    study = desk.study(TWO, better="lower", trials=60)
    ended = await desk.run(study, valley)
    assert (ended.state, ended.message) == ("done", "All 60 trials were made.")
    assert ended.progress.done == ended.progress.total == 60
    trials = desk.table.trials(study.id)
    best = min(trials, key=lambda trial: trial.value)
    assert (ended.progress.best, ended.progress.value) == (best.number, best.value)
    assert best.value < 0.01
    assert desk.again(study) == ended
    shares = importance(study.spec, trials)
    assert shares["x"] > shares["y"] and sum(shares.values()) == pytest.approx(1)


async def test_few_trials_have_no_importance(desk: Any) -> None:
    study = desk.study(TWO, trials=5)
    await desk.run(study, valley)
    assert importance(study.spec, desk.table.trials(study.id)) == {}


async def test_a_small_space_is_tried_whole_and_once(desk: Any) -> None:
    study = desk.study({"m": Choice(values=("a", "b", None)), "n": Int(low=1, high=3)}, trials=50)

    async def score(values: Values, trial: Trial) -> Outcome:
        value = {"a": 1, "b": 3, None: 2}[values["m"]] + int(values["n"] or 0)
        return Outcome(value=value, low=value - 1, high=value + 1)

    ended = await desk.run(study, score)
    assert (ended.message, ended.progress.total) == ("Every combination was tried.", 9)
    trials = desk.table.trials(study.id)
    assert len({(t.values["m"], t.values["n"]) for t in trials}) == 9
    best = trials[ended.progress.best]
    assert (best.values, best.value, best.low, best.high) == ({"m": "b", "n": 3}, 6, 5, 7)


async def test_trials_run_at_the_same_time(desk: Any) -> None:
    now = most = 0

    async def slow(values: Values, trial: Trial) -> float:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return 1.0

    ended = await desk.run(desk.study(trials=12, concurrency=4), slow)
    assert (most, ended.progress.done) == (4, 12)
    assert sorted(t.number for t in desk.table.trials(ended.id)) == list(range(12))


async def test_a_trial_that_fails_is_kept_and_the_study_goes_on(desk: Any) -> None:
    async def sometimes(values: Values, trial: Trial) -> float:
        if trial.number % 4 == 1:
            raise Unavailable("The model is away.")
        if trial.number % 4 == 2:
            return math.nan
        if trial.number % 4 == 3:
            raise ZeroDivisionError("division by zero")
        return 1.0

    ended = await desk.run(desk.study(trials=12), sometimes)
    assert (ended.state, ended.progress.done, ended.progress.failed) == ("done", 3, 9)
    reasons = {t.number: t.reason for t in desk.table.trials(ended.id)[:4]}
    assert reasons == {
        0: "",
        1: "The model is away.",
        2: "The objective is nan.",
        3: "ZeroDivisionError: division by zero",
    }


async def test_one_that_always_fails_ends_the_study_with_the_reason(desk: Any) -> None:
    async def never(values: Values, trial: Trial) -> float:
        raise Unavailable("The model is away.")

    ended = await desk.run(desk.study(trials=100), never)
    assert (ended.state, ended.message, ended.progress.failed) == ("failed", "The model is away.", 5)


async def test_the_worse_half_is_given_up_early(desk: Any) -> None:
    async def slow(values: Values, trial: Trial) -> float:
        for step in range(1, 5):
            trial.report(step, float(values["x"] or 0) * step)
        return float(values["x"] or 0)

    ended = await desk.run(desk.study(trials=40), slow)
    assert ended.progress.pruned > 3 and ended.progress.done + ended.progress.pruned == 40
    pruned = next(t for t in desk.table.trials(ended.id) if t.state == "pruned")
    assert pruned.reason == "Worse than the median of earlier trials at step 1."
    assert (pruned.value, len(pruned.steps)) == (None, 1)
    whole = await desk.run(desk.study(trials=20, pruning=False), slow)
    assert whole.progress.pruned == 0


async def test_money_is_not_overspent(desk: Any) -> None:
    allowed: list[Decimal] = []

    async def dear(values: Values, trial: Trial) -> float:
        assert trial.budget is not None
        allowed.append(trial.budget)
        await asyncio.sleep(0)
        trial.spent(min(trial.budget, Decimal("0.30")))
        return 1.0

    ended = await desk.run(desk.study(trials=100, budget=Decimal(1), concurrency=2), dear)
    assert (ended.state, ended.message) == ("done", "Its budget is spent.")
    assert ended.progress.cost == Decimal(1)
    assert allowed[0] == Decimal("0.5")


async def test_what_was_set_aside_before_a_kill_is_kept(desk: Any) -> None:
    study = desk.study(trials=3, budget=Decimal(1), concurrency=2)
    cut_off = TrialRecord(number=0, values={"x": 0.5}, budget=Decimal("0.9"))
    desk.table.put(study.id, cut_off)
    allowed: dict[int, Decimal | None] = {}

    async def dear(values: Values, trial: Trial) -> float:
        allowed[trial.number] = trial.budget
        await asyncio.sleep(0)
        trial.spent(trial.budget)
        return 1.0

    ended = await desk.run(study, dear)
    assert allowed == {0: Decimal("0.9"), 1: Decimal("0.1")}
    assert (ended.progress.cost, ended.message) == (Decimal(1), "Its budget is spent.")


async def test_an_unknown_cost_ends_a_study_with_a_budget(desk: Any) -> None:
    async def unknown(values: Values, trial: Trial) -> float:
        trial.spent(None)
        return 1.0

    ended = await desk.run(desk.study(trials=9, budget=Decimal(1)), unknown)
    assert (ended.message, ended.progress.unknown) == (
        "The cost of a trial is not known, so the budget cannot be kept.",
        1,
    )
    assert (await desk.run(desk.study(trials=3), unknown)).progress.unknown == 3


async def test_time_is_bounded_over_all_sittings(desk: Any) -> None:
    clock = 0.0

    async def slow(values: Values, trial: Trial) -> float:
        nonlocal clock
        clock += 10
        return 1.0

    study = desk.study(trials=100, time=35.0)
    ended = await desk.run(study, slow, elapsed=lambda: clock)
    assert (ended.message, ended.progress.done, ended.progress.seconds) == ("Its time is over.", 4, 40)
    longer = msgspec.structs.replace(ended.to("queued"), spec=msgspec.structs.replace(study.spec, time=55.0))
    desk.table.change(longer, _act(longer.id))
    again = await desk.run(longer, slow, elapsed=lambda: clock)
    assert (again.progress.done, again.progress.seconds) == (6, 60)


async def test_what_was_cut_off_is_begun_again_with_its_values_and_evidence(desk: Any) -> None:
    study = desk.study(trials=6)
    running = study.to("running")
    assert desk.table.save(running)
    for number, x in enumerate((0.2, 0.7)):
        done = TrialRecord(number=number, values={"x": x}, state="done", value=x)
        desk.table.put(study.id, done)
    desk.table.put(study.id, TrialRecord(number=2, values={"x": 0.25}, evidence={"run": "run_1"}))
    seen: list[tuple[int, float, dict[str, str]]] = []

    async def score(values: Values, trial: Trial) -> float:
        seen.append((trial.number, float(values["x"] or 0), dict(trial.evidence)))
        trial.note("run", f"run_{trial.number}")
        return float(values["x"] or 0)

    ended = await desk.run(desk.again(study), score)
    assert seen[0] == (2, 0.25, {"run": "run_1"})
    assert [number for number, _, _ in seen] == [2, 3, 4, 5]
    assert ended.progress.done == 6
    assert desk.table.trials(study.id)[5].evidence == {"run": "run_5"}


async def test_a_study_that_was_stopped_begins_no_more_trials(desk: Any) -> None:
    study = desk.study(trials=50)

    async def score(values: Values, trial: Trial) -> float:
        if trial.number == 3:
            stopped = desk.again(study).to("stopped", message="Stopped by Ada.")
            assert desk.table.save(stopped)
        return 1.0

    await desk.run(study, score)
    kept = desk.again(study)
    assert (kept.state, kept.message) == ("stopped", "Stopped by Ada.")
    assert len(desk.table.trials(study.id)) == 4


def _act(subject: str) -> Any:
    from noria.access.audit import Act
    from noria.access.role import SYSTEM

    return Act(by=SYSTEM, act="study.resume", subject=subject)
