"""Agreement, errors and biases are found as they were put in; the bar is held against the evidence."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from msgspec.structs import replace
from sklearn.metrics import cohen_kappa_score

from noria.core.example import Example
from noria.errors import InvalidRequest
from noria.scoring.judge.bar import Bar, may_gate
from noria.scoring.judge.calibration import Calibration, measure
from noria.scoring.judge.corrected import corrected_mean, corrected_share
from noria.scoring.judge.label import Reading, Verdict, labelled
from noria.scoring.scorer import Described
from noria.stats.interval import effective_number

YES_NO, NUMBER, CATEGORY = (
    Described(name="j", kind="share"),
    Described(name="j"),
    Described(name="j", kind="category"),
)


def yes_no(n: int, *, right: float, seed: int = 1, share: float = 0.5, **more: Any) -> list[Verdict]:
    draw = random.Random(seed)
    found: list[Verdict] = []
    for number in range(n):
        label = draw.random() < share
        judged = label if draw.random() < right else not label
        found.append(Verdict(example=str(number), label=label, judged=judged, size=draw.gauss(4, 1), **more))
    return found


def test_agreement_and_errors() -> None:
    verdicts = yes_no(400, right=0.9)
    found = measure(verdicts)
    kappa = cohen_kappa_score([one.label for one in verdicts], [one.judged for one in verdicts])
    assert found.kappa is not None and found.kappa.estimate == pytest.approx(kappa, abs=1e-9)
    assert found.kappa.low is not None and found.kappa.low < 0.8 < (found.kappa.high or 0)
    assert found.n == 400 and found.failed == 0
    assert found.true_positive is not None and found.false_positive is not None
    positives = [one for one in verdicts if one.label]
    assert found.true_positive.estimate == sum(bool(one.judged) for one in positives) / len(positives)
    assert sum(sum(row.values()) for row in found.table.values()) == 400
    assert found.length_bias is not None and abs(found.length_bias.estimate or 0) < 0.15
    assert found.noise is None and found.consistent is None


def test_failed_verdicts_are_counted_with_their_reasons() -> None:
    broken = [Verdict(example=f"f{number}", label=True, failed="nonsense") for number in range(3)]
    found = measure([*yes_no(50, right=0.9), *broken])
    assert (found.n, found.failed, found.reasons) == (50, 3, {"nonsense": 3})
    assert measure(broken).kappa is None


def test_a_judge_that_loves_length_is_found_out() -> None:
    draw = random.Random(3)
    verdicts: list[Verdict] = []
    for number in range(300):
        size = draw.gauss(4, 1)
        label = float(draw.randint(2, 4))
        judged = max(1.0, min(5.0, label + round(size - 4)))
        verdicts.append(Verdict(example=str(number), label=label, judged=judged, size=size))
    bias = measure(verdicts).length_bias
    assert bias is not None and bias.low is not None and bias.low > 0.7


def test_a_judge_that_loves_the_first_place_is_found_out() -> None:
    draw = random.Random(4)
    verdicts: list[Verdict] = []
    for number in range(200):
        biased = draw.random() < 0.5
        label = float(draw.random() < 0.5)
        places = ("A", "A") if biased else (("A", "B") if label else ("B", "A"))
        judged = 0.5 if biased else label
        verdicts.append(Verdict(example=str(number), label=label, judged=judged, places=places))
    found = measure(verdicts)
    assert found.consistent is not None and found.consistent.estimate == pytest.approx(0.5, abs=0.1)
    assert found.first_place is not None and found.first_place.low is not None
    assert found.first_place.low > 0.6


def test_noise_is_the_share_that_repeats_change() -> None:
    firsts = yes_no(40, right=1.0)
    again = [
        Verdict(
            example=one.example, repeat=1, label=one.label, judged=one.label if number % 4 else not one.label
        )
        for number, one in enumerate(firsts)
    ]
    found = measure([*firsts, *again])
    assert found.noise is not None and found.noise.estimate == 0.25
    assert found.kappa is not None and found.kappa.estimate == 1.0


def test_numbers_beside_yes_and_no_need_a_threshold() -> None:
    verdicts = [
        Verdict(example=str(n), label=n % 2 == 0, judged=0.9 if n % 2 == 0 else 0.4) for n in range(40)
    ]
    with pytest.raises(InvalidRequest, match="`threshold`"):
        measure(verdicts)
    found = measure(verdicts, threshold=0.5)
    assert found.kappa is not None and found.kappa.estimate == 1.0 and found.threshold == 0.5


def test_labels_of_another_kind_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="not of the judge's kind"):
        measure([Verdict(example="a", label="good", judged=True)])


@pytest.mark.parametrize(
    ("given", "described", "label"),
    [
        ("yes", YES_NO, True),
        (0, YES_NO, False),
        (True, NUMBER, True),
        (4, NUMBER, 4.0),
        ("win", NUMBER, 1.0),
        ("tie", NUMBER, 0.5),
        ("spam", CATEGORY, "spam"),
    ],
)
def test_labels(given: Any, described: Described, label: Any) -> None:
    example = Example(
        id="e", input={"input": "q"}, metadata={"answer": "a b", "label": given, "context": ["c"]}
    )
    found = labelled(example, described)
    assert found is not None and found.label == label and type(found.label) is type(label)
    assert found.output.text == "a b" and found.output.context == ("c",)
    assert found.size == math.log(4)


def test_labels_that_are_missing_or_wrong() -> None:
    assert labelled(Example(id="e", input={}, metadata={"answer": "a"}), YES_NO) is None
    with pytest.raises(InvalidRequest, match="no 'answer'"):
        labelled(Example(id="e", input={}, metadata={"label": True}), YES_NO)
    example = Example(id="e", input={"text": "so"}, metadata={"gold": "hateful"})
    found = labelled(example, YES_NO, reading=Reading(answer="text", label="gold", yes=("hateful",)))
    assert found is not None and found.label is True and found.output.text == "so"
    with pytest.raises(InvalidRequest, match="labels are yes or no"):
        labelled(Example(id="e", input={}, metadata={"answer": "a", "label": 3}), YES_NO)
    with pytest.raises(InvalidRequest, match="labels are a number"):
        labelled(Example(id="e", input={}, metadata={"answer": "a", "label": [1]}), NUMBER)


SIX = Bar(kappa=0.6)


def gate(
    calibration: Calibration | None, *, bar: Bar | None = SIX, calibrated: str | None = "i"
) -> tuple[str, str]:
    found = may_gate("kind", identity="i", bar=bar, calibrated=calibrated, calibration=calibration)
    return found.verdict, found.reason


def test_a_judge_that_agrees_passes_and_one_that_guesses_fails() -> None:
    verdict, reason = gate(measure(yes_no(400, right=0.92)))
    assert verdict == "pass" and "kappa must be at least 0.6 and is 0.8" in reason
    verdict, reason = gate(measure(yes_no(400, right=0.55)))
    assert verdict == "fail" and "400 examples" in reason


def test_few_labels_settle_nothing() -> None:
    verdict, reason = gate(measure(yes_no(40, right=0.85)))
    assert verdict == "undecided" and "label more examples" in reason
    verdict, reason = gate(measure(yes_no(4, right=1.0, seed=2)))
    assert verdict == "undecided"


def test_a_judge_that_never_errs_needs_labels_enough() -> None:
    found = measure(yes_no(200, right=1.0))
    assert found.kappa is not None and found.kappa.estimate == 1.0
    assert found.kappa.low is not None and 0.95 < found.kappa.low < 1.0
    assert gate(found)[0] == "pass"
    assert gate(measure(yes_no(6, right=1.0)))[0] == "undecided"
    numbers = [Verdict(example=str(n), label=float(n % 5), judged=float(n % 5)) for n in range(200)]
    assert gate(measure(numbers))[0] == "pass"


def test_a_judge_that_says_one_thing_only_fails_once_there_are_labels_enough() -> None:
    def always(n: int) -> list[Verdict]:
        return [replace(one, judged=True) for one in yes_no(n, right=1.0, share=0.7)]

    found = measure(always(100))
    assert found.kappa is not None and found.kappa.estimate == 0.0
    assert found.kappa.high is not None and 0.0 < found.kappa.high < 0.3
    assert gate(found)[0] == "fail"
    assert gate(measure(always(4)))[0] == "undecided"


def test_what_was_not_calibrated_cannot_gate() -> None:
    good = measure(yes_no(400, right=0.92))
    assert gate(good, bar=None) == (
        "undecided",
        "Judge kind has no bar; write `bar = { kappa = 0.6 }` in [judges.kind].",
    )
    assert "never calibrated" in gate(None)[1]
    assert "another prompt, model or rubric" in gate(good, calibrated="other")[1]
    broken = [Verdict(example=f"f{number}", label=True, failed="nonsense") for number in range(100)]
    verdict, reason = gate(measure([*yes_no(400, right=0.92), *broken]))
    assert verdict == "fail" and "no verdict on 100 of 500 examples" in reason


def test_one_condition_that_fails_is_enough() -> None:
    found = measure(yes_no(400, right=0.92))
    assert gate(found, bar=Bar(kappa=0.6, false_positive=0.2))[0] == "pass"
    assert gate(found, bar=Bar(kappa=0.6, false_positive=0.01))[0] == "fail"
    assert gate(found, bar=Bar(consistent=0.9))[0] == "undecided"


def test_rates_are_corrected_for_the_judges_errors() -> None:
    calibration = measure(yes_no(2000, right=0.8))
    # Of a true share of 0.9 such a judge reports 0.74.
    found = corrected_share(calibration, 0.74, worth=1000, n=1000)
    assert found is not None and found.n == 1000
    assert found.estimate == pytest.approx(0.9, abs=0.05)
    assert found.low is not None and found.high is not None and found.low < 0.9 < found.high
    assert corrected_share(measure([Verdict(example="a", label=1.0, judged=1.0)]), 0.5, worth=2, n=2) is None
    # A hundred documents of ten answers each, all alike, tell as much as a hundred answers.
    groups = [str(number // 10) for number in range(1000)]
    worth = effective_number([1.0] * 740 + [0.0] * 260, groups)
    grouped = corrected_share(calibration, 0.74, worth=worth, n=1000)
    few = corrected_share(calibration, 0.74, worth=100, n=100)
    assert grouped is not None and few is not None and grouped.method.endswith("by group")
    assert grouped.estimate == pytest.approx(found.estimate) and grouped.n == 1000
    assert (grouped.low, grouped.high) == pytest.approx((few.low, few.high), abs=0.01)


def test_means_are_prediction_powered() -> None:
    labels = yes_no(300, right=0.8, seed=5, share=0.9)
    others = [float(bool(one.judged)) for one in yes_no(3000, right=0.8, seed=6, share=0.9)]
    found = corrected_mean(labels, others)
    assert found is not None
    assert found.estimate == pytest.approx(0.9, abs=0.04)
    assert abs(sum(others) / len(others) - 0.9) > 0.1
