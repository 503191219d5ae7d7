"""Verdicts, advice and risks: each with its number, and none where the evidence does not tell."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from made import explored, found, samples_of

from noria.core.example import Example
from noria.evals.explore.advice import lacking_knowledge
from noria.evals.explore.arm import Arm
from noria.evals.explore.brief import Brief
from noria.evals.explore.candidates import Candidate, Facts
from noria.evals.explore.constraints import Constraints
from noria.evals.explore.evidence import Evidence, absent
from noria.evals.explore.html import html
from noria.evals.explore.markdown import markdown
from noria.evals.explore.report import ExploreReport, report
from noria.evals.explore.verdict import corrected, verdicts

PLAIN = Arm(model="a")
TWO, EIGHT = (Arm(model="a", technique="few-shot", shots=k) for k in (2, 8))
THOUGHT = Arm(model="a", technique="chain of thought")
OTHER = Arm(model="b")
LABELS = ["yes", "no"]


def told(arms: dict[Arm, Evidence], samples: list[Example] | None = None, **more: Any) -> ExploreReport:
    first = next(iter(arms.values()))
    samples = samples or samples_of([LABELS[n % 2] for n in range(len(first.sheet.lines))])
    return report(explored(list(arms), samples, **more), samples, list(arms.values()))


def advice_of(made: ExploreReport, name: str) -> Any:
    return next(one for one in made.advice if one.adaptation == name)


def test_the_bar_is_reached_missed_or_not_told() -> None:
    high = told({PLAIN: found(PLAIN, [True] * 40)}, bar=0.8)
    assert high.feasible == "feasible" and "reaches the bar of 0.8" in high.sentence
    low = told({PLAIN: found(PLAIN, [False] * 35 + [True] * 5)}, bar=0.8)
    assert low.feasible == "not feasible" and "does not reach" in low.sentence
    open_ = told({PLAIN: found(PLAIN, [True] * 7 + [False] * 3)}, bar=0.8)
    assert open_.feasible == "not told"
    [verdict] = open_.findings[0].verdicts
    assert verdict.needed and f"{verdict.needed:,} more samples would tell" in verdict.sentence


def test_looking_at_many_ways_makes_the_intervals_wider() -> None:
    assert corrected(0.95, 1) == pytest.approx(0.95) and corrected(0.95, 10) == pytest.approx(0.995)
    values = [True] * 34 + [False] * 2
    alone = told({PLAIN: found(PLAIN, values)}, bar=0.81)
    crowd = {Arm(model=f"m{n}"): found(Arm(model=f"m{n}"), values) for n in range(12)}
    assert alone.feasible == "feasible" and told(crowd, bar=0.81).feasible == "not told"


def test_without_a_bar_good_enough_is_not_claimed() -> None:
    made = told({PLAIN: found(PLAIN, [True] * 40)})
    assert made.feasible == "not told" and "names no bar" in made.sentence and "[0.91" in made.sentence


def test_without_answers_and_judge_quality_was_not_measured() -> None:
    samples = samples_of([None] * 8)
    evidence = found(PLAIN, [True] * 8, samples=samples, repeats=3)
    bare = Evidence(
        arm=PLAIN, run="run_1", state="done", sheet=evidence.sheet, agreement=evidence.agreement,
        alike=evidence.alike, answers=24,
    )  # fmt: skip
    made = told({PLAIN: bare}, samples, measure="")
    assert made.feasible == "not told" and "Quality was not measured" in made.sentence
    assert "steadiness and not quality" in made.sentence
    assert evidence.agreement is not None and evidence.agreement.estimate == 0.5
    assert made.findings[0].place.standing == "not placed"


def test_a_barred_judge_decides_nothing() -> None:
    why = "The judge tone has never been calibrated."
    made = told({PLAIN: found(PLAIN, [True] * 40)}, bar=0.5, barred=why)
    assert made.feasible == "not told" and why in made.sentence
    assert not made.findings[0].verdicts and made.risks[0].sentence == why


@pytest.mark.parametrize(
    ("times", "limit", "answer"),
    [([0.1] * 12, 200.0, "not told"), ([0.1] * 100, 200.0, "yes"), ([0.1] * 10 + [0.9] * 10, 200.0, "no")],
)
def test_a_percentile_is_only_claimed_where_there_are_answers_enough(
    times: list[float], limit: float, answer: str
) -> None:
    constraints = Constraints(latency_p95_ms=limit)
    evidence = found(PLAIN, [True] * len(times), latency=times)
    [one] = verdicts(evidence, bar=None, constraints=constraints, measure="right", level=0.95)
    assert one.answer == answer
    assert (one.needed is not None) == (answer == "not told")
    if one.needed:
        more = found(PLAIN, [True] * (12 + one.needed), latency=[0.1] * (12 + one.needed))
        [again] = verdicts(more, bar=None, constraints=constraints, measure="right", level=0.95)
        assert again.answer == "yes"


@pytest.mark.parametrize(("cost", "answer"), [("0.001", "yes"), ("0.01", "no"), (None, "not told")])
def test_costs_are_held_against_their_limit(cost: str | None, answer: str) -> None:
    constraints = Constraints(cost_per_1000=Decimal(2))
    evidence = found(PLAIN, [True] * 12, cost=cost)
    [one] = verdicts(evidence, bar=None, constraints=constraints, measure="right", level=0.95)
    assert one.answer == answer, one


def test_examples_that_help_speak_for_the_prompt() -> None:
    made = told({PLAIN: found(PLAIN, [False] * 20), TWO: found(TWO, [True] * 20)}, bar=0.8)
    one = advice_of(made, "prompt")
    assert one.stance == "for" and "right by +1" in one.sentence and "Holm" in one.sentence
    even = told({PLAIN: found(PLAIN, [True, False] * 5), TWO: found(TWO, [False, True] * 5)}, bar=0.8)
    assert advice_of(even, "prompt").stance == "not told"
    worse = told({PLAIN: found(PLAIN, [True] * 20), THOUGHT: found(THOUGHT, [False] * 20)}, bar=0.8)
    assert advice_of(worse, "prompt").stance == "against"
    assert advice_of(told({PLAIN: found(PLAIN, [True] * 20)}), "prompt").stance == "not told"


def test_a_missed_bar_speaks_for_fine_tuning_with_its_number() -> None:
    low = [True] * 6 + [False] * 34
    made = told({PLAIN: found(PLAIN, low), EIGHT: found(EIGHT, low)}, bar=0.8)
    one = advice_of(made, "fine-tune")
    assert one.stance == "for" and "0.65 from the bar" in one.sentence
    assert "test samples (paired, power 80 %)" in one.evidence[0]
    assert "not told by asking" in one.evidence[1]
    reached = told({PLAIN: found(PLAIN, [True] * 40), EIGHT: found(EIGHT, low)}, bar=0.8)
    assert advice_of(reached, "fine-tune").stance == "against"
    fixed = (Candidate(model="a", facts=(Facts(model="a", capabilities=("chat",)),)),)
    assert (
        "No candidate's card"
        in advice_of(told({PLAIN: found(PLAIN, low)}, bar=0.8, candidates=fixed), "fine-tune").sentence
    )
    without = told({PLAIN: found(PLAIN, low)}, bar=0.8)
    assert advice_of(without, "fine-tune").stance == "not told"


def test_a_learning_curve_is_told_and_its_end_called_beyond_what_was_measured() -> None:
    few, many = [True] * 10 + [False] * 30, [True] * 24 + [False] * 16
    arms = {PLAIN: found(PLAIN, few), TWO: found(TWO, few), EIGHT: found(EIGHT, many)}
    made = told(arms, bar=0.9)
    curve = [one for one in advice_of(made, "fine-tune").evidence if "From 2 to 8 examples" in one]
    assert curve and "0.175 a doubling" in curve[0] and "beyond what was measured" in curve[0]


def knowing(outside: int, inside: int) -> list[Example]:
    known = [
        Example(
            id=f"i{n:02}",
            input={"text": f"The tower of place{n:02} is red."},
            expected=f"place{n:02} tower red",
        )
        for n in range(inside)
    ]
    return known + [
        Example(
            id=f"o{n:02}",
            input={"text": f"Who built number {n}?"},
            expected=f"architect{n:02} somebody{n:02}",
        )
        for n in range(outside)
    ]


def test_answers_that_were_not_given_speak_for_retrieval_where_they_fail() -> None:
    samples = knowing(10, 10)
    spec = explored([PLAIN], samples).spec
    assert lacking_knowledge(spec, samples) == tuple(f"o{n:02}" for n in range(10))
    right = [True] * 10 + [False] * 10
    one = advice_of(told({PLAIN: found(PLAIN, right, samples=samples)}, samples), "retrieval")
    assert one.stance == "for" and "10 of 20 samples" in one.sentence and "50%" in one.evidence[0]
    fine = advice_of(told({PLAIN: found(PLAIN, [True] * 20, samples=samples)}, samples), "retrieval")
    assert fine.stance == "not told" and "not told apart" in fine.sentence
    labels = told({PLAIN: found(PLAIN, [True] * 20)})
    assert advice_of(labels, "retrieval").stance == "against", "labels that repeat are no knowledge"


def about(made: ExploreReport) -> dict[str, str]:
    return {one.about: one.sentence for one in made.risks}


def test_risks_have_their_numbers() -> None:
    samples = samples_of(["yes", "no"] * 6)
    samples[1] = Example(id="s001", input=samples[0].input, expected="no")
    brief = Brief(task="Say.", languages=("de",), bar=0.5)
    arms = {
        PLAIN: found(PLAIN, [True] * 12, samples=samples, said=["no"] * 12, cost=None, tokens=900),
        OTHER: found(OTHER, [True] * 11 + [None], samples=samples, said=["no"] * 12),
        EIGHT: absent(EIGHT, "not begun, since the budget of $1 was spent."),
    }
    said = about(told(arms, samples, brief=brief))
    assert "12 samples are few" in said["few samples"]
    assert "2 samples have the same input" in said["labels that disagree"]
    assert "all 2 models" in said["doubtful labels"]
    assert "902 of 1,000 tokens" in said["context nearly full"]
    assert "12 calls is not known (a)" in said["price unknown"]
    assert "cards do not state which languages" in said["languages"]
    assert "budget of $1 was spent" in said["not run"]


def test_a_run_that_is_not_whole_concludes_nothing() -> None:
    made = told({PLAIN: absent(PLAIN, "not begun yet.")}, samples_of(["yes"] * 6), bar=0.5)
    assert made.feasible == "not told" and made.best is None


def test_hostile_texts_stay_texts() -> None:
    samples = samples_of(["<script>alert(1)</script>", "no"] * 4)
    evil = Arm(model="<b>a|b</b>")
    brief = Brief(task="<img src=x>", title="# <i>x</i>", bar=0.5)
    made = told({evil: found(evil, [True] * 8, samples=samples)}, samples, brief=brief)
    page, text = html(made), markdown(made)
    assert "<script" not in page and "<img" not in page and "<b>a" not in page
    assert "<i>" not in text and "\\<i\\>" in text
