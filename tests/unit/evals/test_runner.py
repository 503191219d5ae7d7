"""The runner: everything is answered once, stored, scored once, counted; and what fails is a value."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from noria.core.example import Example
from noria.errors import RateLimited, Unreachable, UpstreamFailed
from noria.evals.judging import Judging
from noria.evals.run import TargetSpec
from noria.scoring.scorer import Described, Output, Score, ScorerSpec

sys.path.insert(0, str(Path(__file__).parent))
from desk import Desk, examples, right


async def test_all_is_answered_and_scored(desk: Desk) -> None:
    run = await desk.go(desk.add(repeats=2), right, examples(300))
    assert (run.state, run.message) == ("done", "")
    now = run.progress
    assert (now.total, now.answered, now.scored, now.failed, now.failed_scores) == (600, 600, 600, 0, 0)
    kept = list(desk.store.kept(run.id))
    assert [one.example for one in kept] == examples(300)
    assert all([answer.repeat for answer in one.answers] == [0, 1] for one in kept)
    assert all(j.scores == (Score(name="exact", value=True),) for one in kept for j in one.judgements)
    stored = desk.store.run("default", run.id)
    assert stored is not None and stored.state == "done" and stored.progress == now
    assert msgspec.structs.replace(desk.store.counted(run.id), total=600) == now


async def test_what_fails_is_a_counted_value(desk: Desk) -> None:
    def sometimes(given: dict[str, Any]) -> Any:
        number = int(given["input"].split()[1])
        if number % 10 == 3:
            raise RuntimeError("no")
        return object() if number % 10 == 4 else right(given)

    run = await desk.go(desk.add(), sometimes, examples(100))
    assert run.state == "done" and not run.sound
    assert "20 of 100 answers and 20 of 100 scores failed" in run.message
    kept = desk.store.kept_of(run.id, ["e00003", "e00004"])
    assert kept["e00003"].answers[0].failed == "RuntimeError: no"
    assert kept["e00003"].judgements[0].scores[0].failed == "There is no answer to score."
    assert kept["e00004"].answers[0].failed.startswith("It answered what is no JSON")


async def test_a_score_that_failed_is_counted(desk: Desk) -> None:
    async def odd(output: Output) -> Any:
        failed = "I cannot tell." if output.example.id == "e00001" else ""
        return (Score(name="odd", value=None if failed else 1.0, failed=failed),)

    spec = ScorerSpec(type="odd")
    judging = Judging(spec, odd, [Described(name="odd")])
    run = await desk.go(desk.add(scorers=(spec,)), right, examples(30), judgings=[judging])
    assert (run.progress.failed_scores, run.progress.scores, run.state, run.sound) == (1, 30, "done", True)


async def test_all_first_calls_failing_ends_the_run(desk: Desk) -> None:
    calls = Counter[str]()

    def broken(given: dict[str, Any]) -> str:
        calls["all"] += 1
        raise RuntimeError("wrong key")

    run = await desk.go(desk.add(), broken, examples(500))
    assert run.state == "failed"
    assert run.message == "All of the first 20 calls failed: RuntimeError: wrong key"
    assert calls["all"] < 60


class _Calls:
    """A target that counts, and does what it is told to."""

    is_target = True

    def __init__(self, *, cost: str | None = None, errors: list[Exception] | None = None) -> None:
        self.seen = Counter[tuple[str, int]]()
        self.most = 0
        self._now = 0
        self._cost = None if cost is None else Decimal(cost)
        self._errors = errors or []

    async def __call__(self, example: Example, *, repeat: int, seed: int) -> Output:
        if self._errors:
            raise self._errors.pop()
        self.seen[example.id, repeat] += 1
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0.001)
        self._now -= 1
        return Output(example=example, text=right(example.input), repeat=repeat, cost=self._cost)


async def test_no_more_at_once_than_allowed(desk: Desk) -> None:
    target = _Calls()
    await desk.go(desk.add(concurrency=3), target, examples(60))
    assert target.most == 3


async def test_a_budget_is_kept(desk: Desk) -> None:
    target = _Calls(cost="0.01")
    run = await desk.go(
        desk.add(budget=Decimal("0.255"), concurrency=4), target, examples(100), expected=Decimal("0.01")
    )
    assert run.state == "failed"
    assert run.message == "The budget of 0.255 dollars does not allow another call."
    assert run.progress.cost == Decimal("0.25") == desk.store.counted(run.id).cost
    assert sum(target.seen.values()) == 25 == run.progress.scored


async def test_a_budget_is_not_spent_blindly(desk: Desk) -> None:
    unknown = await desk.go(desk.add(target=TargetSpec(model="m"), budget=Decimal(1)), _Calls(), examples(50))
    assert unknown.state == "failed" and "cost is not known" in unknown.message
    assert unknown.progress.answered < 50
    # What judging costs shows in the first answer: nothing else is asked before.
    target = _Calls(cost="0.01")
    asked: list[int] = []

    async def judge(output: Output) -> Any:
        asked.append(sum(target.seen.values()))
        return (Score(name="judge", value=1.0, cost=Decimal("0.09"), trace="t"),)

    spec = ScorerSpec(type="judge")
    run = await desk.go(
        desk.add(scorers=(spec,), budget=Decimal("0.55"), concurrency=8),
        target,
        examples(100),
        judgings=[Judging(spec, judge, [Described(name="judge")])],
        expected=Decimal("0.01"),
        judged=True,
    )
    assert asked[0] == 1 and run.progress.cost == Decimal("0.5") and run.state == "failed"


async def test_alike_examples_share_what_was_paid_for(desk: Desk) -> None:
    alike = [Example(id=f"e{n}", input={"input": "question 1"}, expected="answer 1") for n in range(4)]
    asked = Counter[str]()

    async def judge(output: Output) -> Any:
        asked["judge"] += 1
        return (Score(name="judge", value=1.0, cost=Decimal("0.25"), trace="t"),)

    spec = ScorerSpec(type="judge")
    target = _Calls()
    for _ in range(2):
        judging = Judging(spec, judge, [Described(name="judge")])
        run = desk.add(scorers=(spec,), target=TargetSpec(function="a:b", version="1"))
        await desk.go(run, target, alike, judgings=[judging])
    assert sum(target.seen.values()) == 4 == asked["judge"]


async def test_who_resumes_first_resumes_alone(desk: Desk) -> None:
    run = await desk.go(desk.add(), right, examples(3))
    again = msgspec.structs.replace(run, state="stopped").to("queued")
    assert desk.store.change(again, _act(run.id)) and not desk.store.change(again, _act(run.id))


async def test_where_waiting_helps_it_waits(desk: Desk) -> None:
    errors: list[Exception] = [RateLimited("slow down", retry_after=0.01) for _ in range(5)]
    run = await desk.go(desk.add(concurrency=1), _Calls(errors=errors), examples(10))
    assert (run.state, run.progress.failed) == ("done", 0)


async def test_where_nothing_answers_it_ends_and_can_go_on(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr("noria.evals.pace.LONGEST", 0.001)
    errors: list[Exception] = [Unreachable("Noria does not answer.") for _ in range(12)]
    run = desk.add(concurrency=1)
    ended = await desk.go(run, _Calls(errors=errors), examples(10))
    assert (ended.state, ended.message, ended.progress.answered) == ("failed", "Noria does not answer.", 0)
    again = await desk.go(ended.to("queued"), _Calls(), examples(10))
    stored = desk.store.run("default", run.id)
    assert stored is not None and (stored.state, again.progress.answered) == ("failed", 0)
    assert desk.store.change(ended.to("queued"), _act(run.id))
    assert (await desk.go(ended.to("queued"), _Calls(), examples(10))).state == "done"


async def test_paused_and_run_again_nothing_is_asked_twice(desk: Desk) -> None:
    target = _Calls()
    run = desk.add(concurrency=2, repeats=2)
    runner = desk.runner(run, target)
    going = asyncio.create_task(runner.run(examples(200), total=400))
    async with asyncio.timeout(10):
        while sum(target.seen.values()) < 50:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    runner.pause()
    ended = await going
    assert ended.state == "running" and 50 <= ended.progress.answered == ended.progress.scored < 400
    found = desk.store.run("default", run.id)
    assert found is not None
    again = await desk.go(found, target, examples(200))
    assert again.state == "done" and again.progress.scored == 400
    assert set(target.seen.values()) == {1} and len(target.seen) == 400


async def test_answers_are_used_again_only_where_that_is_sound(desk: Desk) -> None:
    target = _Calls(cost="0.5")
    first = await desk.go(desk.add(version="1"), target, examples(20))
    second = await desk.go(desk.add(version="1"), target, examples(20))
    assert (first.progress.cost, second.progress.cost) == (Decimal(10), 0)
    assert (second.progress.reused, second.progress.scored) == (20, 20)
    assert desk.store.counted(second.id).cost == 0
    for more in (
        {"version": "2"},
        {"version": ""},
        {"version": "1", "fresh": True},
        {"version": "1", "seed": 1},
    ):
        other = await desk.go(desk.add(**more), target, examples(20))
        assert other.progress.reused == 0
    assert set(target.seen.values()) == {5}


async def test_judgements_that_were_paid_for_are_used_again(desk: Desk) -> None:
    asked = Counter[str]()

    async def judge(output: Output) -> Any:
        asked[output.example.id] += 1
        failed = "nonsense" if output.example.id == "e00003" else ""
        value = None if failed else 1.0
        return (Score(name="judge", value=value, failed=failed, cost=Decimal("0.25"), trace="t"),)

    spec = ScorerSpec(type="judge")
    runs = [
        await desk.go(
            desk.add(scorers=(spec,)),
            _Calls(),
            examples(10),
            judgings=[Judging(spec, judge, [Described(name="judge", version=version)])],
        )
        for version in ("1", "1", "2")
    ]
    assert [run.progress.cost for run in runs] == [Decimal("2.5"), Decimal("0.25"), Decimal("2.5")]
    assert asked == {one.id: 3 if one.id == "e00003" else 2 for one in examples(10)}
    assert all(desk.store.counted(run.id).cost == run.progress.cost for run in runs)


async def test_an_upstream_failure_is_told(desk: Desk) -> None:
    errors: list[Exception] = [UpstreamFailed("The model is gone.")]
    run = await desk.go(desk.add(concurrency=1), _Calls(errors=errors), examples(20))
    assert next(desk.store.kept(run.id)).answers[0].failed == "The model is gone."
    assert run.progress.failed == 1


async def test_a_store_that_breaks_is_raised(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    run = desk.add()
    runner = desk.runner(run, right)
    desk.database.close()
    monkeypatch.setattr(desk.store, "write", lambda *_: (_ for _ in ()).throw(OSError("gone")))
    with pytest.raises(OSError, match="gone"):
        await asyncio.wait_for(runner.run(examples(50), total=50), 10)


def _act(subject: str) -> Any:
    from noria.access.audit import Act
    from noria.access.role import SYSTEM

    return Act(by=SYSTEM, act="eval.resume", subject=subject)
