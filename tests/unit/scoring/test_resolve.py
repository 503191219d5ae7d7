"""Specs become scorers; what goes wrong is a sentence or a failed score, never silence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from noria import hooks
from noria.errors import ConfigError
from noria.scoring.factory import Unscorable, factory
from noria.scoring.resolve import described, resolve, types
from noria.scoring.scorer import Described, Output, Score, Scorer, ScorerSpec

Make = Callable[..., Output]


async def test_names(output: Make) -> None:
    spec = ScorerSpec(type="rouge", name="summary", arguments={"variants": ["1", "l"]})
    assert [one.name for one in described(spec)] == ["summary.1", "summary.l"]
    found = await resolve(spec)(output("a b", "a b"))
    assert [(one.name, one.value) for one in found] == [("summary.1", 1.0), ("summary.l", 1.0)]


@pytest.mark.parametrize(
    ("type", "arguments", "says"),
    [
        ("nothing", {}, "No scorer of type 'nothing' is installed"),
        ("exact", {"casing": True}, "does not take casing; it takes ignore_case"),
        ("exact", {"ignore_case": "yes"}, "`ignore_case` of the scorer 'exact' is wrong: Expected `bool`"),
        ("regex", {}, "The scorer 'regex' needs pattern"),
        ("regex", {"pattern": "("}, "is not a regular expression"),
        ("regex", {"pattern": "(a)", "group": 2}, "has 1 groups, so no group 2"),
        ("rouge", {"variants": ["9"]}, "`variants` of the scorer 'rouge' is wrong"),
        ("json_schema", {"schema": {"type": 5}}, "The JSON Schema is wrong"),
    ],
)
def test_mistakes_are_sentences(type: str, arguments: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=None) as caught:
        resolve(ScorerSpec(type=type, arguments=arguments))
    assert says in str(caught.value)


@pytest.mark.parametrize("type", ["exact", "token_f1", "numeric", "bleu", "chrf", "ter", "rouge", "wer"])
async def test_without_a_reference_every_score_says_so(output: Make, type: str) -> None:
    spec = ScorerSpec(type=type, name="mine")
    found = await resolve(spec)(output("text"))
    assert [one.name for one in found] == [one.name for one in described(spec)]
    assert all(one.value is None and "e has no expected answer" in one.failed for one in found)


@pytest.mark.parametrize(
    ("value", "failed"), [(float("nan"), "The score is nan"), (float("inf"), "The score is inf")]
)
async def test_no_number_is_a_failed_score(output: Make, value: float, failed: str) -> None:
    @factory(Described(name="odd"))
    def odd() -> Scorer:
        async def score(output: Output) -> Sequence[Score]:
            return (Score(name="odd", value=value),)

        return score

    (found,) = await odd()(output("text"))
    assert found.value is None and failed in found.failed


async def test_a_strangers_crash_is_a_failed_score(output: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    @factory(Described(name="odd"), Described(name="odd.second"))
    def odd() -> Scorer:
        async def score(output: Output) -> Sequence[Score]:
            if output.text == "half":
                return (Score(name="odd", value=1.0),)
            if output.text == "none":
                raise Unscorable("Not this one.")
            raise KeyError("x")

        return score

    monkeypatch.setattr(hooks, "load", lambda kind, type: odd)
    judge = resolve(ScorerSpec(type="odd", name="mine"))
    assert [one.failed for one in await judge(output("none"))] == ["Not this one."] * 2
    assert ["KeyError" in one.failed for one in await judge(output("crash"))] == [True, True]
    half = await judge(output("half"))
    assert [(one.name, one.failed) for one in half] == [
        ("mine", ""),
        ("mine.second", "The scorer said nothing of this."),
    ]


def test_every_registered_scorer_says_what_it_measures() -> None:
    needed: dict[str, dict[str, object]] = {
        "regex": {"pattern": "a"},
        "judge.rubric": {"criterion": "c"},
        "similarity": {"model": "m"},
        "bias.groups": {"scorer": {"type": "exact"}, "groups": ["a", "b"]},
    }
    for type in types():
        model = {"model": "m"} if type.startswith("judge.") else {}
        found = described(ScorerSpec(type=type, arguments={**model, **needed.get(type, {})}))
        assert found and all(one.name == type or one.name.startswith(type + ".") for one in found)
        assert all((one.kind == "corpus") <= (one.metric is not None) for one in found)
