"""What is asked, how each way asks it, and that no sample is shown its own answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.example import Example
from noria.evals.explore.arm import Arm, arms, content, fields_of, raw
from noria.evals.explore.brief import Brief
from noria.evals.explore.exploration import chosen_scorer, problem_of, run_id
from noria.evals.explore.left_out import LeftOut, others
from noria.prompts.compiled import CompiledPrompt, turns
from noria.prompts.compose import compiled
from noria.prompts.technique import Shot
from noria.scoring.scorer import Output

BRIEF = Brief(task="Say which.", answers=("a", "b"), shots=(2, 8))


def sample(n: int, answer: str, **more: Any) -> Example:
    return Example(id=f"s{n:02}", input={"text": f"question {n}"}, expected=answer, **more)


def ready(brief: Brief, arm: Arm, fields: tuple[str, ...]) -> CompiledPrompt:
    made = content(brief, arm, fields, dataset="d@1")
    return compiled(made, {}, project="p", name="explore", number=0, digest=made.digest)


def test_every_model_is_asked_in_every_way() -> None:
    found = arms(["m", "n"], BRIEF, samples=20, answered=True)
    assert [one.way for one in found[:4]] == ["zero-shot", "2-shot", "8-shot", "chain of thought"]
    assert len(found) == 8 and len({run_id("exp_1", one) for one in found}) == 8
    assert [one.way for one in arms(["m"], BRIEF, samples=6, answered=True)][1:3] == ["2-shot", "5-shot"]
    assert [one.way for one in arms(["m"], BRIEF, samples=20, answered=False)] == [
        "zero-shot",
        "chain of thought",
    ]


def test_a_prompt_says_the_task_the_answers_and_the_input() -> None:
    found = turns(ready(BRIEF, Arm(model="m"), ("text",)), {"text": "What?"})
    assert found[0].role == "system" and found[0].text.startswith("Say which.") and "\na\nb" in found[0].text
    assert found[-1].text == "What?"
    several = turns(
        ready(BRIEF, Arm(model="m"), ("context", "question")), {"context": {"a": 1}, "question": "q"}
    )
    assert several[-1].text == 'context:\n{"a": 1}\n\nquestion:\nq'
    chat = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes?"}]
    assert turns(ready(BRIEF, Arm(model="m"), ("messages",)), {"messages": chat})[-1].text.splitlines() == [
        "user: hi", "assistant: yes?",
    ]  # fmt: skip
    thought = turns(ready(BRIEF, Arm(model="m", technique="chain of thought"), ("text",)), {"text": "What?"})
    assert "step by step" in thought[-1].text
    assert (
        content(BRIEF, Arm(model="m", technique="chain of thought"), ("text",)).parameters["max_tokens"]
        == 1000
    )


@given(st.text(alphabet=st.sampled_from("{}%# ab'\"\n"), max_size=60))
def test_a_task_is_said_word_for_word_whatever_marks_it_has(task: str) -> None:
    said = turns(ready(Brief(task="x" + task + "x"), Arm(model="m"), ("text",)), {"text": "?"})[0].text
    assert said == "x" + task + "x"
    assert raw("plain {text}") == "plain {text}"


def test_fields_are_those_that_every_input_has() -> None:
    assert fields_of([{"a": 1, "b": 2}, {"b": 3, "a": 4, "c": 5}]) == ("a", "b")
    assert fields_of([{"a": 1}, {"b": 1}]) == ()


examples_of = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["", "", "g1", "g2"]), st.integers(0, 6)),
    min_size=2,
    max_size=30,
)


@given(examples_of, st.integers(1, 10), st.integers(0, 3))
def test_no_sample_is_shown_itself(drawn: list[tuple[str, str, int]], k: int, seed: int) -> None:
    samples = [
        Example(id=f"s{n}", input={"text": f"Question {text}"}, expected=answer, group=group)
        for n, (answer, group, text) in enumerate(drawn)
    ]
    for one in samples:
        shown = others(samples, one, k=k, seed=seed)
        assert len(shown) <= k and shown == others(list(reversed(samples)), one, k=k, seed=seed)
        assert len({other.id for other in shown}) == len(shown)
        for other in shown:
            assert other.id != one.id and other.input != one.input
            assert not one.group or other.group != one.group


@given(st.integers(3, 12), st.integers(0, 5))
def test_different_answers_are_shown_first(k: int, seed: int) -> None:
    samples = [sample(n, "abc"[n % 3]) for n in range(30)]
    shown = others(samples, samples[0], k=k, seed=seed)
    counts = [sum(other.expected == answer for other in shown) for answer in "abc"]
    assert max(counts) - min(counts) <= 1 and sum(counts) == k


async def test_the_target_renders_others_than_the_sample() -> None:
    samples = [sample(n, "abc"[n % 3]) for n in range(9)]
    prompts: list[CompiledPrompt] = []

    def make(prompt: CompiledPrompt) -> Any:
        async def answer(example: Example, *, repeat: int, seed: int) -> Output:
            prompts.append(prompt)
            return Output(example=example, text="a")

        return answer

    prompt = ready(BRIEF, Arm(model="m", technique="few-shot", shots=4), ("text",))
    target = LeftOut(samples, prompt, make, k=4, seed=0)
    for one in samples:
        await target(one, repeat=0, seed=0)
        said = [turn.text for turn in turns(prompts[-1], one.input)]
        assert len(said) == 2 + 2 * 4 and said[-1] == one.input["text"] and said[-1] not in said[:-1]
        assert Shot(input=one.input, answer=str(one.expected)) not in target.shown(one)


@pytest.mark.parametrize(
    ("expected", "answers", "type", "words"),
    [
        (["a", "b"] * 6, (), "exact", "2 short texts that repeat"),
        (["x"] * 6, ("x", "y"), "exact", "the brief lists 2 answers"),
        ([str(n * 7) for n in range(6)], (), "numeric", "is a number"),
        ([{"a": n} for n in range(6)], (), "exact", "is an object"),
        ([f"word {n}" for n in range(6)], (), "exact", "five words at most"),
        ([f"a much longer answer with the number {n} in it" for n in range(6)], (), "token_f1", "free text"),
    ],
)
def test_the_scorer_follows_the_form_of_the_answers(
    expected: list[Any], answers: tuple[str, ...], type: str, words: str
) -> None:
    samples = [Example(id=str(n), input={"text": str(n)}, expected=one) for n, one in enumerate(expected)]
    chosen = chosen_scorer(samples, answers)
    assert chosen.spec.type == type and words in chosen.why


def test_five_to_fifty_samples() -> None:
    assert "There are 4 samples" in problem_of([sample(n, "a") for n in range(4)])
    assert "There are 51" in problem_of([sample(n, "a") for n in range(51)])
    assert not problem_of([sample(n, "a") for n in range(5)])
