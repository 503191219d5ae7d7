"""Bias: known biases come out as the papers' formulas say."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from noria.core.example import Example
from noria.errors import ConfigError, InvalidRequest
from noria.scoring.bias.counterfactual import counterfactuals, swapped
from noria.scoring.resolve import described, resolve
from noria.scoring.scorer import Output, Score, ScorerSpec

Make = Callable[..., Output]


async def judged(given: Output, type: str, **arguments: Any) -> list[Score]:
    return list(await resolve(ScorerSpec(type=type, arguments=arguments))(given))


def together(type: str, scores: Sequence[Sequence[Score]], **arguments: Any) -> dict[str, float]:
    found: dict[str, float] = {}
    for place, one in enumerate(described(ScorerSpec(type=type, arguments=arguments))):
        column = [row[place] for row in scores]
        if one.metric is not None:
            found[one.name] = one.metric(column)
        else:
            found[one.name] = sum(float(score.value or 0) for score in column) / len(column)
    return found


async def test_crows_pairs(output: Make) -> None:
    given = output("", metadata={"choices": ["more", "less"]}, data={"logprobs": [-10.0, -12.5]})
    more, difference = await judged(given, "bias.crows_pairs")
    assert (more.value, difference.value) == (True, 2.5)
    missing = await judged(output("", metadata={"choices": ["more", "less"]}), "bias.crows_pairs")
    assert all("no log-probability" in one.failed for one in missing)


def questions(data: Path) -> list[Example]:
    found: list[Example] = []
    for line in (data / "bbq" / "Age.jsonl").read_text().splitlines():
        row = json.loads(line)
        choices = [row["ans0"], row["ans1"], row["ans2"]]
        about = {**row, "choices": choices}
        found.append(
            Example(
                id=str(row["example_id"]),
                input={"input": row["question"]},
                expected=row["label"],
                metadata=about,
            )
        )
    return found


def stereotype(example: Example) -> int:
    """What a model answers that always follows the stereotype."""
    about = example.metadata
    groups = about["additional_metadata"]["stereotyped_groups"]
    known = [place for place in range(3) if about["answer_info"][f"ans{place}"][1] != "unknown"]
    member = next(place for place in known if about["answer_info"][f"ans{place}"][1] in groups)
    other = next(place for place in known if place != member)
    return member if about["question_polarity"] == "neg" else other


async def test_bbq(data: Path) -> None:
    examples = questions(data)
    draw = random.Random(5)

    async def answers(choose: Callable[[Example], int]) -> dict[str, float]:
        scores = [await judged(Output(example=one, text="ABC"[choose(one)]), "bias.bbq") for one in examples]
        return together("bias.bbq", scores)

    right = await answers(lambda one: one.expected)
    assert right["bias.bbq"] == 1.0 and right["bias.bbq.ambiguous"] == 0.0
    assert right["bias.bbq.clear"] == pytest.approx(0.0, abs=0.01)
    biased = await answers(stereotype)
    assert biased["bias.bbq.ambiguous"] == 1.0 and biased["bias.bbq.clear"] == 1.0
    against = await answers(lambda one: next(p for p in range(3) if p != stereotype(one) and
                            one.metadata["answer_info"][f"ans{p}"][1] != "unknown"))  # fmt: skip
    assert against["bias.bbq.ambiguous"] == -1.0 and against["bias.bbq.clear"] == -1.0
    guesses = await answers(lambda one: draw.randrange(3))
    assert abs(guesses["bias.bbq.ambiguous"]) < 0.15 and abs(guesses["bias.bbq.clear"]) < 0.15
    # Half by stereotype, half unknown: s is 1, and half of the ambiguous ones are right.
    half = await answers(
        lambda one: (
            stereotype(one)
            if int(one.id) % 8 < 4
            else next(p for p in range(3) if one.metadata["answer_info"][f"ans{p}"][1] == "unknown")
        )
    )
    assert half["bias.bbq.ambiguous"] == pytest.approx(0.5)


async def test_bbq_without_its_fields(output: Make) -> None:
    failed = await judged(output("A", 0, metadata={"choices": ["a", "b", "c"]}), "bias.bbq")
    assert all("stereotyped_groups" in one.failed for one in failed)


GROUPS = {"scorer": {"type": "exact"}, "groups": ["pro", "anti"], "by": "kind"}


async def test_groups(output: Make) -> None:
    rows = [("pro", True)] * 9 + [("pro", False)] + [("anti", True)] * 6 + [("anti", False)] * 4
    scores = [
        await judged(
            output("yes" if right else "no", "yes", metadata={"kind": kind}), "bias.groups", **GROUPS
        )
        for kind, right in rows
    ]
    found = together("bias.groups", scores, **GROUPS)
    assert found["bias.groups"] == pytest.approx(0.3)
    assert found["bias.groups.ratio"] == pytest.approx(0.6 / 0.9)
    assert found["bias.groups.gap"] == pytest.approx(0.3)
    assert math.isnan(together("bias.groups", scores[:5], **GROUPS)["bias.groups"])
    (stranger, *_) = await judged(output("yes", "yes", metadata={"kind": "x"}), "bias.groups", **GROUPS)
    assert "none of the groups" in stranger.failed
    (missing, *_) = await judged(output("yes", metadata={"kind": "pro"}), "bias.groups", **GROUPS)
    assert "no expected answer" in missing.failed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({**GROUPS, "groups": ["a"]}, "two or more names"),
        ({**GROUPS, "scorer": {"kind": "exact"}}, "table with `type`"),
        ({**GROUPS, "scorer": {"type": "bleu"}}, "gives a corpus"),
        ({**GROUPS, "scorer": {"type": "nothing"}}, "No scorer of type"),
    ],
)
def test_groups_that_make_no_sense(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        described(ScorerSpec(type="bias.groups", arguments=arguments))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "twin"),
    [
        ("He lost his keys.", "She lost her keys."),
        ("She said it to her. HER keys are hers", "He said it to him. HIS keys are hers"),
        ("The man and the women", "The woman and the men"),
        ("Give her the book", "Give his the book"),
        ("mankind", "mankind"),
        ("Mr Smith is an actor.", "Ms Smith is an actress."),
    ],
)
def test_swaps(text: str, twin: str) -> None:
    assert swapped(text) == twin


def test_counterfactuals() -> None:
    example = Example(
        id="e",
        input={"messages": [{"role": "user", "content": "Is he a nurse?"}]},
        expected="He is.",
        metadata={"level": 1},
    )
    original, twin = counterfactuals(example)
    assert original.metadata == {"level": 1, "variant": "original"}
    assert (twin.id, twin.group, original.group) == ("e~swapped", "e", "e")
    assert twin.input == {"messages": [{"role": "user", "content": "Is she a nurse?"}]}
    assert twin.expected == "She is."
    with pytest.raises(InvalidRequest, match="names nobody"):
        counterfactuals(Example(id="e", input={"input": "What is two and two?"}))
