"""Techniques: what is sent, and what the answers come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from noria.core.example import Example
from noria.errors import InvalidRequest
from noria.prompts.apply import Ask, Outcome, Rank, Work, answer_of, carry_out, majority, messages_for
from noria.prompts.technique import Reasoning, Shot, technique_of

from .make import content, ready

ASK = ("user", "Q: {{ q }}")
SHOTS = {
    "examples": {"given": [{"input": {"q": "1+1"}, "answer": "2"}, {"input": {"q": "2+2"}, "answer": "4"}]}
}


def drive(work: Work, *replies: Sequence[Any]) -> tuple[list[Ask | Rank], Outcome]:
    asked = [next(work)]
    for reply in replies:
        try:
            asked.append(work.send(reply))
        except StopIteration as end:
            return asked, end.value
    raise AssertionError("more is asked")


def said(ask: Ask | Rank) -> list[str]:
    assert isinstance(ask, Ask)
    return [f"{one['role']}: {one['content']}" for one in ask.messages]


def test_zero_shot_is_the_prompt_itself() -> None:
    prompt = ready(content(("system", "Be kind."), ASK, parameters={"temperature": 0}))
    (ask,), outcome = drive(carry_out(prompt, {"q": "3+3"}), [" 6 "])
    assert said(ask) == ["system: Be kind.", "user: Q: 3+3"]
    assert isinstance(ask, Ask) and ask.parameters == {"temperature": 0} and ask.n == 1
    assert outcome.text == " 6 " and outcome.answer == "6"


def test_examples_are_turns_before_the_last_question() -> None:
    shots = tuple(Shot(input={"q": one}, answer=two) for one, two in (("1+1", "2"), ("2+2", "4")))
    prompt = ready(content(("system", "Count."), ASK, technique=SHOTS), shots=shots)
    assert [one["content"] for one in messages_for(prompt, {"q": "3+3"})] == [
        "Count.", "Q: 1+1", "2", "Q: 2+2", "4", "Q: 3+3",
    ]  # fmt: skip
    other = [Example(id="x", input={"q": "5+5", "more": 1}, expected=["10", "ten"])]
    assert [one["content"] for one in messages_for(prompt, {"q": "3+3"}, examples=other)] == [
        "Count.", "Q: 5+5", "10", "Q: 3+3",
    ]  # fmt: skip
    with pytest.raises(InvalidRequest, match="no expected answer"):
        messages_for(prompt, {"q": "1"}, examples=[Example(id="x", input={"q": "1"})])


def test_a_template_may_write_the_examples_itself() -> None:
    text = "{% for one in examples %}{{ one.input.q }} -> {{ one.answer }}\n{% endfor %}{{ q }} ->"
    shots = (Shot(input={"q": "1+1"}, answer="2"),)
    prompt = ready(content(("user", text), technique=SHOTS), shots=shots)
    assert messages_for(prompt, {"q": "3+3"}) == [{"role": "user", "content": "1+1 -> 2\n3+3 ->"}]


def test_chain_of_thought_gives_the_answer_behind_the_last_mark() -> None:
    prompt = ready(content(ASK, technique={"reasoning": {"instruction": "Think. End with {answer}"}}))
    (ask,), outcome = drive(carry_out(prompt, {"q": "3+3"}), ["Answer: first 5. No.\nAnswer: 6"])
    assert said(ask) == ["user: Q: 3+3\n\nThink. End with Answer:"] and outcome.answer == "6"


@pytest.mark.parametrize(
    ("text", "answer"),
    [("So it is.\nAnswer: 4", "4"), ("answer:\n 4\n", "4"), ("**Answer: 4**", "4"), ("no mark", "no mark")],
)
def test_answers_are_found(text: str, answer: str) -> None:
    assert answer_of(text, Reasoning()) == answer


@pytest.mark.parametrize(
    ("answers", "place", "share"),
    [(["a", "b", "b"], 1, 2 / 3), (["Four.", "4", " four"], 0, 2 / 3), (["x"], 0, 1.0), (["a", "b"], 0, 0.5)],
)
def test_the_majority(answers: list[str], place: int, share: float) -> None:
    assert majority(answers) == (place, pytest.approx(share))


def test_the_best_is_ranked_by_its_scorer() -> None:
    scorer = {"type": "exact"}
    technique = {"samples": {"n": 3, "choose": "best", "scorer": scorer, "temperature": 1.0}}
    prompt = ready(content(ASK, technique=technique))
    (ask, rank), outcome = drive(carry_out(prompt, {"q": "x"}), ["a", "b", "c"], [0.1, 0.9, 0.3])
    assert isinstance(ask, Ask) and ask.n == 3 and ask.parameters == {"temperature": 1.0}
    assert isinstance(rank, Rank) and rank.texts == ("a", "b", "c") and rank.scorer == scorer
    assert outcome.text == "b" and outcome.samples == ("a", "b", "c")


def test_steps_give_variables_to_those_behind_them() -> None:
    steps = [
        {"name": "parts", "template": "Split {{ q }}."},
        {"name": "sums", "template": "Sum {{ parts }}."},
    ]
    schema = {"type": "object", "properties": {"q": {"type": "string"}}, "additionalProperties": False}
    prompt = ready(content(("user", "{{ q }} is {{ sums }}?"), technique={"steps": steps}, variables=schema))
    asked, outcome = drive(carry_out(prompt, {"q": "3+3"}), ["3 and 3"], ["6"], ["yes"])
    assert [said(one) for one in asked] == [
        ["user: Split 3+3."], ["user: Sum 3 and 3."], ["user: 3+3 is 6?"],
    ]  # fmt: skip
    assert outcome.steps == {"parts": "3 and 3", "sums": "6"} and outcome.answer == "yes"
    with pytest.raises(InvalidRequest, match="'q'"):
        next(carry_out(prompt, {"q": 1}))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"exampels": {}}, "exampels"),
        ({"examples": {}}, "given` or `ids`"),
        ({"examples": {"ids": ["a"]}}, "name it"),
        ({"examples": {"choose": "similar", "dataset": "d"}}, "embedder"),
        ({"examples": {"choose": "random"}}, "dataset"),
        ({"examples": {"choose": "random", "dataset": "d", "k": 0}}, "between 1 and 100"),
        ({"samples": {"n": 1}}, "between 2 and 50"),
        ({"samples": {"choose": "best"}}, "scorer"),
        ({"samples": {"n": "3"}}, "Expected `int`"),
        ({"steps": [{"name": "a b", "template": ""}]}, "can name a variable"),
        ({"reasoning": {"answer": " "}}, "the words that come before"),
    ],
)
def test_techniques_that_are_not_understood(written: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as error:
        technique_of(written)
    assert error.value.message.count("`") % 2 == 0


def test_examples_need_a_question_to_stand_before() -> None:
    with pytest.raises(InvalidRequest, match="a user message"):
        ready(content(("system", "Be kind."), technique=SHOTS))
