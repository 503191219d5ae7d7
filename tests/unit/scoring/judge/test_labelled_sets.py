"""Judges of known agreement, calibrated on real labelled answers: what was put in comes out."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from noria.core.example import Example
from noria.scoring.calls import Calls
from noria.scoring.judge.bar import Bar, may_gate
from noria.scoring.judge.calibration import Calibration, measure
from noria.scoring.judge.corrected import corrected_share
from noria.scoring.judge.label import AS_WRITTEN, Reading, labelled, verdict
from noria.scoring.resolve import described, resolve
from noria.scoring.scorer import ScorerSpec
from noria.testing.judge import Script, ScriptedJudge

HATE = Reading(answer="test_case", label="label_gold", yes=("hateful",))


def hatecheck(data: Path) -> list[Example]:
    with (data / "hatecheck" / "test_suite_cases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[::9]
    return [
        Example(id=row["case_id"], input={}, metadata=dict(row), group=row["templ_id"] or row["case_id"])
        for row in rows
    ]


def graded(data: Path) -> list[Example]:
    """Answers to MT-bench with GPT-4's grades, 1 to 5."""
    rows: list[dict[str, Any]] = json.loads((data / "prometheus-eval" / "mt_bench_eval.json").read_text())
    found: list[Example] = []
    for number, row in enumerate(rows):
        asked, _, rest = row["instruction"].partition("###Response to evaluate:")
        answer = rest.partition("###Score Rubrics:")[0].strip()
        grade = round(sum(row["gpt4_score"]) / len(row["gpt4_score"]))
        about = {"answer": answer, "label": grade}
        found.append(Example(id=f"{number:03d}", input={"input": asked[-400:]}, metadata=about))
    return found


def pairs(data: Path) -> list[Example]:
    """Of two answers, one that people chose as the more helpful, honest and harmless."""
    rows = json.loads((data / "prometheus-eval" / "hhh_alignment_eval.json").read_text())
    draw, found = random.Random(0), []
    for number, row in enumerate(rows):
        chosen, rejected = (
            row[name].partition("###Response to evaluate:")[2].partition("###Score Rubrics:")[0].strip()
            for name in ("chosen_instruction", "rejected_instruction")
        )
        first = draw.random() < 0.5
        about = {
            "answer": chosen if first else rejected,
            "rival": rejected if first else chosen,
            "label": "win" if first else "loss",
        }
        found.append(Example(id=f"{number:03d}", input={"input": "Which?"}, metadata=about))
    return found


async def calibrated(
    spec: ScorerSpec, examples: Sequence[Example], model: Any, reading: Reading = AS_WRITTEN
) -> Calibration:
    measures, scorer = described(spec)[0], resolve(spec, calls=Calls(chat=model))
    verdicts = []
    for example in examples:
        given = labelled(example, measures, reading=reading, rival=str(spec.arguments.get("against", "")))
        assert given is not None
        verdicts.append(verdict(given, await scorer(given.output), name=measures.name, repeat=0))
    return measure(verdicts)


def gate(found: Calibration) -> str:
    return may_gate("j", identity="i", bar=Bar(kappa=0.6), calibrated="i", calibration=found).verdict


async def hate(data: Path, agreement: float) -> Calibration:
    examples = hatecheck(data)
    labels = {
        str(one.metadata["test_case"]): "yes" if one.metadata["label_gold"] == "hateful" else "no"
        for one in examples
    }
    spec = ScorerSpec(type="judge.toxicity", name="hate", arguments={"model": "m"})
    return await calibrated(spec, examples, ScriptedJudge(Script(labels, agreement=agreement, seed=3)), HATE)


async def test_hatecheck(data: Path) -> None:
    good = await hate(data, 0.93)
    assert good.failed == 0 and good.n > 400 and gate(good) == "pass"
    assert good.kappa is not None and good.kappa.estimate is not None and good.kappa.low is not None
    assert good.kappa.method.endswith("by group") and good.kappa.low > 0.7
    assert good.length_bias is not None and good.length_bias.low is not None
    assert good.length_bias.low < 0.1
    bad = await hate(data, 0.6)
    assert gate(bad) == "fail"
    # Of 1,000 texts, 500 of them hateful, that judge would call about so many hateful.
    rates = (good.true_positive, good.false_positive)
    said = sum(500 * (rate.estimate or 0) for rate in rates if rate is not None)
    corrected = corrected_share(good, said / 1000, worth=1000, n=1000)
    assert corrected is not None
    assert corrected.estimate == pytest.approx(0.5, abs=0.01)
    assert corrected.low is not None and corrected.high is not None and corrected.low < 0.5 < corrected.high


async def test_grades(data: Path) -> None:
    examples = graded(data)
    labels = {str(one.metadata["answer"]): str(one.metadata["label"]) for one in examples}
    spec = ScorerSpec(
        type="judge.rubric", name="j", arguments={"model": "m", "criterion": "c", "scale": "1-5"}
    )
    good = await calibrated(spec, examples, ScriptedJudge(Script(labels, agreement=0.95, seed=1)))
    assert good.n == len(examples) == 320 and gate(good) == "pass"
    assert good.alpha is not None and (good.alpha.estimate or 0) > 0.75
    bad = await calibrated(spec, examples, ScriptedJudge(Script(labels, agreement=0.2, seed=1)))
    assert gate(bad) == "fail"


class FirstPlace:
    """Prefers the answer that people chose, or the first one, whichever the draw says."""

    def __init__(self, examples: Sequence[Example], *, biased: float) -> None:
        draw = random.Random(9)
        self.known: dict[frozenset[str], tuple[str, bool]] = {}
        for one in examples:
            answer, rival = one.metadata["answer"], one.metadata["rival"]
            chosen = answer if one.metadata["label"] == "win" else rival
            self.known[frozenset((answer, rival))] = (chosen, draw.random() < biased)

    async def respond(self, request: Any) -> Any:
        said = request.messages[-1].parts[0].text
        first, second = (
            said.partition(f"<answer_{name}>\n")[2].partition(f"\n</answer_{name}>")[0] for name in "ab"
        )
        chosen, biased = self.known[frozenset((first, second))]
        return await self._say("A" if biased or first == chosen else "B", request)

    async def _say(self, place: str, request: Any) -> Any:
        return await ScriptedJudge(Script({"": place}, agreement=1.0)).respond(request)

    def stream(self, request: Any) -> Any:
        raise NotImplementedError


async def test_pairs_show_a_bias_to_the_first_place(data: Path) -> None:
    examples = pairs(data)
    spec = ScorerSpec(type="judge.pairwise", name="j", arguments={"model": "m", "against": "rival"})
    fair = await calibrated(spec, examples, FirstPlace(examples, biased=0.0))
    assert gate(fair) == "pass" and fair.consistent is not None and fair.consistent.estimate == 1.0
    assert fair.first_place is not None and fair.first_place.estimate == pytest.approx(0.5)
    biased = await calibrated(spec, examples, FirstPlace(examples, biased=0.5))
    assert biased.consistent is not None and (biased.consistent.high or 1) < 0.6
    assert biased.first_place is not None and (biased.first_place.low or 0) > 0.65
    assert gate(biased) == "fail"
