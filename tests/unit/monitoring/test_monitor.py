"""Which calls are looked at, and which scorers can judge them."""

from __future__ import annotations

import asyncio
import os

import msgspec
import pytest

from noria import hooks
from noria.core.example import Example
from noria.monitoring.monitor import Monitor, sampled, unfit
from noria.monitoring.rule import Rule
from noria.scoring.resolve import asks_models, resolve
from noria.scoring.scorer import Output, ScorerSpec

ARGUMENTS = {
    "regex": {"pattern": "x"}, "contains": {"values": ["x"]}, "json_schema": {"schema": {"type": "object"}},
}  # fmt: skip
FITTING = [
    ScorerSpec(type=type, arguments=ARGUMENTS.get(type, {}))
    for type in hooks.names("scorer")
    if not asks_models(type)
]


def test_a_sample_has_its_share_and_smaller_ones_are_part_of_it() -> None:
    traces = [os.urandom(16) for _ in range(20_000)]
    half = {trace for trace in traces if sampled(trace, 0.5)}
    tenth = {trace for trace in traces if sampled(trace, 0.1)}
    assert abs(len(half) / len(traces) - 0.5) < 0.02 and abs(len(tenth) / len(traces) - 0.1) < 0.02
    assert tenth < half
    assert all(sampled(trace, 1.0) for trace in traces)


@pytest.mark.parametrize("spec", [spec for spec in FITTING if not unfit(spec)], ids=lambda spec: spec.type)
def test_scorers_that_fit_need_no_example(spec: ScorerSpec) -> None:
    """Each that is not refused gives no score that fails for want of what only an example has."""
    output = Output(example=Example(id="span-1", input={"input": "hi"}), text="no")
    scores = asyncio.run(resolve(spec)(output))
    assert not [score for score in scores if "expected answer" in score.failed or "metadata" in score.failed]


def test_what_does_not_fit_says_why() -> None:
    assert "expected answer" in unfit(ScorerSpec(type="exact"))
    assert "expected answer" in unfit(ScorerSpec(type="regex", arguments={"pattern": "(x)", "group": 1}))
    assert "`values`" in unfit(ScorerSpec(type="contains"))
    assert "context" in unfit(ScorerSpec(type="judge.faithfulness"))
    assert unfit(ScorerSpec(type="judge.rubric")) == "" == unfit(ScorerSpec(type="refusal"))


def test_a_monitor_is_rebuilt_from_json_and_its_digest_ignores_its_rules() -> None:
    one = Monitor(project="p", name="m", filter="route:a", scorers=(ScorerSpec(type="refusal"),))
    assert msgspec.convert(msgspec.to_builtins(one), Monitor) == one
    other = msgspec.structs.replace(one, rules=(Rule(name="r", measure="error_rate", alert=0.5),))
    assert other.digest == one.digest != msgspec.structs.replace(one, share=0.5).digest
    assert str(one.terms) == "route:a -team:noria.monitors"
