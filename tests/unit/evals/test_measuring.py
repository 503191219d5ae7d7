"""What runs measure, how they compare, and what gates make of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from noria.core.example import Example
from noria.evals.answer import Answer, Judgement
from noria.evals.comparison import compare, together
from noria.evals.gate import Condition, Gate, check
from noria.evals.metrics import metrics
from noria.evals.run import DatasetRef, EvalRun, Progress, RunSpec, TargetSpec
from noria.evals.sheet import Sheet, sheet
from noria.evals.slices import slices
from noria.evals.store import Kept
from noria.scoring.resolve import described, resolve
from noria.scoring.scorer import Described, Output, Score, ScorerSpec

YES = Described(name="right", kind="share")
HOW = Described(name="how", kind="mean")
KIND = Described(name="kind", kind="category", better="neither")
DEAR = Described(name="dear", kind="mean", better="lower")


def kept(id: str, *repeats: dict[str, Any], failed: dict[str, str] | None = None, **more: Any) -> Kept:
    example = Example(id=id, input={"input": id}, **more)
    answers, judgements = [], []
    for repeat, values in enumerate(repeats):
        answers.append(Answer(example=id, revision="r", repeat=repeat, text="x", latency=0.5))
        scores = [Score(name=name, value=value) for name, value in values.items()]
        scores += [Score(name=name, failed=why) for name, why in (failed or {}).items()]
        judgements.append(Judgement(example=id, repeat=repeat, scorer="s", scores=tuple(scores)))
    return Kept(example=example, answers=tuple(answers), judgements=tuple(judgements))


def made(rows: dict[str, Any], *measures: Described, **more: Any) -> Sheet:
    return sheet([kept(id, values, **more) for id, values in rows.items()], measures)


def test_a_share_has_wilsons_interval_and_failures_are_counted() -> None:
    rows = [kept(f"e{n}", {"right": n < 80}) for n in range(100)]
    rows += [kept(f"f{n}", {}, failed={"right": "no reference"}) for n in range(7)]
    found = metrics(sheet(rows, [YES]))
    [one] = found.measures
    assert (one.scores, one.failed, one.why_failed) == (100, 7, (("no reference", 7),))
    assert one.interval is not None and one.interval.estimate == 0.8
    assert (round(one.interval.low or 0, 4), round(one.interval.high or 0, 4)) == (0.7112, 0.8666)
    assert found.examples == 107 and found.latency is not None and found.latency.p50 == 0.5
    assert found.cost is None, "no answer's cost is known"


def test_all_failed_is_no_number() -> None:
    [one] = metrics(sheet([kept("e", {}, failed={"right": "no"})], [YES])).measures
    assert (one.interval, one.failed) == (None, 1)


def test_categories_are_counted() -> None:
    [one] = metrics(made({"a": {"kind": "x"}, "b": {"kind": "y"}, "c": {"kind": "x"}}, KIND)).measures
    assert one.counts == {"x": 2, "y": 1} and one.interval is None


def test_repeats_are_one_example_and_give_pass_at_k() -> None:
    rows = [kept(f"e{n}", *({"right": (n + k) % 4 == 0} for k in range(4))) for n in range(40)]
    [one] = metrics(sheet(rows, [YES])).measures
    assert one.interval is not None and one.interval.estimate == 0.25 and one.interval.n == 40
    by_k = {one.k: one for one in one.passes}
    assert by_k[1].any.estimate == 0.25 and by_k[4].any.estimate == 1.0 and by_k[4].all.estimate == 0
    assert by_k[2].any.estimate == pytest.approx(0.5)


def test_groups_widen_the_interval() -> None:
    alone = metrics(sheet([kept(f"e{n}", {"how": float(n // 10 % 2)}) for n in range(100)], [HOW])).measures[
        0
    ]
    grouped = metrics(
        sheet([kept(f"e{n}", {"how": float(n // 10 % 2)}, group=f"g{n // 10}") for n in range(100)], [HOW])
    ).measures[0]
    assert alone.interval and grouped.interval and grouped.interval.low is not None
    assert "group" in grouped.interval.method
    assert grouped.interval.low < (alone.interval.low or 0)


async def test_corpus_metrics_are_of_all_parts_together() -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    spec = ScorerSpec(type="bleu")
    scorer = resolve(spec)
    pairs = [(f"the cat number {n} sat on the mat", f"the cat number {n} lay on a mat") for n in range(30)]
    rows = []
    for n, (said, wanted) in enumerate(pairs):
        example = Example(id=f"e{n:02}", input={}, expected=wanted)
        scores = tuple(await scorer(Output(example=example, text=said)))
        rows.append(
            Kept(
                example=example,
                answers=(Answer(example=example.id, revision="r", text=said),),
                judgements=(Judgement(example=example.id, scorer="bleu", scores=scores),),
            )
        )
    found = sheet(rows, described(spec))
    [one] = metrics(found).measures
    expected = sacrebleu.corpus_bleu([a for a, _ in pairs], [[b for _, b in pairs]]).score
    assert one.interval is not None and one.interval.estimate == pytest.approx(expected, abs=1e-9)
    [same] = compare(found, found).scorers
    assert same.difference.estimate == 0 and same.p == 1.0 and same.verdict == "not shown"


def test_slices_are_by_tag_field_and_length() -> None:
    rows = [
        kept(f"e{n}", {"right": n % 2 == 0}, tags=("even",) if n % 2 == 0 else (), metadata={"level": n % 3})
        for n in range(60)
    ]
    found = {(one.by, one.value): one.measure.interval for one in slices(sheet(rows, [YES]), YES)}
    even = found["tag", "even"]
    assert even is not None and even.estimate == 1.0
    assert {value for by, value in found if by == "level"} == {"0", "1", "2"}


def test_a_comparison_is_paired_and_says_what_is_missing() -> None:
    left = made({f"e{n}": {"right": n % 3 != 0, "dear": 1.0, "how": 0.5} for n in range(90)}, YES, DEAR, HOW)
    right = made({f"e{n}": {"right": True, "dear": 2.0, "how": 0.5} for n in range(100)}, YES, DEAR, HOW)
    found = compare(left, right)
    assert (found.examples, found.only_candidate, found.only_baseline) == (90, 0, 10)
    by_name = {one.name: one for one in found.scorers}
    one = by_name["right"]
    assert (one.wins, one.ties, one.losses, one.verdict) == (0, 60, 30, "worse")
    assert one.method == "McNemar" and one.p is not None and one.p < 1e-8
    assert one.p_adjusted == pytest.approx(one.p * 3)
    assert by_name["dear"].verdict == "better", "less is better"
    assert by_name["how"].verdict == "not shown"
    assert [one.example for one in found.regressions["right"]][:2] == ["e0", "e12"]


def test_an_example_that_was_revised_is_another_one() -> None:
    left = sheet([kept(f"e{n}", {"right": True}) for n in range(30)], [YES])
    right = [kept(f"e{n}", {"right": n > 9}) for n in range(30)]
    edited = [
        msgspec.structs.replace(
            one, answers=tuple(msgspec.structs.replace(answer, revision="edited") for answer in one.answers)
        )
        for one in right[:10]
    ]
    found = compare(left, sheet([*edited, *right[10:]], [YES]))
    assert (found.examples, found.revised, found.only_baseline) == (20, 10, 0)
    assert found.scorers[0].wins == 0


def test_an_answer_that_failed_is_one_answer() -> None:
    failed = Judgement(example="b", scorer="s", scores=(Score(name="right", failed="There is no answer."),))
    rows = [
        kept("a", {"right": True}),
        Kept(
            example=Example(id="b", input={}),
            answers=(Answer(example="b", revision="r", failed="refused"),),
            judgements=(failed,),
        ),
    ]
    found = metrics(sheet(rows, [YES]))
    assert (found.examples, found.answers, found.failed) == (2, 2, 1)


def test_an_undefined_corpus_metric_shows_no_difference() -> None:
    def share(scores: Any) -> float:
        count = sum(score.parts[1] for score in scores)
        return sum(score.parts[0] for score in scores) / count if count else float("nan")

    made = Described(name="part", kind="corpus", metric=share)
    columns: list[Sheet] = []
    for counted in (0.0, 1.0):
        rows = [kept(f"e{n}", {}) for n in range(20)]
        score = Score(name="part", value=0.0, parts=(0.0, counted))
        columns.append(
            sheet(
                [
                    msgspec.structs.replace(
                        one, judgements=(Judgement(example=one.example.id, scorer="s", scores=(score,)),)
                    )
                    for one in rows
                ],
                [made],
            )
        )
    [one] = compare(*columns).scorers
    assert (one.candidate, one.baseline, one.p, one.verdict) == (None, 0.0, None, "no examples")
    [measure] = metrics(columns[0]).measures
    assert measure.interval is not None and measure.interval.estimate is None


def test_what_is_not_shown_says_how_many_more_would_tell() -> None:
    left = made({f"e{n}": {"right": n % 10 != 0} for n in range(40)}, YES)
    right = made({f"e{n}": {"right": n % 10 not in (1, 2)} for n in range(40)}, YES)
    [one] = compare(left, right).scorers
    assert one.verdict == "not shown" and one.needed is not None and 100 < one.needed < 1000


def run_of(**more: Any) -> EvalRun:
    spec = RunSpec(name="e", target=TargetSpec(model="m"), dataset=DatasetRef(name="d", number=1, digest="x"))
    progress = Progress(total=100, answered=100, scored=100, scores=100)
    made = EvalRun(id="run_2", project="default", spec=spec, state="done", progress=progress)
    return msgspec.structs.replace(made, **more)


BEFORE = run_of(id="run_1")
GOOD = made({f"e{n}": {"right": n % 10 != 0, "dear": 1.0} for n in range(200)}, YES, DEAR)
POOR = made({f"e{n}": {"right": n % 2 != 0, "dear": 1.0} for n in range(200)}, YES, DEAR)


@pytest.mark.parametrize(
    ("condition", "now", "before", "verdict", "words"),
    [
        ({"at_least": 0.85}, GOOD, None, "pass", "right 0.9"),
        ({"at_least": 0.95}, GOOD, None, "fail", "to be at least 0.95"),
        ({"at_least": 0.88, "level": 0.95}, GOOD, None, "undecided", "0.88"),
        ({"at_least": 0.8, "level": 0.95}, GOOD, None, "pass", ""),
        ({"at_most": 0.2}, POOR, None, "fail", ""),
        ({"better_than": "previous"}, GOOD, POOR, "pass", "against run_1"),
        ({"better_than": "previous", "by": 0.5}, GOOD, POOR, "fail", ""),
        ({"better_than": "previous"}, GOOD, GOOD, "undecided", "to be better"),
        ({"better_than": "previous"}, GOOD, None, "undecided", "no finished run"),
        ({"no_worse_than": "previous", "by": 0.02}, GOOD, GOOD, "pass", ""),
        ({"no_worse_than": "previous", "by": 0.02}, POOR, GOOD, "fail", ""),
        ({"scorer": "gone", "at_least": 1}, GOOD, None, "undecided", "no scorer 'gone'"),
        ({"scorer": "latency", "at_most": 1.0}, GOOD, None, "pass", "95th percentile"),
        ({"scorer": "cost", "at_most": 1.0}, GOOD, None, "undecided", "not known"),
        ({"scorer": "dear", "no_worse_than": "previous", "by": 0.1}, GOOD, GOOD, "pass", ""),
    ],
)
def test_conditions(
    condition: dict[str, Any], now: Sheet, before: Sheet | None, verdict: str, words: str
) -> None:
    gate = Gate(name="g", eval="e", conditions=(Condition(**{"scorer": "right", **condition}),))
    found = check(
        gate,
        run_of(ended_ms=1_000),
        lambda: now,
        baseline=lambda _: None if before is None else (BEFORE, before),
        owner=lambda _: None,
        bar=None,
        now_ms=7_201_000,
    )
    assert found.result.reason.endswith("(Run run_2, 2 hours old.)")
    assert found.result.evidence["run"] == "run_2" and found.result.evidence["age"] == "2 hours"
    assert found.result.verdict == verdict, found.result.reason
    assert words in found.result.reason


class Bar:
    def barred(self, project: str, spec: ScorerSpec) -> str:
        return "This judge was never calibrated." if spec.type == "judge" else ""


@pytest.mark.parametrize(
    ("run", "kind", "words"),
    [
        (run_of(), "judge", "never calibrated"),
        (run_of(state="stopped", message="Stopped by me."), "exact", "The run is stopped, not done"),
        (run_of(progress=Progress(answered=100, failed=30), message="30 failed."), "exact", "30 failed"),
    ],
)
def test_what_cannot_be_used_decides_nothing(run: EvalRun, kind: str, words: str) -> None:
    gate = Gate(name="g", eval="e", conditions=(Condition(scorer="right", at_least=0.1),))
    owner = ScorerSpec(type=kind)
    found = check(
        gate, run, lambda: GOOD, baseline=lambda _: None, owner=lambda _: owner, bar=Bar(), now_ms=0
    )
    assert found.result.verdict == "undecided" and words in found.result.reason


def test_several_candidates_share_one_level() -> None:
    base = made({f"e{n}": {"right": n % 4 != 0} for n in range(60)}, YES)
    little = made({f"e{n}": {"right": n % 4 != 0 or n < 24} for n in range(60)}, YES)
    alone = compare(little, base)
    assert alone.scorers[0].verdict == "better"
    shared = together([alone, compare(base, base), compare(base, base)])
    one = shared[0].scorers[0]
    assert one.p_adjusted == pytest.approx((one.p or 0) * 3) and one.verdict == "not shown"
    assert [each.scorers[0].p_adjusted for each in shared[1:]] == [1.0, 1.0]
